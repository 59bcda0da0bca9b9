"""Showing that a key was there without showing the key."""

from __future__ import annotations

_SHOWN = 4


def mask(secret: str) -> str:
    """Return `secret` with all but its first characters hidden; short secrets are hidden entirely."""
    return f"{secret[:_SHOWN]}…" if len(secret) >= 2 * _SHOWN else "…"
