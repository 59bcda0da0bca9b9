"""The one clock that everything a provider would tell comes from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..openapi.times import MAX_DURATION, MAX_TIME, iso


def real_milliseconds() -> int:
    """Return the real time in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


MAX_CLOCK = MAX_TIME - 10 * MAX_DURATION
"""What is due long after a clock's time must still be a time that can be told."""


class ClockError(ValueError):
    """A clock was asked to do what no clock does: run backwards, or at no speed."""


class Clock:
    """A clock that can be frozen, set, advanced and run faster; times are milliseconds since the Unix epoch.

    It holds where it stood and when that was in real time, and nothing ticks: `now` is computed when asked for.
    """

    __slots__ = ("_real", "_since", "_stood", "frozen", "speed")

    def __init__(
        self,
        *,
        start: int | None = None,
        since: int | None = None,
        speed: float = 1.0,
        frozen: bool = False,
        real: Callable[[], int] = real_milliseconds,
    ) -> None:
        self._real = real
        self._since = real() if since is None else since
        self._stood = self._since if start is None else start
        self.speed = speed
        self.frozen = frozen

    def now(self) -> int:
        """Return this clock's time."""
        if self.frozen:
            return self._stood
        passed = self._real() - self._since
        return min(self._stood + (passed if self.speed == 1.0 else int(passed * self.speed)), MAX_TIME)

    def freeze(self) -> None:
        """Stand still from now on."""
        self._stand_at(self.now())
        self.frozen = True

    def resume(self) -> None:
        """Run again from where it stands."""
        self._stand_at(self.now())
        self.frozen = False

    def run_at(self, speed: float) -> None:
        """Run `speed` times as fast as real time from now on.

        Raises:
            ClockError: `speed` is not above 0, or has no end.
        """
        if not 0 < speed < math.inf:
            raise ClockError(f"speed {speed!r}: expected a number above 0")
        self._stand_at(self.now())
        self.speed = speed

    def set(self, moment: int) -> None:
        """Stand at `moment`, frozen or running as before.

        Raises:
            ClockError: `moment` lies before this clock's now, or too far ahead.
        """
        self.check(moment)
        self._stand_at(moment)

    def check(self, moment: int) -> None:
        """Tell whether this clock can stand at `moment`.

        Raises:
            ClockError: it can't; see `set`.
        """
        if moment < self.now():
            raise ClockError(f"{iso(moment)} lies before this clock's now, {iso(self.now())}: clocks only go forward")
        if moment > MAX_CLOCK:
            raise ClockError(f"clocks go no further than {iso(MAX_CLOCK)}")

    def _stand_at(self, moment: int) -> None:
        self._stood = moment
        self._since = self._real()
