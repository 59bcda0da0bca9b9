"""One thing in one exchange that the stored contract does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...openapi.pointer import MISSING
from .documents import Spot

Verdict = Literal["violates", "undocumented but allowed", "documented, never seen"]
VERDICTS: tuple[Verdict, ...] = ("violates", "undocumented but allowed", "documented, never seen")

IDS: dict[Verdict, str] = {
    "violates": "violates", "undocumented but allowed": "undocumented", "documented, never seen": "never-seen",
}  # fmt: skip
"""How the ids of findings begin."""

CALLBACKS = "callbacks"
"""What stands for the operation where the provider called."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the contract would have to say instead.

    Attributes:
        kind: what is to be done: ``status``, ``content``, ``optional``, ``parameter``, ``property`` or ``keyword``.
        spot: the object of a document that it is to be done to.
        name: of the status, content type, parameter, property or keyword.
        value: what was seen there.
    """

    kind: Literal["status", "content", "optional", "parameter", "property", "keyword"]
    spot: Spot
    name: str = ""
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing in one exchange that the stored contract does not tell.

    Attributes:
        verdict: whether the contract forbids it or says nothing of it.
        operation: the operation's name, or `CALLBACKS`.
        where: ``request``, ``answer 200`` or ``callback``.
        pointer: JSON Pointer into the body, or ``/query/…`` or ``/header/…`` of what is no body.
        kind: a keyword of JSON Schema, or ``status``, ``content-type``, ``header``, ``json``, ``body``, ``field``.
        sentence: what was seen, for a person, without the place.
        value: what was seen, `MISSING` where that is not there.
        remedy: how the contract could tell it, None where no document can.
    """

    verdict: Verdict
    operation: str
    where: str
    pointer: str
    kind: str
    sentence: str
    value: Any = MISSING
    remedy: Remedy | None = None
