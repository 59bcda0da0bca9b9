"""Rules: in order, so many times, seeded, and refused where they could never match."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings

from .control_document import judge_async
from .crowd import crowd
from .stage import SIMPLE, Stage, provider_of, refused_with

RULES = "/_understudy/rules?namespace=test"
WAYS = {"kie": "/api/v1/jobs/createTask", "acme": "/v2/pictures"}


def add(stage: Stage, play: str, url: str = RULES, **more: Any) -> dict[str, Any]:
    """Add a rule that is accepted, and return it."""
    response = stage.ask("POST", url, json={"play": play, **more})
    assert response.status_code == 201, response.text
    rule: dict[str, Any] = response.json()
    return rule


def refusal(stage: Stage, **rule: Any) -> str:
    """Return why a rule is refused."""
    response = stage.ask("POST", RULES, json=rule)
    assert response.status_code == 400, response.text
    assert stage.ask("GET", RULES).json() == {"rules": []}
    return str(response.json()["error"])


def codes(stage: Stage, count: int, body: Any = None, **more: Any) -> list[int]:
    """Return the codes that so many creations are answered with."""
    return [stage.create("kie", body or SIMPLE["kie"], **more).json()["code"] for _ in range(count)]


def test_a_rule_is_played_as_often_as_it_says_and_the_next_one_then() -> None:
    stage = Stage("kie", limits=False)
    first = add(stage, "server-error", times=2)
    second = add(stage, "maintenance", times=1)
    assert codes(stage, 4) == [500, 500, 455, 200]
    listed = stage.ask("GET", RULES).json()["rules"]
    assert [(each["id"], each["matched"], each["played"]) for each in listed] == [
        (first["id"], 2, 2),
        (second["id"], 1, 1),
    ]


def test_without_times_a_rule_is_played_for_good_until_it_is_removed() -> None:
    stage = Stage("kie", limits=False)
    rule = add(stage, "server-error")
    assert codes(stage, 3) == [500] * 3
    assert stage.ask("DELETE", f"/_understudy/rules/{rule['id']}").json() == {"removed": rule["id"]}
    assert codes(stage, 1) == [200]
    again = stage.ask("DELETE", f"/_understudy/rules/{rule['id']}")
    assert (again.status_code, again.json()) == (404, {"error": f"no rule {rule['id']!r}"})


def test_the_times_of_a_scenario_bound_a_rule_that_has_none() -> None:
    stage = Stage("kie", limits=False, frozen=True)
    add(stage, "server-error", **{"with": {"times": 2}})  # type: ignore[arg-type]
    assert codes(stage, 3) == [500, 500, 200]
    task = stage.created("kie", SIMPLE["kie"])
    add(stage, "poll-error", **{"with": {"times": 2}})  # type: ignore[arg-type]
    assert [stage.poll("kie", task).json()["code"] for _ in range(3)] == [500, 500, 200]


WHENS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"provider": "kie"}, True),
    ({"provider": "acme"}, False),
    ({"operation": "createTask"}, True),
    ({"operation": "credit"}, False),
    ({"model": "nano-banana-pro"}, True),
    ({"model": "google/nano-banana"}, False),
    ({"body": {"/input/prompt": {"contains": "light"}}}, True),
    ({"body": {"/input/prompt": {"contains": "dark"}}}, False),
    ({"body": {"/input/prompt": {"equals": "a lighthouse"}}}, True),
    ({"body": {"/input/prompt": "a lighthouse"}}, True),
    ({"body": {"/input/prompt": {"equals": "a light"}}}, False),
    ({"body": {"/input/prompt": {"matches": "^a .*se$"}}}, True),
    ({"body": {"/input/prompt": {"matches": "^light"}}}, False),
    ({"body": {"/input": {"equals": {"prompt": "a lighthouse"}}}}, True),
    ({"body": {"/input/none": {"contains": "x"}}}, False),
    ({"body": {"/input/prompt": {"contains": "light"}, "/model": "nano-banana-pro"}}, True),
    ({"body": {"/input/prompt": {"contains": "light"}, "/model": "x"}}, False),
    ({"headers": {"X-Trace": {"contains": "7"}}}, True),
    ({"headers": {"x-trace": "id-7"}}, True),
    ({"headers": {"X-Trace": {"matches": "8"}}}, False),
    ({"headers": {"X-Other": {"matches": ""}}}, False),
]


@pytest.mark.parametrize(("when", "meant"), WHENS, ids=str)
def test_a_rule_is_for_what_its_when_says(when: dict[str, Any], meant: bool) -> None:
    stage = Stage("kie", "acme")
    add(stage, "server-error" if when.get("provider") != "acme" else "our-fault", when=when)
    response = stage.create("kie", SIMPLE["kie"], headers={"X-Trace": "id-7"})
    assert (response.json()["code"] == 500) is meant


def test_a_list_may_contain_something_and_a_form_has_fields() -> None:
    stage = Stage("kie", "mulerouter")
    add(stage, "server-error", when={"body": {"/images": {"contains": "https://example.com/a.png"}}})
    body = {"prompt": "x", "images": ["https://example.com/a.png"]}
    assert stage.create("mulerouter", body, "createNanoBananaProEdit").status_code == 500
    add(stage, "server-error", when={"operation": "uploadStream", "body": {"/uploadPath": "images"}})
    files = {"file": ("a.png", b"x", "image/png")}
    for folder, status in (("images", 500), ("other", 200)):
        answer = stage.ask("POST", "/kie/api/file-stream-upload", files=files, data={"uploadPath": folder})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("credit", "GET", "/kie/api/v1/chat/credit"),
        ("recordInfo", "GET", "/kie/api/v1/jobs/recordInfo?taskId=x"),
        ("downloadUrl", "POST", "/kie/api/v1/common/download-url"),
        ("createTask", "POST", "/kie/api/v1/jobs/createTask"),
    ],
)
def test_a_rule_may_be_for_any_operation(operation: str, method: str, path: str) -> None:
    stage = Stage("kie")
    add(stage, "maintenance", when={"operation": operation}, times=1)
    sent = {"json": SIMPLE["kie"]} if method == "POST" else {}
    assert stage.ask(method, path, **sent).json()["code"] == 455
    assert stage.ask(method, path, **sent).json()["code"] != 455


def test_a_rule_for_polls_is_played_by_polls_alone() -> None:
    stage = Stage("kie", limits=False, frozen=True)
    add(stage, "extra-field", times=1)
    task = stage.created("kie", SIMPLE["kie"])
    assert ["understudyExtra" in stage.poll("kie", task).json() for _ in range(3)] == [True, False, False]


def test_a_rule_about_what_creations_say_reaches_the_polls_of_those_tasks() -> None:
    stage = Stage("kie", limits=False, frozen=True)
    add(stage, "poll-error", when={"body": {"/input/prompt": {"contains": "light"}}})
    add(
        stage,
        "extra-field",
        when={"operation": "createTask", "model": "google/nano-banana"},
        **{"with": {"on": "poll"}},  # type: ignore[arg-type]
    )
    lit = stage.created("kie", SIMPLE["kie"])
    other = stage.created("kie", {"model": "nano-banana-pro", "input": {"prompt": "dark"}})
    extra = stage.created("kie", {"model": "google/nano-banana", "input": {"prompt": "dark"}})
    assert [stage.poll("kie", each).json()["code"] for each in (lit, lit, other, extra)] == [500, 200, 200, 200]
    assert ["understudyExtra" in stage.poll("kie", each).json() for each in (lit, other, extra, extra)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_a_rule_without_a_provider_passes_over_those_that_cannot_express_it() -> None:
    stage = Stage("kie", "acme", frozen=True)
    add(stage, "cancelled", **{"with": {"after": "0s"}})  # type: ignore[arg-type]
    assert stage.facts("kie", stage.created("kie", SIMPLE["kie"]))["status"] == "waiting"
    assert stage.facts("acme", stage.created("acme", SIMPLE["acme"]))["status"] == "cancelled"


# --- mistakes -----------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "play is null; expected the name of a scenario"),
    ({"play": 5}, "play is 5; expected the name of a scenario"),
    ({"play": "fial"}, "no scenario 'fial' (did you mean 'fail'?)"),
    (
        {"play": "fail", "wen": {}},
        "a rule has no field 'wen' (did you mean 'when'?); known: when, play, with, times, probability",
    ),
    ({"play": "fail", "when": 5}, "when is 5; expected an object"),
    ({"play": "fail", "when": {"oparation": "x"}}, "when has no field 'oparation' (did you mean 'operation'?)"),
    ({"play": "fail", "when": {"provider": "kei"}}, "no provider 'kei' (did you mean 'kie'?); known: kie, mulerouter"),
    ({"play": "fail", "when": {"provider": ["kie"]}}, "provider is ['kie']; expected a name"),
    ({"play": "fail", "when": {"operation": "createTsk"}}, "no operation 'createTsk' (did you mean 'createTask'?)"),
    ({"play": "fail", "when": {"model": "nano"}}, "no model 'nano'"),
    (
        {"play": "fail", "when": {"provider": "kie", "model": "nano-banana"}},
        "no model 'nano-banana' (did you mean 'nano-banana-pro'?)",
    ),
    ({"play": "fail", "when": {"provider": "kie", "operation": "getNanoBanana"}}, "no operation 'getNanoBanana'"),
    ({"play": "fail", "when": {"operation": "recordInfo"}}, "no request can match: fail does not happen to recordInfo"),
    ({"play": "fail", "when": {"operation": "credit", "body": {"/x": 1}}}, "no request can match: credit has no body"),
    (
        {"play": "server-error", "when": {"operation": "credit", "model": "nano-banana-pro"}},
        "no request can match: credit names no model",
    ),
    (
        {"play": "fail", "when": {"operation": "createNanoBananaProEdit", "model": "nano-banana"}},
        "no request can match: createNanoBananaProEdit is not for the model 'nano-banana'",
    ),
    ({"play": "fail", "when": {"headers": {"x": 5}}}, "headers, x: no request can match 5; expected text"),
    ({"play": "fail", "when": {"headers": {"x": {"equals": 5}}}}, "headers, x: no request can match 5; expected text"),
    ({"play": "fail", "when": {"body": []}}, "body is []; expected matchers by place"),
    (
        {"play": "fail", "when": {"body": {"input": 1}}},
        "body: 'input' is no JSON Pointer; expected one such as /input/prompt",
    ),
    (
        {"play": "fail", "when": {"body": {"/x": {"contain": "y"}}}},
        "(did you mean 'contains'?); expected one of equals, contains, matches",
    ),
    ({"play": "fail", "when": {"body": {"/x": {}}}}, "expected one of equals, contains, matches"),
    ({"play": "fail", "when": {"body": {"/x": {"contains": 1}}}}, "body, /x: contains is 1; expected text"),
    ({"play": "fail", "when": {"body": {"/x": {"matches": "("}}}}, "'(' is no regular expression"),
    ({"play": "fail", "with": []}, "with is []; expected parameters by name"),
    ({"play": "fail", "with": {"code": [1]}}, "with, code: [1]; expected text, a number, true or false"),
    ({"play": "fail", "with": {"cod": 1}}, "fail takes no 'cod' (did you mean 'code'?)"),
    ({"play": "fail", "times": 0}, "times is 0; expected a whole number from 1"),
    ({"play": "fail", "times": True}, "times is true; expected a whole number from 1"),
    ({"play": "fail", "times": 1.5}, "times is 1.5; expected a whole number from 1"),
    ({"play": "fail", "probability": 0}, "probability is 0; expected a number above 0, at most 1"),
    ({"play": "fail", "probability": 1.1}, "probability is 1.1"),
    ({"play": "fail", "probability": True}, "probability is true"),
    ({"play": "cancelled"}, "cancelled can't be played: the provider has no status for cancelled tasks"),
    ({"play": "partial", "when": {"provider": "kie"}}, "partial can't be played: the provider makes one result"),
]


@pytest.mark.parametrize(("rule", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_rule_that_is_wrong_or_can_never_match_is_refused(rule: dict[str, Any], message: str) -> None:
    assert message in refusal(Stage("kie", "mulerouter"), **rule)


# --- chance and many ----------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_a_probability_is_about_right_and_the_same_in_every_run() -> None:
    def run(seed: int) -> list[int]:
        stage = Stage("kie", limits=False, seed=seed)
        add(stage, "server-error", probability=0.3)
        return codes(stage, 200)

    first = run(0)
    assert 40 < first.count(500) < 80
    assert run(0) == first
    assert run(1) != first


def test_after_a_reset_chance_begins_anew() -> None:
    stage = Stage("kie", limits=False)
    seen = []
    for _ in range(2):
        add(stage, "server-error", "/_understudy/rules", probability=0.5)
        seen.append(codes(stage, 20))
        stage.ask("POST", "/_understudy/reset")
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 500}


@pytest.mark.untraced
def test_a_rule_that_is_played_ten_times_is_so_under_a_thousand_creations_at_once() -> None:
    async def create_all(url: str) -> list[int]:
        async with crowd(url, event_hooks={"response": [judge_async]}) as client:
            await client.post("/_understudy/rules?namespace=many", json={"play": "our-fault", "times": 10})
            sent = {"json": SIMPLE["acme"], "headers": {"X-Acme-Key": "many"}}
            found = await asyncio.gather(*(client.post(f"/acme{WAYS['acme']}", **sent) for _ in range(1000)))
            (rule,) = (await client.get("/_understudy/rules?namespace=many")).json()["rules"]
            assert (rule["matched"], rule["played"]) == (10, 10)
            return [each.status_code for each in found]

    with MockServer([provider_of("acme")], Settings(limits=False)) as server:
        statuses = asyncio.run(create_all(server.url))
    assert statuses.count(500) == 10
    assert statuses.count(201) == 990


def test_a_refusal_that_a_rule_plays_is_told_like_any_other() -> None:
    stage = Stage("acme")
    add(stage, "too-fast", **{"with": {"retry_after": 30}})  # type: ignore[arg-type]
    response = stage.create("acme", SIMPLE["acme"])
    assert refused_with("acme", response)[0].endswith("/too-fast")
    assert response.headers["retry-after"] == "30"
