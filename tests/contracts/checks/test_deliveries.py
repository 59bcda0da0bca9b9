"""Deliveries: that callbacks come, are signed, repeated as documented, and no more once they were received."""

from __future__ import annotations

from dataclasses import replace

import pytest
from understudy.contracts.checks.exchange import Callback

from .stage import SECRETS, Stage, found, lived, told

KIE_FAILS = (500, 503, "reset", 404)


def at(letter: Callback, came: int, answered: int | None = 200) -> Callback:
    return replace(letter, came=came, answered=answered)


@pytest.mark.parametrize("name", ["kie", "crun", "mulerouter"])
def test_a_callback_that_never_comes_is_found_when_there_was_time_for_it(name: str) -> None:
    stage = lived(name)
    seen = stage.letters[-1].came
    missing = stage.letters[:-1]
    assert found(stage, letters=missing) == {"callback-comes"}
    assert found(stage, letters=missing, until=seen + 10_000) == set()
    assert found(stage, letters=missing, receiver=False) == set()


def test_an_event_that_nobody_asked_to_be_told_of_need_not_come() -> None:
    stage = lived("mulerouter")
    assert found(stage, letters=[]) == {"callback-comes"}
    assert found(stage, letters=[], callback_url="") == set()
    assert found(stage, letters=[], accounts=frozenset({"another"})) == set()
    silent = Stage("kie")
    task = silent.create(callBackUrl="").task_id
    silent.wait(60_000)
    silent.poll(task)
    silent.wait(60_000)
    assert found(silent) == set()


@pytest.mark.parametrize("name", ["kie", "mulerouter"])
def test_a_callback_without_the_right_signature_is_found(name: str) -> None:
    stage = lived(name)
    tally = stage.judged()
    assert tally.judged["callback-signed"] == len(stage.letters) > 0
    bare = [replace(each, headers=(("content-type", "application/json"),)) for each in stage.letters]
    assert "callback-signed" in found(stage, letters=bare)
    assert found(stage, letters=bare, secret="") == set()
    other = SECRETS[name][:-4] + "AAAA"
    assert found(stage, secret=other) == {"callback-signed"}
    assert found(stage, secret=other, accounts=frozenset({"another"}), receiver=False) == set()


def test_what_was_signed_long_ago_is_found() -> None:
    stage = lived("kie")
    old = [replace(each, real_time=each.real_time + 301_000) for each in stage.letters]
    assert found(stage, letters=old) == {"callback-signed"}


@pytest.mark.parametrize("name", ["kie", "mulerouter"])
def test_a_callback_that_comes_again_though_it_was_received_is_found(name: str) -> None:
    stage = lived(name)
    last = stage.letters[-1]
    again = [*stage.letters, at(last, last.came + 100)]
    assert found(stage, letters=again) == {"callback-stops"}
    assert found(stage, letters=again, redelivered=frozenset({str(stage.trace().tasks.popitem()[0])})) == set()


def test_failed_attempts_that_are_repeated_as_documented_are_right() -> None:
    stage = lived("kie", answers=KIE_FAILS)
    stage.wait(200_000)
    assert len(stage.letters) == 4
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["callback-retries"] == 4


@pytest.mark.parametrize("name", ["crun", "apikley"])
def test_where_no_repetition_is_documented_a_second_attempt_is_found(name: str) -> None:
    stage = lived(name, answers=(500,))
    stage.wait(600_000)
    assert found(stage) == set()
    again = [*stage.letters, at(stage.letters[0], stage.letters[0].came + 5_000)]
    assert found(stage, letters=again) == {"callback-retries"}


def test_a_wrong_pause_or_a_missing_repetition_is_found() -> None:
    stage = lived("kie", answers=(500,))
    stage.wait(60_000)
    first, second = stage.letters
    for pause, expected in (
        (4_500, set()),
        (5_500, set()),
        (3_000, {"callback-retries"}),
        (8_000, {"callback-retries"}),
    ):
        assert found(stage, letters=[first, at(second, first.came + pause)]) == expected, pause
    assert found(stage, letters=[first]) == {"callback-retries"}
    assert found(stage, letters=[first], until=first.came + 5_000) == set()
    assert found(stage, letters=[first], exact=False) == set()


def test_an_attempt_too_many_is_found() -> None:
    stage = lived("kie", answers=KIE_FAILS)
    stage.wait(200_000)
    more = [*stage.letters, at(stage.letters[-1], stage.letters[-1].came + 5_000)]
    assert found(stage, letters=more) == {"callback-retries"}


def test_attempts_with_other_message_ids_are_found() -> None:
    stage = lived("mulerouter", answers=(500, 200, 500))
    stage.wait(30_000)
    assert found(stage) == set()
    assert stage.judged().judged["callback-id"] >= 1

    def renamed(letter: Callback, name: str) -> Callback:
        return replace(letter, headers=tuple((k, name if k == "webhook-id" else v) for k, v in letter.headers))

    wrong = [*stage.letters[:-1], renamed(stage.letters[-1], "another")]
    assert found(stage, letters=wrong, secret="") == {"callback-id"}
    same = [renamed(each, "the-same") for each in stage.letters]
    assert found(stage, letters=same, secret="") == {"callback-id"}


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_nobody_can_say_which_of_two_accounts_tasks_with_one_id_a_callback_tells(missing: int) -> None:
    stage = Stage("apikley")
    ids = {stage.create(key).task_id for key in (stage.key, stage.other)}
    assert len(ids) == 1
    stage.wait(60_000)
    for key in (stage.key, stage.other):
        stage.poll(next(iter(ids)), key)
    stage.wait(60_000)
    assert found(stage, letters=stage.letters[missing:]) == set()
