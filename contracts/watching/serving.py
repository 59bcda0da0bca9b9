"""Running the proxy: a loop that passes on, and beside it a thread that judges, so that nobody waits for a verdict."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections.abc import Callable
from socket import socket
from types import TracebackType
from typing import Self

import httpx

from .passed import Passed
from .proxy import Proxy, Upstream
from .watcher import MAX_JUDGED_BYTES, Watcher
from .wire import accepting

_MAX_WAITING = 20_000
MAX_WAITING_BYTES = 128 * 1024 * 1024
_SWITCH_SECONDS = 0.0005
_START_SECONDS = 10.0


class Judging:
    """Hands what passed by to a watcher, in a thread of its own and in order.

    Attributes:
        dropped: how many came while too many were waiting, and were not judged.
        failed: what the watcher raised, None where it did not; it judges no more after that.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._waiting: queue.Queue[tuple[Passed, int] | None] = queue.Queue(_MAX_WAITING)
        self._came = self._left = 0  # bytes of bodies: one is counted by the loop only, the other by the thread only
        self.dropped = 0
        self.failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="understudy-watch")
        self._thread.start()

    def put(self, passed: Passed) -> None:
        """Let `passed` be judged soon."""
        size = len(passed.body.content) + len(passed.answer.content)
        if self._waiting.full() or self._came + size - self._left > MAX_WAITING_BYTES:
            self.dropped += 1
        else:
            self._came += size
            self._waiting.put_nowait((passed, size))

    def close(self) -> None:
        """Return when everything has been judged."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            if self.failed is None:
                try:
                    self._watcher.take(waiting[0])
                except Exception as error:  # whatever it is, the application goes on being served
                    self.failed = error
            self._left += waiting[1]


async def serve(proxy: Proxy, listener: socket, ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Pass on what comes to `listener` until `stop` is set; `ready` is called when connections are accepted."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(accepting(proxy.accept), sock=listener, backlog=1024)
    ready()
    await stop.wait()
    server.close()
    await proxy.close()


def make_proxy(upstream: Upstream, callback_to: Upstream | None, saw: Callable[[Passed], None]) -> Proxy:
    """Return a proxy whose connections over TLS are checked as those of httpx are: SSL_CERT_FILE is heeded.

    Raises:
        OSError: what SSL_CERT_FILE or SSL_CERT_DIR names can't be read.
    """
    wanted = upstream.tls or (callback_to is not None and callback_to.tls)
    tls = httpx.create_ssl_context() if wanted else None
    if tls is not None:
        tls.set_alpn_protocols(["http/1.1"])
    return Proxy(upstream, callback_to=callback_to, tls=tls, limit=MAX_JUDGED_BYTES, saw=saw)


class Watching:
    """A proxy in a thread of its own, for use beside a test: ``with Watching(proxy, listener): …``."""

    def __init__(self, proxy: Proxy, listener: socket) -> None:
        self._proxy = proxy
        self._listener = listener
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Return when connections are accepted."""
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError(f"the proxy did not start within {_START_SECONDS:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; return when the thread has ended."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._served())

    async def _served(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve(self._proxy, self._listener, self._started.set, self._stop)


def yield_often() -> None:
    """Let threads take turns more often than usual: who judges must not hold up who passes on."""
    sys.setswitchinterval(_SWITCH_SECONDS)
