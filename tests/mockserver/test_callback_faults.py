"""Callbacks that go wrong on purpose: each fault as its receiver meets it."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from understudy.mockserver.faults import GATEWAY_PAGE
from understudy.mockserver.scenario import built_in_scenarios
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings
from understudy.openapi.provider import built_in_names
from understudy.openapi.signing import SignatureError

from .post import Post
from .receiver import Received, Receiver
from .stage import SIMPLE
from .test_callbacks import assert_documented, check

SIGNING = ("kie", "mulerouter")
SIGNED = ("bad-signature", "stale-timestamp", "unsigned", "altered-body")


def ends(post: Post) -> list[Received]:
    """Return what was told of the end of tasks."""
    return [each for each in post.receiver.received if b'"task.created"' not in each.body]


# --- when and how often -------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", built_in_names())
def test_a_lost_callback_is_never_sent_and_the_journal_says_why(provider: str) -> None:
    with Post(provider) as post:
        task = post.created(provider, "callback-lost")
        post.advance("1d")
        assert ends(post) == []
        last = post.deliveries(task)[-1]
        assert (last["state"], last["reason"], last["attempts"]) == ("cancelled", "played: callback-lost", [])


@pytest.mark.parametrize("provider", built_in_names())
def test_a_late_callback_comes_so_much_later_and_tells_the_same(provider: str) -> None:
    with Post(provider) as post:
        task = post.created(provider, "callback-late; after=10m")
        post.advance("9m")
        assert ends(post) == []
        post.advance("2m")
        (came,) = ends(post)
        assert_documented_unless_signed(provider, came)
        polled = post.stage.facts(provider, task)
        delivery = post.deliveries(task)[-1]
        assert delivery["state"] == "delivered"
        if provider == "mulerouter":
            assert came.data["created_at"] == polled["updated"] or came.data["created_at"]
            assert came.data["created_at"] == came.data["data"]["payload"]["task_info"]["updated_at"]


def assert_documented_unless_signed(provider: str, came: Received) -> None:
    """Check a callback of an account without a secret."""
    if provider != "mulerouter":
        assert_documented(provider, came)


@pytest.mark.parametrize("provider", built_in_names())
def test_a_duplicate_is_the_same_callback_again(provider: str) -> None:
    with Post(provider) as post:
        post.sign(provider)
        task = post.created(provider, "callback-duplicate; n=3")
        post.advance()
        came = ends(post)
        assert len(came) == 3
        assert len({each.body for each in came}) == 1
        assert len(post.deliveries(task)[-1]["attempts"]) == 3
        if provider in SIGNING:
            for each in came:
                check(provider, each)


@pytest.mark.parametrize("provider", built_in_names())
def test_an_early_callback_comes_before_the_answer_to_the_creation(provider: str) -> None:
    events: list[str] = []

    def take(_: Received) -> int:
        events.append("callback")
        return 200

    with Post(provider) as post:
        post.receiver.behave = take
        post.created(provider, "callback-early")
        events.append("answer")
        assert events == ["callback", "answer"]
        post.advance()
        assert len(ends(post)) == 1


def test_over_a_socket_an_early_callback_is_answered_before_the_creation_is() -> None:
    answered: list[float] = []

    async def take(_: Received) -> int:
        import asyncio  # noqa: PLC0415

        await asyncio.sleep(0.05)
        answered.append(time.perf_counter())
        return 200

    with MockServer(["kie"], Settings(frozen=True)) as server, Receiver(take) as receiver:
        kie = server.account("kie")
        body = {**SIMPLE["kie"], "callBackUrl": receiver.url}
        headers = {"Authorization": f"Bearer {kie.api_key}", "Understudy-Scenario": "callback-early"}
        with httpx.Client(trust_env=False) as client:
            assert client.post(f"{kie.base_url}/api/v1/jobs/createTask", json=body, headers=headers).is_success
        came = time.perf_counter()
    assert len(answered) == 1
    assert answered[0] < came


def test_an_early_callback_that_is_refused_is_tried_again_in_its_time() -> None:
    with Post("kie", behave=lambda each: 500 if each.number == 1 else 200) as post:
        task = post.created("kie", "callback-early")
        assert post.deliveries(task)[0]["state"] == "pending"
        post.advance("6s")
        assert post.deliveries(task)[0]["state"] == "delivered"


def test_a_task_that_polls_move_can_not_be_early_and_tells_all_the_same() -> None:
    with Post("kie") as post:
        task = post.created("kie", "success; progress=polls, callback-early")
        for _ in range(8):
            post.stage.poll("kie", task)
        post.advance("1s")
        assert [each.data["data"]["state"] for each in post.receiver.received] == ["success"]


@pytest.mark.parametrize("provider", built_in_names())
def test_out_of_order_a_task_is_at_work_again_after_its_end(provider: str) -> None:
    with Post(provider) as post:
        post.sign(provider)
        post.created(provider, "callback-out-of-order")
        post.advance()
        callbacks = post.stage.emulator.providers[provider].behaviour.callbacks
        assert callbacks is not None
        words = post.stage.emulator.providers[provider].behaviour.statuses
        pointer = callbacks.reads["status"].pointers[0]
        from understudy.openapi.pointer import resolve  # noqa: PLC0415

        told = [words[resolve(each.data, pointer)].phase.terminal for each in post.receiver.received]
        assert told[-2:] == [True, False]
        if provider == "mulerouter":
            assert post.receiver.received[-1].data["type"] == "task.created"
            assert_documented(provider, post.receiver.received[-1])


@pytest.mark.parametrize("provider", built_in_names())
@pytest.mark.parametrize("play", ["success", "fail"])
def test_a_callback_that_contradicts_says_the_opposite_of_the_poll(provider: str, play: str) -> None:
    with Post(provider) as post:
        post.sign(provider)
        task = post.created(provider, f"{play}, callback-contradicts")
        post.advance()
        (came,) = ends(post)
        polled = post.stage.facts(provider, task)["status"]
        words = post.stage.emulator.providers[provider].behaviour.statuses
        opposite = {"success": "failed", "fail": "completed"}[play]
        word = next(name for name, each in words.items() if each.phase.value == opposite)
        assert f'"{word}"'.encode() in came.body
        assert polled != word
        assert_documented(provider, came)
        if provider == "mulerouter":
            assert came.data["type"] == {"success": "task.failed", "fail": "task.succeeded"}[play]


# --- what it holds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", SIGNING)
@pytest.mark.parametrize(
    ("fault", "reason"), [("bad-signature", "wrong"), ("stale-timestamp", "stale"), ("unsigned", "missing")]
)
def test_a_spoiled_signature_is_refused_for_its_reason(provider: str, fault: str, reason: str) -> None:
    with Post(provider) as post:
        post.sign(provider)
        post.created(provider, f"callback-{fault}")
        post.advance()
        (came,) = ends(post)
        with pytest.raises(SignatureError) as caught:
            check(provider, came)
        assert caught.value.reason == reason


def test_a_body_that_was_altered_is_told_by_its_signature_where_that_covers_the_body() -> None:
    with Post("mulerouter") as post:
        post.sign("mulerouter")
        post.created("mulerouter", "callback-altered-body")
        post.advance()
        with pytest.raises(SignatureError, match="not the signature of this callback"):
            check("mulerouter", ends(post)[0])
    with Post("kie") as post:  # whose signature does not cover the body: its page says task id and timestamp
        post.sign("kie")
        post.created("kie", "callback-altered-body")
        post.advance()
        assert ends(post)[0].data["understudyAltered"] is True
        check("kie", ends(post)[0])


@pytest.mark.parametrize("provider", built_in_names())
def test_a_malformed_callback_breaks_off(provider: str) -> None:
    with Post(provider) as post:
        post.sign(provider)
        task = post.created(provider, "callback-malformed")
        post.advance()
        (came,) = ends(post)
        with pytest.raises(json.JSONDecodeError):
            _ = came.data
        assert post.deliveries(task)[-1]["state"] == "delivered"
        if provider == "mulerouter":
            check(provider, came)


def test_a_callback_that_is_malformed_and_altered_is_both() -> None:
    with Post("mulerouter") as post:
        post.sign("mulerouter")
        post.created("mulerouter", "callback-malformed, callback-altered-body")
        post.advance()
        with pytest.raises(SignatureError):
            check("mulerouter", ends(post)[0])


@pytest.mark.parametrize("provider", built_in_names())
def test_a_wrong_content_type_is_plain_text(provider: str) -> None:
    with Post(provider) as post:
        post.created(provider, "callback-wrong-content-type")
        post.advance()
        (came,) = ends(post)
        assert came.headers["content-type"] == "text/plain"
        assert came.data


@pytest.mark.parametrize("fault", SIGNED)
@pytest.mark.parametrize("provider", built_in_names())
def test_a_fault_of_the_signature_needs_one(provider: str, fault: str) -> None:
    with Post(provider) as post:
        refused = post.create(provider, f"callback-{fault}")
        assert refused.status_code == 400
        signs = provider in SIGNING
        assert ("needs a signature" if signs else "does not sign its callbacks") in refused.json()["error"]
        assert not post.stage.emulator.namespaces.of_key("test").account(provider).tasks


def test_a_provider_without_callbacks_can_play_none_of_it() -> None:
    with Post("acme") as post:
        names = [name for name, each in built_in_scenarios().items() if each.kind == "callback"]
        assert len(names) == 12
        for name in [*names, "reset; on=callback", "extra-field; on=callback"]:
            refused = post.stage.create("acme", SIMPLE["acme"], headers={"Understudy-Scenario": name})
            assert (refused.status_code, "sends no callbacks" in refused.text) == (400, True), name


# --- on the wire --------------------------------------------------------------------------------------------

BROKEN = {
    "reset": "ConnectionResetError: played: reset",
    "empty-reply": "ConnectionAbortedError: played: closed without a byte",
    "truncated-body": "ConnectionAbortedError: played: closed in the middle of the body",
    "garbage": "ConnectionAbortedError: played: bytes that are no HTTP",
    "hang": "no answer within 0.3 s",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_callback_that_is_broken_on_the_wire_is_a_failed_attempt_and_comes_whole_the_next_time(fault: str) -> None:
    with Post("kie", callback_timeout=0.3) as post:
        task = post.created("kie", f"{fault}; on=callback")
        post.advance()
        delivery = post.deliveries(task)[0]
        assert [each["error"] for each in delivery["attempts"]] == [BROKEN[fault], None]
        assert delivery["state"] == "delivered"
        assert [each.data["data"]["taskId"] for each in post.receiver.received] == [task]


@pytest.mark.parametrize("fault", ["reset", "truncated-body", "malformed-json"])
def test_a_fault_happens_as_often_as_it_was_asked_for(fault: str) -> None:
    with Post("kie", behave=lambda each: 200 if _is_whole(each) else 400) as post:
        task = post.created("kie", f"{fault}; on=callback; times=3")
        post.advance()
        attempts = post.deliveries(task)[0]["attempts"]
        assert [bool(each["error"]) for each in attempts] == [True, True, True, False]


def _is_whole(came: Received) -> bool:
    try:
        return bool(came.data)
    except json.JSONDecodeError:
        return False


def test_a_gateways_page_comes_as_one() -> None:
    with Post("kie", behave=lambda each: 200 if each.number > 1 else 400) as post:
        post.created("kie", "html-502; on=callback")
        post.advance()
        page, whole = post.receiver.received
        assert (page.body, page.headers["content-type"]) == (GATEWAY_PAGE, "text/html")
        assert whole.data


@pytest.mark.parametrize("play", ["delay; fixed=100ms", "dribble; bytes_per_second=6000"])
def test_a_slow_callback_comes_slowly_and_whole(play: str) -> None:
    with Post("kie") as post:
        began = time.perf_counter()
        task = post.created("kie", f"{play}; on=callback")
        post.advance()
        assert time.perf_counter() - began > 0.08
        assert post.receiver.received[0].data["data"]["taskId"] == task


DRIFT: dict[str, Any] = {
    "extra-field": lambda data: "understudyExtra" in data,
    "missing-field; path=/data/model": lambda data: "model" not in data["data"],
    "type-changed; path=/data/costTime": lambda data: data["data"]["costTime"] == "18",
    "renamed-field; path=/data/taskId": lambda data: "taskId_v2" in data["data"],
    "unknown-status; status=archived": lambda data: data["data"]["state"] == "archived",
}


@pytest.mark.parametrize("play", DRIFT)
def test_tomorrows_callback_differs_and_is_signed(play: str) -> None:
    with Post("kie") as post:
        post.sign("kie")
        post.created("kie", f"{play}; on=callback")
        post.advance()
        assert DRIFT[play](post.receiver.received[0].data)
        assert "x-webhook-signature" in post.receiver.received[0].headers


@pytest.mark.parametrize("provider", built_in_names())
@pytest.mark.parametrize("play", ["extra-field", "missing-field", "type-changed", "renamed-field", "unknown-status"])
def test_every_drift_can_be_played_on_every_providers_callbacks(provider: str, play: str) -> None:
    with Post(provider) as post:
        post.created(provider, f"{play}; on=callback")
        post.advance()
        (came,) = ends(post)
        if play == "extra-field":
            assert "understudyExtra" in came.data
        else:
            with pytest.raises(AssertionError):
                assert_documented(provider, came)
