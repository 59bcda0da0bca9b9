"""What a callback tells, and how it is signed: the poll's own words, but where a document says otherwise."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from understudy.mockserver.app import App
from understudy.mockserver.server import MockServer
from understudy.openapi.provider import built_in_names, load_provider
from understudy.openapi.signing import Signature, SignatureError, sign, verify
from understudy.openapi.source import read_source
from understudy.openapi.validation import Validator

from .post import SECRETS, Post
from .receiver import Received
from .stage import ACME, SIMPLE, Stage, provider_of

PLAYS = {"completed": "", "failed": 'fail; code=501; message="No picture came"'}


# --- what it tells ------------------------------------------------------------------------------------------


def as_documented(provider: str, poll: dict[str, Any], post: Post) -> Any:
    """Return the callback that the documents describe, made of the poll at the same moment."""
    if provider == "crun":
        # The page of the model: the bare task as the query has it in `data`, with no envelope around it.
        return poll["data"]
    if provider == "mulerouter":
        # The page of webhooks: an event around what a query for the task answers.
        failed = poll["task_info"]["status"] == "failed"
        return {
            "id": post.deliveries()[-1]["id"],
            "type": "task.failed" if failed else "task.succeeded",
            "created_at": poll["task_info"]["updated_at"],
            "data": {"vendor": "google", "model_name": "nano-banana-pro", "payload": poll},
        }
    data = dict(poll["data"])
    # kie.ai's page of the callback (Apikley's is taken to be the same): the time in seconds where the query's is in
    # milliseconds, no empty strings for what there is none of, and an envelope that tells of the task.
    data["costTime"] //= 1000
    data = {name: value for name, value in data.items() if value != ""}
    failed = data["state"] == "fail"
    message = "Playground task failed." if failed else "Playground task completed successfully."
    return {"code": 501 if failed else 200, "msg": message, "data": data}


@pytest.mark.parametrize("provider", built_in_names())
@pytest.mark.parametrize("outcome", PLAYS)
def test_a_callback_tells_what_the_poll_tells_at_the_same_moment_but_where_a_document_differs(
    provider: str, outcome: str
) -> None:
    polled: list[dict[str, Any]] = []
    with Post(provider) as post:
        task = post.created(provider, PLAYS[outcome])
        post.advance()
        polled.append(post.stage.poll(provider, task).json())
        assert post.receiver.received[-1].data == as_documented(provider, polled[0], post)


@lru_cache
def validators(provider: str) -> tuple[dict[str, Validator], dict[str, Any]]:
    """Return what the stored documents say of the bodies, by event, and of the headers."""
    contract = provider_of(provider).contract
    items: dict[str, Any] = dict(contract.webhooks)
    for operation in contract.operations.values():
        for callback in operation.effective.get("callbacks", {}).values():
            items[""] = contract.resolve(next(iter(callback.values())))
    posts = {name: contract.resolve(item)["post"] for name, item in items.items()}
    schemas = {name: post["requestBody"]["content"]["application/json"]["schema"] for name, post in posts.items()}
    headers = {
        each["name"].lower(): each
        for post in posts.values() for each in map(contract.resolve, post.get("parameters", ()))
    }  # fmt: skip
    return {name: Validator(schema, contract.components) for name, schema in schemas.items()}, headers


def assert_documented(provider: str, came: Received) -> None:
    """Check a callback against the stored document of it."""
    bodies, headers = validators(provider)
    event = came.data.get("type") if provider == "mulerouter" else ""
    assert bodies[event].problems(came.data) == []
    assert came.headers["content-type"] == "application/json"
    for name, header in headers.items():
        assert name in came.headers or not header.get("required")
        value: Any = came.headers.get(name, header.get("example"))
        if provider_of(provider).contract.resolve(header["schema"])["type"] == "integer":
            value = int(value)
        assert Validator(header["schema"], provider_of(provider).contract.components).problems(value) == []


@pytest.mark.parametrize("provider", built_in_names())
@pytest.mark.parametrize("outcome", PLAYS)
@pytest.mark.parametrize("signed", [True, False])
def test_every_callback_is_the_one_of_the_stored_document(provider: str, outcome: str, signed: bool) -> None:
    with Post(provider) as post:
        if signed or provider == "mulerouter":  # its documents know of no unsigned one
            post.sign(provider)
        post.created(provider, PLAYS[outcome])
        post.advance()
        assert len(post.receiver.received) == (2 if provider == "mulerouter" else 1)
        for each in post.receiver.received:
            assert_documented(provider, each)


@pytest.mark.parametrize(
    "options",
    [("callback-param=string",), ("callback-failure=null",), ("callback-credits=remained",), ("errors=http",),
     ("callback-param=string", "callback-failure=null", "callback-credits=remained")],
)  # fmt: skip
def test_the_callbacks_of_every_option_are_read_back_as_they_were_meant(options: tuple[str, ...]) -> None:
    from understudy.openapi.reads import read  # noqa: PLC0415

    with Post("kie", options=options) as post:
        task = post.created("kie")
        post.advance()
        callbacks = post.stage.emulator.providers["kie"].behaviour.callbacks
        assert callbacks is not None
        found = read(callbacks.reads, post.receiver.received[0].data)
        polled = post.stage.facts("kie", task)
        shared = {name: polled[name] for name in ("id", "status", "outputs", "created", "completed")}
        assert {name: found[name] for name in shared} == shared


def test_mulerouter_tells_that_a_task_was_created_as_well() -> None:
    with Post("mulerouter") as post:
        task = post.created("mulerouter")
        first = post.stage.poll("mulerouter", task).json()
        post.advance("30m")
        created, succeeded = post.receiver.received
        assert (created.data["type"], succeeded.data["type"]) == ("task.created", "task.succeeded")
        assert created.data["data"]["payload"] == first
        assert created.data["created_at"] == first["task_info"]["created_at"]
        assert created.data["id"] != succeeded.data["id"]


@pytest.mark.parametrize("provider", built_in_names())
def test_without_a_url_nothing_is_sent(provider: str) -> None:
    with Post(provider) as post:
        post.stage.created(provider, SIMPLE[provider])
        post.advance()
        assert post.deliveries() == []


@pytest.mark.parametrize("provider", ["kie", "apikley", "crun"])
@pytest.mark.parametrize("url", ["not a URL", "http//x", 5, "http://[::1"])
def test_a_url_that_is_none_is_refused_as_the_provider_documents_it(provider: str, url: Any) -> None:
    with Post(provider) as post:
        response = post.create(provider, url=url)
        assert response.json()["code"] == 422, response.text
        assert post.deliveries() == []


@pytest.mark.parametrize("url", ["not a URL", "/callback", "http://", "http://[::1", ""])
def test_a_setting_that_should_be_a_url_and_is_none_is_refused(url: str) -> None:
    with Post("mulerouter") as post:
        refused = post.set("mulerouter", webhook_url=url)
        assert refused.status_code == 400
        assert "is no URL" in refused.json()["error"]


# --- signatures ---------------------------------------------------------------------------------------------


@lru_cache
def signature_of(provider: str) -> Signature:
    """Return how a provider signs."""
    callbacks = load_provider(provider).behaviour.callbacks
    assert callbacks is not None
    assert callbacks.signature is not None
    return callbacks.signature


def task_id(provider: str, came: Received) -> str | None:
    """Return the id that a callback tells."""
    return came.data["data"].get("taskId") if provider == "kie" else None


def check(provider: str, came: Received, now: int | None = None) -> None:
    """Verify a callback as its receiver would, with our own verifier."""
    import time  # noqa: PLC0415

    (secret,) = SECRETS[provider].values()
    moment = time.time_ns() // 1_000_000 if now is None else now
    verify(
        signature_of(provider),
        secret,
        headers=came.headers,
        task_id=task_id(provider, came),
        body=came.body,
        now=moment,
    )


@pytest.mark.parametrize("days", [0, 1])
def test_the_reference_verifier_accepts_signatures_whatever_the_clock_says(days: int) -> None:
    with Post("mulerouter") as post:
        secret = post.sign("mulerouter")["webhook_secret"]
        post.advance(f"{days}d")
        post.created("mulerouter")
        post.advance()
        for each in post.receiver.received:
            assert Webhook(secret).verify(each.body, each.headers) == each.data
        assert len(post.receiver.received) == 2


@pytest.mark.parametrize("provider", SECRETS)
def test_signatures_verify_and_each_attempt_has_a_timestamp_of_its_own(provider: str) -> None:
    with Post(provider, behave=lambda each: 500 if each.number == 1 else 200) as post:
        post.sign(provider)
        post.created(provider)
        post.advance()
        for each in post.receiver.received:
            check(provider, each)


def test_the_id_of_a_message_stays_from_attempt_to_attempt() -> None:
    with Post("mulerouter", behave=lambda each: 500 if each.number < 4 else 200) as post:
        post.sign("mulerouter")
        post.created("mulerouter")
        post.advance("1ms")
        post.advance("12h")
        first = [each for each in post.receiver.received if each.data["type"] == "task.created"]
        assert len(first) > 1
        assert len({each.headers["webhook-id"] for each in first}) == 1
        assert first[0].headers["webhook-id"] == first[0].data["id"]
        assert len({each.body for each in first}) == 1


def test_signatures_follow_the_clock_where_it_is_asked_for() -> None:
    with Post("kie", virtual_signatures=True) as post:
        post.sign("kie")
        post.created("kie")
        post.advance("1d")
        came = post.receiver.received[0]
        assert int(came.headers["x-webhook-timestamp"]) == came.data["data"]["completeTime"] // 1000
        check("kie", came, came.data["data"]["completeTime"])
        with pytest.raises(SignatureError, match="it was signed"):
            check("kie", came)


def test_without_a_secret_nothing_is_signed() -> None:
    with Post("kie") as post:
        post.created("kie")
        post.advance()
        assert not [name for name in post.receiver.received[0].headers if name.startswith("x-webhook")]


def test_a_secret_given_at_the_start_signs_for_every_account_and_one_of_its_own_outranks_it() -> None:
    with Post("kie", options=("webhook_key=of the server",)) as post:
        post.created("kie", key="one")
        post.set("kie", "two", webhook_key="of its own")
        post.created("kie", key="two")
        post.advance(key="one")
        post.advance(key="two")
        for each, secret in zip(post.receiver.received, ("of the server", "of its own"), strict=True):
            verify(signature_of("kie"), secret, headers=each.headers, task_id=task_id("kie", each), body=each.body,
                   now=int(each.headers["x-webhook-timestamp"]) * 1000)  # fmt: skip


BODY = b'{"id":"evt_1","type":"task.succeeded"}'
NOW = 1_755_599_644


def signed(provider: str) -> dict[str, str]:
    """Return the headers of a right signature of `BODY`."""
    (secret,) = SECRETS[provider].values()
    return sign(signature_of(provider), secret, task_id="task_1", message_id="evt_1", timestamp=NOW, body=BODY)


def is_right(provider: str, headers: dict[str, str], body: bytes = BODY, task: str = "task_1") -> bool:
    """Tell whether our verifier accepts."""
    (secret,) = SECRETS[provider].values()
    try:
        verify(signature_of(provider), secret, headers=headers, task_id=task, body=body, now=NOW * 1000)
    except SignatureError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(provider=st.sampled_from(sorted(SECRETS)), data=st.data())
def test_what_was_changed_after_it_was_signed_never_verifies(provider: str, data: st.DataObject) -> None:
    headers = signed(provider)
    assert is_right(provider, headers)
    name = data.draw(st.sampled_from(sorted(headers)))
    value = headers[name]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.sampled_from([each for each in "0aZ9_,=." if each != value[place]]))
    assert not is_right(provider, {**headers, name: value[:place] + other + value[place + 1 :]})
    assert not is_right(provider, {each: text for each, text in headers.items() if each != name})


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=60))
def test_another_body_or_task_never_verifies(body: bytes) -> None:
    assert is_right("mulerouter", signed("mulerouter"), body) == (body == BODY)
    task = body.decode("latin-1")
    assert is_right("kie", signed("kie"), task=task) == (task == "task_1")


# --- settings -----------------------------------------------------------------------------------------------


def test_secrets_are_masked_wherever_they_could_be_seen() -> None:
    secret = SECRETS["mulerouter"]["webhook_secret"]
    with Post("mulerouter", options=(f"webhook_secret={secret[:-4]}",)) as post:
        post.sign("mulerouter")
        task = post.created("mulerouter")
        post.advance()
        shown = [
            post.control("GET", "/settings"), post.control("GET", "/settings", None),
            post.control("GET", "/deliveries"),
            post.control("GET", "/exchanges"), post.control("GET", f"/tasks/{task}"), post.set("mulerouter"),
        ]  # fmt: skip
        assert all(each.status_code == 200 for each in shown)
        assert not [each.url for each in shown if secret[6:-6] in each.text]
        sent = post.receiver.received[0].headers["webhook-signature"]
        assert not [each.url for each in shown if sent[8:] in each.text]
        assert shown[0].json()["settings"]["mulerouter"]["webhook_secret"] == "whse…"
        assert post.stage.said == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [({"kei": {}}, "no provider 'kei' (did you mean 'kie'?)"), ({"kie": 5}, "kie is 5"),
     ({"kie": {"webhok_key": "x"}}, "did you mean 'webhook_key'?"), ({"kie": {"webhook_key": 5}}, "expected text"),
     ({"kie": {"webhook_key": ""}}, "the secret is empty"),
     ({"mulerouter": {"webhook_secret": "whsec_sECRET!"}}, "not of the form whsec_")],
)  # fmt: skip
def test_settings_that_are_none_are_refused(data: Any, problem: str) -> None:
    with Post("kie", "mulerouter") as post:
        refused = post.control("POST", "/settings", json=data)
        assert refused.status_code == 400
        assert problem in refused.json()["error"]
        assert "sECRET" not in refused.text


def test_settings_belong_to_an_account_and_can_be_taken_back() -> None:
    with Post("kie") as post:
        assert post.control("POST", "/settings", None, json={}).status_code == 400
        post.set("kie", webhook_key="a long key of one's own")
        assert post.control("GET", "/settings").json()["settings"]["kie"] == {"webhook_key": "a lo…"}
        assert post.control("GET", "/settings", "other").json()["settings"]["kie"] == {"webhook_key": None}
        assert post.set("kie", webhook_key=None).json()["settings"]["kie"] == {"webhook_key": None}


# --- a provider that nobody thought of ------------------------------------------------------------------------


def fifth(folder: Path) -> Any:
    """Return acme with callbacks: their URL is a query parameter, and they tell of every step."""
    acme = folder / "acme"
    acme.mkdir()
    behaviour = json.loads(json.dumps(read_source(ACME / "behaviour.yaml").data))
    behaviour["settings"] = {"sign_with": {"about": "Signs callbacks", "secret": True}}
    behaviour["callbacks"] = {
        "url": "$request.query.tell",
        "on": {"pending": "queued", "processing": "painting", "completed": "done", "cancelled": "cancelled"},
        "body": {"what": "{{ event }}", "status": "{{ task.status }}", "id": "{{ task.id }}"},
        "headers": {"X-Acme-Event": "{{ event }}"},
        "signature": {
            "scheme": "task-timestamp", "secret": "sign_with",
            "headers": {"timestamp": "X-Acme-Time", "signature": "X-Acme-Proof"},
        },
        "timeout": "5s",
        "reads": {"id": "/id", "status": "/status"},
    }  # fmt: skip
    (acme / "behaviour.yaml").write_text(json.dumps(behaviour))
    document = json.loads(json.dumps(read_source(ACME / "pictures.yaml").data))
    document["paths"]["/v2/pictures"]["post"]["parameters"] = [
        {"name": "tell", "in": "query", "schema": {"type": "string"}}
    ]
    (acme / "pictures.yaml").write_text(json.dumps(document))
    return load_provider(acme)


def ask_acme(post: Post, play: str = "") -> str:
    """Create a task of acme with a receiver; return its id."""
    headers = {"Understudy-Scenario": play} if play else {}
    url = f"/acme/v2/pictures?tell={post.receiver.url}"
    return str(post.stage.ask("POST", url, json=SIMPLE["acme"], headers=headers).json()["id"])


def test_a_fifth_provider_tells_of_each_phase_where_its_folder_says_so(tmp_path: Path) -> None:
    with Post(fifth(tmp_path)) as post:
        post.set("acme", sign_with="a secret")
        ask_acme(post)
        post.advance()
        came = post.receiver.received
        assert [each.data["status"] for each in came] == ["queued", "painting", "done"]
        assert [each.headers["x-acme-event"] for each in came] == ["queued", "painting", "done"]
        proof = came[0].headers["x-acme-proof"]
        assert proof[8:] not in post.control("GET", "/deliveries").text
        assert proof[8:] not in post.control("GET", "/exchanges").text


def test_a_fifth_providers_tasks_tell_what_polls_and_hands_make_of_them(tmp_path: Path) -> None:
    with Post(fifth(tmp_path)) as post:
        polled = ask_acme(post, "success; progress=polls")
        for _ in range(4):
            post.stage.poll("acme", polled)
            post.advance("1s")
        cancelled = ask_acme(post, "success; progress=hand")
        post.stage.ask("POST", f"/acme/v2/pictures/{cancelled}/cancel")
        post.advance("1s")
        told = [(each.data["id"], each.data["status"]) for each in post.receiver.received]
        assert [status for id_, status in told if id_ == polled] == ["queued", "painting", "done"]
        assert [status for id_, status in told if id_ == cancelled] == ["queued", "cancelled"]


# --- the server -----------------------------------------------------------------------------------------------


def test_a_receiver_that_polls_while_the_clock_is_advanced_is_answered() -> None:
    import httpx  # noqa: PLC0415

    from .receiver import Receiver  # noqa: PLC0415

    polled: list[Any] = []
    with MockServer(["kie"]) as server, httpx.Client(trust_env=False) as client, Receiver() as receiver:
        kie = server.account("kie")
        headers = {"Authorization": f"Bearer {kie.api_key}"}

        async def poll(came: Received) -> int:
            async with httpx.AsyncClient(trust_env=False) as other:
                query = {"taskId": came.data["data"]["taskId"]}
                url = f"{kie.base_url}/api/v1/jobs/recordInfo"
                polled.append((await other.get(url, params=query, headers=headers)).json()["data"]["state"])
            return 200

        receiver.behave = poll
        for _ in range(3):
            body = {**SIMPLE["kie"], "callBackUrl": receiver.url}
            client.post(f"{kie.base_url}/api/v1/jobs/createTask", json=body, headers=headers)
        kie.clock.advance(minutes=5)
        assert polled == ["success"] * 3
        assert [each["state"] for each in kie.deliveries()] == ["delivered"] * 3


def test_a_running_clock_sends_by_itself_and_a_creation_waits_for_no_receiver() -> None:
    with Post("kie", behave="hang", frozen=False, speed=1000.0) as post:
        stage: Stage = post.stage
        assert isinstance(stage.app, App)
        task = post.created("kie")
        stage.wait(60)
        post.control("POST", "/clock", json={"speed": 1000})
        for _ in range(200):
            if post.receiver.received:
                break
            post.control("GET", "/health")
        assert json.loads(post.receiver.until(1)[0].body)["data"]["taskId"] == task
        assert post.deliveries(task)[0]["state"] == "pending"
