"""The clock that everything a provider would tell comes from."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.clock import Clock, ClockError, real_milliseconds


class Real:
    """Real time in a test's hands."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


def test_by_default_it_is_the_real_time() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= Clock().now() <= real_milliseconds()


def test_it_runs_from_where_it_was_started_as_fast_as_it_was_told() -> None:
    real = Real()
    clock = Clock(start=50_000, speed=2.5, real=real)
    assert clock.now() == 50_000
    real.now += 1_000
    assert clock.now() == 52_500


def test_it_may_have_been_started_before_it_was_made() -> None:
    real = Real()
    real.now += 500
    assert Clock(start=50_000, since=1_000, real=real).now() == 50_500
    assert Clock(since=1_000, real=real).now() == 1_500


def test_it_stands_still_while_it_is_frozen_and_goes_on_from_there() -> None:
    real = Real()
    clock = Clock(real=real)
    clock.freeze()
    real.now += 5_000
    assert clock.now() == 1_000
    clock.resume()
    real.now += 1
    assert clock.now() == 1_001


@pytest.mark.parametrize("frozen", [True, False])
def test_it_is_set_forward_and_goes_on_as_before(frozen: bool) -> None:
    real = Real()
    clock = Clock(real=real, frozen=frozen)
    clock.set(9_000)
    real.now += 10
    assert clock.now() == 9_000 + 10 * (not frozen)


def test_it_is_never_set_back() -> None:
    clock = Clock(start=1_000, frozen=True)
    with pytest.raises(
        ClockError, match=r"^1970-01-01T00:00:00.999Z lies before this clock's now, 1970-01-01T00:00:01.000Z"
    ):
        clock.set(999)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_it_never_runs_at_no_speed(speed: float) -> None:
    with pytest.raises(ClockError, match="expected a number above 0"):
        Clock().run_at(speed)


@given(
    st.lists(
        st.tuples(st.sampled_from(["pass", "freeze", "resume", "set", "faster", "slower"]), st.integers(0, 10**6)),
        max_size=30,
    )
)
def test_it_never_runs_backwards_whatever_is_done_to_it(steps: list[tuple[str, int]]) -> None:
    real = Real()
    clock, last = Clock(real=real), 0
    for what, number in steps:
        match what:
            case "pass":
                real.now += number
            case "freeze":
                clock.freeze()
            case "resume":
                clock.resume()
            case "set":
                clock.set(clock.now() + number)
            case "faster":
                clock.run_at(1 + number)
            case _:
                clock.run_at(1 / (1 + number))
        assert clock.now() >= last
        last = clock.now()


def test_it_stays_within_the_times_that_can_be_told() -> None:
    real = Real()
    clock = Clock(start=253_402_300_798_000, speed=1e9, real=real)
    real.now += 10**9
    assert clock.now() == 253_402_300_799_000


def test_it_is_never_set_beyond_what_it_can_reach() -> None:
    with pytest.raises(ClockError, match=r"^clocks go no further than 8999-"):
        Clock().set(253_402_300_799_001)
