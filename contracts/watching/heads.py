"""Heads of HTTP/1 messages: read without being changed, but for the name of the host."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 256 * 1024
CHUNKED = "chunked"
UNTIL_CLOSED = "until closed"
Framing = int | str
"""How the end of a body is known: by its length in bytes, by its chunks, or by the end of the connection."""

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.([01])")
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: .*)?", re.DOTALL)


class NoHeadError(ValueError):
    """What came is no head of an HTTP/1 message; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message.

    Attributes:
        raw: every byte of it, with the empty line at its end.
        fields: names in lower case and values, in order.
    """

    raw: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the field `name` (in lower case), in order."""
        return [value for key, value in self.fields if key == name]

    def words(self, name: bytes) -> set[bytes]:
        """Return the words of the list that the field `name` holds, in lower case."""
        return {word.strip().lower() for value in self.values(name) for word in value.split(b",")}

    @property
    def is_modern(self) -> bool:
        """Whether the message is of HTTP/1.1, whose connections stay open unless they are said not to."""
        return b"HTTP/1.1" in self.raw.partition(b"\r\n")[0]

    @property
    def closes(self) -> bool:
        """Whether whoever sent it closes the connection after this message."""
        words = self.words(b"connection")
        return b"close" in words or (not self.is_modern and b"keep-alive" not in words)


def read_head(raw: bytes) -> Head:
    """Return the head that `raw` is.

    Raises:
        NoHeadError: a line of it is no header field.
    """
    fields: list[tuple[bytes, bytes]] = []
    for line in raw.split(b"\r\n")[1:-2]:
        if line[:1] in {b" ", b"\t"} and fields:  # old servers fold long lines
            name, value = fields.pop()
            fields.append((name, b" ".join([value, line.strip()])))
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise NoHeadError(f"{line[:60]!r} is no header field")
        fields.append((match[1].lower(), match[2]))
    return Head(raw, tuple(fields))


def request_line(head: Head) -> tuple[str, bytes]:
    """Return the method and the target of a request.

    Raises:
        NoHeadError: it is none of HTTP/1.
    """
    line = head.raw.partition(b"\r\n")[0]
    match = _REQUEST.fullmatch(line)
    if match is None:
        raise NoHeadError(f"{line[:60]!r} begins no HTTP/1 request")
    return match[1].decode(), match[2]


def status_of(head: Head) -> int:
    """Return the status of an answer.

    Raises:
        NoHeadError: it is none of HTTP/1.
    """
    line = head.raw.partition(b"\r\n")[0]
    match = _STATUS.fullmatch(line)
    if match is None:
        raise NoHeadError(f"{line[:60]!r} begins no HTTP/1 answer")
    return int(match[2])


def request_framing(head: Head) -> Framing:
    """Return how the end of a request's body is known; 0 where it has none.

    Raises:
        NoHeadError: its length is no number.
    """
    if b"chunked" in head.words(b"transfer-encoding"):
        return CHUNKED
    return _length(head) or 0


def answer_framing(head: Head, status: int, method: str) -> Framing:
    """Return how the end of an answer's body is known; 0 where it has none.

    Raises:
        NoHeadError: its length is no number.
    """
    if method == "HEAD" or status < 200 or status in {204, 304}:
        return 0
    if b"chunked" in head.words(b"transfer-encoding"):
        return CHUNKED
    length = _length(head)
    return UNTIL_CLOSED if length is None else length


def _length(head: Head) -> int | None:
    values = set(head.values(b"content-length"))
    if not values:
        return None
    text = values.pop()
    if values or not text.isdigit():
        raise NoHeadError(f"Content-Length {text[:40]!r} is no number of bytes")
    return int(text)


def addressed_to(head: Head, target: bytes, host: bytes) -> bytes:
    """Return the head of a request with another `target` and another value of ``Host``, and nothing else changed."""
    line, _, rest = head.raw.partition(b"\r\n")
    method, _, version = line.split(b" ")
    lines = rest.split(b"\r\n")
    for number, each in enumerate(lines):
        name, colon, _ = each.partition(b":")
        if name.lower() == b"host":
            lines[number] = name + colon + b" " + host
    if not head.values(b"host"):
        lines.insert(0, b"Host: " + host)
    return b"\r\n".join([b" ".join([method, target, version]), *lines])
