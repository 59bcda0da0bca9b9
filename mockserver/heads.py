"""Heads of messages that come again and again: read, or written, once for all that are the same.

A client sends the same headers with every request, but for their first line; a server answers most of them with the
same headers. What is kept of them is keyed by the bytes themselves, so that nothing is taken for what it is not: a
head that was not met before, or is anything but plain, goes the way that parses it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from .answer import Answer
from .headers import Fields, Headers
from .request import Request

_MOST = 1024
_LONGEST = 4096
_MOST_LINES = 64
"""Headers of a few bytes each take many times their size, once they are read."""
_LINE = re.compile(
    rb"(DELETE|GET|PATCH|POST|PUT) (/[\w.~!$&'()*+,;=:@/-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))? HTTP/1\.1(?=\r\n)"
)
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ENDS = b"\r\n\r\n"
_Default = list[tuple[bytes, bytes]]


class _Known(NamedTuple):
    headers: Headers
    body_bytes: int


class RequestHeads:
    """What stands between a request's first line and its body, by its bytes, as the parser understood it."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def read(self, data: bytes) -> Request | None:
        """Return the request that `data` is; None where it is more or less than one, or its headers are new."""
        line = _LINE.match(data)
        if line is None:
            return None
        begins = line.end()
        ends = data.find(_ENDS, begins)
        if ends < 0:
            return None
        known = self._known.get(data[begins:ends])
        if known is None or len(data) - ends - 4 != known.body_bytes:
            return None
        method, path, query = line.groups(b"")
        return Request(method.decode(), path.decode(), query, known.headers, data[ends + 4 :], on_socket=True)

    def learn(self, data: bytes, headers: Headers, body_bytes: int) -> None:
        """Know from now on that the headers in `data`, a whole request, are `headers` and lead to such a body."""
        line = _LINE.match(data)
        if line is None or b"transfer-encoding" in headers:
            return
        begins = line.end()
        ends = data.find(_ENDS, begins)
        block = data[begins:ends]
        if (
            ends < 0
            or len(block) > _LONGEST
            or block.count(b"\n") > _MOST_LINES
            or len(data) - ends - 4 != body_bytes
            or block.count(b"\n") != block.count(b"\r\n")
        ):
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[block] = _Known(headers, body_bytes)


class AnswerHeads:
    """Heads of answers up to the length of their body, by status and headers, for as long as the date stands."""

    def __init__(self) -> None:
        self._written: dict[tuple[int, Fields], bytes] = {}
        self._default: _Default | None = None

    def before(self, answer: Answer, default: _Default) -> bytes:
        """Return the head of `answer` but for its length, with the server's `default` headers.

        It is empty where a server would have to refuse to write it.
        """
        if default is not self._default:  # uvicorn makes a new list every second, for the date
            self._default = default
            self._written.clear()
        key = answer.status, answer.headers
        try:
            return self._written[key]
        except KeyError:
            if len(self._written) >= _MOST:
                self._written.clear()
            made = self._written[key] = _written(answer, default)
            return made


def _written(answer: Answer, default: _Default) -> bytes:
    if answer.status not in STATUS_LINE or any(_UNPRINTABLE.search(value) for _, value in answer.headers):
        return b""
    lines = b"".join([b"%b: %b\r\n" % header for header in (*default, *answer.headers)])
    return STATUS_LINE[answer.status] + lines + b"content-length: "
