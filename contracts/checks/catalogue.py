"""Every check there is."""

from __future__ import annotations

from . import (
    callbacks,
    cancellations,
    creations,
    deliveries,
    examples,
    form,
    keys,
    lives,
    money,
    refusals,
    strays,
    times,
    words,
)
from .finding import Check

CHECKS: tuple[Check, ...] = (
    *examples.CHECKS, *form.CHECKS, *words.CHECKS, *refusals.CHECKS, *keys.CHECKS, *strays.CHECKS,
    *lives.CHECKS, *times.CHECKS, *creations.CHECKS, *cancellations.CHECKS, *callbacks.CHECKS,
    *deliveries.CHECKS, *money.CHECKS,
)  # fmt: skip
