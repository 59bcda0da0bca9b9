"""The life of a task as a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.plan import (
    Intervention,
    Plan,
    instant_plan,
    make_plan,
    moved_by_poll,
    path_to,
    state_of,
    transitions,
)
from understudy.openapi.behaviour import Failure, Phase, Status

from .stage import NAMES, provider_of

RANDOM = st.binary(min_size=40, max_size=40)
BROKEN = Failure(500, "It broke", {})
PLAN = Plan(("waiting", "working", "done"), (0, 100, 300))


def statuses(*phases: Phase) -> dict[str, Status]:
    """Return statuses of these phases, each lasting from one to nine milliseconds."""
    return {
        f"{phase}-{number}": Status(f"{phase}-{number}", phase, (1, 9), "assumed")
        for number, phase in enumerate(phases)
    }


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("end", [Phase.COMPLETED, Phase.FAILED])
def test_a_path_passes_the_documented_statuses_in_order_to_its_end(provider: str, end: Phase) -> None:
    known = provider_of(provider).behaviour.statuses
    path = path_to(known, end)
    assert [each.phase.terminal for each in path] == [False] * (len(path) - 1) + [True]
    assert path[-1].phase is end
    assert [each.name for each in path[:-1]] == [name for name, each in known.items() if not each.phase.terminal]


def test_an_end_that_no_status_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no status has the phase cancelled$"):
        path_to(statuses(Phase.PENDING, Phase.COMPLETED), Phase.CANCELLED)


@given(RANDOM, st.lists(st.sampled_from([Phase.PENDING, Phase.PROCESSING]), max_size=6))
def test_each_status_lasts_as_long_as_its_range_says(random: bytes, phases: list[Phase]) -> None:
    plan = make_plan(path_to(statuses(*phases, Phase.COMPLETED), Phase.COMPLETED), random)
    assert plan.starts[0] == 0
    assert all(1 <= later - earlier <= 9 for earlier, later in zip(plan.starts, plan.starts[1:], strict=False))
    assert len(plan.starts) == len(plan.statuses) == len(phases) + 1


@given(st.integers(-50, 1000), st.integers(0, 10**13))
def test_a_state_begins_when_the_plan_says_and_lasts_till_the_next(age: int, created: int) -> None:
    state = state_of(PLAN, created, (), created + age)
    assert state.status == ("waiting" if age < 100 else "working" if age < 300 else "done")
    assert state.since == created + {"waiting": 0, "working": 100, "done": 300}[state.status]


def test_a_failure_is_told_at_the_end_only() -> None:
    plan = Plan(("waiting", "broken"), (0, 100), BROKEN)
    assert [state_of(plan, 0, (), now).failure for now in (0, 99, 100)] == [None, None, BROKEN]


def test_an_instant_plan_is_at_its_end_at_once() -> None:
    path = path_to(statuses(Phase.PENDING, Phase.FAILED), Phase.FAILED)
    assert state_of(instant_plan(path, BROKEN), 50, (), 50).failure is BROKEN
    assert state_of(instant_plan(path), 50, (), 50).status == "failed-1"


def test_a_hand_outranks_the_plan_from_its_time_on() -> None:
    by_hand = (Intervention(50, "cancelled"),)
    assert [state_of(PLAN, 0, by_hand, now).status for now in (49, 50, 1000)] == ["waiting", "cancelled", "cancelled"]
    assert state_of(PLAN, 0, by_hand, 1000).since == 50


@given(RANDOM, st.integers(0, 400), st.integers(0, 400))
def test_without_a_hand_a_task_never_goes_back(random: bytes, one: int, other: int) -> None:
    plan = make_plan(path_to(statuses(Phase.PENDING, Phase.PROCESSING, Phase.COMPLETED), Phase.COMPLETED), random)
    earlier, later = (state_of(plan, 0, (), now) for now in sorted((one, other)))
    assert plan.statuses.index(earlier.status) <= plan.statuses.index(later.status)
    assert earlier.since <= later.since


def test_what_a_task_passed_can_be_told_afterwards() -> None:
    assert [(state.status, state.since) for state in transitions(PLAN, 1000, (), 1250)] == [
        ("waiting", 1000),
        ("working", 1100),
    ]
    by_hand = (Intervention(1150, "cancelled"),)
    assert [state.status for state in transitions(PLAN, 1000, by_hand, 9999)] == ["waiting", "working", "cancelled"]


POLLED = Plan(("waiting", "working", "done"), (0, 100, 300), progress="polls", polls_per_status=2)


def test_where_polls_move_a_task_each_status_lasts_so_many_of_them() -> None:
    status, passed = "waiting", []
    for polls in range(1, 8):
        status = moved_by_poll(POLLED, status, polls) or status
        passed.append(status)
    assert passed == ["waiting"] * 2 + ["working"] * 2 + ["done"] * 3


@pytest.mark.parametrize(("plan", "status"), [(PLAN, "waiting"), (POLLED, "cancelled"), (POLLED, "done")])
def test_a_poll_moves_nothing_that_moves_by_time_or_was_moved_by_hand(plan: Plan, status: str) -> None:
    assert moved_by_poll(plan, status, 99) is None


def test_what_waits_for_polls_or_for_a_hand_does_not_move_by_itself() -> None:
    assert [state_of(POLLED, 0, (), now).status for now in (0, 10**9)] == ["waiting"] * 2


def test_a_task_put_back_into_its_plan_goes_on_from_there() -> None:
    back = (Intervention(1_000, "waiting"),)
    assert [state_of(PLAN, 0, back, now).status for now in (999, 1_000, 1_100, 1_300)] == [
        "done",
        "waiting",
        "working",
        "done",
    ]
    assert state_of(PLAN, 0, back, 1_150).since == 1_100
    passed = [(state.status, state.since) for state in transitions(PLAN, 0, back, 9_999)]
    assert passed == [
        ("waiting", 0),
        ("working", 100),
        ("done", 300),
        ("waiting", 1_000),
        ("working", 1_100),
        ("done", 1_300),
    ]
