"""What a flow asks of whoever runs it: to exchange something over HTTP, or to wait.

A flow is a generator. It yields steps, is sent the `Answer` of each exchange, and has the error thrown into it where
there was none. It does no I/O and knows no clock but the one it is handed, so one flow serves both clients.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from .errors import ProtocolViolation

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""An answer beyond this is none that a provider documents: pictures come by link."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, ready to be sent. Its headers may hold the key, so they are not shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class Sink(Protocol):
    """Takes in one answer while it arrives."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in the head of the answer; what was taken in before is void."""

    def feed(self, chunk: bytes) -> None:
        """Take in the next part of the body."""

    def end(self) -> Answer:
        """Return the answer; the body is whole."""


class Memory:
    """Keeps a body in memory, within a bound."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = 0

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in the head of the answer."""
        self._status, self._headers = status, headers

    def feed(self, chunk: bytes) -> None:
        """Take in the next part of the body.

        Raises:
            ProtocolViolation: the body is larger than any that is documented.
        """
        self._size += len(chunk)
        if self._size > MAX_ANSWER_BYTES:
            limit = f"at most {MAX_ANSWER_BYTES:,} bytes"
            raise ProtocolViolation("", limit, "larger")
        self._chunks.append(chunk)

    def end(self) -> Answer:
        """Return the answer."""
        return Answer(self._status, self._headers, b"".join(self._chunks))


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send `ask`, and let `sink` take in the answer.

    Attributes:
        timeout: seconds for the whole of it.
        silence: seconds for which nothing may come.
        follow: whether redirects are followed.
    """

    ask: Ask
    sink: Sink
    timeout: float
    silence: float
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


Step = Exchange | Pause
Flow = Generator[Step, Answer, T]
