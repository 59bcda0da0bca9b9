"""Signatures: golden vectors made with openssl, a reference library, and headers of every kind of wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from understudy.openapi.provider import load_provider
from understudy.openapi.signing import (
    SecretError,
    Signature,
    SignatureError,
    check_secret,
    find_headers,
    message_signature,
    sign,
    task_signature,
    verify,
)

BY_TASK = Signature("task-timestamp", "webhook_key", "X-Webhook-Timestamp", "X-Webhook-Signature")
BY_MESSAGE = Signature("standard-webhooks", "webhook_secret", "webhook-timestamp", "webhook-signature", "webhook-id")
KEY = "a webhook key"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"id":"evt_2f7c1e90b4d84a6f","type":"task.created"}'
MOMENT = 1_755_599_644

# printf 'ID.TIME' | openssl dgst -sha256 -hmac KEY -binary | base64
TASK_VECTORS = [
    (KEY, "task_nano-banana-pro_1765178625768", "g/MHLzvD9Omw2gXy0DIqXPFT/c8h/VvYAVzod+o5juU="),
    ("schlüssel", "4b1f0c6d9e2a47538a60f7d2c3e9b815", "J/VgZiaq0JjrmJ9Z2FCPnEmXqRnoCWXDkyitgmnIth0="),
]
# printf 'ID.TIME.BODY' | openssl dgst -sha256 -mac HMAC -macopt hexkey:SECRET -binary | base64; the first of them is
# the one that the scheme's authors publish.
MESSAGE_VECTORS = [
    ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}',
     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ("evt_2f7c1e90b4d84a6f", 1_758_412_800, BODY, "v1,aZs6wMu7v8xD+waIMQAc+bd31uCMg599yb/UDJXG6Jo="),
]  # fmt: skip


def signed_by_task(task_id: str = "t1", moment: int = MOMENT) -> dict[str, str]:
    """Return the headers of a callback about a task."""
    return sign(BY_TASK, KEY, task_id=task_id, message_id="m1", timestamp=moment, body=b"")


def signed_message(body: bytes = BODY, moment: int = MOMENT) -> dict[str, str]:
    """Return the headers of a message."""
    return sign(BY_MESSAGE, SECRET, task_id="t1", message_id="m1", timestamp=moment, body=body)


def reason(signature: Signature, headers: Any, **changes: Any) -> str:
    """Return why a callback is refused, or "" where it is not."""
    secret = KEY if signature is BY_TASK else SECRET
    settings = {"headers": headers, "task_id": "t1", "body": BODY, "now": MOMENT * 1000, **changes}
    try:
        verify(signature, settings.pop("secret", secret), **settings)
    except SignatureError as refused:
        error = refused
    else:
        return ""
    assert str(error) == error.problem
    assert secret not in error.problem
    return error.reason


@pytest.mark.parametrize(("key", "task_id", "expected"), TASK_VECTORS)
def test_a_task_is_signed_as_openssl_does(key: str, task_id: str, expected: str) -> None:
    assert task_signature(key, task_id, MOMENT) == expected
    headers = sign(BY_TASK, key, task_id=task_id, message_id="", timestamp=MOMENT, body=b"whatever")
    assert headers == {"X-Webhook-Timestamp": str(MOMENT), "X-Webhook-Signature": expected}
    assert reason(BY_TASK, headers, secret=key, task_id=task_id) == ""


@pytest.mark.parametrize(("message_id", "moment", "body", "expected"), MESSAGE_VECTORS)
def test_a_message_is_signed_as_openssl_does(message_id: str, moment: int, body: bytes, expected: str) -> None:
    assert message_signature(SECRET, message_id, moment, body) == expected
    headers = {"webhook-id": message_id, "webhook-timestamp": str(moment), "webhook-signature": expected}
    assert sign(BY_MESSAGE, SECRET, task_id="", message_id=message_id, timestamp=moment, body=body) == headers
    assert reason(BY_MESSAGE, headers, body=body, now=moment * 1000) == ""


@given(message_id=st.from_regex(r"[a-zA-Z0-9_-]{1,40}", fullmatch=True), body=st.text())
def test_the_reference_library_signs_and_accepts_the_same(message_id: str, body: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    moment = int(now.timestamp())
    reference = Webhook(SECRET)
    ours = message_signature(SECRET, message_id, moment, body.encode())
    assert reference.sign(message_id, now, body) == ours
    headers = {"webhook-id": message_id, "webhook-timestamp": str(moment), "webhook-signature": ours}
    assert reason(BY_MESSAGE, headers, body=body.encode(), now=moment * 1000) == ""
    signed = '{"a":1}'
    headers["webhook-signature"] = message_signature(SECRET, message_id, moment, signed.encode())
    assert reference.verify(signed, headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        reference.verify(signed + " ", headers)


def test_what_a_provider_signs_its_own_file_verifies() -> None:
    for name, secret in (("kie", KEY), ("mulerouter", SECRET)):
        callbacks = load_provider(name).behaviour.callbacks
        assert callbacks is not None
        assert callbacks.signature is not None
        headers = sign(callbacks.signature, secret, task_id="t1", message_id="m1", timestamp=MOMENT, body=BODY)
        verify(callbacks.signature, secret, headers=headers, task_id="t1", body=BODY, now=MOMENT * 1000)


@pytest.mark.parametrize("off", [-301, -300, 0, 300, 301])
def test_a_timestamp_may_be_five_minutes_off(off: int) -> None:
    expected = "" if abs(off) <= 300 else "stale"
    assert reason(BY_TASK, signed_by_task(), now=(MOMENT + off) * 1000) == expected
    assert reason(BY_MESSAGE, signed_message(), now=(MOMENT + off) * 1000) == expected
    assert reason(BY_TASK, signed_by_task(), now=(MOMENT + off) * 1000, tolerance=None) == ""


def test_what_was_changed_is_refused() -> None:
    assert reason(BY_TASK, signed_by_task("t2")) == "wrong"
    assert reason(BY_TASK, signed_by_task(), secret="another") == "wrong"
    assert reason(BY_MESSAGE, signed_message(), body=BODY + b" ") == "wrong"
    assert reason(BY_MESSAGE, signed_message() | {"webhook-id": "m2"}) == "wrong"
    assert reason(BY_MESSAGE, signed_message() | {"webhook-timestamp": str(MOMENT + 1)}) == "wrong"
    assert reason(BY_TASK, signed_by_task() | {"X-Webhook-Timestamp": str(MOMENT + 1)}) == "wrong"


def test_a_wrong_signature_is_told_before_an_old_one() -> None:
    assert reason(BY_TASK, signed_by_task("t2", moment=1)) == "wrong"


def test_one_right_signature_among_several_is_enough() -> None:
    right = signed_message()
    wrong = message_signature("whsec_bm90IHRoaXMgb25l", "m1", MOMENT, BODY)
    for several in (f"{wrong} {right['webhook-signature']}", f"v1a,abc {right['webhook-signature']} v2,x"):
        assert reason(BY_MESSAGE, right | {"webhook-signature": several}) == ""
    assert reason(BY_MESSAGE, right | {"webhook-signature": f"{wrong} {wrong}"}) == "wrong"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_told(name: str) -> None:
    headers = signed_message()
    del headers[name]
    assert reason(BY_MESSAGE, headers) == "missing"


MALFORMED = {
    "webhook-timestamp": ["", "soon", "-1", "1.5", "1755599644 ", "٣", "9" * 400, "1e9", "\ud800", "0x10"],
    "webhook-signature": ["", "v1", "v1,", "v1,=", "v1,g0hM9SsE", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                          "v1," + "é" * 43 + "=", "\ud800", "v1,\x00", ",", " "],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, values in MALFORMED.items() for each in values])
def test_a_malformed_header_is_refused_and_nothing_else_escapes(name: str, value: str) -> None:
    assert reason(BY_MESSAGE, signed_message() | {name: value}) == ("" if value == "1755599644 " else "malformed")
    other = {"webhook-timestamp": "X-Webhook-Timestamp", "webhook-signature": "X-Webhook-Signature"}[name]
    if name == "webhook-timestamp":
        assert reason(BY_TASK, signed_by_task() | {other: value}) == ("" if value == "1755599644 " else "malformed")


def test_a_body_without_a_task_id_proves_nothing() -> None:
    assert reason(BY_TASK, signed_by_task(), task_id=None) == "malformed"


ODD = st.text() | st.text(alphabet=st.characters(codec=None, exclude_categories=())) | st.binary()


@given(timestamp=ODD, signature=ODD, message_id=ODD, body=st.binary(), task_id=st.none() | st.text())
def test_only_the_documented_error_escapes(
    timestamp: Any, signature: Any, message_id: Any, body: bytes, task_id: str | None
) -> None:
    pairs = [("webhook-id", message_id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
    assert reason(BY_MESSAGE, pairs, body=body) in {"malformed", "wrong", "stale"}
    pairs = [("X-Webhook-Timestamp", timestamp), ("X-Webhook-Signature", signature)]
    assert reason(BY_TASK, pairs, task_id=task_id) in {"malformed", "wrong", "stale"}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_ä", "nicht base64!", "whsec_MfKQ9r8GKYqrTwj"])
def test_a_secret_that_can_not_be_used_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        check_secret("standard-webhooks", secret)
    assert secret in {"", "whsec_"} or secret not in str(caught.value)
    with pytest.raises(SecretError):
        message_signature(secret, "m1", MOMENT, BODY)


def test_an_empty_key_is_refused_and_any_other_taken() -> None:
    with pytest.raises(SecretError, match="the secret is empty"):
        check_secret("task-timestamp", "")
    check_secret("task-timestamp", "whsec_%%%")
    check_secret("standard-webhooks", SECRET)
    check_secret("standard-webhooks", SECRET.removeprefix("whsec_"))


class Items:
    """Headers as some frameworks have them: no mapping, but with items."""

    def items(self) -> list[tuple[str, str]]:
        """Return the pairs."""
        return [("X-WEBHOOK-TIMESTAMP", " 12 ")]


@pytest.mark.parametrize(
    "headers",
    [{"x-webhook-timestamp": "12"}, [("X-Webhook-Timestamp", "12")], [(b"x-webhook-timestamp", b"12")], Items()],
)
def test_headers_come_in_many_shapes(headers: Any) -> None:
    assert find_headers(headers, "X-Webhook-Timestamp") == ["12"]


def test_a_header_that_is_there_twice_has_to_say_the_same() -> None:
    pairs: list[tuple[str, str]] = list(signed_by_task().items())
    assert reason(BY_TASK, [*pairs, pairs[0]]) == ""
    assert reason(BY_TASK, [*pairs, ("x-webhook-timestamp", "1")]) == "malformed"


def test_a_mapping_of_headers_need_not_be_a_dict() -> None:
    class Lowered(Mapping[str, str]):
        def __init__(self) -> None:
            self._held = {name.lower(): value for name, value in signed_by_task().items()}

        def __getitem__(self, name: str) -> str:
            return self._held[name.lower()]

        def __iter__(self) -> Any:
            return iter(self._held)

        def __len__(self) -> int:
            return len(self._held)

    assert reason(BY_TASK, Lowered()) == ""
