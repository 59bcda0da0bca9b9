"""What a comparison of two schemas finds: changes, and what each does to the set of values that fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Effect = Literal["widened", "narrowed", "changed", "noted"]
"""More values fit, fewer fit, some come and some go (or nobody can tell), or as many as before."""

Step = tuple[str, str]
"""A step into a value: ("property", name), ("item", ""), ("item", "2"), ("member", "") or ("name", "")."""

_REVERSED: dict[Effect, Effect] = {"widened": "narrowed", "narrowed": "widened"}


def effect_of(*, narrowed: bool) -> Effect:
    """Return the effect of a change that only lets fewer values fit, or only more."""
    return "narrowed" if narrowed else "widened"


def reverse(effect: Effect) -> Effect:
    """Return the effect of the opposite change."""
    return _REVERSED.get(effect, effect)


def together(effects: set[Effect]) -> Effect:
    """Return the effect of several changes at once."""
    told = effects - {"noted"}
    if not told:
        return "noted"
    return next(iter(told)) if len(told) == 1 else "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two schemas.

    Attributes:
        what: what kind of change, as in ``enum-value-removed``.
        effect: what it does to the set of values that fit.
        path: the steps from the value that was compared to the one that changed.
        before: what the keyword said, None where it was absent.
        after: what it says now.
        base: the schema object of the base that speaks of it.
        revision: the schema object of the revision that speaks of it.
        keyword: the keyword inside these objects, "" for the whole object.
        guards: readOnly and writeOnly, where the value or one around it is marked so on both sides.
        idle: whether the keyword asks nothing of the types that stand beside it, as `maxLength` of an object: most
            likely a slip of whoever meant something by it.
    """

    what: str
    effect: Effect
    before: Any
    after: Any
    base: Any
    revision: Any
    keyword: str = ""
    path: tuple[Step, ...] = ()
    guards: frozenset[str] = frozenset()
    idle: bool = False

    def under(self, step: Step, guards: frozenset[str] = frozenset()) -> Change:
        """Return this change as seen from the value around."""
        return replace(self, path=(step, *self.path), guards=self.guards | guards)

    def as_idle(self) -> Change:
        """Return this change as one of a keyword that asks nothing where it stands."""
        return replace(self, idle=True)

    def with_effect(self, effect: Effect) -> Change:
        """Return this change with another effect."""
        return replace(self, effect=effect)


def shown(path: tuple[Step, ...]) -> str:
    """Return `path` as a person would write it: ``input.images[].url``."""
    text = ""
    for kind, name in path:
        match kind:
            case "property":
                text += f".{name}"
            case "item":
                text += f"[{name}]"
            case "name":
                text += ".(name)"
            case _:
                text += ".*"
    return text.lstrip(".")
