"""When to ask again: back-off after a failure, the provider's advice between polls, and its limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock

from ..openapi.behaviour import Limit
from ..openapi.polling import Polling

Uniform = Callable[[float, float], float]
"""Draws a number between two others, as `random.uniform` does."""

LONGEST_WAIT = 30.0
"""Seconds that a provider may ask us to wait within one call; asked for more, the caller is told at once."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


def back_off(attempt: int, uniform: Uniform, retry_after: float | None = None) -> float:
    """Return the seconds to wait after the failed `attempt`, counted from 0; never less than `retry_after`."""
    most = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
    pause = uniform(most / 2, most)
    if retry_after is None:
        return pause
    # A little more than asked for: those who were refused together would otherwise all come back together.
    return max(pause, retry_after + uniform(0, 0.1 * retry_after + 0.1))


def poll_pause(polling: Polling, age: float, every: float | None, uniform: Uniform) -> float:
    """Return the seconds until the next poll of a task that is `age` seconds old.

    The caller's `every` is taken as it is; the provider's advice is a range, from which a pause is drawn.
    """
    if every is not None:
        return every
    least, most = polling.pause(round(age * 1000))
    return uniform(least, most) / 1000


class Pace:
    """Keeps calls within a provider's limits, whichever threads or tasks make them; times are seconds."""

    def __init__(self, limits: Iterable[Limit], now: Callable[[], float]) -> None:
        self._now = now
        self._lock = Lock()
        self._windows = [(limit, deque[float](maxlen=limit.count)) for limit in limits]

    def reserve(self, operation: str) -> float:
        """Return the seconds until the next call of `operation` is allowed; it is counted as made then."""
        with self._lock:
            now = self._now()
            held = [(limit, window) for limit, window in self._windows if operation in limit.operations]
            full = [window[0] + limit.per / 1000 for limit, window in held if len(window) == limit.count]
            moment = max([now, *full])
            for _, window in held:
                window.append(moment)
            return moment - now
