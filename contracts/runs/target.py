"""What is asked: a provider at a URL, an emulator at one, or an application in this process; the same to the kit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import orjson

from ..checks.exchange import Exchange, Headers
from . import asgi
from .ask import Ask
from .lifespan import Lifespan

T = TypeVar("T")
TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class EndlessAnswerError(Exception):
    """An answer is longer than anybody should read."""


class UnreachableError(Exception):
    """The target can't be asked at all; the message says what happened instead of an answer, in one line."""


class Target:
    """Where requests go, and whose time they are measured by.

    One event loop does everything: while an answer is awaited, a receiver of callbacks that was started with `run`
    can take them.

    Args:
        base_url: what the provider's URLs begin with, as ``http://127.0.0.1:4020/acme``.
        app: an ASGI application that is asked in this process instead of a server, at the path of `base_url`.
        seconds: how long an answer may take.
    """

    def __init__(self, base_url: str, *, app: Any = None, seconds: float = TIMEOUT_SECONDS) -> None:
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        self.root = f"{parts.scheme}://{parts.netloc}"
        self._runner = asyncio.Runner()
        self._app = app
        self._seconds = seconds
        self._host = parts.netloc
        # The environment's proxies are none of a test's business, nor are certificates where nothing is encrypted.
        self._http = httpx.AsyncClient(
            timeout=seconds, trust_env=False, headers={}, verify=app is None and parts.scheme == "https"
        )
        self._http.headers.clear()
        self.in_process = app is not None
        self._prefix = urlsplit(self.base_url).path
        self.clock: Clock = RealTime(self)
        self.asked = 0
        self._lifespan = Lifespan(app) if app is not None else None
        if self._lifespan is not None:
            self.run(self._lifespan.start())

    def __enter__(self) -> Self:
        """Return this target."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections, let an application in this process stop, and end the loop."""
        self.run(self._http.aclose())
        if self._lifespan is not None:
            self.run(self._lifespan.stop())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` does, on the target's loop."""
        return self._runner.get_loop().run_until_complete(work)

    def ask(self, ask: Ask) -> Exchange:
        """Send a request to the provider and return the exchange; an answer that never came is one without status."""
        return self.run(self._asked(ask))

    async def _asked(self, ask: Ask) -> Exchange:
        self.asked += 1
        began = self.clock.now()
        status: int | None = None
        headers: Headers = ()
        body, error = b"", ""
        try:
            status, headers, body = await self._answer(ask)
        except httpx.HTTPError as failure:
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        except TimeoutError:
            error = f"no whole answer within {self._seconds:g} s"
        except EndlessAnswerError as failure:
            error = str(failure)
        return Exchange(
            ask.method, ask.path, ask.query, ask.headers, ask.body, began, self.clock.now(), status, headers, body,
            error, self.asked,
        )  # fmt: skip

    async def _answer(self, ask: Ask) -> tuple[int, Headers, bytes]:
        path = self._prefix + ask.path
        if self._app is not None:
            return await asgi.call(self._app, ask.method, path, ask.query, ask.headers, ask.body, host=self._host)
        url = f"{self.root}{path}" + (f"?{ask.query}" if ask.query else "")
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in ask.headers]
        request = self._http.build_request(ask.method, url, headers=sent, content=ask.body or None)
        async with asyncio.timeout(self._seconds):
            response = await self._http.send(request, stream=True)
            try:
                headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
                return response.status_code, headers, await _read(response)
            finally:
                await response.aclose()

    async def fetch(self, method: str, url: str, data: Any = None) -> httpx.Response:
        """Return the answer of something else on the target's host: its control API.

        Raises:
            httpx.HTTPError: there is none.
        """
        if self._app is None:
            return await self._http.request(method, f"{self.root}{url}", json=data)
        path, _, query = url.partition("?")
        body = b"" if data is None else orjson.dumps(data)
        told = (("content-type", "application/json"),) if body else ()
        status, headers, content = await asgi.call(self._app, method, path, query, told, body, host=self._host)
        return httpx.Response(status, headers=list(headers), content=content)


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise EndlessAnswerError(f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes")
    return b"".join(parts)


class Clock:
    """The provider's time, in milliseconds since the epoch."""

    def now(self) -> int:
        """Return the time."""
        raise NotImplementedError

    async def at_arrival(self) -> int:
        """Return the time while something has just come, asked of who keeps it."""
        return self.now()

    def wait(self, milliseconds: int) -> None:
        """Let so much time pass."""
        raise NotImplementedError


class RealTime(Clock):
    """The time of this machine, which a real provider's is taken to be near."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def now(self) -> int:
        """Return the time."""
        return time.time_ns() // 1_000_000

    def wait(self, milliseconds: int) -> None:
        """Sleep."""
        self._target.run(asyncio.sleep(milliseconds / 1000))
