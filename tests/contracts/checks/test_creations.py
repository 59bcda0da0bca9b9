"""Creations: ids, keys that repeat them, and who can read their tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from understudy.contracts.checks.creations import CHECKS
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.trace import make_trace
from understudy.openapi.pointer import MISSING

from .stage import NAMES, Stage, changed, found, judge, lived, told

DAY = 86_400_000
KEY = "order-0001"


def test_an_accepted_creation_that_tells_no_id_is_found() -> None:
    for name, pointer in (("kie", "/data/taskId"), ("acme", "/id")):
        stage = Stage(name)
        exchange = stage.create().exchange
        for value in (MISSING, ""):
            seen = stage.oracle.observe(replace(exchange, answer=changed(exchange.answer, pointer, value)))
            tally = Tally(CHECKS)
            assert [each.check for each in tally.judge_exchange(stage.oracle, seen)] == ["creation-tells-id"]


def test_two_creations_with_one_id_are_found() -> None:
    for name, pointer in (("kie", "/data/taskId"), ("acme", "/id")):
        stage = Stage(name)
        first = stage.create().task_id
        stage.create()
        assert found(stage) == set()
        assert found(stage, ("create", 1, pointer, first)) == {"ids-differ"}


def test_two_accounts_may_have_tasks_of_the_same_id() -> None:
    stage = Stage("kie")
    first, second = stage.create(), stage.create(key=stage.other)
    assert first.task_id == second.task_id
    assert stage.poll(first.task_id).accepted
    assert stage.poll(second.task_id, key=stage.other).accepted
    assert found(stage) == set()
    assert len(stage.trace().tasks) == 2


def test_the_same_key_gives_the_same_task_and_another_one_is_found() -> None:
    stage = Stage("acme")
    first = stage.create(idempotency=KEY)
    assert stage.create(idempotency=KEY).task_id == first.task_id
    assert stage.create(idempotency="order-0002").task_id != first.task_id
    assert stage.create(key=stage.other, idempotency=KEY).task_id != first.task_id
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["same-key-same-task"] == 1
    assert found(stage, ("create", 1, "/id", "pic_" + "0" * 32)) == {"same-key-same-task"}


def test_a_creation_whose_first_answer_was_lost_may_tell_an_earlier_time() -> None:
    stage = Stage("acme")
    stage.create(idempotency=KEY)
    stage.wait(5_000)
    stage.create(idempotency=KEY)
    stage.seen[0] = stage.oracle.observe(replace(stage.seen[0].exchange, status=None, answer=b""))
    assert found(stage) == set()


def test_a_key_may_give_another_task_when_the_first_is_kept_no_more() -> None:
    stage = Stage("acme")
    first = stage.create(idempotency=KEY)
    stage.wait(7 * DAY)
    assert stage.create(idempotency=KEY).task_id != first.task_id
    assert found(stage) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_task_that_is_unknown_for_longer_than_the_grace_is_found(name: str) -> None:
    stage = Stage(name)
    stage.play("not-found-at-first", **{"for": "6s"})
    task = stage.create().task_id
    stage.poll(task)
    stage.wait(stage.oracle.behaviour.polling.grace)
    assert not stage.poll(task).accepted
    assert found(stage) == set()
    stage.wait(1)
    stage.poll(task)
    assert found(stage) == {"readable"}


def test_a_task_that_has_ended_and_is_gone_is_found_while_it_should_be_kept() -> None:
    for name in ("kie", "acme"):
        stage = lived(name)
        gone = stage.poll("task_nano-banana-pro_1" if name == "kie" else "pic_" + "0" * 32).exchange
        stage.seen.pop()
        task = stage.trace().tasks.popitem()[1]
        asked = task.asked[-1].exchange
        wrong = replace(asked, status=gone.status, answer=gone.answer, number=asked.number + 1)
        stage.seen.append(stage.oracle.observe(wrong))
        assert found(stage) == {"ended-stays-readable"}


def test_a_task_is_gone_when_it_is_kept_no_more_and_nothing_is_found() -> None:
    stage = lived("acme")
    stage.wait(7 * DAY)
    assert not stage.poll(stage.seen[1].task_id).accepted
    assert found(stage) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_task_that_another_key_can_read_is_found(name: str) -> None:
    stage = Stage(name)
    created = stage.create()
    poll = stage.poll(created.task_id)
    refused = stage.poll(created.task_id, key=stage.other)
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["own-tasks-only"] == 1
    answered = replace(refused.exchange, status=200, answer=poll.exchange.answer)
    stage.seen[-1] = stage.oracle.observe(answered)
    assert found(stage) == {"own-tasks-only"}


def test_a_task_that_another_key_can_cancel_or_list_is_found() -> None:
    stage = Stage("acme")
    created = stage.create()
    listed = stage.do("list")
    cancelled = stage.cancel(created.task_id)
    assert listed is not None
    assert found(stage) == set()
    foreign = tuple((name, "acme-other" if name == "x-acme-key" else value) for name, value in listed.exchange.headers)
    for number, seen in ((1, listed), (2, cancelled)):
        swapped = list(stage.seen)
        swapped[number] = stage.oracle.observe(replace(seen.exchange, headers=foreign))
        tally = judge(stage.oracle, make_trace(stage.oracle, swapped, [], stage.circumstances))
        assert {each.check for each in tally.findings} == {"own-tasks-only"}
