"""What operations do: tasks from creation to their end, credits, estimates, models."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.headers import Headers
from understudy.mockserver.plan import make_plan, path_to
from understudy.mockserver.request import Request
from understudy.mockserver.task import Task
from understudy.openapi.behaviour import Phase
from understudy.openapi.times import iso

from .stage import NAMES, SIMPLE, START, Stage, as_json, refused_with

Record = dict[str, Any]


def task_in(stage: Stage, provider: str, key: str = "test") -> Task:
    """Return the only task of an account."""
    (task,) = stage.emulator.namespaces.of_key(key).account(provider).tasks.values()
    return task


def fail_by_hand(stage: Stage, provider: str, failure: str = "failed", key: str = "test") -> Task:
    """Give the only task of an account a plan that ends in failure."""
    task = task_in(stage, provider, key)
    behaviour = stage.emulator.providers[provider].behaviour
    task.plan = make_plan(path_to(behaviour.statuses, Phase.FAILED), task.random, behaviour.failures[failure])
    stage.emulator.namespaces.of_key(key).account(provider).refund_later(task, task.ends())
    return task


# --- the lifecycle ------------------------------------------------------------------------------------------

LIVES = {
    "kie": ["waiting", "queuing", "generating", "success"],
    "apikley": ["waiting", "queuing", "generating", "success"],
    "crun": ["pending", "running", "success"],
    "mulerouter": ["pending", "processing", "completed"],
    "acme": ["queued", "painting", "done"],
}


@pytest.mark.parametrize("provider", NAMES)
def test_a_task_passes_every_documented_status_each_at_its_time(provider: str) -> None:
    stage = Stage(provider, limits=False)
    task = stage.created(provider, SIMPLE[provider])
    plan = task_in(stage, provider).plan
    assert list(plan.statuses) == LIVES[provider]
    for start, status, before in zip(plan.starts, plan.statuses, (None, *plan.statuses), strict=False):
        stage.time = START + start - 1
        assert before is None or stage.facts(provider, task)["status"] == before
        stage.time = START + start
        assert stage.facts(provider, task)["status"] == status


@pytest.mark.parametrize("provider", NAMES)
def test_a_task_that_nobody_asks_for_ends_all_the_same(provider: str) -> None:
    stage = Stage(provider)
    task = stage.created(provider, SIMPLE[provider])
    stage.wait(3600)
    facts = stage.facts(provider, task)
    assert facts["status"] == LIVES[provider][-1]
    assert facts.get("completed", START) - START < 60_000


@pytest.mark.parametrize("provider", NAMES)
def test_by_default_a_task_takes_ten_to_thirty_two_seconds(provider: str) -> None:
    stage = Stage(provider, limits=False)
    for _ in range(50):
        stage.created(provider, SIMPLE[provider])
    ends = [task.ends() - START for task in stage.emulator.namespaces.of_key("test").account(provider).tasks.values()]
    assert 5_000 <= min(ends) < max(ends) <= 32_000
    assert len(set(ends)) > 40


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("speed", [0.5, 10, 1000])
def test_speed_makes_everything_that_many_times_faster(provider: str, speed: float) -> None:
    stage = Stage(provider, speed=speed)
    task = stage.created(provider, SIMPLE[provider])
    ends = task_in(stage, provider).ends() - START
    stage.time = START + math.floor((ends - 1) / speed)
    assert stage.facts(provider, task)["status"] == LIVES[provider][-2]
    stage.time = START + math.ceil(ends / speed)
    assert stage.facts(provider, task)["status"] == LIVES[provider][-1]


@pytest.mark.parametrize("provider", NAMES)
def test_instant_tasks_are_at_their_end_as_soon_as_they_are_created(provider: str) -> None:
    stage = Stage(provider, instant=True, frozen=True)
    facts = stage.facts(provider, stage.created(provider, SIMPLE[provider]))
    assert facts["status"] == LIVES[provider][-1]
    assert len(facts["outputs"]) == 1
    assert facts.get("duration", 0) == 0


def halfway(stage: Stage, provider: str) -> Record:
    task = stage.created(provider, SIMPLE[provider])
    stage.time = START + task_in(stage, provider).plan.starts[-2]
    return {"id": task, **stage.poll(provider, task).json()}


def at_the_end(stage: Stage, provider: str) -> Record:
    task = stage.created(provider, SIMPLE[provider])
    stage.wait(60)
    return {"id": task, **stage.poll(provider, task).json()}


def failed(stage: Stage, provider: str) -> Record:
    task = stage.created(provider, SIMPLE[provider])
    fail_by_hand(stage, provider)
    stage.wait(60)
    return {"id": task, **stage.poll(provider, task).json()}


@pytest.mark.parametrize("provider", ["kie", "apikley"])
def test_times_are_unix_milliseconds_and_results_json_text_in_the_manner_of_kie(provider: str) -> None:
    stage = Stage(provider)
    data = halfway(stage, provider)["data"]
    assert data == {
        "taskId": data["taskId"], "model": "nano-banana-pro", "state": "generating",
        "param": '{"model":"nano-banana-pro","input":{"prompt":"a lighthouse"}}', "resultJson": "",
        "failCode": "", "failMsg": "", "costTime": None, "completeTime": None,
        "createTime": START, "updateTime": stage.time,
    }  # fmt: skip


@pytest.mark.parametrize("provider", ["kie", "apikley"])
def test_a_success_tells_what_it_took_in_the_manner_of_kie(provider: str) -> None:
    stage = Stage(provider)
    answer = at_the_end(stage, provider)
    data, ended = answer["data"], task_in(stage, provider).ends()
    assert re.fullmatch(r'\{"resultUrls":\["http://127.0.0.1:4020/_files/[^"]+/0.png"\]\}', data["resultJson"])
    assert (data["state"], data["failCode"], data["failMsg"]) == ("success", "", "")
    assert (data["completeTime"], data["updateTime"], data["costTime"]) == (ended, ended, ended - START)
    assert data["creditsConsumed"] == 18


@pytest.mark.parametrize("provider", ["kie", "apikley"])
def test_a_failure_is_an_answered_query_in_the_manner_of_kie(provider: str) -> None:
    answer = failed(Stage(provider), provider)
    assert (answer["code"], answer.get("msg", answer.get("message"))) == (200, "success")
    data = answer["data"]
    assert (data["state"], data["failCode"], data["failMsg"]) == ("fail", "500", "Internal server error")
    assert (data["resultJson"], data["creditsConsumed"]) == ("", 0)


def test_times_are_iso_in_the_manner_of_mulerouter() -> None:
    stage = Stage("mulerouter")
    answer = halfway(stage, "mulerouter")
    assert answer["task_info"] == {
        "id": answer["id"], "status": "processing", "created_at": iso(START), "updated_at": iso(stage.time),
    }  # fmt: skip
    assert answer["task_info"]["created_at"] == "2025-12-08T07:23:20.000Z"
    assert "images" not in answer


def test_a_failure_has_its_error_in_the_task_in_the_manner_of_mulerouter() -> None:
    answer = failed(Stage("mulerouter"), "mulerouter")
    assert answer["task_info"]["status"] == "failed"
    assert answer["task_info"]["error"] == {
        "code": 3001, "title": "Task Execution Error", "detail": "Task execution failed",
    }  # fmt: skip
    assert "images" not in answer


def test_times_are_unix_seconds_in_the_manner_of_crun() -> None:
    stage = Stage("crun")
    assert halfway(stage, "crun")["data"] == {
        "task_id": next(iter(stage.emulator.namespaces.of_key("test").account("crun").tasks)),
        "provider": "Google", "model_version": "nano-banana", "status": "running", "param": SIMPLE["crun"],
        "create_at": START // 1000, "result": None, "duration_s": None, "complete_at": None, "source": "api",
    }  # fmt: skip


def test_a_success_and_a_failure_in_the_manner_of_crun() -> None:
    stage = Stage("crun")
    data, ended = at_the_end(stage, "crun")["data"], task_in(stage, "crun").ends()
    assert data["duration_s"] == (ended - START) / 1000
    assert data["complete_at"] == ended // 1000
    assert (data["result"]["code"], len(data["result"]["media_urls"])) == (200, 1)
    result = failed(Stage("crun"), "crun")["data"]["result"]
    assert result == {"code": 501, "message": "Content generation task failed"}


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("after", ["created", "halfway", "ended"])
def test_an_answer_is_the_same_however_often_it_is_asked_for(provider: str, after: str) -> None:
    stage = Stage(provider)
    task = stage.created(provider, SIMPLE[provider])
    stage.time = {"created": START, "halfway": START + 3_000, "ended": START + 60_000}[after]
    first, second, third = (stage.poll(provider, task) for _ in range(3))
    assert first.content == second.content == third.content
    assert first.headers["content-type"] == second.headers["content-type"] == "application/json"


# --- ids ----------------------------------------------------------------------------------------------------

FORMS = {
    "kie": r"task_nano-banana-pro_\d{13}",
    "apikley": r"task_nano-banana-pro_\d{13}",
    "crun": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "mulerouter": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "acme": r"pic_[0-9a-f]{32}",
}


@pytest.mark.untraced
@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("frozen", [True, False])
def test_ids_look_as_documented_and_thousands_at_the_same_moment_differ(provider: str, frozen: bool) -> None:
    stage = Stage(provider, limits=False, frozen=frozen)
    sent = stage.create(provider, SIMPLE[provider]).request
    headers = [(name.lower(), value) for name, value in sent.headers.raw]
    for _ in range(1000):
        stage.wait(0.0003)
        request = Request("POST", sent.url.path, b"", Headers(headers), sent.content)
        assert stage.emulator.handle(request).answer.status < 300
    ids = stage.emulator.namespaces.of_key("test").account(provider).tasks
    assert len(ids) == 1001
    assert all(re.fullmatch(FORMS[provider], each) for each in ids)


def test_the_first_part_of_a_models_name_stands_in_its_id() -> None:
    body = {"model": "google/nano-banana", "input": {"prompt": "x"}}
    assert Stage("kie").created("kie", body) == f"task_google_{START}"


# --- credits ------------------------------------------------------------------------------------------------

BALANCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "kie": ("/kie/api/v1/chat/credit", lambda body: body["data"]),
    "apikley": ("/apikley/api/v1/chat/credit", lambda body: body["data"]),
    "crun": ("/crun/api/v1/client/account/balance", lambda body: body["data"]["balance"]),
    "acme": ("/acme/v2/account", lambda body: body["coins"]),
}
PRICES = {"kie": 18, "apikley": 18, "crun": 4, "mulerouter": 14, "acme": 2}


def balance(stage: Stage, provider: str) -> float:
    """Return what the provider says is left; where no operation says, what the account holds."""
    if provider not in BALANCES:
        return stage.emulator.namespaces.of_key("test").account(provider).balance(stage.settings.credits, stage.time)
    path, read = BALANCES[provider]
    return float(read(stage.ask("GET", path).json()))


@pytest.mark.parametrize("provider", NAMES)
def test_a_balance_begins_at_ten_thousand_and_a_creation_is_charged(provider: str) -> None:
    stage = Stage(provider)
    assert balance(stage, provider) == 10_000
    stage.created(provider, SIMPLE[provider])
    assert balance(stage, provider) == 10_000 - PRICES[provider]
    stage.wait(60)
    assert balance(stage, provider) == 10_000 - PRICES[provider]


@pytest.mark.parametrize(
    ("provider", "body", "price"),
    [
        ("kie", {"model": "google/nano-banana", "input": {"prompt": "x"}}, 4),
        ("kie", {"model": "nano-banana-pro", "input": {"prompt": "x", "resolution": "2K"}}, 18),
        ("kie", {"model": "nano-banana-pro", "input": {"prompt": "x", "resolution": "4K"}}, 24),
        ("crun", {"model": "google/nano-banana-v2", "input": {"prompt": "x"}}, 8),
        ("mulerouter", {"prompt": "x", "resolution": "1K"}, 10),
        ("acme", {"prompt": "x", "n": 4, "detail": "sketch"}, 4),
    ],
)
def test_the_price_depends_on_the_model_and_what_is_asked_of_it(provider: str, body: Any, price: float) -> None:
    stage = Stage(provider)
    stage.created(provider, body)
    assert balance(stage, provider) == 10_000 - price


SPENT = {"kie": 402, "apikley": 402, "crun": 402, "mulerouter": 1002, "acme": "https://acme.example/problems/no-coins"}


@pytest.mark.parametrize("provider", NAMES)
def test_when_the_credits_are_spent_a_creation_is_refused_and_nothing_is_charged(provider: str) -> None:
    stage = Stage(provider, credits=PRICES[provider] * 2.5)
    for _ in range(2):
        stage.created(provider, SIMPLE[provider])
    refused = stage.create(provider, SIMPLE[provider])
    code, message = refused_with(provider, refused)
    assert code == SPENT[provider]
    assert str(PRICES[provider]) in message
    assert balance(stage, provider) == PRICES[provider] / 2


@pytest.mark.parametrize("provider", ["mulerouter", "acme"])
def test_spent_credits_are_http_402_where_refusals_travel_over_http(provider: str) -> None:
    assert Stage(provider, credits=0).create(provider, SIMPLE[provider]).status_code == 402


@pytest.mark.parametrize("provider", NAMES)
def test_a_failed_task_gives_its_price_back_when_it_fails(provider: str) -> None:
    stage = Stage(provider)
    stage.created(provider, SIMPLE[provider])
    task = fail_by_hand(stage, provider)
    stage.time = task.ends() - 1
    assert balance(stage, provider) == 10_000 - PRICES[provider]
    stage.time += 1
    assert balance(stage, provider) == 10_000
    assert balance(stage, provider) == 10_000


@pytest.mark.parametrize("provider", NAMES)
def test_without_limits_a_balance_goes_on_below_nothing(provider: str) -> None:
    stage = Stage(provider, credits=1, limits=False)
    stage.created(provider, SIMPLE[provider])
    assert balance(stage, provider) == 1 - PRICES[provider]


@given(st.lists(st.sampled_from(["1K", "2K", "4K"]), max_size=25), st.floats(0, 200, allow_nan=False))
@settings(max_examples=30, deadline=None)
def test_credits_are_never_overdrawn_and_never_lost(resolutions: list[str], given_credits: float) -> None:
    stage = Stage("apikley", credits=given_credits)
    spent = 0
    for resolution in resolutions:
        stage.wait(1)
        body = {"model": "nano-banana-pro", "input": {"prompt": "x", "resolution": resolution}}
        price = 24 if resolution == "4K" else 18
        affordable = price <= given_credits - spent
        assert stage.create("apikley", body).json()["code"] == (200 if affordable else 402)
        spent += price if affordable else 0
    assert balance(stage, "apikley") == pytest.approx(given_credits - spent)


def test_accounts_with_several_providers_have_each_their_own_credits() -> None:
    stage = Stage("kie", "apikley")
    stage.created("kie", SIMPLE["kie"])
    assert balance(stage, "kie") == 9_982
    assert balance(stage, "apikley") == 10_000


# --- the rest -----------------------------------------------------------------------------------------------


def test_an_estimate_tells_the_price_and_whether_it_can_be_paid_and_charges_nothing() -> None:
    stage = Stage("crun", credits=7)
    url = "/crun/api/v1/client/job/EstimateTask"
    told = [
        stage.ask("POST", url, json={**SIMPLE["crun"], "model": model}).json()["data"]
        for model in ("google/nano-banana", "google/nano-banana-v2")
    ]
    assert told == [{"affordable": True, "credits": 4}, {"affordable": False, "credits": 8}]
    assert balance(stage, "crun") == 7


def test_models_are_listed_and_described() -> None:
    stage = Stage("crun")
    listed = stage.ask("GET", "/crun/api/v1/client/job/Models").json()["data"]
    assert listed["total"] == 2
    for model in listed["models"]:
        assert stage.ask("GET", f"/crun/api/v1/client/job/Models/{model['model']}").json()["data"] == model
    unknown = stage.ask("GET", "/crun/api/v1/client/job/Models/google/plantain").json()
    assert unknown["code"] == 404
    assert "'google/plantain'; known: google/nano-banana, google/nano-banana-v2" in unknown["message"]


@pytest.mark.parametrize(("provider", "days"), [("kie", 14), ("apikley", 14), ("acme", 7)])
def test_a_task_is_kept_as_long_as_documented(provider: str, days: int) -> None:
    stage = Stage(provider)
    task = stage.created(provider, SIMPLE[provider])
    stage.wait(days * 24 * 3600 - 0.001)
    assert stage.facts(provider, task)["id"] == task
    stage.wait(0.001)
    assert refused_with(provider, stage.poll(provider, task)) == refused_with(provider, stage.poll(provider, task[:-1]))


@pytest.mark.parametrize(("creator", "asker"), [("Generation", "edit"), ("Edit", "generation")])
def test_a_task_is_asked_for_where_it_was_created(creator: str, asker: str) -> None:
    stage = Stage("mulerouter")
    body = {"prompt": "x", "images": ["https://example.com/a.png"]}
    task = stage.created("mulerouter", body, f"createNanoBananaPro{creator}")
    elsewhere = stage.ask("GET", f"/mulerouter/vendors/google/v1/nano-banana-pro/{asker}/{task}")
    assert elsewhere.status_code == 404


def nested(depth: int) -> Any:
    """Return a list in a list in a list …"""
    made: Any = "leaf"
    for _ in range(depth):
        made = [made]
    return made


ODD = {
    "deep": nested(200),
    "large": 10**25,
    "small": 5e-324,
    "text": "\x00 \u2028 \U0001f600",
    "empty": {"": {"": None}},
}


@pytest.mark.parametrize("provider", ["kie", "apikley", "crun", "mulerouter"])
@pytest.mark.parametrize("extra", ODD)
def test_whatever_is_accepted_can_be_told_again(provider: str, extra: str) -> None:
    stage = Stage(provider, instant=True)
    body = {**SIMPLE[provider], "extra": ODD[extra]}
    if "input" in body:
        body["input"] = {**body["input"], "extra": ODD[extra]}
    assert stage.poll(provider, stage.created(provider, body)).status_code == 200


@pytest.mark.parametrize("provider", ["kie", "apikley", "crun", "mulerouter"])
@pytest.mark.parametrize("depth", [260, 400, 900, 1000, 1020])
def test_what_is_nested_too_deeply_to_be_told_again_is_refused(provider: str, depth: int) -> None:
    stage = Stage(provider)
    body = {**SIMPLE[provider], "extra": "DEEP"}
    sent = as_json(body).replace(b'"DEEP"', b"[" * depth + b"]" * depth)
    response = stage.create(provider, None, content=sent, headers={"content-type": "application/json"})
    assert refused_with(provider, response)[0] in {400, 422, 2001}
    assert "nested too deeply" in response.text


@pytest.mark.parametrize(("frozen", "later"), [(True, 0), (False, 60_000)])
def test_the_clock_starts_when_it_was_told_to(frozen: bool, later: int) -> None:
    stage = Stage("kie", start=1_600_000_000_000, frozen=frozen)
    stage.wait(60)
    task = stage.created("kie", SIMPLE["kie"])
    assert task == f"task_nano-banana-pro_{1_600_000_000_000 + later}"
    assert stage.facts("kie", task)["created"] == 1_600_000_000_000 + later
