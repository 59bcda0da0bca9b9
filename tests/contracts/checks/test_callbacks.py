"""Callbacks: what they look like, and that they tell what polls tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from understudy.contracts.checks.exchange import Callback
from understudy.openapi.pointer import MISSING

from .stage import Stage, changed, found, lived, told

CALLING = ("kie", "apikley", "crun", "mulerouter")


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {name: lived(name) for name in CALLING}


def altered(stage: Stage, pointer: str, value: Any, number: int = -1) -> list[Callback]:
    """Return the callbacks with a field of one changed; signatures then are nobody's business."""
    letters = list(stage.letters)
    letters[number] = replace(letters[number], body=changed(letters[number].body, pointer, value))
    return letters


@pytest.mark.parametrize("scenario", ["success", "fail", "moderated"])
@pytest.mark.parametrize("name", CALLING)
def test_right_callbacks_are_judged_and_nothing_is_found(name: str, scenario: str) -> None:
    tally = lived(name, scenario).judged()
    assert not tally.findings, told(tally.findings)
    count = 2 if name == "mulerouter" else 1
    judged = ("callback-conforms", "callback-fields", "callback-event", "callback-equals-poll", "callback-not-early")
    assert {tally.judged[each] for each in judged} == {count}
    assert tally.judged["callback-comes"] == count


@pytest.mark.parametrize(
    ("name", "pointer", "value"),
    [
        ("kie", "/code", "two hundred"),
        ("kie", "/data/taskId", 5),
        ("crun", "/create_at", "yesterday"),
        ("mulerouter", "/data/vendor", MISSING),
        ("mulerouter", "/type", "task.failed"),
    ],
)
def test_a_body_that_is_not_as_documented_is_found(
    stages: dict[str, Stage], name: str, pointer: str, value: Any
) -> None:
    stage = stages[name]
    letters = altered(stage, pointer, value)
    assert "callback-conforms" in found(stage, letters=letters, secret="", receiver=False)


def test_an_undocumented_field_is_a_warning(stages: dict[str, Stage]) -> None:
    for name, pointer in (("kie", "/data/extra"), ("mulerouter", "/data/extra")):
        letters = altered(stages[name], pointer, 1)
        assert found(stages[name], letters=letters, secret="") == {"callback-fields"}


@pytest.mark.parametrize(("body", "content_type"), [(b"{", "application/json"), (None, "text/plain")])
def test_what_is_no_json_or_calls_itself_something_else_is_found(
    stages: dict[str, Stage], body: bytes | None, content_type: str
) -> None:
    stage = stages["kie"]
    last = stage.letters[-1]
    headers = tuple((key, content_type if key == "content-type" else value) for key, value in last.headers)
    letter = replace(last, body=last.body if body is None else body, headers=headers)
    assert found(stage, letters=[letter], secret="", receiver=False) == {"callback-conforms"}


def test_a_callback_about_a_phase_that_is_not_told_is_found(stages: dict[str, Stage]) -> None:
    letters = altered(stages["crun"], "/status", "running")
    assert "callback-event" in found(stages["crun"], letters=letters)


@pytest.mark.parametrize(
    ("name", "pointer", "value"),
    [
        ("kie", "/data/state", "fail"),
        ("kie", "/data/resultJson", '{"resultUrls":["https://files.example.com/other.png"]}'),
        ("kie", "/data/resultJson", MISSING),
        ("kie", "/data/creditsConsumed", 1),
        ("kie", "/data/model", "google/nano-banana"),
        ("crun", "/credits", 1),
        ("crun", "/complete_at", 1_000),
        ("mulerouter", "/data/payload/images", ["https://files.example.com/other.png"]),
        ("mulerouter", "/data/payload/task_info/status", "failed"),
    ],
)
def test_a_callback_that_differs_from_the_poll_is_found(
    stages: dict[str, Stage], name: str, pointer: str, value: Any
) -> None:
    letters = altered(stages[name], pointer, value)
    assert "callback-equals-poll" in found(stages[name], letters=letters, secret="")


def test_what_a_poll_tells_in_another_unit_is_the_same(stages: dict[str, Stage]) -> None:
    task = stages["kie"].trace().tasks.popitem()[1]
    assert task.ended is not None
    assert task.ended.facts["duration"] == task.callbacks[0].facts["duration"] == 14_000


def test_a_callback_that_comes_before_what_it_tells_is_found(stages: dict[str, Stage]) -> None:
    for name, stage in stages.items():
        ended = stage.letters[-1].came
        early = [*stage.letters[:-1], replace(stage.letters[-1], came=ended - 2_500)]
        assert found(stage, letters=early) == {"callback-not-early"}, name
        late = [*stage.letters[:-1], replace(stage.letters[-1], came=ended + 1_500)]
        assert found(stage, letters=late) == set(), name


def test_without_the_providers_clock_a_later_poll_shows_that_a_callback_was_early(stages: dict[str, Stage]) -> None:
    stage = stages["kie"]
    created = stage.seen[1].exchange.ended
    for came, expected in ((created + 8_999, {"callback-not-early"}), (created + 9_000, set())):
        early = [replace(stage.letters[-1], came=came)]
        assert found(stage, letters=early, exact=False) == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("kie", ("callback-param", "string")),
        ("kie", ("callback-failure", "null")),
        ("kie", ("callback-credits", "remained")),
        ("mulerouter", ("statuses", "guide")),
    ],
)
def test_documented_options_are_no_differences(name: str, options: tuple[str, str]) -> None:
    stage = Stage(name, (options,)).calls_back()
    task = stage.create().task_id
    stage.wait(60_000)
    stage.poll(task)
    stage.wait(20_000)
    tally = stage.judged()
    assert not tally.findings, told(tally.findings)
    assert tally.judged["callback-equals-poll"] >= 1


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("callback-lost", "callback-comes"),
        ("callback-duplicate", "callback-stops"),
        ("callback-early", "callback-not-early"),
        ("callback-contradicts", "callback-equals-poll"),
        ("callback-bad-signature", "callback-signed"),
        ("callback-stale-timestamp", "callback-signed"),
        ("callback-unsigned", "callback-signed"),
        ("callback-malformed", "callback-conforms"),
        ("callback-wrong-content-type", "callback-conforms"),
    ],
)
@pytest.mark.parametrize("name", ["kie", "mulerouter"])
def test_every_fault_that_the_emulator_can_play_is_found(name: str, fault: str, check: str) -> None:
    assert check in found(lived(name, fault))


def test_what_comes_out_of_order_is_found() -> None:
    assert "callback-event" in found(lived("kie", "callback-out-of-order"))
    assert "callback-stops" in found(lived("mulerouter", "callback-out-of-order"))
    assert "callback-signed" in found(lived("mulerouter", "callback-altered-body"))
    assert "callback-fields" in found(lived("kie", "callback-altered-body"))
