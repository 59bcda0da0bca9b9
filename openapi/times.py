"""Times and durations: milliseconds since the Unix epoch inside, whatever the provider writes outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .errors import cut

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
MAX_TIME = 253_402_300_799_000  # 9999-12-31, the last day that an ISO time can tell
MAX_DURATION = 36_525 * _UNITS["d"]
"""A hundred years: nothing that is added to a time of today leads beyond what can be told."""


def parse_duration(text: str) -> int:
    """Return the milliseconds of a duration such as ``250ms``, ``1.5s``, ``20m``, ``24h`` or ``14d``.

    Raises:
        ValueError: `text` is no duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; expected a number and one of {', '.join(_UNITS)}, as in 1.5s")
    duration = float(match[1]) * _UNITS[match[2]]
    if duration > MAX_DURATION:
        raise ValueError(f"{cut(text)!r} is too long; expected at most {MAX_DURATION // _UNITS['d']}d")
    return round(duration)


def format_duration(milliseconds: int) -> str:
    """Return the shortest exact way to write a duration, so that `parse_duration` reads it back."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"


def parse_time(text: str) -> int:
    """Return the milliseconds of an ISO 8601 time (UTC where it names no zone) or of a Unix time in seconds.

    Raises:
        ValueError: `text` is no time between 1970 and 9999.
    """
    try:
        moment = float(text) * 1000 if re.fullmatch(r"\d+(\.\d+)?", text) else _from_iso(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; expected one such as 2026-01-01T12:00:00Z") from None
    if not 0 <= moment <= MAX_TIME:
        raise ValueError(f"{text!r} is out of range; expected a time between 1970 and 9999")
    return round(moment)


def _from_iso(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def iso(milliseconds: int) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds: ``2025-09-21T00:00:00.000Z``."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
