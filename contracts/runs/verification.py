"""Verifying a provider: everything the kit has, played against a target, judged, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from ...openapi.provider import Provider
from ..checks.catalogue import CHECKS
from ..checks.oracle import Oracle
from ..checks.tally import Tally
from .control import ControlError
from .explore import explore
from .faults import faults
from .letters import letters
from .lives import lives
from .machine import interleaved
from .preflight import look, takes
from .refused import refused
from .run import Run
from .target import Target, UnreachableError


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """How a provider is verified.

    Attributes:
        key: the key of the account that everything is done with.
        other_key: the key of a second account, which should see nothing of the first; "" has it derived from `key`.
        seed: decides whatever is drawn.
        max_examples: how many requests are drawn for each schema.
        max_wait: the most milliseconds of real time that the end of a task is waited for, where no clock can be turned.
        callback_url: where the target reaches the receiver of callbacks; "" is the receiver's own URL on loopback.
        callback_listen: the host and port that the receiver listens on where `callback_url` leads to it.
        parts: the names of the `PARTS` that are done; all of them where there are none.
        examples: the folder of Hypothesis's database in which the smallest requests that showed something are kept for
            the next run, which asks them first; None keeps none.
        shrink: whether the smallest request is looked for that shows what a drawn one did, where a clock can be turned.
    """

    key: str
    other_key: str = ""
    seed: int = 0
    max_examples: int = 25
    max_wait: int = 30_000
    callback_url: str = ""
    callback_listen: tuple[str, int] = ("127.0.0.1", 0)
    parts: tuple[str, ...] = ()
    shrink: bool = True
    examples: Path | None = None


@dataclass
class Verification:
    """What came of it.

    Attributes:
        tally: which checks judged how much, and what they found.
        exchanges: how many exchanges were judged.
        callbacks: how many callbacks came.
        notes: what was left out, and why, a sentence each.
        seconds: how long it took.
        keys: the keys that were used, each with the variable of a shell that stands for it wherever it is told.
    """

    tally: Tally = field(default_factory=lambda: Tally(CHECKS))
    exchanges: int = 0
    callbacks: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def failed(self) -> bool:
        """Whether anything was found that is more than information."""
        return any(each.severity != "info" for each in self.tally.findings)


PARTS: dict[str, Callable[[Run], None]] = {
    "requests": explore, "lives": lives, "callbacks": letters, "interleaved": interleaved, "refusals": refused,
    "faults": faults,
}  # fmt: skip
"""What is done after the stored contract itself was judged, in order."""


def verify(
    provider: Provider, target: Target, settings: VerifySettings, *, said: Callable[[str], None] = lambda _: None
) -> Verification:
    """Verify `provider` at `target`; `said` is told what is being done, a line each.

    Raises:
        UnreachableError: there is no such provider at the target, it does not take the key, or it went away.
    """
    began = perf_counter()
    oracle = Oracle(provider)
    result = Verification()
    said("looking whether the provider is there")
    look(oracle, target, settings.key)
    run = Run(oracle, target, settings, result, said)
    try:
        _derive(run)
        said("the stored contract itself")
        result.tally.judge_contract(oracle)
        for name in settings.parts or PARTS:
            PARTS[name](run)
    except ControlError as error:
        raise UnreachableError(f"{target.base_url} can be steered no more: {error}") from None
    finally:
        run.close()
        result.seconds = perf_counter() - began
    return result


def _derive(run: Run) -> None:
    """Find out whether the target takes keys that are derived from the given one."""
    settings = run.settings
    if settings.other_key and not takes(run.oracle, run.target, settings.other_key):
        raise UnreachableError(f"{run.target.base_url} refuses the other key")
    derived = f"{settings.key}-other"
    taken = takes(run.oracle, run.target, derived)
    run.other_key = settings.other_key or (derived if taken else "")
    run.derives = taken and run.steers
    if not run.other_key:
        run.note("a second account was left out: the target takes no key derived from the first (--other-key)")
    if run.steers and not taken:
        run.note("everything was done with the given key, and what the emulator held of it was forgotten")
