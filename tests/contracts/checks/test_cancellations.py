"""Cancellations: accepted ones stick, late ones are a conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .stage import PICTURE, Stage, changed, found, told


@pytest.fixture
def stage() -> Stage:
    made = Stage("acme")
    task = made.create().task_id
    made.poll(task)
    made.cancel(task)
    made.wait(60_000)
    made.poll(task)
    return made


def test_a_cancelled_task_stays_cancelled_and_one_that_succeeds_is_found(stage: Stage) -> None:
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["cancel-sticks"] == 1
    succeeds = ("poll", 1, "/status", "done"), ("poll", 1, "/files", [PICTURE])
    assert found(stage, *succeeds) == {"cancel-sticks"}


def test_a_task_that_a_callback_calls_done_after_its_cancellation_is_found() -> None:
    stage = Stage("acme")
    task = stage.create().task_id
    stage.cancel(task)
    stage.wait(60_000)
    fails = ("poll", -1, "/status", "broken"), ("poll", -1, "/problem", {"type": "x", "detail": "y"})
    stage.poll(task)
    assert found(stage, *fails) == {"cancel-sticks"}


def test_cancelling_a_cancelled_task_is_the_documented_conflict(stage: Stage) -> None:
    task = stage.seen[0].task_id
    assert stage.cancel(task).exchange.status == 409
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["cancel-late"] == 1


def test_a_late_cancellation_that_is_accepted_is_found() -> None:
    stage = Stage("acme")
    task = stage.create().task_id
    stage.wait(60_000)
    poll = stage.poll(task)
    late = stage.cancel(task)
    stage.seen[-1] = stage.oracle.observe(replace(late.exchange, status=200, answer=poll.exchange.answer))
    assert found(stage) == {"cancel-late"}
    del stage.seen[-2]  # nobody knew that it had ended, but the answer itself tells it
    assert found(stage) == {"cancel-late"}


def test_a_late_cancellation_that_is_refused_with_something_else_is_found() -> None:
    stage = Stage("acme")
    task = stage.create().task_id
    stage.wait(60_000)
    stage.poll(task)
    exchange = stage.cancel(task).exchange
    assert found(stage) == set()
    for status, code in ((422, "invalid"), (404, "no-such-picture")):
        answer = changed(exchange.answer, "/type", f"https://acme.example/problems/{code}")
        stage.seen[-1] = stage.oracle.observe(replace(exchange, status=status, answer=answer))
        assert found(stage) == {"cancel-late"}


def test_a_cancellation_that_fails_for_another_reason_says_nothing() -> None:
    stage = Stage("acme")
    task = stage.create().task_id
    stage.wait(60_000)
    stage.poll(task)
    stage.play("our-fault", when={"operation": "cancelPictures"})
    assert stage.cancel(task).exchange.status == 500
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["cancel-late"] == 0
