"""Refusals: which entry of the catalogue tells what was wrong, and reading back what a provider says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .behaviour import Behaviour, Error, OperationBehaviour
from .conditions import FALLBACKS
from .meanings import find_error, meaning_of, meaning_of_number
from .pointer import MISSING, resolve

REFUSED_KEYS = "invalid"
"""Keys that begin with this, or with it after the provider's prefix, are the wrong keys of tests: nobody's."""


def error_for(behaviour: Behaviour, operation: OperationBehaviour | None, condition: str) -> Error | None:
    """Return the entry of the catalogue for `condition`, or for the wider condition that it falls under.

    None where the catalogue has no entry for any of them. `operation` is None where none was meant.
    """
    raised = {each: error.name for error in behaviour.errors.values() for each in error.when}
    if operation is not None:
        raised |= operation.raises
    while condition not in raised:
        if condition not in FALLBACKS:
            return None
        condition = FALLBACKS[condition]
    return behaviour.errors[raised[condition]]


@dataclass(frozen=True, slots=True)
class ReadRefusal:
    """A refusal as it was read.

    Attributes:
        status: the HTTP status that it came with.
        code: the provider's code, as text; None where the body holds none.
        message: the provider's sentence, "" where there is none.
        entry: the entry of the catalogue that it is, or None where the catalogue has no such code.
        meaning: what it means to who asked, one of `meanings.MEANINGS`.
    """

    status: int
    code: str | None
    message: str
    entry: Error | None
    meaning: str


def read_refusal(
    behaviour: Behaviour, operation: OperationBehaviour | None, status: int, data: Any
) -> ReadRefusal | None:
    """Return the refusal that an answer is, or None where what was asked was done.

    Args:
        behaviour: what the provider's file says.
        operation: what was asked; None where no operation was meant.
        status: the answer's HTTP status.
        data: its body as data, `MISSING` where it is none.
    """
    refusal = behaviour.refusal if operation is None else operation.refusal
    found = _first(refusal.code, data)
    usable = isinstance(found, str | int | float) and not isinstance(found, bool)
    code = code_word(found) if usable else None
    accepted = {str(each) for each in refusal.accepted}
    if 200 <= status <= 299 and (not accepted or code is None or code in accepted):
        return None
    if code in accepted:  # an HTTP error whose body says that all is well
        code = None
    entry = find_error(behaviour.errors.values(), operation, code, status)
    message = _first(refusal.message, data)
    meaning = meaning_of(entry) if entry else _meaning_of_unknown(code, status)
    return ReadRefusal(status, code, message if isinstance(message, str) else "", entry, meaning)


def _first(pointers: tuple[str, ...], data: Any) -> Any:
    found = (resolve(data, pointer) for pointer in pointers)
    return next((value for value in found if value is not MISSING and value is not None), None)


def code_word(code: str | float) -> str:
    """Return a code as text; a number without a fraction is told without one."""
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)


def _meaning_of_unknown(code: str | None, status: int) -> str:
    if code is not None and code.isdecimal() and len(code) == 3 and int(code) >= 400:
        return meaning_of_number(int(code))
    return meaning_of_number(status) if status >= 400 else "refused"
