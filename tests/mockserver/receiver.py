"""A receiver of callbacks on a real socket of this machine, as well or as badly behaved as a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

DEADLINE = 10.0


@dataclass(frozen=True)
class Received:
    """A callback as it came: `number` counts them from 1."""

    number: int
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as data."""
        return json.loads(self.body)


Answer = int | bytes | str
"""A status; or bytes that are sent as they are before the connection ends; or ``close``, ``hang`` or ``huge``."""
Behave = Callable[[Received], Answer | Awaitable[Answer]]


class Receiver:
    """Takes callbacks in a thread of its own, and answers them as `behave` says."""

    def __init__(self, behave: Behave | Answer = 200) -> None:
        self.behave: Behave = behave if callable(behave) else lambda _: behave
        self.received: list[Received] = []
        self.open = self.most_open = 0
        self.url = ""
        self.port = 0
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        assert self._started.wait(DEADLINE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)

    def until(self, count: int) -> list[Received]:
        """Wait until `count` callbacks have come; return all."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.received) >= count, DEADLINE)
        assert came, f"{len(self.received)} callbacks came, not {count}"
        return list(self.received)

    async def listen(self) -> asyncio.Server:
        """Listen in the loop that runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return server

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            server = runner.run(self.listen())
            self._started.set()
            self._loop.run_forever()
            server.close()  # who is being answered is cut off when the runner ends

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while await self._answered(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one callback; tell whether the connection may bring another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        with self._changed:
            letter = Received(len(self.received) + 1, head[0].split(" ")[1], headers, body)
            self.received.append(letter)
            self._changed.notify_all()
        answer = self.behave(letter)
        return await _give(writer, answer if isinstance(answer, int | bytes | str) else await answer)


async def _give(writer: asyncio.StreamWriter, answer: Answer) -> bool:
    if isinstance(answer, int):
        writer.write(b"HTTP/1.1 %d Whatever\r\ncontent-length: 2\r\n\r\n{}" % answer)
        return True
    if isinstance(answer, bytes):
        writer.write(answer)
    elif answer == "hang":
        await asyncio.sleep(3600)
    elif answer == "huge":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(1000):
                writer.write(bytes(100_000))
                await writer.drain()
    return False


def wait_until(condition: Callable[[], object], what: str = "") -> None:
    """Wait until `condition` holds, at most as long as a test may."""
    ends = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < ends, f"waited {DEADLINE:g} s in vain {what}"
        threading.Event().wait(0.005)
