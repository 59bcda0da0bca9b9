"""Clients that each do one thing wrong: the check that claims it says so. Of one that does nothing wrong none does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from understudy.contracts.clients.actor import any_stuck
from understudy.contracts.clients.adapter import Said
from understudy.contracts.clients.answers import results_usable
from understudy.contracts.clients.contract import CLIENT_CHECKS, check_client
from understudy.contracts.clients.performance import Performance
from understudy.contracts.clients.situations import SITUATIONS
from understudy.contracts.clients.stage import wait_until
from understudy.mockserver import MockServer
from understudy.mockserver.settings import Settings

from ...client.speakers import loaded_once
from . import small

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

INSTANT = "success; progress=instant"
CLAIMED: list[tuple[Any, str, str]] = [
    (small.HotLoop, "stuck", "no-hot-loop"),
    (small.Impatient, "slow; times_longer=3", "polls-as-advised"),
    (small.PollsOn, INSTANT, "no-poll-after-end"),
    (small.PollsOnUnseen, INSTANT, "no-poll-after-end"),
    (small.CreatesAgainBlindly, "reset", "lost-creation-not-repeated"),
    (small.CreatesAgainWhenSlow, "stuck", "creation-once"),
    (small.DeafToRetryAfter, "poll-error; code=429; times=1; retry_after=1", "retry-after-kept"),
    (small.KnowsEveryStatus, "unknown-status; times=2", "client-answers"),
    (small.GivesUpOverAStatus, "unknown-status; times=2", "drift-survived"),
    (small.KnowsEveryField, "extra-field", "client-answers"),
    (small.Leaks, INSTANT, "connections-closed"),
    (small.LeaksUnseen, INSTANT, "connections-closed"),
    (small.LongTimeout, "hang", "deadline-kept"),
    (small.NoDeadline, "stuck", "deadline-kept"),
    (small.RaisesOddThings, INSTANT, "client-answers"),
    (small.SlipsUnderException, INSTANT, "client-answers"),
    (small.NamesNoErrors, INSTANT, "client-answers"),
    (small.ReturnsOddThings, INSTANT, "client-answers"),
    (small.TakesFailureForSuccess, "fail", "failure-told"),
    (small.AsksForMore, INSTANT, "requests-conform"),
    (small.AsksElsewhere, INSTANT, "requests-conform"),
    (small.ShowsAnotherKey, INSTANT, "requests-shown-key"),
    (small.AltersLinks, INSTANT, "results-right"),
    (small.LosesResults, INSTANT, "results-right"),
    (small.HalfAFile, INSTANT, "results-usable"),
    (small.TakesHalfFiles, "result-truncated", "results-usable"),
    (small.LosesFiles, INSTANT, "results-usable"),
    (small.FetchesTwice, INSTANT, "results-fetched-once"),
    (small.GivesUpAtOnce, "html-502; on=poll; times=1", "passing-failure-survived"),
    (small.WaitsForEveryStatus, "status-skips", "success-told"),
    (small.TellsNoReason, "fail; code=e77; message=the brush was dry", "reason-told"),
    (small.FallsOverDuplicates, "callback-duplicate", "callbacks-taken"),
    (small.HangsInCallbacks, "callback-duplicate", "callbacks-taken"),
    (small.BelievesTheLastCallback, "callback-out-of-order", "callbacks-harmless"),
    (small.BelievesEveryCallback, "callback-bad-signature", "false-callbacks-rejected"),
    (small.RejectsCallbacks, "callback-duplicate", "true-callbacks-accepted"),
    (small.HangsAtTheEnd, INSTANT, "deadline-kept"),
    (small.FallsOverAtTheEnd, INSTANT, "client-answers"),
    (small.CantBeMade, INSTANT, "client-answers"),
    (small.make_awaited, INSTANT, "deadline-kept"),
]
DEADLINE = 3.0
"""Seconds, more than a good client takes for anything."""
SHORT = 0.5
"""Seconds after which those that hang are let go of."""
HANGING = {small.HangsAtTheEnd, small.HangsInCallbacks, small.LongTimeout, small.NoDeadline, small.make_awaited}


@pytest.fixture(scope="module")
def emulator() -> Iterator[MockServer]:
    """A server for the small clients."""
    with MockServer([loaded_once("kie")], Settings(callback_timeout=2)) as server:
        yield server


def found(factory: Any, situation: str, emulator: MockServer) -> set[str]:
    """Return the ids of the checks that find something."""
    assert wait_until(lambda: not any_stuck(), 5)  # what hung before
    deadline = SHORT if factory in HANGING else DEADLINE
    report = check_client(factory, provider=loaded_once("kie"), emulator=emulator, only=[situation], deadline=deadline)
    while small.Leaks.left:
        small.Leaks.left.pop().close()
    assert not report.not_played
    return {each.check for each in report.findings}


@pytest.mark.parametrize(("factory", "situation", "claimed"), CLAIMED, ids=lambda each: getattr(each, "__name__", each))
def test_what_a_client_does_wrong_is_found_by_the_check_that_claims_it(
    factory: Any, situation: str, claimed: str, emulator: MockServer
) -> None:
    assert claimed in found(factory, situation, emulator)


@pytest.mark.parametrize("situation", sorted({situation for _, situation, _ in CLAIMED}))
def test_a_client_that_does_nothing_wrong_is_told_nothing(situation: str, emulator: MockServer) -> None:
    factory = small.Fetching if situation.startswith("result") else small.Good
    assert found(factory, situation, emulator) == set()


def test_a_link_that_leads_nowhere_is_found() -> None:
    situation = SITUATIONS[0]
    seen = Performance(situation, small.SPEED, Said("completed", ["a", "b"]), links={"a": 200, "b": 404, "c": 0})
    judged = [each and each.sentence for each in results_usable.judge(None, seen)]
    assert judged == [None, "b is answered with 404", "c is answered with nothing"]
    assert situation.id == "success"


def test_every_check_is_claimed_by_a_client() -> None:
    assert {claimed for _, _, claimed in CLAIMED} == {each.id for each in CLIENT_CHECKS}
