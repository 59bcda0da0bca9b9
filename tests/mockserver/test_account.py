"""What a provider keeps for one key."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.account import Account, StoredFile
from understudy.mockserver.plan import Intervention
from understudy.mockserver.task import Task
from understudy.openapi.behaviour import Limit

from .stage import SIMPLE, START, Stage
from .test_actions import fail_by_hand, task_in

LIMIT = Limit(("create",), 3, 10_000)


@given(st.lists(st.integers(0, 6_000), max_size=60))
def test_in_no_window_are_more_calls_than_the_limit_and_none_is_refused_without_need(steps: list[int]) -> None:
    account, now, allowed = Account(), 0, [-(10**9)]
    for step in steps:
        now += step
        recent = [each for each in allowed if each > now - LIMIT.per]
        wait = account.wait_for(LIMIT, now)
        assert (wait == 0) == (len(recent) < LIMIT.count)
        if wait:
            assert wait == recent[0] + LIMIT.per - now
        else:
            allowed.append(now)


def test_limits_are_counted_one_by_one() -> None:
    account, other = Account(), Limit(("poll",), 1, 1_000)
    assert [account.wait_for(each, 0) for each in (LIMIT, other, other, LIMIT)] == [0, 0, 1_000, 0]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=50))
def test_no_two_ids_are_made_of_the_same_millisecond(steps: list[int]) -> None:
    account, now, times = Account(), 100, []
    for step in steps:
        now += step
        times.append(account.next_id_time(now))
    assert times == sorted(set(times))
    assert times[0] == 100 + steps[0]


@pytest.mark.parametrize(
    ("now", "kept_for", "there"), [(99, None, True), (10**15, None, True), (109, 10, True), (110, 10, False)]
)
def test_a_file_is_there_for_as_long_as_it_is_kept(now: int, kept_for: int | None, there: bool) -> None:
    account = Account()
    account.files["a"] = StoredFile("a", b"", "text/plain", 100)
    assert (account.file("a", now, kept_for) is not None) is there
    assert account.file("b", now, kept_for) is None


def test_what_is_due_comes_back_in_the_order_of_time() -> None:
    stage = Stage("kie")
    stage.created("kie", SIMPLE["kie"])
    task, account = fail_by_hand(stage, "kie"), stage.emulator.namespaces.of_key("test").account("kie")
    account.refund_later(task, START)
    assert account.balance(100, START) == 100 - 18
    assert account.balance(100, task.ends()) == 100


def test_a_task_that_succeeded_after_all_is_not_given_back() -> None:
    stage = Stage("kie")
    stage.created("kie", SIMPLE["kie"])
    task, account = fail_by_hand(stage, "kie"), stage.emulator.namespaces.of_key("test").account("kie")
    task.interventions += (Intervention(START, "success"),)
    assert account.balance(100, task.ends()) == 100 - 18


def test_a_price_comes_back_once_however_often_it_is_due() -> None:
    stage = Stage("acme")
    stage.created("acme", SIMPLE["acme"])
    account = stage.emulator.namespaces.of_key("test").account("acme")
    for _ in range(3):
        account.refund_later(task_in(stage, "acme"), START)
    task_in(stage, "acme").interventions += (Intervention(START, "cancelled"),)
    assert account.balance(100, START) == 100


def test_a_failing_task_put_back_by_hand_gives_its_price_back_when_it_fails_again() -> None:
    stage = Stage("kie")
    stage.created("kie", SIMPLE["kie"])
    task, namespace = fail_by_hand(stage, "kie"), stage.emulator.namespaces.of_key("test")
    stage.wait(1)
    stage.emulator.move(namespace, "kie", task, "waiting")
    assert namespace.account("kie").balance(100, task.ends()) == 100 - 18
    assert namespace.account("kie").balance(100, task.ends() + 1_000) == 100


def test_tasks_that_failed_are_let_go_of_though_nobody_asks_for_the_balance() -> None:
    stage = Stage("kie", limits=False, max_tasks=3)
    account = stage.emulator.namespaces.of_key("test").account("kie")
    for _ in range(10):
        assert stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "fail"}).is_success
        stage.wait(3_600)
    seen = [each for each in gc.get_objects() if isinstance(each, Task) and each.home is account.home]
    assert len(seen) <= 4
