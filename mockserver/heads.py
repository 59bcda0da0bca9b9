"""Heads of plain requests, read in one go, and heads of answers, written once for all that have the same.

Most requests are plain: a method, a path and a query of letters that stand for themselves, headers of printable ASCII
that ask for nothing special, a body of the length they tell. Such a head is read here, and known by its bytes when it
comes again, as it does with every request of a client but for its first line. Whatever else there is (chunks, upgrades,
folded lines, other versions, escapes, half a request, two of them) is left to the parser.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

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
_PLAIN = re.compile(rb"(?:\r\n[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*(?<![\t ]))*+")
_LENGTH = re.compile(rb"[0-9]{1,9}")
_SPECIAL = frozenset({b"connection", b"expect", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ENDS = b"\r\n\r\n"
_Default = list[tuple[bytes, bytes]]


class _Known(NamedTuple):
    headers: Headers
    body_bytes: int


class RequestHeads:
    """Reads what stands between a request's first line and its body, and knows it when it comes again."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        self._met: set[int] = set()
        self._fields: dict[bytes, tuple[bytes, bytes]] = {}

    def read(self, data: bytes) -> Request | None:
        """Return the request that `data` is; None where it is more or less than one, or not plain."""
        line = _LINE.match(data)
        if line is None:
            return None
        begins = line.end()
        ends = data.find(_ENDS, begins)
        if ends < 0:
            return None
        block = data[begins:ends]
        known = self._known.get(block) or self._read(block)
        if known is None or len(data) - ends - 4 != known.body_bytes:
            return None
        method, path, query = line.groups(b"")
        return Request(method.decode(), path.decode(), query, known.headers, data[ends + 4 :], on_socket=True)

    def _read(self, block: bytes) -> _Known | None:
        """Return what the lines of `block` say, and keep it where they came before: some differ every time."""
        if len(block) > _LONGEST or block.count(b"\n") > _MOST_LINES or _PLAIN.fullmatch(block) is None:
            return None
        fields = [self._fields.get(line) or self._field(line) for line in block.split(b"\r\n")[1:]]
        headers = Headers(fields)
        body_bytes = _body_bytes(headers, fields)
        if body_bytes is None:
            return None
        known = _Known(headers, body_bytes)
        key = hash(block)
        if key in self._met:
            _make_room(self._known)
            self._known[block] = known
        else:
            _make_room(self._met)
            self._met.add(key)
        return known

    def _field(self, line: bytes) -> tuple[bytes, bytes]:
        name, _, value = line.partition(b":")
        _make_room(self._fields)
        field = self._fields[line] = name.lower(), value.lstrip(b" \t")
        return field


def _make_room(kept: dict[bytes, Any] | set[int]) -> None:
    if len(kept) >= _MOST:
        kept.clear()


def _body_bytes(headers: Headers, fields: list[tuple[bytes, bytes]]) -> int | None:
    """Return how long the body is that follows; None where more than that has to be known of it."""
    names = headers.names()
    if not _SPECIAL.isdisjoint(names) and not _only_keeps_alive(fields):
        return None
    if b"content-length" not in names:
        return 0
    lengths = [value for name, value in fields if name == b"content-length"]
    return int(lengths[0]) if len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) else None


def _only_keeps_alive(fields: list[tuple[bytes, bytes]]) -> bool:
    return all(name == b"connection" and value.lower() == b"keep-alive" for name, value in fields if name in _SPECIAL)


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
