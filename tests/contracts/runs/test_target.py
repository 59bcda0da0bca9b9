"""What is asked: answers that never end are given up, by their length and by the clock."""

from __future__ import annotations

import pytest
from understudy.contracts.runs import target as module
from understudy.contracts.runs.ask import Ask
from understudy.contracts.runs.target import Target

from .strangers import going_on


def test_an_answer_that_is_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1_000_000)
    with going_on(b" " * 65_536, 0) as url, Target(url) as target:
        exchange = target.ask(Ask("GET", "/"))
    assert (exchange.status, exchange.error) == (None, "the answer is longer than 1,000,000 bytes")


def test_an_answer_that_drips_is_given_up_when_its_time_is_over() -> None:
    with going_on(b" ", 0.02) as url, Target(url, seconds=0.3) as target:
        exchange = target.ask(Ask("GET", "/"))
    assert (exchange.status, exchange.error) == (None, "no whole answer within 0.3 s")
