"""The protocol class given to uvicorn: HTTP as always, a handle on the connection for faults, and a shorter way.

Most requests need nothing of what ASGI is for: they are whole when they are read, and their answer is there at once.
These are answered where they are read, from bytes to bytes, with one write. Whatever is else (the control API, files,
faults, large bodies, old clients, requests that wait for an earlier one) goes the usual way, through ASGI.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from .answer import Answer
from .app import BEGUN, App
from .exchange import Exchange
from .request import EXTENSION, Request

_LINGER_NOT = struct.pack("ii", 1, 0)
_HELD_BYTES = 64 * 1024
"""A body larger than this is not waited for here."""
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class _Wire:
    """The connection of one request."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send `data` as it is."""
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._transport.close()

    def closing(self) -> bool:
        """Tell whether the connection is gone, or about to be."""
        return self._transport.is_closing()

    def reset(self) -> None:
        """Reset the connection: with no time to linger, closing it sends a RST in place of a FIN."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()


class Protocol(HttpToolsProtocol):
    """Answers at once what can be, and puts a handle on the connection into every other request's scope.

    A request that may be answered at once is held: what the parser tells of it is kept until it is whole. One that
    turns out to need more is released: uvicorn is told everything again from its beginning.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self._extensions: dict[str, Any] = {EXTENSION: _Wire(transport)}
        self._known = self.app if isinstance(self.app, App) else None
        self._held = False
        self._body = b""
        self._common: tuple[Any, bytes] = (None, b"")

    def on_message_begin(self) -> None:
        """Begin a request."""
        before: RequestResponseCycle | None = self.cycle
        waits = before is not None and not before.response_complete
        self._held = self._known is not None and not waits and not self.flow.write_paused
        if self._held:
            self.url, self.headers, self.expect_100_continue, self._body = b"", [], False, b""
        else:
            super().on_message_begin()
            self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """Go on to the request's body."""
        if not self._held:
            super().on_headers_complete()
        elif not self._may_be_held():
            self._release()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self._held:
            super().on_body(body)
            return
        self._body = self._body + body if self._body else body
        if len(self._body) > _HELD_BYTES:
            self._release()

    def on_message_complete(self) -> None:
        """Answer the request that was held, or let ASGI do so."""
        if self._held and not self._answered():
            self._release()
        if self._held:
            self._held = False
        else:
            super().on_message_complete()

    def _may_be_held(self) -> bool:
        parser = self.parser
        return (
            parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and parser.get_method() != b"HEAD"
            and self.url.startswith(b"/")
            and b"#" not in self.url
            and self.url.isascii()
        )

    def _answered(self) -> bool:
        """Answer the request that was held; tell whether that was possible."""
        assert self._known is not None  # noqa: S101 - nothing would be held
        path, _, query = self.url.partition(b"?")
        text = path.decode("ascii")
        method = self.parser.get_method().decode("ascii")
        request = Request(
            method, unquote(text) if "%" in text else text, query, self.headers, self._body, on_socket=True
        )
        exchange = self._known.begin(request)
        if exchange is None:
            return False
        if exchange.early is not None or exchange.fault is not None or not _is_plain(exchange.answer):
            self._release(exchange)
            return True
        self.transport.write(self._written(exchange.answer))
        self.on_response_complete()
        self._known.finished(exchange)
        return True

    def _release(self, exchange: Exchange | None = None) -> None:
        """Let ASGI have the request that was held, with its `exchange` if that was begun."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        self.scope["extensions"] = self._extensions
        if exchange is not None:
            self.scope[BEGUN] = exchange  # type: ignore[literal-required]
        self._held = False
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)

    def _written(self, answer: Answer) -> bytes:
        """Return `answer` as it goes over the wire."""
        default = self.server_state.default_headers
        if self._common[0] is not default:  # uvicorn makes a new list every second, for the date
            self._common = default, b"".join([b"%b: %b\r\n" % header for header in default])
        own = b"".join([b"%b: %b\r\n" % header for header in answer.headers])
        length = b"content-length: %d\r\n\r\n" % len(answer.body)
        return b"".join((STATUS_LINE[answer.status], self._common[1], own, length, answer.body))


def _is_plain(answer: Answer) -> bool:
    """Tell whether there is nothing in its head that uvicorn would have to refuse."""
    return answer.status in STATUS_LINE and not any(_UNPRINTABLE.search(value) for _, value in answer.headers)
