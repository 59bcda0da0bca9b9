"""Load on one core: a bounded number of connections that ask, wait for the answer, look at it and ask again.

Plain sockets and `epoll` keep up with what a bare application on uvicorn can answer; how busy the generator was
itself is told, since a rate at which it had no time left is its own and not the server's.
"""

from __future__ import annotations

import gc
import select
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import NamedTuple

_RECEIVED = 1 << 18
_SILENCE = 10.0
"""Seconds without any answer after which a run is given up."""
_MOST_ERRORS = 1000


class Ask(NamedTuple):
    """A request as it is sent, and how an answer to it begins and what it holds where it is right."""

    request: bytes
    holds: bytes
    begins: bytes = b"HTTP/1.1 200"


Script = Generator[Ask, bytes, None]
"""What one connection does: yields what it asks, and is sent the whole answer."""


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        seconds: from the first request to the last answer.
        waits: how long each answer took, in seconds, shortest first.
        errors: answers that were wrong, and connections that broke.
        example: the beginning of a wrong answer.
        busy: the share of the time in which the generator itself was at work.
        spent: the seconds of processor time that the server took, where that was looked at.
    """

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    errors: int = 0
    example: bytes = b""
    busy: float = 0.0
    spent: float = 0.0

    @property
    def rate(self) -> float:
        """Right answers per second."""
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def wait(self, share: float) -> float:
        """Return the milliseconds within which this share of the answers came."""
        return self.waits[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1000 if self.waits else 0.0


class LoadError(Exception):
    """The server does not answer, or hardly ever rightly."""


def load(port: int, make: Callable[[], Script], connections: int, *, seconds: float = 600, most: int = 0) -> Outcome:
    """Let `connections` follow a script each until all have ended, or for `seconds`, or for `most` answers.

    Raises:
        LoadError: no answer for ten seconds, or a thousand wrong ones.
    """
    run = _Run(port, make)
    collecting = gc.isenabled()
    gc.disable()  # a pause of ours would count as one of the server's
    try:
        return run.go(connections, seconds, most)
    finally:
        run.close()
        if collecting:
            gc.enable()


@dataclass(slots=True)
class _Line:
    """A connection: what it asked last, when, and what has come so far."""

    socket: socket.socket
    script: Script
    ask: Ask
    asked: float = 0.0
    come: bytes = b""


class _Run:
    def __init__(self, port: int, make: Callable[[], Script]) -> None:
        self._port = port
        self._make = make
        self._poll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._lengths: dict[bytes, int] = {}
        self._outcome = Outcome()

    def go(self, connections: int, seconds: float, most: int) -> Outcome:
        for _ in range(connections):
            script = self._make()
            self._open(script, next(script))
        began, worked = time.perf_counter(), time.process_time()
        end = began + seconds
        for line in list(self._lines.values()):
            self._send(line, began)
        now = self._answers(end, most)
        outcome = self._outcome
        outcome.seconds = now - began
        outcome.busy = (time.process_time() - worked) / outcome.seconds
        outcome.waits.sort()
        return outcome

    def _answers(self, end: float, most: int) -> float:
        """Take answers until the end, and return when that was."""
        waits, lines, clock = self._outcome.waits, self._lines, time.perf_counter
        now = clock()
        while lines and now < end and not (most and len(waits) >= most):
            ready = self._poll.poll(_SILENCE)
            if not ready:
                raise LoadError(f"no answer within {_SILENCE:g} s")
            for number, _ in ready:
                line = lines[number]
                come = self._received(line)
                if come is None:
                    continue
                now = clock()
                ask = line.ask
                if come.startswith(ask.begins) and ask.holds in come:
                    waits.append(now - line.asked)
                else:
                    self._wrong(come)
                try:
                    line.ask = line.script.send(come)
                except StopIteration:
                    self._drop(line)
                else:
                    self._send(line, now)
        return now

    def _received(self, line: _Line) -> bytes | None:
        """Return the answer once all of it has come; an empty one where the connection ended before."""
        try:
            part = line.socket.recv(_RECEIVED)
        except OSError:
            part = b""
        if not part:
            come, line.come = line.come, b""
            self._reopen(line)
            return come
        come = line.come + part if line.come else part
        end = come.find(b"\r\n\r\n")
        if end >= 0:
            head = come[:end]
            length = self._lengths.get(head)
            if length is None:
                length = self._lengths[head] = length_of(head)
                if len(self._lengths) > 4096:  # answers that tell the time in milliseconds differ each time
                    self._lengths.clear()
            if come.endswith(b"0\r\n\r\n") if length < 0 else len(come) >= end + 4 + length:
                line.come = b""
                return come
        line.come = come
        return None

    def _wrong(self, come: bytes) -> None:
        outcome = self._outcome
        outcome.errors += 1
        outcome.example = outcome.example or come[:400] or b"the connection ended"
        if outcome.errors >= _MOST_ERRORS:
            raise LoadError(f"{outcome.errors} wrong answers; the first: {outcome.example!r}")

    def _open(self, script: Script, ask: Ask) -> _Line:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=_SILENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = self._lines[made.fileno()] = _Line(made, script, ask)
        self._poll.register(made.fileno(), select.EPOLLIN)
        return line

    def _reopen(self, line: _Line) -> None:
        """Give the line a new connection: what was asked on the old one is counted as an error by the caller."""
        self._lines.pop(line.socket.fileno())
        line.socket.close()
        fresh = self._open(line.script, line.ask)
        line.socket = fresh.socket
        self._lines[line.socket.fileno()] = line

    def _drop(self, line: _Line) -> None:
        self._poll.unregister(line.socket.fileno())
        self._lines.pop(line.socket.fileno())
        line.socket.close()

    @staticmethod
    def _send(line: _Line, now: float) -> None:
        line.asked = now
        line.socket.sendall(line.ask.request)

    def close(self) -> None:
        for line in self._lines.values():
            line.socket.close()
        self._poll.close()


def length_of(head: bytes) -> int:
    """Return how many bytes of body follow the head of a message; -1 where they come in chunks."""
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    return -1 if b"chunked" in fields.get(b"transfer-encoding", b"") else int(fields.get(b"content-length", b"0"))
