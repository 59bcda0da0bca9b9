"""How many callbacks per second, beside what bare httpx sends from one core to the same receiver."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from . import jobs
from .figures import OURS, Results, alternate
from .load import Ask, length_of, load
from .machine import pinned
from .servers import ROOT, Running, understudy

HTTPX = "httpx"
AT_ONCE = (1, 4, 8)
"""How many requests bare httpx has under way; the number it is quickest with counts."""
_CONNECTIONS = 8
_DEADLINE = 120.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class CallbackError(Exception):
    """Not every callback came, or one came twice."""


class Receiver:
    """Takes posts on many connections, answers each at once, and keeps the bodies and when the first and last came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._poll.register(self._listener.fileno(), select.EPOLLIN)
        self._open: dict[int, tuple[socket.socket, bytearray]] = {}
        self.bodies: list[bytes] = []
        self._first = self._last = 0.0

    def __enter__(self) -> Self:
        """Return this receiver."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        for connection, _ in self._open.values():
            connection.close()
        self._poll.close()
        self._listener.close()

    def receive(self, count: int, seconds: float = _DEADLINE) -> float:
        """Take `count` posts and return how many came per second.

        Raises:
            CallbackError: they do not come in time.
        """
        self.bodies.clear()
        end = time.perf_counter() + seconds
        while len(self.bodies) < count:
            if time.perf_counter() > end:
                raise CallbackError(f"{len(self.bodies)} of {count} posts came within {seconds:g} s")
            for number, _ in self._poll.poll(1):
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._take(number)
        return (count - 1) / (self._last - self._first)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[connection.fileno()] = connection, bytearray()
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _take(self, number: int) -> None:
        connection, come = self._open[number]
        try:
            part = connection.recv(1 << 16)
        except ConnectionError:
            part = b""
        if not part:
            self._open.pop(number)
            connection.close()
            return
        come += part
        head, found, body = bytes(come).partition(b"\r\n\r\n")
        if not found or len(body) < length_of(head):
            return
        come.clear()
        self._last = time.perf_counter()
        self._first = self._first if self.bodies else self._last
        self.bodies.append(body)
        connection.sendall(_ANSWER)


def measure(results: Results, count: int, core: int, runs: int) -> None:
    """Let this server and bare httpx send `count` posts each, in turn."""
    sides = [OURS, *(f"{HTTPX}, {number} at once" for number in AT_ONCE)]
    rates: dict[str, list[float]] = {side: [] for side in sides}
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Running(understudy("--frozen"), core))
        file = folder / "body.json"
        _sent(server, receiver, 10)
        file.write_bytes(receiver.bodies[0])

        def run(side: str) -> None:
            if side == OURS:
                rates[side].append(_sent(server, receiver, count))
            else:
                rates[side].append(_posted(receiver, count, AT_ONCE[sides.index(side) - 1], file, core))

        alternate(runs, sides, run)
    for side, found in rates.items():
        results.add("callbacks", "rate", side, 0, found)


def _sent(server: Running, receiver: Receiver, count: int) -> float:
    """Create tasks, let them all end at one moment, and return how many callbacks came per second."""
    body = jobs.as_json(jobs.PARAM | {"callBackUrl": f"http://127.0.0.1:{receiver.port}/callback"})
    ask = Ask(jobs.request("POST", jobs.CREATE, body), b'"taskId"')
    tasks: list[str] = []
    load(server.port, lambda: jobs.creations(tasks, ask, count // _CONNECTIONS + 1), _CONNECTIONS)
    advance = jobs.request("POST", "/_understudy/clock?namespace=test", b'{"advance": "1h"}')
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=_DEADLINE)) as control:
        control.sendall(advance)
        rate = receiver.receive(len(tasks))
        control.recv(1 << 16)
    told = sorted(jobs.between(body, b'"taskId":"', b'"').decode() for body in receiver.bodies)
    if told != sorted(tasks):
        raise CallbackError(f"callbacks tell of {len(set(told))} tasks; expected {len(tasks)}, each once")
    return rate


def _posted(receiver: Receiver, count: int, at_once: int, file: Path, core: int) -> float:
    """Return how many posts of what stands in `file` bare httpx sends per second."""
    url = f"http://127.0.0.1:{receiver.port}/callback"
    command = [sys.executable, "-m", "benchmarks.posting", url, str(count), str(at_once), str(file)]
    with pinned(core):
        process = subprocess.Popen(command, cwd=ROOT)
    try:
        return receiver.receive(count)
    finally:
        process.terminate()
        process.wait()
