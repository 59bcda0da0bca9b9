"""What went over the wire: an exchange, and a callback that came. Checks judge these bytes and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]
"""Names in lower case and values, in the order in which they were sent."""


def header(headers: Headers, name: str) -> str | None:
    """Return the value of the header `name` (in lower case), several as one list (RFC 9110), or None."""
    values = [value for key, value in headers if key == name]
    return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. Times are milliseconds since the epoch by the provider's clock, as far as known.

    Attributes:
        method: in capitals.
        path: percent-encoded as it was sent, without the part that leads to the provider.
        query: the query as it was sent, without the question mark.
        headers: the request's.
        body: the request's.
        began: when the request was sent.
        ended: when the answer was there, or it was clear that none would come.
        status: the answer's HTTP status; None where none came.
        answer_headers: the answer's.
        answer: the answer's body.
        error: why no answer came, "" where one did.
        number: how many came before it in what was recorded, and one.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    began: int
    ended: int
    status: int | None
    answer_headers: Headers = ()
    answer: bytes = b""
    error: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that a receiver was sent.

    Attributes:
        headers: of the request.
        body: of the request.
        came: when it came, in milliseconds since the epoch by the provider's clock.
        real_time: the same by the receiver's clock, against which signatures are judged.
        answered: the HTTP status that the receiver answered with; None where it answered nothing.
        number: how many came before it in what was recorded, and one.
    """

    headers: Headers
    body: bytes
    came: int
    real_time: int
    answered: int | None
    number: int = 0
