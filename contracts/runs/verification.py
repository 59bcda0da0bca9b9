"""Verifying a provider: everything the kit has, played against a target, judged, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...openapi.provider import Provider
from ..checks.catalogue import CHECKS
from ..checks.tally import Tally
from .target import Target


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """How a provider is verified.

    Attributes:
        key: the key of the account that everything is done with.
        other_key: the key of a second account, which should see nothing of the first.
        seed: decides whatever is drawn.
        max_examples: how many requests are drawn for each schema.
        max_wait: the most milliseconds of real time that the end of a task is waited for, where no clock can be turned.
    """

    key: str
    other_key: str
    seed: int = 0
    max_examples: int = 25
    max_wait: int = 30_000


@dataclass
class Verification:
    """What came of it.

    Attributes:
        tally: which checks judged how much, and what they found.
        exchanges: how many exchanges were judged.
        callbacks: how many callbacks came.
        notes: what was left out, and why, a sentence each.
        seconds: how long it took.
    """

    tally: Tally = field(default_factory=lambda: Tally(CHECKS))
    exchanges: int = 0
    callbacks: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def verify(
    provider: Provider, target: Target, settings: VerifySettings, *, said: Callable[[str], None] = lambda _: None
) -> Verification:
    """Verify `provider` at `target`; `said` is told what is being done, a line each."""
    raise NotImplementedError
