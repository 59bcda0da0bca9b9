"""From the bytes of an answer to facts, a task or an error: pure functions over what the behaviour file tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from typing import Any

import orjson

from ..openapi.behaviour import Behaviour, OperationBehaviour
from ..openapi.errors import cut, shorten
from ..openapi.pointer import MISSING, join, resolve
from ..openapi.provider import Provider
from ..openapi.reads import Read, read
from ..openapi.refusals import ReadRefusal, code_word, read_refusal
from ..openapi.times import MAX_TIME
from .errors import (
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ProtocolViolation,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnderstudyError,
)
from .steps import Answer
from .task import Phase, Task, TaskError

_MESSAGE_LENGTH = 300
_KINDS: dict[str, type[Refused]] = {
    "unauthorized": Unauthorized,
    "insufficient-credits": InsufficientCredits,
    "not-found": NotFound,
    "rate-limited": RateLimited,
    "unavailable": Unavailable,
    "refused": Refused,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def understand(
    behaviour: Behaviour, operation: OperationBehaviour, answer: Answer, hide: Callable[[str], str] = str
) -> Any:
    """Return the data of an answer by which `operation` was done; None where its body is empty.

    Args:
        behaviour: what the provider's file says.
        operation: what was asked.
        answer: what came.
        hide: masks the key in a sentence of the provider's.

    Raises:
        InvalidRequest: the provider says that the request is wrong.
        Refused: it says no for another reason; the kind of it tells why.
        ProtocolViolation: the answer is neither.
    """
    data = _parsed(answer.body)
    pointer, code = _first(operation.refusal.code, data)
    if 200 <= answer.status <= 299:
        if data is MISSING and (answer.body or operation.reads):
            raise ProtocolViolation("", "JSON", _shown_body(answer))
        if not operation.refusal.accepted or code is None:
            return None if data is MISSING else data
        if isinstance(code, bool) or not isinstance(code, str | int | float):
            raise ProtocolViolation(pointer, "a number or text", shorten(code))
        if code_word(code) in map(str, operation.refusal.accepted):
            return data
    elif answer.status < 400:
        raise ProtocolViolation("", "an answer", f"a redirect (HTTP {answer.status})")
    raise _refusal(behaviour, operation, answer, data, hide)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return MISSING


def _shown_body(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "no content type")
    return f"{len(answer.body):,} bytes that are none ({cut(kind)})" if answer.body else "empty"


def _first(pointers: tuple[str, ...], data: Any) -> tuple[str, Any]:
    """Return the first of `pointers` at which there is something, and what; or the first of all, and None."""
    for pointer in pointers:
        value = resolve(data, pointer)
        if value is not MISSING and value is not None:
            return pointer, value
    return pointers[0] if pointers else "", None


def _refusal(
    behaviour: Behaviour, operation: OperationBehaviour, answer: Answer, data: Any, hide: Callable[[str], str]
) -> UnderstudyError:
    told = read_refusal(behaviour, operation, answer.status, data)
    if told is None:
        raise ProtocolViolation("", "an answer that does what was asked, or refuses it", _shown_body(answer))
    _, message = _first(operation.refusal.message, data)
    sentence = hide(cut(message, _MESSAGE_LENGTH)) if isinstance(message, str) else _phrase(answer.status)
    if told.meaning == "invalid-request":
        return InvalidRequest(code=_code(told, hide), message=sentence, http_status=answer.status)
    return _KINDS[told.meaning](
        code=_code(told, hide),
        message=sentence,
        http_status=answer.status,
        name=told.entry.name if told.entry else "",
        retry_after=retry_after(answer, operation, data),
    )


def _code(told: ReadRefusal, hide: Callable[[str], str]) -> str | int:
    if told.code is None:
        return told.status
    return int(told.code) if told.code.isdecimal() and len(told.code) < 10 else hide(cut(told.code))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after(answer: Answer, operation: OperationBehaviour | None = None, data: Any = None) -> float | None:
    """Return the seconds after which the provider wants to be asked again, from header or body, or None."""
    header = answer.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdecimal() and len(header) < 10:
        return float(header)
    if header:
        return _until(header, answer.headers.get("date", ""))
    wait = read(operation.reads, data).get("retry_after") if operation else None
    return float(wait) if isinstance(wait, int | float) and not isinstance(wait, bool) and 0 <= wait < 1e9 else None


def _until(moment: str, now: str) -> float | None:
    """Return the seconds from one HTTP date to another, both by the provider's clock; ours may be off."""
    try:
        then, here = parsedate_to_datetime(moment), parsedate_to_datetime(now)
        return max(0.0, (then - here).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def read_task(  # noqa: PLR0913 - what is known of the task beside the answer
    provider: Provider,
    reads: Mapping[str, Read],
    data: Any,
    *,
    task_id: str | None = None,
    model: str = "",
    operation: str = "",
    status_needed: bool = True,
) -> Task:
    """Return the task that `data` tells of.

    Args:
        provider: whose answer it is.
        reads: where the answer keeps its facts.
        data: the answer.
        task_id: the id that was asked for, or None where the answer is to tell it.
        model: the model, where the answer does not tell it.
        operation: the operation that created the task.
        status_needed: whether an answer without a status is wrong; that to a creation may have none.

    Raises:
        ProtocolViolation: the answer lacks what it should tell, or tells it of another task.
    """
    facts = read(reads, data)
    status = _status(reads, facts, data, needed=status_needed)
    phase = Phase.PENDING if status is None else phase_of(provider, status)
    told_model = facts.get("model")
    return Task(
        id=_id(reads, facts, data, task_id),
        provider=provider.name,
        model=told_model if isinstance(told_model, str) else model,
        status=status,
        phase=phase,
        created=_moment(facts.get("created")),
        updated=_moment(facts.get("updated")),
        outputs=_outputs(reads, facts, data) if phase is Phase.COMPLETED else (),
        error=_error(facts, phase),
        progress=_number(facts.get("progress")),
        credits=_number(facts.get("credits")),
        operation=operation,
        raw=data if isinstance(data, dict) else {},
    )


def phase_of(provider: Provider, status: str) -> Phase:
    """Return our word for the provider's `status`, under whichever of its options; `Phase.UNKNOWN` for a new one."""
    known = provider.behaviour.statuses.get(status)
    phase = known.phase if known else provider.other_statuses.get(status)
    return Phase(phase.value) if phase else Phase.UNKNOWN


def _id(reads: Mapping[str, Read], facts: Mapping[str, Any], data: Any, asked: str | None) -> str:
    told = facts.get("id", MISSING)
    if asked is None:
        if isinstance(told, str) and told:
            return told
        raise _violation(reads, "id", data, "text, the id of the task")
    if told is not MISSING and str(told) != asked:
        raise _violation(reads, "id", data, f"{shorten(asked)}, the id that was asked for")
    return asked


def _status(reads: Mapping[str, Read], facts: Mapping[str, Any], data: Any, *, needed: bool) -> str | None:
    status = facts.get("status", MISSING)
    if status is MISSING and not needed:
        return None
    if isinstance(status, str) and status:
        return status
    raise _violation(reads, "status", data, "text, the status of the task")


def _outputs(reads: Mapping[str, Read], facts: Mapping[str, Any], data: Any) -> tuple[str, ...]:
    if "outputs" not in reads:
        return ()
    outputs = facts.get("outputs", MISSING)
    if isinstance(outputs, str):
        return (outputs,)
    if not isinstance(outputs, list):
        raise _violation(reads, "outputs", data, "a list of links", ended=True)
    for number, output in enumerate(outputs):
        if not isinstance(output, str):
            pointer = _place(reads, "outputs", data) + join(number)
            raise ProtocolViolation(pointer, "a link", shorten(output), ended=True)
    return tuple(outputs)


def _place(reads: Mapping[str, Read], fact: str, data: Any) -> str:
    return _first(reads[fact].pointers, data)[0] if fact in reads else ""


def _violation(
    reads: Mapping[str, Read], fact: str, data: Any, expected: str, *, ended: bool = False
) -> ProtocolViolation:
    pointer = _place(reads, fact, data)
    found = resolve(data, pointer)
    return ProtocolViolation(pointer, expected, "missing" if found is MISSING else shorten(found), ended=ended)


def _error(facts: Mapping[str, Any], phase: Phase) -> TaskError | None:
    if phase not in {Phase.FAILED, Phase.CANCELLED}:
        return None
    code, message = facts.get("error_code"), facts.get("error_message")
    if isinstance(code, bool) or not isinstance(code, str | int) or code == "":
        code = None
    message = cut(message, _MESSAGE_LENGTH) if isinstance(message, str) else ""
    if phase is Phase.CANCELLED and code is None and not message:
        return None
    return TaskError(code, message)


def _moment(milliseconds: Any) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not (isfinite(milliseconds) and 0 <= milliseconds <= MAX_TIME):
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def read_number(operation: OperationBehaviour, data: Any, fact: str) -> float:
    """Return the number that `data` tells as `fact`.

    Raises:
        ProtocolViolation: it tells none.
    """
    number = _number(read(operation.reads, data).get(fact))
    if number is None:
        raise _violation(operation.reads, fact, data, "a number")
    return number


def read_text(operation: OperationBehaviour, data: Any, fact: str) -> str:
    """Return the text that `data` tells as `fact`.

    Raises:
        ProtocolViolation: it tells none.
    """
    text = read(operation.reads, data).get(fact)
    if not isinstance(text, str) or not text:
        raise _violation(operation.reads, fact, data, "text")
    return text
