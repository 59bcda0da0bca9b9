"""Callbacks as they come in: verified, understood, or rejected; nothing else escapes."""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.client import (
    CallbackRejected,
    ConfigurationError,
    Phase,
    TaskError,
    parse_callback,
    verify_callback,
)
from understudy.client.callbacks import MAX_BODY_BYTES
from understudy.openapi.signing import message_signature, task_signature

from ..strategies import JSON
from .mutation import mutated
from .speakers import ACME, loaded, loaded_once

SECRETS = {"kie": "a webhook key", "mulerouter": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
MOMENT = 1_755_599_650.0

SUCCESS: dict[str, Any] = {
    "code": 200,
    "msg": "Playground task completed successfully.",
    "data": {
        "taskId": "4b1f0c6d9e2a47538a60f7d2c3e9b815",
        "model": "nano-banana-pro",
        "state": "success",
        "param": '{"model":"nano-banana-pro","callBackUrl":"https://a.example/hook","input":{"prompt":"a paper boat"}}',
        "resultJson": '{"resultUrls":["https://files.example.com/results/boat.png"]}',
        "costTime": 89,
        "completeTime": 1755599644000,
        "createTime": 1755599634000,
        "updateTime": 1755599644000,
        "creditsConsumed": 61,
    },
}
FAILURE: dict[str, Any] = {
    "code": 501,
    "msg": "Playground task failed.",
    "data": {
        "taskId": "d09c5e7a1f3b48e2b6a4907c8215fe3d",
        "model": "nano-banana-pro",
        "state": "fail",
        "param": "{}",
        "failCode": "500",
        "failMsg": "Internal server error",
        "costTime": 0,
        "completeTime": 1755597081000,
        "createTime": 1755596341000,
        "updateTime": 1755597081000,
        "creditsConsumed": 0,
    },
}
BARE: dict[str, Any] = {
    "task_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "provider": "Google",
    "model_version": "nano-banana",
    "status": "success",
    "param": {"model": "google/nano-banana", "input": {"prompt": "two foxes"}},
    "create_at": 1768900378,
    "result": {"code": 200, "message": "ok", "media_urls": ["https://a.example/foxes.png"]},
    "duration_s": 12.5,
    "complete_at": 1768900390,
    "source": "api",
}
EVENT: dict[str, Any] = {
    "id": "evt_81d05b3ce6f947a2",
    "type": "task.succeeded",
    "created_at": "2025-09-21T00:00:21.000Z",
    "data": {
        "vendor": "google",
        "model_name": "nano-banana-pro",
        "payload": {
            "task_info": {
                "id": "123e4567-e89b-12d3-a456-426614174000",
                "status": "completed",
                "created_at": "2025-09-21T00:00:00.000Z",
                "updated_at": "2025-09-21T00:00:21.000Z",
            },
            "images": ["https://a.example/image.png"],
        },
    },
}
VALID = {"kie": SUCCESS, "apikley": FAILURE, "crun": BARE, "mulerouter": EVENT}
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


def signed(name: str, body: bytes, moment: float = MOMENT) -> dict[str, str]:
    """Return the headers of a callback as the provider signs it."""
    seconds = str(int(moment))
    if name == "kie":
        task_id = orjson.loads(body)["data"]["taskId"]
        signature = task_signature(SECRETS[name], task_id, seconds)
        return {**JSON_TYPE, "X-Webhook-Timestamp": seconds, "X-Webhook-Signature": signature}
    signature = message_signature(SECRETS[name], "evt_1", seconds, body)
    return {**JSON_TYPE, "webhook-id": "evt_1", "webhook-timestamp": seconds, "webhook-signature": signature}


def parsed(name: str, body: Any) -> Any:
    """Return the task that a callback tells of."""
    return parse_callback(loaded(name), JSON_TYPE, orjson.dumps(body))


def rejected(name: str, body: bytes, headers: Any = None) -> CallbackRejected:
    """Return why a callback is rejected."""
    with pytest.raises(CallbackRejected) as caught:
        parse_callback(loaded(name), JSON_TYPE if headers is None else headers, body)
    return caught.value


def test_a_success_in_an_envelope_is_understood() -> None:
    task = parsed("kie", SUCCESS)
    assert (task.id, task.provider, task.model) == (SUCCESS["data"]["taskId"], "kie", "nano-banana-pro")
    assert (task.status, task.phase, task.error) == ("success", Phase.COMPLETED, None)
    assert task.outputs == ("https://files.example.com/results/boat.png",)
    assert task.created == datetime(2025, 8, 19, 10, 33, 54, tzinfo=UTC)
    assert task.credits == 61
    assert task.raw == SUCCESS


def test_a_failure_in_an_envelope_is_understood() -> None:
    task = parsed("kie", FAILURE)
    assert (task.phase, task.outputs, task.error) == (Phase.FAILED, (), TaskError("500", "Internal server error"))


def test_a_bare_task_is_understood() -> None:
    task = parsed("crun", BARE)
    assert (task.id, task.phase, task.outputs) == (BARE["task_id"], Phase.COMPLETED, ("https://a.example/foxes.png",))
    assert task.created == datetime(2026, 1, 20, 9, 12, 58, tzinfo=UTC)


def test_an_event_is_understood() -> None:
    task = parsed("mulerouter", EVENT)
    assert (task.phase, task.outputs, task.model) == (
        Phase.COMPLETED, ("https://a.example/image.png",), "nano-banana-pro"
    )  # fmt: skip


def test_the_variants_that_programs_have_met_are_understood() -> None:
    met = copy.deepcopy(SUCCESS)
    met["data"] |= {"failCode": None, "failMsg": None, "consumeCredits": 61, "remainedCredits": 7, "param": "{"}
    del met["data"]["creditsConsumed"]
    task = parsed("kie", met)
    assert (task.phase, task.credits, task.error) == (Phase.COMPLETED, 61, None)


def test_an_unknown_status_is_no_reason_to_fall_over() -> None:
    met = copy.deepcopy(SUCCESS)
    met["data"]["state"] = "archived"
    assert parsed("kie", met).phase is Phase.UNKNOWN


@pytest.mark.parametrize("name", SECRETS)
def test_a_signed_callback_is_verified_and_a_changed_one_rejected(name: str) -> None:
    body = orjson.dumps(VALID[name])
    headers = signed(name, body)
    verify_callback(name, headers, body, SECRETS[name], now=MOMENT)
    verify_callback(loaded(name), list(headers.items()), body, SECRETS[name], now=MOMENT + 299)
    changed: dict[str, dict[str, Any]] = {
        "stale": {"now": MOMENT + 301},
        "wrong": {"secret": SECRETS[name][:-4] + "bGF0"},
        "missing": {"headers": JSON_TYPE},
        "malformed": {"headers": dict.fromkeys(headers, "?")},
    }
    for reason, changes in changed.items():
        settings = {"headers": headers, "secret": SECRETS[name], "now": MOMENT, **changes}
        with pytest.raises(CallbackRejected) as caught:
            verify_callback(name, settings["headers"], body, settings["secret"], now=settings["now"])
        assert caught.value.reason == reason
        assert SECRETS[name] not in str(caught.value)


def test_the_tolerance_is_the_callers_and_the_clock_the_systems() -> None:
    body = orjson.dumps(EVENT)
    verify_callback("mulerouter", signed("mulerouter", body), body, SECRETS["mulerouter"], tolerance=None)
    with pytest.raises(CallbackRejected, match=r"it was signed \d+ s ago; at most 10 s are tolerated"):
        verify_callback("mulerouter", signed("mulerouter", body), body, SECRETS["mulerouter"], tolerance=10)
    verify_callback("mulerouter", signed("mulerouter", body, time.time()), body, SECRETS["mulerouter"])


def test_a_body_that_was_altered_shows_where_the_body_is_signed() -> None:
    body = orjson.dumps(EVENT)
    altered = body.replace(b"image.png", b"other.png")
    with pytest.raises(CallbackRejected) as caught:
        verify_callback("mulerouter", signed("mulerouter", body), altered, SECRETS["mulerouter"], now=MOMENT)
    assert caught.value.reason == "wrong"


def test_a_body_without_a_task_can_not_have_been_signed() -> None:
    headers = signed("kie", orjson.dumps(SUCCESS))
    for body in (b"", b"{", b"[]", b'{"data":{}}', b'{"data":{"taskId":7}}'):
        with pytest.raises(CallbackRejected) as caught:
            verify_callback("kie", headers, body, SECRETS["kie"], now=MOMENT)
        assert caught.value.reason == "malformed"


def test_what_the_caller_passes_wrongly_is_no_callbacks_fault() -> None:
    with pytest.raises(ConfigurationError, match="crun signs no callbacks: there is nothing to verify"):
        verify_callback("crun", {}, b"{}", "secret")
    with pytest.raises(ConfigurationError, match="the secret is not of the form whsec_"):
        verify_callback("mulerouter", signed("mulerouter", b"{}"), b"{}", "no secret")
    with pytest.raises(ConfigurationError, match="no built-in provider"):
        parse_callback("kei", {}, b"{}")
    silent = loaded("acme")
    object.__setattr__(silent.behaviour, "callbacks", None)
    with pytest.raises(ConfigurationError, match="acme sends no callbacks"):
        parse_callback(silent, {}, b"{}")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "text/html; a=b"])
def test_a_callback_that_is_not_called_json_is_rejected(content_type: str) -> None:
    error = rejected("kie", orjson.dumps(SUCCESS), {"content-type": content_type})
    assert (error.reason, "expected application/json" in str(error)) == ("malformed", True)


def test_a_callback_whose_type_is_not_told_is_taken() -> None:
    assert parse_callback("kie", {}, orjson.dumps(SUCCESS)).id
    assert parse_callback("kie", [(b"content-type", b"application/problem+json")], orjson.dumps(SUCCESS)).id


def test_a_body_that_is_no_json_or_too_large_is_rejected() -> None:
    assert str(rejected("kie", orjson.dumps(SUCCESS)[:-20])) == "the callback is rejected: its body is no JSON"
    assert "larger than" in str(rejected("kie", b" " * (MAX_BODY_BYTES + 1)))
    assert rejected("kie", b"\xff\xfe").reason == "malformed"
    assert rejected("kie", b"[" * 100_000).reason == "malformed"


def test_what_is_about_something_else_is_told_apart() -> None:
    low = {"id": "evt_1", "type": "balance.low", "created_at": "2025-09-21T08:30:00.000Z", "data": {"balance": 42}}
    assert rejected("mulerouter", orjson.dumps(low)).reason == "other"
    assert rejected("mulerouter", b"[1]").reason == "malformed"


def test_a_provider_is_loaded_once_however_many_callbacks_come() -> None:
    began = time.perf_counter()
    body = orjson.dumps(SUCCESS)
    for _ in range(200):
        parse_callback("kie", JSON_TYPE, body)
    assert time.perf_counter() - began < 2
    with pytest.raises(ConfigurationError):
        parse_callback(ACME / "nowhere", JSON_TYPE, body)


HEADERS = st.lists(st.tuples(st.text() | st.binary(), st.text() | st.binary()), max_size=4)


@pytest.mark.parametrize("name", VALID)
@given(data=st.data())
def test_only_a_rejection_escapes_whatever_comes_in(name: str, data: st.DataObject) -> None:
    provider = loaded_once(name)
    body = data.draw(st.binary(max_size=200) | JSON.map(orjson.dumps) | mutated(VALID[name]).map(orjson.dumps))
    headers: Any = data.draw(HEADERS)
    if name in SECRETS:
        headers = data.draw(st.sampled_from([headers, [*headers, *signed(name, orjson.dumps(VALID[name])).items()]]))
    problem = ""
    try:
        assert parse_callback(provider, data.draw(st.sampled_from([headers, JSON_TYPE])), body).id
    except CallbackRejected as error:
        problem = str(error)
    try:
        if name in SECRETS:
            verify_callback(provider, headers, body, SECRETS[name], now=MOMENT)
    except CallbackRejected as error:
        problem += str(error)
    assert len(problem) < 500
