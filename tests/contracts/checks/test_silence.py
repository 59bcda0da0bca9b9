"""The emulator is right: whatever it plays that is no fault, no check of time, callbacks or money says anything."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from understudy.contracts.checks.catalogue import CHECKS
from understudy.openapi.behaviour import Phase

from .stage import NAMES, Stage, judge, lived, oracle_of, provider_of, told

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

LIVES: list[tuple[str, dict[str, Any]]] = [
    ("success", {}),
    ("success", {"progress": "polls", "n": 2}),
    ("success", {"progress": "instant"}),
    ("slow", {}),
    ("fail", {}),
    ("fail", {"progress": "polls"}),
    ("fail", {"progress": "instant"}),
    ("moderated", {}),
    ("status-skips", {}),
    ("cancelled", {}),
    ("not-found-at-first", {"for": "2s"}),
    ("poll-error", {"code": "429"}),
    ("poll-error", {"times": 2}),
]
ANSWERS: list[list[int | str]] = [[], [500], [503, "reset", 404], [500] * 12]
PAUSES = st.sampled_from([0, 1, 499, 500, 2_000, 7_777, 40_000]) | st.integers(0, 30_000)


def can_play(name: str, scenario: str) -> bool:
    phases = {each.phase for each in oracle_of(name).behaviour.statuses.values()}
    return scenario != "cancelled" or Phase.CANCELLED in phases


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Draw what is done one after the other, and to which task or for how long."""
    words = st.sampled_from(["create", "poll", "poll", "poll", "other", "cancel", "list", "balance", "repeat"])
    some = st.tuples(words, st.integers(0, 9)) | st.tuples(st.just("wait"), PAUSES)
    return draw(st.lists(some, min_size=3, max_size=25))


def act(stage: Stage, tasks: list[str], what: str, which: int) -> None:
    if what == "wait":
        stage.wait(which)
    elif what in {"create", "repeat"}:
        key = f"order-{which:04}" if what == "repeat" and stage.name == "acme" else None
        created = stage.create(idempotency=key)
        if created.task_id is not None:
            tasks.append(created.task_id)
    elif what in {"poll", "other"}:
        stage.poll(tasks[which % len(tasks)], key=stage.other if what == "other" else None)
    elif what == "cancel" and stage.oracle.doing("cancel"):
        stage.cancel(tasks[which % len(tasks)])
    else:
        stage.do(what)


@given(
    name=st.sampled_from(NAMES), life=st.sampled_from([None, *LIVES]), answers=st.sampled_from(ANSWERS), done=steps(),
    signed=st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_done_when_nothing_is_found(
    name: str, life: tuple[str, dict[str, Any]] | None, answers: list[int | str], done: list[tuple[str, int]],
    signed: bool,
) -> None:  # fmt: skip
    stage = Stage(name, limits=False).calls_back()
    if signed:
        stage.signed()
    stage.receiver.answers.extend(answers)
    if life is not None and can_play(name, life[0]):
        stage.play(life[0], **life[1])
    tasks: list[str] = []
    stage.do("balance")
    act(stage, tasks, "create", 0)
    for what, which in done:
        act(stage, tasks, what, which)
    stage.wait(60_000)
    for task in tasks:
        stage.poll(task)
    stage.do("balance")
    stage.wait(200_000)
    findings = stage.judged().findings
    assert not findings, told(findings)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        (name, option.name, value)
        for name in NAMES
        for option in provider_of(name).behaviour.options.values()
        for value in option.values
    ],
)
@pytest.mark.parametrize("scenario", ["success", "fail"])
def test_with_every_option_nothing_is_found(name: str, option: str, value: str, scenario: str) -> None:
    stage = Stage(name, ((option, value),)).calls_back().signed()
    stage.play(scenario)
    stage.do("balance")
    task = stage.create().task_id
    for pause in (0, 5_000, 60_000, 20_000):
        stage.wait(pause)
        stage.poll(task)
        stage.poll(task, key=stage.other)
    stage.do("balance")
    findings = stage.judged().findings
    assert not findings, told(findings)


@pytest.mark.parametrize("name", NAMES)
def test_where_tasks_are_at_their_end_at_once_nothing_is_found(name: str) -> None:
    stage = Stage(name, instant=True).calls_back().signed()
    stage.do("balance")
    task = stage.create().task_id
    stage.poll(task)
    stage.wait(20_000)
    stage.poll(task)
    stage.do("balance")
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["callback-comes"] == (0 if name == "acme" else 1)


def test_a_receiver_that_hangs_is_tried_again_and_nothing_is_found() -> None:
    stage = Stage("kie", callback_timeout=0.2).calls_back().signed()
    stage.receiver.answers.append("hang")
    task = stage.create().task_id
    stage.wait(60_000)
    stage.poll(task)
    tally = stage.judged()
    assert (tally.judged["callback-retries"], len(stage.letters)) == (1, 2)
    assert not tally.findings, told(tally.findings)


def test_callbacks_of_a_second_key_come_at_the_time_of_its_own_clock() -> None:
    stage = Stage("kie")
    stage.receiver.answers.append(500)
    task = stage.create(key=stage.other).task_id
    stage.wait(60_000)
    stage.poll(task, key=stage.other)
    tally = stage.judged()
    assert (tally.judged["callback-retries"], tally.judged["callback-not-early"]) == (1, 2)
    assert not tally.findings, told(tally.findings)


def test_every_check_of_a_trace_is_reached() -> None:
    reached: set[str] = set()
    for name in NAMES:
        for scenario in ("success", "fail"):
            tally = lived(name, scenario, answers=(500,)).judged()
            reached |= {identity for identity, count in tally.judged.items() if count}
    reached |= {
        "retry-after",
        "same-key-same-task",
        "own-tasks-only",
        "cancel-sticks",
        "cancel-late",
    }  # see their tests
    of_traces = {each.id for each in CHECKS if each.family in {"time", "callbacks", "money"}}
    assert of_traces <= reached


def test_a_trace_of_two_hundred_exchanges_is_judged_in_milliseconds() -> None:
    stage = Stage("kie", limits=False).calls_back().signed()
    for _ in range(10):
        task = stage.create().task_id
        for _ in range(19):
            stage.wait(1_000)
            stage.poll(task)
    best = 1.0
    for _ in range(5):
        trace = stage.trace()
        assert len(trace.observations) == 200
        began = time.perf_counter()
        tally = judge(stage.oracle, trace)
        best = min(best, time.perf_counter() - began)
        assert not tally.findings, told(tally.findings)
    assert best < 0.1, f"{best * 1000:.1f} ms"
