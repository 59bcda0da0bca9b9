"""One entry of a recording, before anybody has said whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks.exchange import Headers


class SkippedError(ValueError):
    """An entry that can't be judged; the message is the reason, the same for all entries of its kind."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request and its answer as a recording holds them.

    Attributes:
        method: in capitals.
        url: where the request went, as far as it is known; in a journal the path below the provider.
        headers: the request's, names in lower case.
        body: the request's.
        began: when it was sent, in milliseconds since the epoch by the provider's clock, as far as known.
        real_time: the same by the recorder's clock.
        ended: when the answer was there, by the provider's clock.
        status: the answer's HTTP status; None where none came.
        answer_headers: the answer's.
        answer: the answer's body.
        error: why no answer came, "" where one did.
        provider: the provider that an emulator says it was for; None where the recorder was no emulator.
        below: whether `url` is the path below the provider already.
        decoded: how many of its bodies were written as base64.
    """

    method: str
    url: str
    headers: Headers
    body: bytes
    began: int
    real_time: int
    ended: int
    status: int | None
    answer_headers: Headers
    answer: bytes
    error: str = ""
    provider: str | None = None
    below: bool = False
    decoded: int = 0
