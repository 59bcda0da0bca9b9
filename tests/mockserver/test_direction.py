"""Which scenario a request is answered with: the channels, their order, and what is said of mistakes in each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from understudy.mockserver.scenario import ScenarioError

from .stage import NAMES, SIMPLE, Stage, creators, provider_of, refused_with


def kie(prompt: str = "a lighthouse", **more: Any) -> dict[str, Any]:
    """Return a creation's body."""
    return {"model": "nano-banana-pro", "input": {"prompt": prompt}, **more}


def played(response: httpx.Response) -> int:
    """Return the code in the body of kie's answer: 200, or a refusal's."""
    return int(response.json()["code"])


def asked(stage: Stage, scenario: str, **more: Any) -> httpx.Response:
    """Create with `scenario` in the header."""
    return stage.create("kie", kie(), headers={"Understudy-Scenario": scenario}, **more)


def rule(stage: Stage, play: str, **more: Any) -> httpx.Response:
    """Add a rule for the key of the tests."""
    return stage.ask("POST", "/_understudy/rules?namespace=test", json={"play": play, **more})


def test_the_first_channel_that_says_anything_decides() -> None:
    stage = Stage("kie", scenario="server-error", limits=False)
    prefer, token = {"Prefer": "code=455"}, "[understudy unauthorized]"
    header = {"Understudy-Scenario": "rate-limited"}
    assert played(stage.create("kie", kie())) == 500
    rule(stage, "feature-disabled")
    assert played(stage.create("kie", kie())) == 505
    assert played(stage.create("kie", kie(token))) == 401
    assert played(stage.create("kie", kie(token), headers=prefer)) == 455
    assert played(stage.create("kie", kie(token), headers=prefer | header)) == 429
    stage.ask("DELETE", "/_understudy/rules?namespace=test")
    assert played(stage.create("kie", kie())) == 500


def test_rules_of_the_key_go_before_those_of_all() -> None:
    stage = Stage("kie", limits=False)
    stage.ask("POST", "/_understudy/rules", json={"play": "maintenance"})
    rule(stage, "feature-disabled", times=1)
    assert [played(stage.create("kie", kie())) for _ in range(2)] == [505, 455]
    assert played(stage.create("kie", kie(), key="other")) == 455


def test_what_a_creation_laid_up_for_its_polls_goes_before_a_rule_and_after_a_header() -> None:
    stage = Stage("kie", frozen=True, limits=False)
    task = asked(stage, "server-error; on=poll; times=2").json()["data"]["taskId"]
    rule(stage, "maintenance", when={"operation": "recordInfo"})
    assert played(stage.ask("GET", f"/kie/api/v1/jobs/recordInfo?taskId={task}", headers={"Prefer": "code=429"})) == 429
    assert [played(stage.poll("kie", task)) for _ in range(3)] == [500, 500, 455]


def test_a_header_on_any_operation_is_meant_for_it() -> None:
    stage = Stage("kie")
    header = {"Understudy-Scenario": "server-error"}
    assert played(stage.ask("GET", "/kie/api/v1/chat/credit", headers=header)) == 500
    assert (
        stage.ask("GET", "/kie/api/v1/chat/credit", headers={"Understudy-Scenario": "type-changed"}).json()["data"]
        == "10000"
    )
    fail = {"Understudy-Scenario": "fail"}
    assert played(stage.ask("GET", "/kie/api/v1/chat/credit", headers=fail)) == 200


def test_a_header_that_asks_for_other_requests_leaves_this_one_alone() -> None:
    stage = Stage("kie")
    header = {"Understudy-Scenario": "server-error; on=create"}
    assert played(stage.ask("GET", "/kie/api/v1/chat/credit", headers=header)) == 200


def test_several_scenarios_are_played_together() -> None:
    stage = Stage("kie", frozen=True)
    response = asked(stage, "fail; code=501; after=0s, extra-field, server-error; on=poll")
    task = response.json()["data"]["taskId"]
    assert played(stage.poll("kie", task)) == 500
    body = stage.poll("kie", task).json()
    assert (body["data"]["failCode"], body["understudyExtra"]["since"]) == ("501", "tomorrow")


@pytest.mark.parametrize("pair", ["fail, success", "delay, html-502", "server-error, maintenance"])
def test_scenarios_that_contradict_each_other_are_refused(pair: str) -> None:
    stage = Stage("kie")
    response = asked(stage, pair)
    assert response.status_code == 400
    first, second = pair.split(", ")
    assert f"{first} and {second} can't both happen" in response.json()["error"]


def test_times_that_are_written_out_bound_a_header_that_is_always_sent() -> None:
    stage = Stage("kie", limits=False)
    assert [played(asked(stage, "server-error; times=2")) for _ in range(4)] == [500, 500, 200, 200]
    assert [played(asked(stage, "server-error")) for _ in range(3)] == [500] * 3
    token = kie("x [understudy html-502 times=1]")
    assert [stage.create("kie", token).status_code for _ in range(2)] == [502, 200]
    assert stage.create("kie", token, key="other").status_code == 502


def test_prefer_plays_the_entry_with_that_code_or_that_status() -> None:
    stage = Stage("kie", "mulerouter", "acme", limits=False)
    assert played(stage.create("kie", kie(), headers={"Prefer": "respond-async, code=429"})) == 429
    assert stage.create("acme", SIMPLE["acme"], headers={"Prefer": "code=429"}).status_code == 429
    for code in ("1029", "429"):
        response = stage.create("mulerouter", SIMPLE["mulerouter"], headers={"Prefer": f"code={code}"})
        assert (response.status_code, refused_with("mulerouter", response)[0]) == (429, 1029)
    response = stage.create("mulerouter", SIMPLE["mulerouter"], headers={"Prefer": "code=2001"})
    assert refused_with("mulerouter", response)[0] == 2001


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10", "code=200", "dynamic=true, example=cat", ""])
def test_other_preferences_are_ignored(prefer: str) -> None:
    assert played(Stage("kie").create("kie", kie(), headers={"Prefer": prefer})) == 200


# --- mistakes -----------------------------------------------------------------------------------------------

MISTAKES = [
    ("fial", "no scenario 'fial' (did you mean 'fail'?); known: success, slow"),
    ("fail; cod=1", "fail takes no 'cod' (did you mean 'code'?); it takes code, message"),
    ("success; wating=2s", "takes no 'wating' (did you mean 'waiting'?)"),
    ("poll-error; code=499", "no error has code '499'"),
    ("reset; on=creat", "'creat' (did you mean 'create'?) is none of create, poll, result, callback"),
]


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_a_mistake_in_the_header_is_told_and_nothing_is_created(given: str, message: str) -> None:
    stage = Stage("kie")
    response = asked(stage, given)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert stage.ask("GET", "/_understudy/tasks").json()["total"] == 0


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_a_mistake_in_the_prompt_is_told_and_nothing_is_created(given: str, message: str) -> None:
    stage = Stage("kie")
    response = stage.create("kie", kie(f"x [understudy {given.replace(';', '')}] y"))
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert stage.ask("GET", "/_understudy/tasks").json()["total"] == 0


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_a_mistake_in_a_rule_is_told_and_no_rule_is_made(given: str, message: str) -> None:
    stage = Stage("kie")
    name, _, parameters = given.partition("; ")
    data = {"play": name, "with": dict([parameters.split("=")]) if parameters else {}}
    response = stage.ask("POST", "/_understudy/rules", json=data)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert stage.ask("GET", "/_understudy/rules").json() == {"rules": []}


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_a_mistake_in_the_default_is_told_at_the_start(given: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Stage("kie", scenario=given)
    assert message in str(caught.value)


def test_a_mistake_in_prefer_is_told() -> None:
    response = Stage("kie").create("kie", kie(), headers={"Prefer": "code=430"})
    assert response.status_code == 400
    assert "Prefer, code: no error has code '430' (did you mean '" in response.json()["error"]


def test_a_mistake_in_the_header_of_a_poll_and_of_a_download_is_told() -> None:
    stage = Stage("kie", instant=True)
    task = stage.created("kie", kie())
    header = {"Understudy-Scenario": "rset"}
    url = stage.facts("kie", task)["outputs"][0]
    for asked_for in (f"/kie/api/v1/jobs/recordInfo?taskId={task}", url):
        response = stage.ask("GET", asked_for, headers=header)
        assert response.status_code == 400
        assert "(did you mean 'reset'?)" in response.json()["error"]


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("name", ["reset", "empty-reply", "truncated-body", "garbage", "dribble", "hang"])
def test_an_application_in_process_refuses_what_needs_a_connection(provider: str, name: str) -> None:
    stage = Stage(provider, limits=False)
    for given in (name, f"{name}; on=poll", f"{name}; on=result"):
        response = stage.create(provider, SIMPLE[provider], headers={"Understudy-Scenario": given})
        assert response.status_code == 400
        assert f"{name} needs a real connection" in response.json()["error"]
    assert stage.ask("GET", "/_understudy/tasks").json()["total"] == 0


def test_what_cannot_be_expressed_by_one_request_is_refused_whatever_else_is_asked() -> None:
    stage = Stage("acme")
    response = stage.create("acme", SIMPLE["acme"], headers={"Understudy-Scenario": "partial, html-502; accepted=true"})
    assert response.status_code == 400
    assert "1 of 1 results are not fewer" in response.json()["error"]


def test_a_key_is_asked_for_before_anything_is_played() -> None:
    assert played(Stage("kie").create("kie", kie(), key=None, headers={"Understudy-Scenario": "maintenance"})) == 401


def test_what_is_refused_anyway_is_spoiled_all_the_same() -> None:
    stage = Stage("kie")
    response = stage.create(
        "kie", {"model": "nano-banana-pro"}, headers={"Understudy-Scenario": "html-502; accepted=true"}
    )
    assert response.status_code == 502


def test_a_default_is_for_creations_only() -> None:
    stage = Stage("kie", scenario="server-error; on=poll", frozen=True)
    task = stage.created("kie", kie())
    assert [played(stage.poll("kie", task)) for _ in range(2)] == [500, 200]
    assert played(stage.ask("GET", "/kie/api/v1/chat/credit")) == 200


def test_operations_without_a_body_can_be_varied_as_well() -> None:
    stage = Stage("crun", frozen=True)
    header = {"Understudy-Scenario": "extra-field"}
    link = stage.ask("GET", "/crun/api/v1/client/files/upload-url?content_type=image/png&ext=png").json()["data"]
    path = link["presigned_url"].removeprefix("http://127.0.0.1:4020")
    response = stage.ask("PUT", path, content=b"x", headers=header | {"content-type": "image/png"})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "body",
    [b'{"input":{"prompt":"[understudy fail', b'["[understudy fail]"]', b'{"input":{"prompt":["[understudy fail]"]}}'],
)
def test_a_token_in_what_is_no_prompt_is_none(body: bytes) -> None:
    response = Stage("kie").create("kie", None, content=body, headers={"content-type": "application/json"})
    assert response.json()["code"] in {400, 422}


def test_a_poll_of_nothing_is_refused_as_ever() -> None:
    stage = Stage("kie")
    assert stage.ask("GET", "/kie/api/v1/jobs/recordInfo").json()["code"] == 400


def test_every_creation_reads_a_token_from_its_prompt() -> None:
    for provider in NAMES:
        stage = Stage(provider, limits=False)
        for creator in creators(stage, provider):
            prompt = "[understudy server-error]"
            holder = creator.behaviour.input.prompt[0].split("/")[1:]
            body = {
                **SIMPLE[provider],
                **({holder[0]: {holder[1]: prompt}} if len(holder) > 1 else {holder[0]: prompt}),
            }
            response = stage.create(provider, body, creator.name)
            errors = provider_of(provider).behaviour.errors
            if "server-error" in errors:
                assert refused_with(provider, response)[0] == errors["server-error"].code
            else:
                assert "no scenario 'server-error'" in response.json()["error"]
