"""What a scenario makes of a task's life, and properties of every plan."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from understudy.mockserver import life
from understudy.mockserver.life import plan_of, staging_of
from understudy.mockserver.plan import Intervention, Plan, state_of, transitions
from understudy.mockserver.scenario import Repertoire, ScenarioError, built_in_scenarios
from understudy.openapi.behaviour import Behaviour, Phase

from .stage import NAMES, SIMPLE, Stage, provider_of

REPERTOIRE = Repertoire(built_in_scenarios())
LIVES = [name for name, scenario in built_in_scenarios().items() if scenario.kind == "life"]


def planned(behaviour: Behaviour, name: str, random: bytes = bytes(40), *, instant: bool = False, **given: str) -> Plan:
    """Return the plan that a scenario makes."""
    return plan_of(REPERTOIRE.bind(name, given, behaviour), behaviour, random, instant=instant)


def playable(provider: str) -> list[str]:
    """Return the scenarios of tasks' lives that a provider can express."""
    return [name for name in LIVES if name not in {"partial", "cancelled"} or provider == "acme"]


@given(st.sampled_from(NAMES), st.data(), st.binary(min_size=40, max_size=40))
def test_every_plan_passes_documented_statuses_in_order_and_ends_once(
    provider: str, data: st.DataObject, random: bytes
) -> None:
    behaviour = provider_of(provider).behaviour
    name = data.draw(st.sampled_from(playable(provider)))
    plan = planned(behaviour, name, random)
    order = list(behaviour.statuses)
    indices = [order.index(status) for status in plan.statuses]
    assert indices == sorted(indices)
    assert list(plan.starts) == sorted(plan.starts)
    assert plan.starts[0] == 0
    phases = [behaviour.statuses[status].phase for status in plan.statuses]
    assert not any(phase.terminal for phase in phases[:-1])
    assert phases[-1].terminal is (name != "stuck")
    assert (plan.failure is not None) is (phases[-1] is Phase.FAILED)


@given(st.sampled_from(NAMES), st.data(), st.binary(min_size=40, max_size=40), st.integers(0, 10**7))
def test_a_state_is_monotone_along_its_plan(provider: str, data: st.DataObject, random: bytes, created: int) -> None:
    behaviour = provider_of(provider).behaviour
    plan = planned(behaviour, data.draw(st.sampled_from(playable(provider))), random)
    times = sorted(data.draw(st.lists(st.integers(0, plan.starts[-1] + 1000), max_size=20)))
    states = [state_of(plan, created, (), created + age) for age in times]
    indices = [plan.statuses.index(state.status) for state in states]
    assert indices == sorted(indices)
    assert [state.since for state in states] == sorted(state.since for state in states)
    assert all(state.since <= created + age for state, age in zip(states, times, strict=True))


@given(st.sampled_from(NAMES), st.data(), st.binary(min_size=40, max_size=40))
def test_transitions_agree_with_the_state_at_every_moment(provider: str, data: st.DataObject, random: bytes) -> None:
    behaviour = provider_of(provider).behaviour
    plan = planned(behaviour, data.draw(st.sampled_from(playable(provider))), random)
    created, now = 1000, data.draw(st.integers(1000, 200_000))
    moved = st.builds(Intervention, st.integers(1000, 150_000), st.sampled_from([*behaviour.statuses]))
    by_hand = tuple(sorted(data.draw(st.lists(moved, max_size=3)), key=lambda each: each.time))
    seen = transitions(plan, created, by_hand, now)
    moments = {now, created, *(each.time for each in by_hand if each.time <= now)}
    moments |= set(data.draw(st.lists(st.integers(created, now), max_size=20))) | {each.since for each in seen}
    for moment in sorted(moments):
        told = [state for state in seen if state.since <= moment][-1]
        assert told.status == state_of(plan, created, by_hand, moment).status
    assert [each.since for each in seen] == sorted(each.since for each in seen)


@given(
    st.sampled_from(NAMES),
    st.integers(0, 10**8),
    st.sampled_from(["fail", "moderated"]),
    st.binary(min_size=40, max_size=40),
)
def test_an_end_that_was_asked_for_comes_exactly_then(provider: str, after: int, name: str, random: bytes) -> None:
    behaviour = provider_of(provider).behaviour
    plan = planned(behaviour, name, random, after=f"{after}ms")
    assert plan.starts[-1] == after
    assert list(plan.starts) == sorted(plan.starts)


def test_at_once_is_what_the_server_was_told_unless_a_scenario_says_when() -> None:
    behaviour = provider_of("kie").behaviour
    assert planned(behaviour, "success", instant=True).statuses == ("success",)
    assert planned(behaviour, "fail", instant=True).failure == behaviour.failures["failed"]
    assert planned(behaviour, "fail", instant=True, after="5s").starts[-1] == 5000
    assert planned(behaviour, "stuck", instant=True).statuses == ("waiting", "queuing", "generating")
    assert planned(behaviour, "success", instant=True, progress="polls").progress == "polls"
    assert planned(behaviour, "fail", after="5s", progress="instant").statuses == ("fail",)


def test_slow_is_so_many_times_as_slow() -> None:
    behaviour = provider_of("kie").behaviour
    random = bytes(range(40))
    fast, slow = planned(behaviour, "success", random), planned(behaviour, "slow", random, times_longer="7")
    assert slow.starts == tuple(7 * start for start in fast.starts)


# --- pictures of one's own ----------------------------------------------------------------------------------


def why_no_picture(path: object) -> str:
    """Return why a file can't be answered with."""
    play = REPERTOIRE.bind("success", {"file": str(path)}, provider_of("kie").behaviour)
    with pytest.raises(ScenarioError) as caught:
        staging_of([play], 0, 1)
    return str(caught.value)


def test_only_pictures_are_answered_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0")
    assert why_no_picture(secret) == f"success, file: {str(secret)!r} is no picture"
    assert "can't read" in why_no_picture(tmp_path / "none.png")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        assert "is no file of at most 50,000,000 bytes" in why_no_picture(path)
    assert "null" in why_no_picture("a\x00b")
    picture = tmp_path / "my.png"
    Image.new("RGB", (3, 3)).save(picture)
    monkeypatch.setattr(life, "MAX_FILE_BYTES", 10)
    assert "is no file of at most 10 bytes" in why_no_picture(picture)


def test_a_picture_is_read_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "my.png"
    play = REPERTOIRE.bind("success", {"file": str(path)}, provider_of("kie").behaviour)
    Image.new("RGB", (3, 3)).save(path)
    first, second = (staging_of([play], 0, 1) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.file is second.file
    Image.new("RGB", (4, 4)).save(path)
    os.utime(path, ns=(1, 1))
    third = staging_of([play], 0, 1)
    assert third is not None
    assert third.file != first.file


def test_a_file_that_is_no_picture_creates_no_task(tmp_path: Path) -> None:
    stage = Stage("kie")
    response = stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": f"success; file={tmp_path}/none.png"})
    assert response.status_code == 400
    assert stage.ask("GET", "/_understudy/tasks").json()["total"] == 0


def test_plans_that_are_told_whole_are_one_and_drawn_ones_are_their_own() -> None:
    behaviour = provider_of("kie").behaviour
    plans = [planned(behaviour, "stuck", bytes([fill]) * 40, waiting="0s", queuing="0s") for fill in (0, 255)]
    assert plans[0] is plans[1]
    drawn = [planned(behaviour, "stuck", bytes([fill]) * 40, waiting="0s") for fill in (0, 255)]
    assert drawn[0] != drawn[1]
