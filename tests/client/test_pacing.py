"""When to ask again: pure functions over time that stands still."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from understudy.client.pacing import Pace, back_off, poll_pause
from understudy.openapi.behaviour import Limit
from understudy.openapi.polling import Polling, Step

UNIFORM = random.Random(0).uniform


@given(attempt=st.integers(0, 40), wait=st.none() | st.floats(0, 30))
def test_back_off_grows_has_jitter_and_a_bound(attempt: int, wait: float | None) -> None:
    pause = back_off(attempt, UNIFORM, wait)
    most = min(8, 0.5 * 2**attempt)
    assert most / 2 <= pause <= max(most, (wait or 0) * 1.1 + 0.1)
    assert pause >= (wait or 0)


def test_advice_goes_by_the_age_of_the_task() -> None:
    polling = Polling((Step(0, 1000, 2000), Step(10_000, 5000, 5000)))
    assert 1 <= poll_pause(polling, 0, None, UNIFORM) <= 2
    assert 1 <= poll_pause(polling, 9.9, None, UNIFORM) <= 2
    assert poll_pause(polling, 10, None, UNIFORM) == 5
    assert poll_pause(polling, -1, None, UNIFORM) <= 2  # a clock that was set back
    assert poll_pause(polling, 10, 0.25, UNIFORM) == 0.25


@given(calls=st.lists(st.floats(0, 2), max_size=60))
def test_no_window_ever_holds_more_calls_than_the_limit(calls: list[float]) -> None:
    time = [0.0]
    pace = Pace([Limit(("a",), 3, 1000), Limit(("a", "b"), 10, 5000)], lambda: time[0])
    made = []
    for wait in calls:
        time[0] += wait
        made.append(time[0] + pace.reserve("a"))
    for limit, seconds in ((3, 1.0), (10, 5.0)):
        for earlier, later in zip(made, made[limit:], strict=False):
            assert later - earlier >= seconds - 1e-9
    assert pace.reserve("c") == 0
