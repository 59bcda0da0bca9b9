"""The kill matrix: which defect is played by which provider, and what the kit says of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

import orjson
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.runs.target import Target
from understudy.contracts.runs.verification import Verification, VerifySettings, verify
from understudy.mockserver import Settings
from understudy.openapi.provider import Provider, built_in_names, load_provider

from . import callbacks, form, harmless, money, refusals, times
from .wrapping import Defect, FaultyApp

DEFECTS = (*form.DEFECTS, *refusals.DEFECTS, *times.DEFECTS, *callbacks.DEFECTS, *money.DEFECTS)
HARMLESS = harmless.HARMLESS
FAMILIES = {each.id: each.family for each in CHECKS}
STYLES = (*built_in_names(), "acme", "folio")
_FOLDERS = Path(__file__).parents[2] / "providers"
_PARTS = {
    "form": ("requests", "lives", "refusals"),
    "refusal": ("requests", "refusals", "faults"),
    "time": ("lives",),
    "callbacks": ("callbacks",),
    "money": ("lives",),
}
"""Where the checks of a family have most to judge: enough at the gate, where there is no time for everything."""
_SETTINGS = Settings(callback_timeout=5)  # a busy machine is no provider that loses callbacks


@dataclass(frozen=True)
class Case:
    """A defect, and the provider that shows it, with options chosen."""

    defect: Defect
    style: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.defect.name}-{self.style}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the kit in which the claimed check has most to judge; all for a harmless variant."""
        return _PARTS[FAMILIES[self.defect.claims]] if self.defect.claims else ()


def cases(defects: tuple[Defect, ...]) -> list[Case]:
    """Return each of `defects` with each of the providers that show it."""
    return [Case(defect, style) for defect in defects for style in defect.styles.split()]


def firsts(defects: tuple[Defect, ...]) -> list[Case]:
    """Return each of `defects` with the first of the providers that show it."""
    return [Case(defect, defect.styles.split()[0]) for defect in defects]


NOTHING = Defect("nothing", "")


@lru_cache(maxsize=1)
def right_ones(count: int) -> list[Case]:
    """Return so many providers with nothing wrong: each combination of their options' values, taken in turn."""
    turns = {style: _choices(style) for style in STYLES}
    rounds = ((style, number) for number in range(count) for style in STYLES)
    right = (Case(NOTHING, style, turns[style][number]) for style, number in rounds if number < len(turns[style]))
    return list(islice(right, count))


def _choices(style: str) -> list[tuple[tuple[str, str], ...]]:
    options = load_provider(folder(style)).behaviour.options
    values = product(*(each.values for each in options.values()))
    return [tuple(zip(options, chosen, strict=True)) for chosen in values]


def folder(style: str) -> str | Path:
    """Return where the provider called `style` is stored."""
    return style if style in built_in_names() else _FOLDERS / style


@lru_cache(maxsize=16)
def documented(style: str, options: tuple[tuple[str, str], ...]) -> Provider:
    """Return the provider as the kit knows it; loaded once, since nothing changes it."""
    return load_provider(folder(style), dict(options))


@lru_cache(maxsize=16)
def emulated(style: str, options: tuple[tuple[str, str], ...]) -> Provider:
    """Return the provider as the emulator plays it, another object than the kit's; loaded once as well."""
    return load_provider(folder(style), dict(options))


def _provider(case: Case, shared: Callable[..., Provider], *, changed: bool) -> Provider:
    """Return the provider that all cases share, or one of its own for a case whose defect changes it."""
    return load_provider(folder(case.style), dict(case.options)) if changed else shared(case.style, case.options)


def played(case: Case, *, max_examples: int = 2, seed: int = 0, parts: tuple[str, ...] | None = None) -> Verification:
    """Return what the kit says of an emulator with the case's defect."""
    provider = _provider(case, documented, changed=case.defect.documented is not Defect.documented)
    case.defect.documented(provider)
    app = FaultyApp(
        provider, _provider(case, emulated, changed=case.defect.emulated is not Defect.emulated), case.defect, _SETTINGS
    )
    settings = VerifySettings(
        key=provider.behaviour.key_prefix + "kill-matrix", seed=seed, max_examples=max_examples, shrink=False,
        parts=case.parts if parts is None else parts,
    )  # fmt: skip
    with Target(f"http://127.0.0.1:4020/{provider.name}", app=app) as target:
        return verify(provider, target, settings)


def note(kind: str, case: Case, verified: Verification) -> None:
    """Write down what came of a case where ``UNDERSTUDY_FIGURES`` names a file: a line of JSON, for the docs."""
    file = os.environ.get("UNDERSTUDY_FIGURES")
    if not file:
        return
    line = {
        "kind": kind, "defect": case.defect.name, "claims": case.defect.claims, "style": case.style,
        "options": dict(case.options), "exchanges": verified.exchanges, "callbacks": verified.callbacks,
        "judged": sum(verified.tally.judged.values()), "seconds": round(verified.seconds, 2),
    }  # fmt: skip
    with Path(file).open("ab") as out:
        out.write(orjson.dumps(line) + b"\n")
