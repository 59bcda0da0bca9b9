"""What a refusal means to who asked, in words that are the same for every provider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from .behaviour import Error, Meaning, OperationBehaviour

MEANINGS: tuple[str, ...] = get_args(Meaning)

_BY_CONDITION: dict[str, Meaning] = {
    "key-missing": "unauthorized",
    "key-refused": "unauthorized",
    "signature-refused": "unauthorized",
    "credits-spent": "insufficient-credits",
    "id-unknown": "not-found",
    "path-unknown": "not-found",
    "file-unknown": "not-found",
    "rate-exceeded": "rate-limited",
    "server-failed": "unavailable",
    "body-malformed": "invalid-request",
    "body-too-large": "invalid-request",
    "type-unsupported": "invalid-request",
    "request-invalid": "invalid-request",
    "model-unknown": "invalid-request",
    "input-refused": "invalid-request",
    "id-missing": "invalid-request",
    "id-malformed": "not-found",
}
_BY_NUMBER: dict[int, Meaning] = {
    400: "invalid-request",
    401: "unauthorized",
    402: "insufficient-credits",
    403: "unauthorized",
    404: "not-found",
    408: "unavailable",
    410: "not-found",
    413: "invalid-request",
    415: "invalid-request",
    422: "invalid-request",
    425: "unavailable",
    429: "rate-limited",
}
_ASKS_FOR_A_TASK = frozenset({"id-unknown", "id-malformed", "id-missing"})
_SENDS_INPUT = frozenset(
    {"request-invalid", "body-malformed", "model-unknown", "input-refused", "type-unsupported", "body-too-large"}
)
_IS_NO_OPERATION = frozenset({"path-unknown", "method-unknown"})


def meaning_of_number(number: int) -> Meaning:
    """Return what an HTTP status, or a code that is one, means."""
    return _BY_NUMBER.get(number) or ("unavailable" if 500 <= number <= 599 else "refused")


def meaning_of(error: Error) -> Meaning:
    """Return what an entry of an error catalogue means: what it says itself, else what raises it, else its number."""
    if error.means is not None:
        return error.means
    for condition in error.when:
        if condition in _BY_CONDITION:
            return _BY_CONDITION[condition]
    number = error.status or error.code
    return meaning_of_number(int(number)) if str(number).isdecimal() else "refused"


def find_error(
    errors: Iterable[Error], operation: OperationBehaviour | None, code: str | int | None, status: int
) -> Error | None:
    """Return the entry of the catalogue that `operation` was refused with, or None.

    Args:
        errors: the catalogue.
        operation: what was asked, None where it was no operation.
        code: the code that the answer carries, or None where it carries none.
        status: the answer's HTTP status.
    """
    if code is None:
        found = [each for each in errors if status == (each.status or each.code)]
    else:
        found = [each for each in errors if str(each.code) == str(code)]
    # Of entries that share a code, the one that this operation raises comes first: one code may tell an unknown
    # task to who asks for it, and a refused field to who creates one.
    own = _IS_NO_OPERATION if operation is None else _ASKS_FOR_A_TASK if operation.task_id else _SENDS_INPUT
    raised = set() if operation is None else set(operation.raises.values())
    exact = [each for each in found if each.status == status]
    ranks = [
        [each for each in found if each.name in raised],
        [each for each in exact if not own.isdisjoint(each.when)],
        [each for each in found if not own.isdisjoint(each.when)],
        [each for each in found if _ASKS_FOR_A_TASK.union(_SENDS_INPUT).isdisjoint(each.when)],
        found,
    ]
    return next((rank[0] for rank in ranks if rank), None)
