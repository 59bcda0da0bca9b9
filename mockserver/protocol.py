"""The protocol class given to uvicorn: HTTP as always, a handle on the connection for faults, and two shorter ways.

Most requests need nothing of what ASGI is for: they are whole when they are read, and their answer is there at once.
These are answered where they are read, from bytes to bytes, with one write; for those whose head is plain, not even the
parser is asked. Whatever is else (the control API, files, faults, large bodies, old clients, requests that wait for an
earlier one) goes the usual way, through ASGI.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .app import BEGUN, App
from .exchange import Exchange
from .headers import Headers
from .request import EXTENSION, Request

_LINGER_NOT = struct.pack("ii", 1, 0)
_HELD_BYTES = 64 * 1024
"""A body larger than this is not waited for here."""


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
        self._between = True
        self._held = False
        self._body = b""
        self._begun: Exchange | None = None
        self._answered_at = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._followed: RequestResponseCycle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection."""
        super().connection_lost(exc)
        followed = self._followed
        if followed is not None and not followed.response_complete:  # uvicorn tells the newest request alone
            followed.disconnected = True
            followed.message_event.set()
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what was received: a plain request, or else what the parser has to read."""
        if self._between and self._known is not None and not self._is_busy():
            request = self._known.request_heads.read(data)
            if request is not None and self._answered(request):
                self._unset_keepalive_if_required()
                return
        super().data_received(data)
        self._begun = None

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._between = False
        self._held = self._known is not None and not self._is_busy()
        if self._held:
            self.url, self.headers, self.expect_100_continue, self._body = b"", [], False, b""
        else:
            if not self.pipeline:
                self._followed = self.cycle
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
        self._between = True
        if self._held and not self._answered(self._request()):
            self._release()
        if self._held:
            self._held = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request that waits."""
        self._followed = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()

    def _is_busy(self) -> bool:
        """Tell whether an earlier request waits for its answer, or its answer to be sent."""
        return self._is_waited_for() or self.flow.write_paused

    def _is_waited_for(self) -> bool:
        """Tell whether an answer is under way through ASGI."""
        newest: RequestResponseCycle | None = self.cycle
        return newest is not None and not newest.response_complete

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

    def _request(self) -> Request:
        """Return the request that was held."""
        path, _, query = self.url.partition(b"?")
        text = path.decode("ascii")
        method = self.parser.get_method().decode("ascii")
        headers = Headers(self.headers)
        return Request(method, unquote(text) if "%" in text else text, query, headers, self._body, on_socket=True)

    def _answered(self, request: Request) -> bool:
        """Answer `request`, and tell whether that was possible; if not, its exchange may have begun all the same."""
        known = self._known
        assert known is not None  # noqa: S101 - nothing would come here
        exchange, self._begun = self._begun or known.begin(request), None
        if exchange is None:
            return False
        answer = exchange.answer
        head = known.answer_heads.before(answer, self.server_state.default_headers)
        if exchange.early is not None or exchange.fault is not None or not head:
            self._begun = exchange
            return False
        self.transport.write(b"%b%d\r\n\r\n%b" % (head, len(answer.body), answer.body))
        self._note_answer()
        known.finished(exchange)
        return True

    def _note_answer(self) -> None:
        """Do what uvicorn does after an answer; but let one timer watch the whole connection, not one each pause."""
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        """Close the connection if nothing came since the last answer, where uvicorn does not see to that itself.

        An answer that its reader did not take yet is sent all the same.
        """
        self._idle_timer = None
        if not self._between or self._is_waited_for() or self.timeout_keep_alive_task is not None:
            return
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        else:
            self.timeout_keep_alive_handler()

    def _release(self) -> None:
        """Let ASGI have the request that was held, with its exchange if that was begun."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        self.scope["extensions"] = self._extensions
        if self._begun is not None:
            self.scope[BEGUN], self._begun = self._begun, None  # type: ignore[literal-required]
        self._held = False
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)
