"""Media types: which of two lists mean the same, and which say more or less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Paired:
    """A media type of both sides, or of one.

    Attributes:
        base: how the base writes it, None where it has none.
        revision: how the revision writes it.
        effect: whether it now means the same, less (``application/json`` became ``application/problem+json``),
            more, or something else.
    """

    base: str | None
    revision: str | None
    effect: Literal["same", "narrowed", "widened", "changed"] = "same"


def pair_media(before: Iterable[str], after: Iterable[str]) -> list[Paired]:
    """Return the types of both sides, matched by what they mean."""
    lost, gained = list(before), list(after)
    pairs = []
    for same in (lambda one, other: one == other, lambda one, other: _parts(one) == _parts(other)):
        for one in tuple(lost):
            other = next((each for each in gained if same(one, each)), None)
            if other is not None:
                pairs.append(Paired(one, other))
                lost.remove(one)
                gained.remove(other)
    for one in tuple(lost):
        for other in tuple(gained):
            effect = _effect(one, other)
            if effect is not None and one in lost:
                pairs.append(Paired(one, other, effect))
                lost.remove(one)
                gained.remove(other)
    return [*pairs, *(Paired(one, None) for one in lost), *(Paired(None, other) for other in gained)]


def _parts(name: str) -> tuple[str, frozenset[str]]:
    essence, *parameters = [part.strip().lower() for part in name.split(";")]
    told = frozenset(each.replace(" ", "").replace('"', "") for each in parameters if each)
    # JSON is UTF-8, said or not.
    return essence, told - {"charset=utf-8"} if essence.endswith(("/json", "+json")) else told


def _effect(one: str, other: str) -> Literal["narrowed", "widened", "changed"] | None:
    (first, before), (second, after) = _parts(one), _parts(other)
    if first == second:
        return "narrowed" if before < after else "widened" if after < before else "changed"
    if _contains(first, second):
        return "narrowed"
    return "widened" if _contains(second, first) else None


def _contains(wide: str, narrow: str) -> bool:
    """Tell whether everything of type `narrow` is also of type `wide`."""
    kind, _, sub = wide.partition("/")
    other_kind, _, other_sub = narrow.partition("/")
    if kind == "*":
        return True
    return kind == other_kind and (sub == "*" or other_sub.endswith(f"+{sub}"))


def is_json(name: str) -> bool:
    """Tell whether a body of this type is JSON, or may be."""
    essence, _ = _parts(name)
    return essence.endswith(("/json", "+json", "/*"))


def is_raw(name: str) -> bool:
    """Tell whether a body of this type is one piece of text or bytes, which a plain string describes."""
    essence, _ = _parts(name)
    return essence.startswith(("text/", "image/", "audio/", "video/")) or essence.endswith(
        ("/xml", "+xml", "/octet-stream")
    )
