"""Money: what tasks cost, and that failed ones cost nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from understudy.openapi.pointer import MISSING

from .stage import Stage, found, lived, told

BALANCES = {"kie": "/data", "apikley": "/data", "crun": "/data/balance", "acme": "/coins"}
CREDITS = {
    "kie": "/data/creditsConsumed",
    "apikley": "/data/creditsConsumed",
    "crun": "/data/credits",
    "acme": "/coins",
}


def more(by: float) -> Any:
    return lambda told: told + by


@pytest.mark.parametrize("name", BALANCES)
def test_a_balance_that_falls_by_more_or_less_than_is_told_is_found(name: str) -> None:
    stage = lived(name)
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["credits-charged"] == 1
    assert found(stage, ("balance", 1, BALANCES[name], more(1))) == {"credits-charged"}
    assert found(stage, ("balance", 1, BALANCES[name], more(-0.5))) == {"credits-charged"}


@pytest.mark.parametrize("name", BALANCES)
def test_a_failed_task_whose_price_is_not_given_back_is_found(name: str) -> None:
    stage = lived(name, "fail")
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["credits-returned"] == 1
    assert found(stage, ("balance", 1, BALANCES[name], more(-18))) == {"credits-returned"}


def test_a_cancelled_task_costs_nothing() -> None:
    stage = Stage("acme")
    stage.do("balance")
    stage.cancel(stage.create().task_id)
    stage.do("balance")
    assert stage.judged().judged["credits-returned"] == 1
    assert found(stage, ("balance", 1, "/coins", more(-1))) == {"credits-returned"}


def test_a_balance_that_moves_where_nothing_was_created_is_found() -> None:
    stage = Stage("kie")
    stage.do("balance")
    stage.do("balance")
    assert stage.judged().judged["credits-charged"] == 1
    assert found(stage, ("balance", 1, "/data", more(-1))) == {"credits-charged"}


def test_a_balance_is_judged_when_no_task_is_under_way_any_more() -> None:
    stage = Stage("kie")
    stage.do("balance")
    task = stage.create().task_id
    stage.do("balance")
    stage.poll(task)
    assert stage.judged().judged["credits-charged"] == 0
    stage.wait(60_000)
    stage.do("balance")
    assert stage.judged().judged["credits-charged"] == 0
    stage.poll(task)
    stage.do("balance")
    tally = stage.judged()
    assert (tally.judged["credits-charged"], tally.findings) == (1, [])


def test_a_repeated_creation_is_charged_once() -> None:
    stage = Stage("acme")
    stage.create(idempotency="order-0001")
    stage.wait(60_000)
    stage.poll(stage.seen[0].task_id)
    stage.do("balance")
    stage.create(idempotency="order-0001")
    stage.do("balance")
    tally = stage.judged()
    assert (tally.judged["credits-charged"], tally.findings) == (1, [])


def test_where_nobody_tells_the_credits_the_documented_price_holds_and_an_assumed_one_does_not() -> None:
    documented, assumed = lived("crun"), lived("kie")
    silent = [("poll", number, CREDITS["crun"], MISSING) for number in (3, 4, 5)]
    assert found(documented, *silent) == set()
    assert found(documented, *silent, ("balance", 1, "/data/balance", more(1))) == {"credits-charged"}
    silent = [("poll", number, CREDITS["kie"], MISSING) for number in (3, 4, 5)]
    assert found(assumed, *silent, ("balance", 1, "/data", more(1)), letters=[], receiver=False) == set()


def test_after_a_creation_of_which_nobody_knows_whether_it_was_done_nothing_is_judged() -> None:
    stage = lived("kie")
    lost = replace(stage.create().exchange, status=None, answer=b"")
    stage.seen[-1] = stage.oracle.observe(lost)
    stage.do("balance")
    assert stage.judged().judged["credits-charged"] == 1
    assert found(stage) == set()
