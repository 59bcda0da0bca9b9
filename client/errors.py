"""Everything that the client raises.

::

    UnderstudyError
    ├── ConfigurationError      what the client was given can't work: provider, key, URL, an operation that is not there
    ├── InvalidRequest          the input does not fit the stored schema, or the provider says that it is wrong
    ├── Refused                 the provider said no; HTTP status or body code, it makes no difference
    │   ├── Unauthorized        the key is missing, wrong, or may not do this
    │   ├── InsufficientCredits the balance does not cover it
    │   ├── NotFound            no such task or file, whatever code says so
    │   ├── RateLimited         too many calls; `retry_after` says when to come back
    │   └── Unavailable         the provider is down, overloaded or failing; asking again may help
    ├── TransportFailed         no complete answer: connection, timeout
    ├── ProtocolViolation       an answer that is not what the provider documents
    ├── TaskFailed              the task ended without results
    ├── WaitTimedOut            the task had not ended when the time was up
    └── CallbackRejected        what came in as a callback is none, or was not signed by the provider

Errors carry fields and build their sentence from them; no sentence holds a key or a whole answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..openapi.errors import shorten
from ..openapi.validation import Problem

if TYPE_CHECKING:
    from .task import Task

RejectionReason = Literal["missing", "malformed", "stale", "wrong", "other"]


class UnderstudyError(Exception):
    """Whatever the client raises; catch it to catch everything."""

    def __repr__(self) -> str:
        """Show the sentence: it is what a log has room for."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the fields when the error is pickled: an error of another process is as telling as one's own."""
        return _restored, (type(self), self.args, dict(self.__dict__))


def _restored(kind: type[UnderstudyError], args: tuple[Any, ...], fields: dict[str, Any]) -> UnderstudyError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class ConfigurationError(UnderstudyError):
    """What the client was given can't work, whatever the provider answers."""


class InvalidRequest(UnderstudyError):
    """The input is wrong: found here before it was sent, or by the provider.

    Attributes:
        problems: what is wrong, each with `field`, `value`, `limit` and `expected`; empty where the provider found it.
        code: the provider's code, or None where it was found here.
        message: the provider's sentence, or "".
        http_status: the answer's HTTP status, or None where it was found here.
    """

    def __init__(
        self,
        problems: Sequence[Problem] = (),
        *,
        code: str | int | None = None,
        message: str = "",
        http_status: int | None = None,
    ) -> None:
        super().__init__()
        self.problems = tuple(problems)
        self.code = code
        self.message = message
        self.http_status = http_status

    def __str__(self) -> str:
        if not self.problems:
            return _refusal_sentence(self.code, self.message, self.http_status)
        return "; ".join(map(str, self.problems))


class Refused(UnderstudyError):
    """The provider said no.

    Attributes:
        code: the provider's code: that of the body, or the HTTP status where the body tells none.
        message: the provider's sentence, or "".
        http_status: the answer's HTTP status, which may well be 200.
        name: the name of the entry in the provider's error catalogue, or "" where it is not in there.
        retry_after: seconds after which the provider wants to be asked again, or None.
    """

    def __init__(
        self,
        *,
        code: str | int | None = None,
        message: str = "",
        http_status: int = 200,
        name: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__()
        self.code = code
        self.message = message
        self.http_status = http_status
        self.name = name
        self.retry_after = retry_after

    def __str__(self) -> str:
        later = "" if self.retry_after is None else f"; it wants to be asked again in {self.retry_after:g} s"
        return _refusal_sentence(self.code, self.message, self.http_status) + later


def _refusal_sentence(code: str | int | None, message: str, http_status: int | None) -> str:
    carried = "" if str(code) == str(http_status) else f" (HTTP {http_status})"
    said = f": {message}" if message else ""
    return f"the provider answered {code}{carried}{said}"


class Unauthorized(Refused):
    """The key is missing, wrong, or may not do this."""


class InsufficientCredits(Refused):
    """The balance does not cover what was asked."""


class NotFound(Refused):
    """There is no such task or file, or it is no longer kept."""


class RateLimited(Refused):
    """Too many calls; `retry_after` says after how many seconds to come back, where the provider says so."""


class Unavailable(Refused):
    """The provider is down, overloaded or failing; asking again later may help."""


class TransportFailed(UnderstudyError):
    """No complete answer came.

    Attributes:
        problem: what happened.
        sent: whether the request may have reached the provider; a creation for which this holds may exist, and be paid.
        timed_out: whether it took too long, rather than broke.
    """

    def __init__(self, problem: str, *, sent: bool, timed_out: bool = False) -> None:
        super().__init__()
        self.problem = problem
        self.sent = sent
        self.timed_out = timed_out

    def __str__(self) -> str:
        reached = "the request may have been received" if self.sent else "the request was not received"
        return f"{self.problem}; {reached}"


class ProtocolViolation(UnderstudyError):
    """An answer that is not what the provider documents.

    Attributes:
        pointer: JSON Pointer of the place in the answer; "" for the whole. A ``#`` steps into JSON inside a string.
        expected: what would have been right.
        found: what stands there instead, cut short.
        ended: whether the answer says all the same that the task has ended: asking again would change nothing.
    """

    def __init__(self, pointer: str, expected: str, found: str, *, ended: bool = False) -> None:
        super().__init__()
        self.pointer = pointer
        self.expected = expected
        self.found = found
        self.ended = ended

    def __str__(self) -> str:
        place = f"{self.pointer} of the answer" if self.pointer else "the answer"
        return f"{place} is {self.found}; expected {self.expected}"


class TaskFailed(UnderstudyError):
    """The task ended without results: it failed, or was cancelled.

    Attributes:
        task: the task as it was last seen.
        code: the provider's code for the failure, or None where it gave none.
        message: the provider's sentence, or "".
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.code = task.error.code if task.error else None
        self.message = task.error.message if task.error else ""

    def __str__(self) -> str:
        code = "" if self.code is None else f" {self.code}"
        said = f":{code} {self.message}".rstrip() if code or self.message else ""
        return f"task {self.task.id} ended as {shorten(self.task.status)}{said}"


class WaitTimedOut(UnderstudyError):
    """The task had not ended when the time was up; it may still end.

    Attributes:
        task: the task as it was last seen.
        timeout: the seconds that were waited.
    """

    def __init__(self, task: Task, timeout: float) -> None:
        super().__init__()
        self.task = task
        self.timeout = timeout

    def __str__(self) -> str:
        return f"task {self.task.id} had not ended after {self.timeout:g} s; its status was {shorten(self.task.status)}"


class CallbackRejected(UnderstudyError):
    """What came in as a callback is none, or does not prove that the provider sent it.

    Attributes:
        reason: ``missing`` (no signature), ``malformed`` (body or headers can't be read), ``stale`` (signed too long
            ago, or in the future), ``wrong`` (not signed with this secret, or another body than was signed), or
            ``other`` (it is about something else than a task).
        problem: one sentence.
    """

    def __init__(self, reason: RejectionReason, problem: str) -> None:
        super().__init__()
        self.reason = reason
        self.problem = problem

    def __str__(self) -> str:
        return f"the callback is rejected: {self.problem}"
