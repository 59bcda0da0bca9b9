"""Asking an ASGI application in this process: no socket, no client, and little more than a function call."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from ..checks.exchange import Headers

Message = MutableMapping[str, Any]
_OF_A_CRASH = b"Internal Server Error"


async def call(  # noqa: PLR0913 - what a request is made of
    app: Any, method: str, path: str, query: str, headers: Headers, body: bytes, *, host: str = "localhost"
) -> tuple[int, Headers, bytes]:
    """Return the status, headers and body that `app` answers.

    An application that raises, or sends nothing, has answered what a server would in its place: HTTP 500.

    Args:
        app: an ASGI application.
        method: in capitals.
        path: percent-encoded.
        query: without the question mark.
        headers: beside those that HTTP needs.
        body: of the request.
        host: the request's ``Host``.
    """
    sent = [(b"host", host.encode()), *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)]
    if body or method in {"POST", "PUT", "PATCH"}:
        sent.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": unquote(path), "raw_path": path.encode("ascii"), "root_path": "",
        "query_string": query.encode("ascii"), "headers": sent, "client": ("127.0.0.1", 1), "server": (host, 80),
    }  # fmt: skip
    answer = _Answer(body)
    try:
        await app(scope, answer.receive, answer.send)
    except Exception:
        answer.crashed = True
    return answer.told()


class _Answer:
    """What an application sends, as it sends it."""

    def __init__(self, body: bytes) -> None:
        self._request: list[bytes] = [body]
        self._status = 0
        self._headers: Headers = ()
        self._parts: list[bytes] = []
        self.crashed = False

    async def receive(self) -> Message:
        if not self._request:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._request.pop(), "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            told = message.get("headers", ())
            self._headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in told)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    def told(self) -> tuple[int, Headers, bytes]:
        if not self._status:
            return 500, (("content-type", "text/plain; charset=utf-8"),), _OF_A_CRASH
        return self._status, self._headers, b"".join(self._parts)
