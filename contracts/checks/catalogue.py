"""Every check there is."""

from __future__ import annotations

from . import form
from .finding import Check

CHECKS: tuple[Check, ...] = (*form.CHECKS,)
