"""The edges between statuses, and what can be reached along them."""

from __future__ import annotations

from understudy.openapi.behaviour import Phase, Status
from understudy.openapi.statuses import edges_of, reachable


def statuses(**following: tuple[str, ...] | None) -> dict[str, Status]:
    phases = {"waiting": Phase.PENDING, "running": Phase.PROCESSING, "done": Phase.COMPLETED, "broken": Phase.FAILED}
    return {name: Status(name, phase, (0, 0), "documented", following.get(name)) for name, phase in phases.items()}


def test_where_nothing_is_declared_every_later_status_and_every_end_may_follow() -> None:
    assert edges_of(statuses()) == {
        "waiting": {"running", "done", "broken"},
        "running": {"done", "broken"},
        "done": set(),
        "broken": set(),
    }


def test_an_end_that_stands_first_in_the_file_may_follow_all_the_same() -> None:
    known = statuses()
    ordered = {name: known[name] for name in ("broken", "waiting", "running", "done")}
    assert edges_of(ordered)["running"] == {"done", "broken"}


def test_declared_edges_are_the_only_ones_and_may_lead_back() -> None:
    assert edges_of(statuses(waiting=("running",)))["waiting"] == {"running"}
    back = statuses(waiting=("running",), running=("waiting", "done"))
    assert reachable(back)["running"] == {"running", "waiting", "done"}


def test_what_is_reached_over_others_is_reached_and_a_status_reaches_itself() -> None:
    reached = reachable(statuses(waiting=("running",), running=("done",)))
    assert reached == {
        "waiting": {"waiting", "running", "done"},
        "running": {"running", "done"},
        "done": {"done"},
        "broken": {"broken"},
    }
