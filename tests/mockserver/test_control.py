"""The control API: its document, its routes, the clock, and to whom it is open."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.parser import text_string_to_metric_families
from understudy.mockserver import control as module
from understudy.mockserver.control import PREFIX, ROUTES
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings
from understudy.openapi.times import iso, parse_time
from understudy.openapi.validation import Validator

from .control_document import DOCUMENT, judge, operations, resolved
from .crowd import crowd
from .stage import NAMES, SIMPLE, START, Stage, provider_of

CONTROL = "/_understudy"
MINE = "?namespace=test"


def told(stage: Stage, method: str, path: str, status: int = 200, **more: Any) -> Any:
    """Return what the control API answers."""
    response = stage.ask(method, CONTROL + path, **more)
    assert response.status_code == status, response.text
    return response.json()


def turn(stage: Stage, status: int = 200, namespace: str = "test", **data: Any) -> Any:
    """Turn the clock of a namespace, and return it; or the refusal."""
    answer = told(stage, "POST", f"/clock?namespace={namespace}", status, json=data)
    return answer["clocks"][0] if status == 200 else answer["error"]


# --- the document -------------------------------------------------------------------------------------------


def test_the_document_is_valid() -> None:
    assert list(map(str, OpenAPIV31SpecValidator(DOCUMENT).iter_errors())) == []


def test_the_document_and_the_routes_list_the_same_operations() -> None:
    assert set(operations()) == {(method, PREFIX + path) for method, path, _ in ROUTES}
    names = [each["operationId"] for each in operations().values()]
    assert len(set(names)) == len(names)


def test_every_example_of_the_document_fits_its_schema() -> None:
    contents = []
    for operation in operations().values():
        bodies = [operation.get("requestBody", {}), *map(resolved, operation["responses"].values())]
        contents += [media for body in bodies for media in body.get("content", {}).values()]
    examples = [(media["schema"], media["example"]) for media in contents if "example" in media]
    examples += [(media["schema"], each["value"]) for media in contents for each in media.get("examples", {}).values()]
    assert len(examples) > 20
    for schema, example in examples:
        assert not Validator(schema, DOCUMENT["components"]).problems(example), example


def test_the_document_is_served_with_the_servers_own_address() -> None:
    stage = Stage("kie")
    served = told(stage, "GET", "/openapi.json")
    assert served == {**DOCUMENT, "servers": [{"url": stage.settings.public_url}]}


def test_what_is_not_of_the_control_api_is_refused_with_what_is_nearest() -> None:
    stage = Stage("kie")
    response = stage.ask("GET", "/_understudy/clok")
    assert (response.status_code, response.json()["error"]) == (
        404, "GET /_understudy/clok is not of the control API (did you mean 'GET /_understudy/clock'?)",
    )  # fmt: skip
    wrong = stage.ask("PUT", "/_understudy/clock")
    assert wrong.status_code == 405
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "POST"} or wrong.headers["allow"]


@pytest.mark.parametrize("path", [path for method, path, _ in ROUTES if method == "GET" and "{" not in path])
def test_every_page_answers_to_head_without_a_body(path: str) -> None:
    with MockServer(["crun"]) as server, httpx.Client(trust_env=False, verify=False) as client:
        assert client.head(server.url + CONTROL + path).content == b""
        assert client.get(server.url + CONTROL + path).is_success


BODIES = {
    "/rules": "rules",
    "/clock": "clock",
    "/verify": "verify",
    "/tasks/{id}/advance": "advance",
    "/settings": "settings",
    "/inbox/{name}/answer": "answer",
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"5", b'"x"', b"\xff", b"null", b'{"no":1}', b'{"to":[]}', b'{"when":5}']
)
def test_a_bad_body_is_a_refusal_that_says_why(path: str, body: bytes) -> None:
    stage = Stage("kie")
    task = stage.created("kie", SIMPLE["kie"])
    url = CONTROL + path.replace("{id}", task).replace("{name}", "x") + MINE
    response = stage.ask("POST", url, content=body)
    if response.status_code != 200:
        assert response.status_code == 400
        assert response.json()["error"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    [
        "when",
        "play",
        "with",
        "times",
        "probability",
        "provider",
        "operation",
        "model",
        "body",
        "headers",
        "to",
        "code",
        "message",
        "freeze",
        "set",
        "advance",
        "speed",
        "resume",
        "at_least",
        "at_most",
        "answer",
        "/input/prompt",
        "equals",
        "contains",
        "matches",
        "kie",
        "fail",
        "createTask",
    ]
)


@given(
    st.sampled_from([*BODIES]), st.dictionaries(WORDS, JSON | WORDS | st.dictionaries(WORDS, JSON | WORDS), max_size=4)
)
@settings(max_examples=150, deadline=None)
def test_whatever_it_is_sent_it_answers_as_its_document_says(path: str, body: dict[str, Any]) -> None:
    stage = STAGES.setdefault("fuzzed", Stage("kie", limits=False))
    task = FUZZED.setdefault("task", stage.created("kie", SIMPLE["kie"], key="fuzz"))
    url = CONTROL + path.replace("{id}", task).replace("{name}", "x") + "?namespace=fuzz"
    assert stage.ask("POST", url, json=body).status_code in {200, 201, 400, 409}
    assert stage.ask("GET", CONTROL + "/tasks").status_code == 200
    assert stage.ask("GET", CONTROL + "/clock").status_code == 200


STAGES: dict[str, Stage] = {}
FUZZED: dict[str, str] = {}


# --- what there is ------------------------------------------------------------------------------------------


def test_it_tells_what_is_played() -> None:
    stage = Stage()
    assert [each["name"] for each in told(stage, "GET", "/providers")["providers"]] == list(NAMES)
    told_of = told(stage, "GET", "/scenarios")
    assert {each["name"] for each in told_of["scenarios"]} >= {"success", "reset", "unknown-status"}
    assert told_of["errors"]["kie"] == list(provider_of("kie").behaviour.errors)


def test_namespaces_are_named_by_key_or_id_and_shown_by_id() -> None:
    stage = Stage("kie", frozen=True)
    stage.created("kie", SIMPLE["kie"], key="sk-secret-0123")
    (task,) = told(stage, "GET", "/tasks?namespace=sk-secret-0123")["tasks"]
    assert told(stage, "GET", f"/tasks?namespace={task['namespace']}")["tasks"] == [task]
    assert "sk-secret" not in str(task)
    assert told(stage, "GET", "/tasks?namespace=other")["total"] == 0


def test_tasks_are_listed_and_shown() -> None:
    stage = Stage("kie", "acme", frozen=True)
    kie, acme = stage.created("kie", SIMPLE["kie"]), stage.created("acme", SIMPLE["acme"])
    stage.poll("kie", kie)
    assert [each["id"] for each in told(stage, "GET", "/tasks")["tasks"]] == [kie, acme]
    assert [each["id"] for each in told(stage, "GET", "/tasks?provider=acme")["tasks"]] == [acme]
    shown = told(stage, "GET", f"/tasks/{kie}")
    assert (shown["status"], shown["phase"], shown["polls"], shown["model"]) == (
        "waiting",
        "pending",
        1,
        "nano-banana-pro",
    )
    assert [each["status"] for each in shown["plan"]] == ["waiting", "queuing", "generating", "success"]
    unknown = told(stage, "GET", f"/tasks/{kie[:-1]}x", 404)["error"]
    assert f"(did you mean {kie!r}?)" in unknown
    assert "(did you mean 'acme'?)" in told(stage, "GET", "/tasks?provider=acm", 400)["error"]


@pytest.mark.untraced
def test_of_many_tasks_the_newest_thousand_are_listed() -> None:
    stage = Stage("kie", limits=False, frozen=True, credits=10**9)
    ids = [stage.created("kie", SIMPLE["kie"]) for _ in range(1005)]
    listed = told(stage, "GET", "/tasks")
    assert listed["total"] == 1005
    assert [each["id"] for each in listed["tasks"]] == ids[5:]


def test_a_name_that_two_tasks_share_needs_a_namespace() -> None:
    stage = Stage("kie", frozen=True)
    task = stage.created("kie", SIMPLE["kie"], key="one")
    assert stage.created("kie", SIMPLE["kie"], key="two") == task
    assert f"2 tasks are called {task!r}; give a namespace" in told(stage, "GET", f"/tasks/{task}", 409)["error"]
    told(stage, "POST", f"/tasks/{task}/advance?namespace=two", json={"to": "failed"})
    assert told(stage, "GET", f"/tasks/{task}?namespace=one")["status"] == "waiting"
    assert told(stage, "GET", f"/tasks/{task}?namespace=two")["status"] == "fail"


def test_a_task_is_moved_on_by_hand_to_a_status_or_a_phase() -> None:
    stage = Stage("kie", frozen=True)
    task = stage.created("kie", SIMPLE["kie"])
    url = f"/tasks/{task}/advance{MINE}"
    assert told(stage, "POST", url, json={"to": "processing"})["status"] == "generating"
    back = told(stage, "POST", url, 409, json={"to": "waiting"})["error"]
    assert back == "the task is generating already, and goes back to waiting no more"
    assert told(stage, "POST", url, json={"to": "fail", "code": 501, "message": "No"})["phase"] == "failed"
    data = stage.poll("kie", task).json()["data"]
    assert (data["failCode"], data["failMsg"]) == ("501", "No")
    assert told(stage, "POST", url, 409, json={"to": "success"})["error"] == "the task is fail already"


ADVANCES = [
    ({}, "to is null; expected one of waiting"),
    ({"to": "sucess"}, "to is 'sucess' (did you mean 'success'?); expected one of waiting, queuing"),
    ({"to": ["success"]}, "to is ['success'] (did you mean 'success'?); expected one of"),
    ({"to": "cancelled"}, "to is 'cancelled' (did you mean 'failed'?); expected one of waiting"),
    ({"to": "success", "cod": 1}, "advance has no field 'cod' (did you mean 'code'?); known: to, code, message"),
    ({"to": "success", "code": 501}, "code is of failures; expected to to be one"),
    ({"to": "fail", "code": {}}, "code is {}; expected text"),
]


@pytest.mark.parametrize(("body", "message"), ADVANCES, ids=str)
def test_a_task_is_not_moved_where_that_makes_no_sense(body: dict[str, Any], message: str) -> None:
    stage = Stage("kie", frozen=True)
    task = stage.created("kie", SIMPLE["kie"])
    assert message in told(stage, "POST", f"/tasks/{task}/advance", 400, json=body)["error"]
    assert told(stage, "GET", f"/tasks/{task}")["status"] == "waiting"


def test_who_moves_a_task_that_will_fail_gets_the_price_back_when_it_fails() -> None:
    stage = Stage("kie", limits=False)
    task = stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "fail"}).json()["data"]["taskId"]
    (plan,) = (each["plan"] for each in told(stage, "GET", "/tasks")["tasks"])
    stage.time = START + plan[-1]["after"] - 1
    told(stage, "POST", f"/tasks/{task}/advance", 409, json={"to": "queuing"})
    told(stage, "POST", f"/tasks/{task}/advance", json={"to": "generating"})
    stage.wait(1)
    assert stage.ask("GET", "/kie/api/v1/chat/credit").json()["data"] == 9982
    stage.wait(60)
    assert stage.facts("kie", task)["status"] == "fail"
    assert stage.ask("GET", "/kie/api/v1/chat/credit").json()["data"] == 10_000


# --- the clock ----------------------------------------------------------------------------------------------


def test_a_clock_is_frozen_set_advanced_run_faster_and_resumed() -> None:
    stage = Stage("kie")
    assert turn(stage, freeze=True)["frozen"]
    stage.wait(100)
    assert turn(stage, freeze=True)["now"] == iso(START)
    assert turn(stage, advance="2m")["now"] == iso(START + 120_000)
    assert turn(stage, advance=1500)["now"] == iso(START + 121_500)
    assert turn(stage, set="2026-01-01T12:00:00Z") == {
        "namespace": turn(stage)["namespace"], "now": "2026-01-01T12:00:00.000Z", "frozen": True, "speed": 1,
    }  # fmt: skip
    assert not turn(stage, resume=True)["frozen"]
    stage.wait(10)
    assert turn(stage, speed=60)["now"] == "2026-01-01T12:00:10.000Z"
    stage.wait(10)
    assert told(stage, "GET", "/clock" + MINE)["clocks"][0]["now"] == "2026-01-01T12:10:10.000Z"


def test_an_advance_leaves_a_clock_that_ran_frozen() -> None:
    stage = Stage("kie")
    turned = turn(stage, advance="1m")
    assert (turned["frozen"], turned["now"]) == (True, iso(START + 60_000))
    stage.wait(5)
    assert turn(stage)["now"] == turned["now"]


def test_what_is_given_together_is_done_in_order() -> None:
    stage = Stage("kie")
    turned = turn(stage, set="2026-01-01T00:00:00Z", advance="1s", speed=10, resume=True)
    assert (turned["now"], turned["frozen"], turned["speed"]) == ("2026-01-01T00:00:01.000Z", False, 10)


def test_polls_never_move_a_frozen_clock() -> None:
    stage = Stage("kie", limits=False)
    turn(stage, freeze=True)
    task = stage.created("kie", SIMPLE["kie"])
    for _ in range(50):
        stage.wait(60)
        assert stage.facts("kie", task)["status"] == "waiting"
    assert turn(stage)["now"] == iso(START)


TURNS = [
    (
        {"set": "2025-01-01T00:00:00Z"},
        "2025-01-01T00:00:00.000Z lies before this clock's now, 2025-12-08T07:23:20.000Z",
    ),
    ({"set": "soon"}, "set: 'soon' is no time; expected one such as 2026-01-01T12:00:00Z"),
    ({"set": None}, "set: 'None' is no time"),
    ({"set": "9999-01-01T00:00:00Z"}, "clocks go no further than"),
    ({"advance": "2 minutes"}, "advance: '2 minutes' is no duration"),
    ({"advance": -1}, "advance: '-1' is no duration; expected a number and one of ms, s, m, h, d"),
    ({"advance": 10**18}, "or a number of milliseconds"),
    ({"advance": "99999999d"}, "is too long"),
    ({"advance": True}, "'True' is no duration"),
    ({"speed": 0}, "speed is 0; expected a number above 0"),
    ({"speed": -1}, "speed is -1"),
    ({"speed": 1e300}, "at most 1,000,000"),
    ({"speed": "2"}, "speed is '2'"),
    ({"speed": True}, "speed is true"),
    ({"freeze": False}, "freeze is false; expected true"),
    ({"resume": 1}, "resume is 1; expected true"),
    (
        {"frezee": True},
        "the clock has no field 'frezee' (did you mean 'freeze'?); known: freeze, set, advance, speed, resume",
    ),
]


@pytest.mark.parametrize(("data", "message"), TURNS, ids=str)
def test_a_turn_that_makes_no_sense_is_refused_and_the_clock_is_left_alone(data: dict[str, Any], message: str) -> None:
    stage = Stage("kie")
    assert message in turn(stage, 400, **data)
    assert message in turn(stage, 400, **{"speed": 50, **data})
    assert turn(stage) == {"namespace": turn(stage)["namespace"], "now": iso(START), "frozen": False, "speed": 1}


def test_all_clocks_are_turned_or_none_is() -> None:
    stage = Stage("kie", frozen=True)
    turn(stage, namespace="early")
    turn(stage, namespace="late", set="2027-01-01T00:00:00Z")
    told(stage, "POST", "/clock", 400, json={"set": "2026-06-01T00:00:00Z"})
    assert turn(stage, namespace="early")["now"] == iso(START)
    told(stage, "POST", "/clock", json={"advance": "1h"})
    assert turn(stage, namespace="early")["now"] == iso(START + 3_600_000)
    assert turn(stage, namespace="late")["now"] == "2027-01-01T01:00:00.000Z"


def test_a_clock_that_went_as_far_as_clocks_go_still_tells_everything() -> None:
    stage = Stage("kie", frozen=True, limits=False)
    for _ in range(70):
        stage.ask("POST", CONTROL + "/clock" + MINE, json={"advance": "36000d"})
    task = stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "slow; waiting=36500d"}).json()["data"][
        "taskId"
    ]
    turn(stage, 400, advance="36000d") if parse_time(
        turn(stage)["now"]
    ) > module.MAX_CLOCK - 36000 * 86_400_000 else None  # type: ignore[attr-defined]
    for path in ("/tasks", "/clock", "/exchanges", f"/tasks/{task}"):
        told(stage, "GET", path)


STEPS = st.lists(
    st.one_of(
        st.builds(lambda ms: {"advance": ms}, st.integers(0, 10**7)),
        st.builds(lambda speed: {"speed": speed}, st.floats(0.001, 1000)),
        st.sampled_from([{"freeze": True}, {"resume": True}]),
        st.integers(0, 10**5),
    ),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_a_clock_never_goes_backwards(steps: list[Any]) -> None:
    stage = Stage("kie")
    seen = [turn(stage)["now"]]
    for step in steps:
        if isinstance(step, int):
            stage.time += step
        else:
            turn(stage, **step)
        seen.append(turn(stage)["now"])
    assert all(earlier <= later for earlier, later in pairwise(map(parse_time, seen)))


# --- reset and figures --------------------------------------------------------------------------------------


def test_a_reset_forgets_everything_of_a_namespace_and_nothing_of_another() -> None:
    stage = Stage("kie", frozen=True)
    for key in ("one", "two"):
        stage.created("kie", SIMPLE["kie"], key=key)
        told(
            stage, "POST", f"/rules?namespace={key}", 201, json={"play": "maintenance", "when": {"operation": "credit"}}
        )
        turn(stage, namespace=key, advance="1h")
    told(stage, "POST", "/reset?namespace=one")
    assert [told(stage, "GET", f"/{each}?namespace=one")[each] for each in ("tasks", "rules", "exchanges")] == [
        [],
        [],
        [],
    ]
    assert turn(stage, namespace="one")["now"] == iso(START)
    assert stage.ask("GET", "/kie/api/v1/chat/credit", "one").json()["data"] == 10_000
    assert turn(stage, namespace="two")["now"] == iso(START + 3_600_000)
    assert stage.ask("GET", "/kie/api/v1/chat/credit", "two").json()["code"] == 455
    told(stage, "POST", "/rules", 201, json={"play": "maintenance"})
    assert told(stage, "POST", "/reset") == {"reset": "all"}
    assert told(stage, "GET", "/tasks") == {"tasks": [], "total": 0}
    assert told(stage, "GET", "/rules") == {"rules": []}
    assert told(stage, "GET", "/exchanges") == {"exchanges": [], "total": 0, "dropped": 0}
    assert told(stage, "GET", "/clock") == {"clocks": []}


LABELS = ("provider", "operation", "status")


def test_figures_are_for_prometheus() -> None:
    stage = Stage("kie", frozen=True)
    stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", "/kie/nothing")
    stage.ask("GET", "/_files/../x/y/z")
    response = stage.ask("GET", CONTROL + "/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    found = {each.name: each for each in text_string_to_metric_families(response.text)}
    samples = {
        tuple(each.labels[name] for name in LABELS): each.value for each in found["understudy_exchanges"].samples
    }
    assert samples["kie", "createTask", "200"] == 1
    assert samples["kie", "", "404"] == 1
    assert {label[0] for label in samples} <= {"kie", ""}
    assert [found[f"understudy_{each}"].samples[0].value for each in ("tasks", "namespaces", "journal_dropped")] == [
        1,
        1,
        0,
    ]
    stage.ask("POST", CONTROL + "/reset")
    again = {each.name: each for each in text_string_to_metric_families(stage.ask("GET", CONTROL + "/metrics").text)}
    assert sum(each.value for each in again["understudy_exchanges"].samples) == sum(samples.values())


# --- to whom it is open -------------------------------------------------------------------------------------

PRIVATE = [(method, path) for method, path, _ in ROUTES if path not in {"/health", "/inbox/{name}"} or method != "POST"]
PRIVATE = [each for each in PRIVATE if each != ("GET", "/health")]


def asked_from(stage: Stage, method: str, path: str, **headers: str) -> int:
    """Return the status of a request with these headers."""
    url = CONTROL + path.replace("{id}", "x").replace("{name}", "x")
    return stage.ask(method, url, headers=headers).status_code


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_a_request_from_elsewhere_is_refused_on_every_route(method: str, path: str) -> None:
    stage = Stage("kie")
    assert asked_from(stage, method, path, host="evil.example") == 403
    assert asked_from(stage, method, path, origin="https://evil.example") == 403
    off, locked = Stage("kie", control=False), Stage("kie", control_token="s3cret")
    assert asked_from(off, method, path) == 403
    assert asked_from(locked, method, path) == 403
    assert asked_from(locked, method, path, **{"X-Understudy-Token": "s3cre"}) == 403
    assert asked_from(locked, method, path, **{"X-Understudy-Token": "s3cret", "host": "ci.example"}) != 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:4020", "localhost", "LOCALHOST:1", "[::1]", "[::1]:4020", "127.9.8.7"]
)
def test_this_machine_may_ask_whatever_it_calls_itself(host: str) -> None:
    assert asked_from(Stage("kie"), "GET", "/tasks", host=host, origin=f"http://{host}") == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[::1",
             "192.168.0.1", "0.0.0.0", "[::ffff:192.168.0.1]", "127.0.0.1:x@evil.example"]
)  # fmt: skip
def test_another_machine_may_not_whatever_it_calls_itself(host: str) -> None:
    assert asked_from(Stage("kie"), "GET", "/tasks", host=host) == 403


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://localhost.evil.example", "file://", "[", "x"]
)
def test_a_foreign_page_may_not_ask(origin: str) -> None:
    assert asked_from(Stage("kie"), "POST", "/reset", origin=origin) == 403


def test_whether_it_is_well_is_told_to_everyone_and_nothing_else() -> None:
    for stage in (Stage("kie", control=False), Stage("kie", control_token="x")):
        response = stage.ask("GET", CONTROL + "/health", headers={"host": "evil.example"})
        assert response.json()["status"] == "ok"
        assert "x" not in response.json().values()


def test_the_token_is_in_no_answer_and_in_no_journal() -> None:
    stage = Stage("kie", control_token="s3cret-token-1234")
    header = {"X-Understudy-Token": "s3cret-token-1234"}
    stage.ask("GET", "/kie/api/v1/chat/credit", headers=header)
    seen = [
        stage.ask("GET", f"{CONTROL}/{each}", headers=header).text
        for each in ("exchanges", "exchanges.har", "openapi.json")
    ]
    assert "s3cret-token-1234" not in "".join(seen)
    assert "s3cret" not in repr(stage.settings)


# --- many at once -------------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_two_hundred_namespaces_with_scenarios_and_clocks_of_their_own_never_see_each_other() -> None:
    plays = ["success", "fail; code=501", "server-error", "stuck", "success; progress=instant"]
    wanted = ["success", "fail", None, "generating", "success"]

    async def live(client: httpx.AsyncClient, number: int) -> tuple[Any, str, int, int]:
        key, kind = f"parallel-{number}", number % len(plays)
        mine = {"namespace": key}
        name, _, given = plays[kind].partition("; ")
        parameters = dict([given.split("=")]) if given else {}
        await client.post(f"{CONTROL}/clock", params=mine, json={"freeze": True, "set": iso(START + 10**11 + number)})
        await client.post(f"{CONTROL}/rules", params=mine, json={"play": name, "with": parameters, "times": 1})
        sent = {"headers": {"Authorization": f"Bearer {key}"}}
        created = (await client.post("/kie/api/v1/jobs/createTask", json=SIMPLE["kie"], **sent)).json()  # type: ignore[arg-type]
        await client.post(f"{CONTROL}/clock", params=mine, json={"advance": 60_000 * (number + 1)})
        state = None
        if created["code"] == 200:
            task = created["data"]["taskId"]
            state = (await client.get(f"/kie/api/v1/jobs/recordInfo?taskId={task}", **sent)).json()["data"]["state"]  # type: ignore[arg-type]
        clock = (await client.get(f"{CONTROL}/clock", params=mine)).json()["clocks"][0]["now"]
        exchanges = (await client.get(f"{CONTROL}/exchanges", params=mine)).json()["total"]
        tasks = (await client.get(f"{CONTROL}/tasks", params=mine)).json()["total"]
        return state, clock, exchanges, tasks

    async def all_of_them(url: str) -> list[Any]:
        async with crowd(url) as client:
            return await asyncio.gather(*(live(client, number) for number in range(200)))  # type: ignore[no-any-return]

    with MockServer(["kie"], Settings(start=START)) as server:
        found = asyncio.run(all_of_them(server.url))
    for number, (state, clock, exchanges, tasks) in enumerate(found):
        expected = wanted[number % len(plays)]
        assert state == expected
        assert parse_time(clock) == START + 10**11 + number + 60_000 * (number + 1)
        assert (exchanges, tasks) == ((2, 1) if expected else (1, 0))


def test_the_judge_of_answers_sees_what_is_wrong() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/_understudy/health")
    judge(httpx.Response(200, json={"status": "ok", "version": "1"}, request=request))
    with pytest.raises(AssertionError, match="status"):
        judge(httpx.Response(200, json={"status": "ill", "version": "1"}, request=request))
    with pytest.raises(AssertionError, match="not documented"):
        judge(httpx.Response(500, text="", request=request))
