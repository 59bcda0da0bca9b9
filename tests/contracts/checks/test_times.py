"""Times that providers tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.times import CHECKS
from understudy.openapi.times import iso, parse_time

from .stage import NAMES, Stage, found, lived, told

HOUR = 3_600_000


@pytest.fixture(scope="module")
def kie() -> Stage:
    return lived("kie")


@pytest.fixture(scope="module")
def acme() -> Stage:
    return lived("acme")


def moved(milliseconds: int) -> Any:
    return lambda told: iso(parse_time(told) + milliseconds) if isinstance(told, str) else told + milliseconds


def test_a_time_of_creation_that_changes_is_found(kie: Stage, acme: Stage) -> None:
    assert found(acme, ("poll", 1, "/created_at", moved(-5_000))) == {"created-constant"}
    assert found(kie, ("poll", 1, "/data/createTime", moved(-5_000))) == {"created-constant"}


def test_whole_seconds_are_the_same_time_as_what_is_in_them(acme: Stage) -> None:
    assert found(acme, ("poll", 1, "/created_at", lambda told: iso(parse_time(told) // 1000 * 1000))) == set()


def test_times_in_the_wrong_order_are_found(kie: Stage, acme: Stage) -> None:
    assert found(kie, ("poll", 0, "/data/updateTime", moved(-5_000))) == {"times-in-order"}
    gone: list[tuple[str, int, str, Any]] = [("poll", number, "/ended_at", moved(-HOUR)) for number in (3, 4, 5)]
    assert found(acme, *gone) == {"times-in-order"}


def test_a_last_change_or_progress_that_goes_back_is_found(kie: Stage) -> None:
    assert found(kie, ("poll", 2, "/data/updateTime", moved(-4_000))) == {"never-back"}
    back = ("poll", 1, "/data/progress", 50), ("poll", 2, "/data/progress", 40)
    assert found(kie, *back) == {"never-back"}
    forth = ("poll", 1, "/data/progress", 40), ("poll", 2, "/data/progress", 50)
    assert found(kie, *forth) == set()


def test_a_creation_at_another_time_than_it_was_asked_for_is_found(acme: Stage) -> None:
    changes = [(does, None, "/created_at", moved(-HOUR)) for does in ("create", "poll")]
    assert found(acme, *changes) == {"created-at-creation"}
    assert found(acme, *changes, exact=False) == set()


def test_a_time_that_has_not_come_is_found_where_clocks_are_the_same(kie: Stage) -> None:
    ahead = ("poll", 2, "/data/updateTime", moved(2_000)), ("poll", 2, "/data/updateTime", moved(8_000))
    assert found(kie, *ahead) == {"times-have-come"}
    assert found(kie, *ahead, exact=False) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_task_that_does_not_end_is_found_when_the_bound_is_over(name: str) -> None:
    stage = Stage(name)
    stage.play("stuck")
    task = stage.create().task_id
    stage.wait(stage.oracle.behaviour.polling.give_up)
    stage.poll(task)
    assert found(stage) == set()
    stage.wait(1)
    stage.poll(task)
    assert found(stage) == {"ends-in-time"}


def test_a_task_that_ended_after_the_bound_is_found_by_what_it_tells(kie: Stage) -> None:
    late = [
        ("poll", number, f"/data/{field}", moved(16 * 60_000))
        for number in (3, 4, 5)
        for field in ("completeTime", "updateTime")
    ]
    assert found(kie, *late, exact=False, receiver=False) == {"ends-in-time", "callback-equals-poll"}


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("2", ""),
        (None, "Retry-After is missing"),
        ("0", "Retry-After is '0'"),
        ("soon", "Retry-After is 'soon'"),
        ("-1", "Retry-After is '-1'"),
        ("1.5", "Retry-After is '1.5'"),
    ],
)
def test_a_promised_time_to_wait_is_told_in_whole_seconds(header: str | None, problem: str) -> None:
    stage = Stage("acme")
    stage.play("too-fast")
    exchange = stage.create().exchange
    assert exchange.status == 429
    headers = [each for each in exchange.answer_headers if each[0] != "retry-after"]
    headers += [] if header is None else [("retry-after", header)]
    seen = stage.oracle.observe(replace(exchange, answer_headers=tuple(headers)))
    tally = Tally(CHECKS)
    findings = tally.judge_exchange(stage.oracle, seen)
    assert tally.judged["retry-after"] == 1
    assert [problem] == [each.sentence.partition(": ")[2].partition(";")[0] for each in findings] or not problem
    assert bool(findings) == bool(problem), told(findings)
