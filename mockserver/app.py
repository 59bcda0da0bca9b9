"""The emulator as an ASGI application: the only place that reads requests and sends answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .answer import Answer, text_answer
from .emulator import Emulator
from .exchange import Exchange
from .gallery import Gallery
from .links import PREFIX, read_path
from .request import Request
from .settings import MAX_BODY_BYTES

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Log = Callable[[Exchange, float], None]

CONTROL = "/_understudy"


class App:
    """An ASGI application that plays providers.

    Args:
        emulator: what decides every answer.
        log: told of each exchange and how many milliseconds it took; None where nobody wants to know.
    """

    def __init__(self, emulator: Emulator, log: Log | None = None) -> None:
        self.emulator = emulator
        self._log = log
        self._gallery = Gallery(emulator)
        self._control: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connection are none of ours."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith(CONTROL):
            await self._control_app()(scope, receive, send)
            return
        began = time.perf_counter()
        request = Request(scope["method"], path, scope["query_string"], scope["headers"], await _read(receive))
        if path.startswith(PREFIX):
            exchange = await self._file(request)
        else:
            exchange = self.emulator.handle(request)
        await _send(send, exchange.answer, scope["method"])
        if self._log is not None:
            self._log(exchange, (time.perf_counter() - began) * 1000)

    def _control_app(self) -> Any:
        if self._control is None:
            # Imported when first asked for: the path of a documented operation needs none of it.
            from .control import control_app  # noqa: PLC0415

            self._control = control_app(self.emulator)
        return self._control

    async def _file(self, request: Request) -> Exchange:
        exchange = Exchange(request)
        link = read_path(request.path, request.query_string.decode("latin-1"))
        if request.method not in {"GET", "HEAD"}:
            exchange.answer = text_answer(405, f"{request.method} is not possible on a file; GET is")
            exchange.answer.headers.append((b"allow", b"GET, HEAD"))
        elif link is None:
            exchange.answer = text_answer(404, f"{request.path} is no link to a file")
        else:
            exchange.provider, exchange.operation = link.provider, "file"
            exchange.answer = await self._gallery.fetch(link)
        return exchange


async def _read(receive: Receive) -> bytes:
    """Return the body, or as much of it as shows that it is too large; the rest is read and let go."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        part = message.get("body", b"")
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        size += len(part)
    return b"".join(parts)


async def _send(send: Send, answer: Answer, method: str) -> None:
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
