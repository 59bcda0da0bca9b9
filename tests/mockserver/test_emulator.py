"""Keys, rates, namespaces, paths and options: what every request meets before anything is done about it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from understudy.mockserver.app import App
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.settings import Settings

from .stage import NAMES, SIMPLE, START, Stage, creators, provider_of, refused_with

UNAUTHORISED = {
    "kie": 401,
    "apikley": 401,
    "crun": 401,
    "mulerouter": 1001,
    "acme": "https://acme.example/problems/no-key",
}


# --- keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("key", ["x", "ak_0123456789abcdef0123456789abcdef", "not invalid", "a b", "clé"])
def test_any_key_is_accepted(provider: str, key: str) -> None:
    stage = Stage(provider)
    headers = {name: value.encode("latin-1") for name, value in stage.key_header(f"/{provider}/", key).items()}
    response = stage.create(provider, SIMPLE[provider], key=None, headers=headers)
    assert response.is_success
    assert "success" in response.text or response.status_code in {201, 202}


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("key", ["invalid", "invalid-key", "invalid_0123456789"])
def test_a_key_that_begins_with_invalid_is_refused(provider: str, key: str) -> None:
    assert (
        refused_with(provider, Stage(provider).create(provider, SIMPLE[provider], key=key))[0] == UNAUTHORISED[provider]
    )


@pytest.mark.parametrize(
    ("provider", "key"), [("crun", "ak_invalid"), ("crun", "ak_invalid0123"), ("acme", "acme-invalid")]
)
def test_a_key_that_begins_with_the_prefix_and_invalid_is_refused(provider: str, key: str) -> None:
    assert (
        refused_with(provider, Stage(provider).create(provider, SIMPLE[provider], key=key))[0] == UNAUTHORISED[provider]
    )


@pytest.mark.parametrize(("provider", "key"), [("crun", "acme-invalid"), ("kie", "ak_invalid"), ("kie", "Invalid")])
def test_another_providers_prefix_makes_no_key_invalid(provider: str, key: str) -> None:
    stage = Stage(provider)
    assert stage.created(provider, SIMPLE[provider], key=key)


@pytest.mark.parametrize("provider", NAMES)
def test_without_a_key_every_operation_that_needs_one_is_refused(provider: str) -> None:
    stage = Stage(provider)
    operations = stage.emulator.providers[provider].operations.values()
    for operation in operations:
        response = stage.ask(operation.behaviour.key.method, f"/{provider}{operation.behaviour.key.path}", None)
        refused = refused_with(provider, response)[0] == UNAUTHORISED[provider]
        assert refused or operation.name == "putFile", operation


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic dGVzdA==", "test", "Bearertest"])
def test_a_malformed_bearer_header_is_no_key(value: str) -> None:
    stage = Stage("kie")
    response = stage.create("kie", SIMPLE["kie"], key=None, headers={"Authorization": value})
    assert refused_with("kie", response) == (401, "The API key is missing or not valid")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    response = Stage("kie").create("kie", SIMPLE["kie"], key=None, headers={"authorization": f"{scheme} test"})
    assert response.json()["code"] == 200


@pytest.mark.parametrize(
    ("key", "code"), [("one", 200), ("two", 200), ("three", 401), ("", 401), ("on", 401), ("onee", 401)]
)
def test_with_keys_only_those_are_accepted(key: str, code: int) -> None:
    stage = Stage("kie", keys=frozenset({"one", "two"}))
    assert stage.create("kie", SIMPLE["kie"], key=key).json()["code"] == code


def test_keys_may_begin_with_invalid_where_they_are_given() -> None:
    stage = Stage("kie", keys=frozenset({"invalid-but-wanted"}))
    assert stage.create("kie", SIMPLE["kie"], key="invalid-but-wanted").json()["code"] == 200


def test_a_named_namespace_needs_a_key_all_the_same() -> None:
    stage = Stage("kie", keys=frozenset({"one"}))
    path = "/~worker/kie/api/v1/chat/credit"
    assert stage.ask("GET", path, "worker").json()["code"] == 401
    assert stage.ask("GET", path, "one").json()["code"] == 200


# --- rates --------------------------------------------------------------------------------------------------


def test_the_twenty_first_creation_in_ten_seconds_is_refused_with_the_documented_429() -> None:
    stage = Stage("kie")
    for _ in range(20):
        assert stage.create("kie", SIMPLE["kie"]).json()["code"] == 200
        stage.wait(0.1)
    refused = stage.create("kie", SIMPLE["kie"])
    assert refused.json() == {"code": 429, "msg": "Too many requests, please slow down", "data": None}
    assert refused.headers["retry-after"] == "8"
    stage.wait(8)
    assert stage.create("kie", SIMPLE["kie"]).json()["code"] == 200
    assert stage.create("kie", SIMPLE["kie"]).json()["code"] == 429


def test_queries_have_a_rate_of_their_own_and_other_keys_are_not_counted() -> None:
    stage = Stage("kie")
    task = stage.created("kie", SIMPLE["kie"])
    codes = [stage.poll("kie", task).json()["code"] for _ in range(11)]
    assert codes == [200] * 10 + [429]
    assert stage.create("kie", SIMPLE["kie"]).json()["code"] == 200
    assert stage.poll("kie", task, key="other").json()["code"] == 422
    stage.wait(1)
    assert stage.poll("kie", task).json()["code"] == 200


@pytest.mark.parametrize(("speed", "seconds"), [(1, 10), (3, 4), (0.5, 20), (1000, 1)])
def test_retry_after_is_in_real_seconds(speed: float, seconds: int) -> None:
    stage = Stage("kie", speed=speed)
    for _ in range(20):
        stage.create("kie", SIMPLE["kie"])
    assert stage.create("kie", SIMPLE["kie"]).headers["retry-after"] == str(seconds)
    stage.wait(seconds)
    assert stage.create("kie", SIMPLE["kie"]).json()["code"] == 200


def test_without_limits_no_rate_is_refused() -> None:
    stage = Stage("kie", limits=False)
    assert {stage.create("kie", SIMPLE["kie"]).json()["code"] for _ in range(50)} == {200}


def test_a_provider_that_answers_over_http_refuses_a_rate_with_http_429() -> None:
    stage = Stage("acme")
    for _ in range(30):
        assert stage.create("acme", SIMPLE["acme"]).status_code == 201
    refused = stage.create("acme", SIMPLE["acme"])
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert refused.json()["detail"] == "more than 30 calls in 60 s"


# --- namespaces ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", NAMES)
def test_a_task_of_another_key_is_not_found(provider: str) -> None:
    stage = Stage(provider)
    task = stage.created(provider, SIMPLE[provider])
    stage.wait(1)
    unknown = stage.poll(provider, task, key="other")
    another = task[:-1] + ("0" if task[-1] != "0" else "1")
    assert unknown.text.replace(task, another) == stage.poll(provider, another).text


@pytest.mark.parametrize("provider", NAMES)
def test_a_named_namespace_is_the_same_as_a_key_of_that_name(provider: str) -> None:
    stage = Stage(provider)
    path = creators(stage, provider)[0].behaviour.key.path
    stage.ask("POST", f"/~worker/{provider}{path}", "fixed", json=SIMPLE[provider])
    accounts = {each.id: each.account(provider) for each in stage.emulator.namespaces}
    (account,) = (each for each in accounts.values() if each.tasks)
    assert stage.poll(provider, next(iter(account.tasks)), key="worker").is_success
    assert account is stage.emulator.namespaces.of_key("worker").account(provider)


@pytest.mark.untraced
def test_a_namespace_forgotten_for_others_says_so_by_its_id_and_never_by_its_key() -> None:
    stage = Stage("kie", limits=False)
    gone = stage.emulator.namespaces.of_key("a-very-secret-key").id
    for number in range(1000):
        stage.ask("GET", "/kie/api/v1/chat/credit", f"key-{number}")
    (said,) = stage.said
    assert said.startswith(f"namespace {gone} (key a-ve…) was idle longest and is gone")
    assert len(list(stage.emulator.namespaces)) == 1000


# --- paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("errors=http",), ("unknown-id=404",)])
@pytest.mark.parametrize("provider", ["kie", "apikley", "crun"])
def test_an_unknown_path_is_http_404_whatever_the_options(provider: str, options: tuple[str, ...]) -> None:
    response = Stage(provider, options=options).ask("GET", f"/{provider}/api/v1/nothing")
    assert response.status_code == response.json()["code"] == 404


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("key", [None, "test", "invalid"])
def test_a_wrong_method_is_http_405_and_tells_the_right_one_whoever_asks(provider: str, key: str | None) -> None:
    stage = Stage(provider)
    for operation in stage.emulator.providers[provider].operations.values():
        response = stage.ask("PATCH", f"/{provider}{operation.behaviour.key.path}", key)
        assert response.status_code == 405
        assert operation.behaviour.key.method in response.headers["allow"].split(", ")
        assert (
            f"method is {response.headers['allow'].split(', ')[0]}" in response.text or "," in response.headers["allow"]
        )


@pytest.mark.parametrize(
    ("method", "path", "why"),
    [
        ("POST", "/api/v1/job/createTask", "path has 'jobs' as part 3, not 'job'"),
        ("GET", "/api/v1/jobs/recordInfo/", "path has 4 parts, not 5"),
        ("GET", "/api/v1/jobs//recordInfo", "path has 'recordInfo' as part 4, not ''"),
        ("DELETE", "/api/v1/jobs/recordInfo", "method is GET, not DELETE"),
        ("POST", "/api/v1/jobs", "path has 4 parts, not 3"),
        ("GET", "/", "path has 'api' as part 1, not ''"),
    ],
)
def test_the_nearest_operation_and_the_difference_are_named(method: str, path: str, why: str) -> None:
    message = refused_with("kie", Stage("kie").ask(method, f"/kie{path}"))[1]
    assert message.startswith(f"{method} {path} is no operation; the nearest is ")
    assert message.endswith(why)


def test_a_wrong_method_on_a_path_with_parameters_names_that_path() -> None:
    url = "/mulerouter/vendors/google/v1/nano-banana-pro/edit/00000000-0000-4000-8000-000000000000"
    message = refused_with("mulerouter", Stage("mulerouter").ask("DELETE", url))[1]
    assert (
        "nearest is GET /vendors/google/v1/nano-banana-pro/edit/{task_id}, whose method is GET, not DELETE" in message
    )


@pytest.mark.parametrize("path", ["/", "/nothing", "/kei/api/v1/chat/credit", "/~worker", "/~worker/", "/~", "/~/x"])
def test_a_path_that_names_no_provider_says_which_are_served(path: str) -> None:
    response = Stage("kie", "crun").ask("GET", path)
    assert response.status_code == 404
    assert "served here: /kie, /crun" in response.json()["error"]


def test_a_provider_mistyped_is_guessed() -> None:
    assert "(did you mean 'kie'?)" in Stage("kie", "crun").ask("GET", "/kei/api").json()["error"]


@pytest.mark.parametrize("path", ["/kie/api/v1/chat/credit", "/api/v1/chat/credit", "/~worker/api/v1/chat/credit"])
def test_the_provider_at_the_root_is_reached_with_and_without_its_name(path: str) -> None:
    assert Stage("crun", "kie", root="kie").ask("GET", path).json()["data"] == 10_000


def test_another_provider_than_that_at_the_root_is_still_reached_by_its_name() -> None:
    answer = Stage("crun", "kie", root="kie").ask("GET", "/crun/api/v1/client/account/balance", "ak_x")
    assert answer.json()["data"] == {"balance": 10_000}


@pytest.mark.parametrize(
    "escaped", ["/%6bie/api/v1/chat/credit", "/kie/api/v1/ch%61t/credit", "/%7Eworker/kie/api/v1/chat/credit"]
)
def test_percent_encoded_paths_mean_what_they_encode(escaped: str) -> None:
    assert Stage("kie").ask("GET", escaped).json()["code"] == 200


@pytest.mark.parametrize(
    "path", ["/kie/%00", "/kie/%FF%FE", "/kie/\u2603", "/kie/" + "a" * 20_000, "/kie/%0d%0aX: 1", "/kie/...", "/kie?x"]
)
def test_an_odd_path_is_not_found(path: str) -> None:
    response = Stage("kie").ask("GET", path)
    assert response.status_code == response.json()["code"] == 404
    assert len(response.content) < 1000


def test_a_slash_that_belongs_to_a_model_may_be_escaped_or_not() -> None:
    stage = Stage("crun")
    answers = [
        stage.ask("GET", f"/crun/api/v1/client/job/Models/google{slash}nano-banana").json() for slash in ("/", "%2F")
    ]
    assert answers[0] == answers[1]
    assert answers[0]["data"]["model"] == "google/nano-banana"


@pytest.mark.parametrize("url", ["/kie/api/v1/chat/credit", "/kie/nothing", "/kie/api/v1/jobs/createTask"])
def test_an_answer_to_head_has_no_body(url: str) -> None:
    response = Stage("kie").ask("HEAD", url)
    assert response.status_code in {404, 405}
    assert response.content == b""


# --- the effective document ---------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/~worker"])
@pytest.mark.parametrize("provider", NAMES)
def test_the_effective_document_names_the_server_it_was_asked_of(provider: str, prefix: str) -> None:
    stage = Stage(public_url="https://tunnel.example")
    document = stage.ask("GET", f"{prefix}/{provider}/openapi.json", None).json()
    assert document["servers"] == [{"url": f"https://tunnel.example{prefix}/{provider}"}]
    assert set(document["paths"]) == {
        each.behaviour.key.path for each in stage.emulator.providers[provider].operations.values()
    }


def test_the_document_of_the_provider_at_the_root_is_there_too() -> None:
    document = Stage("kie", root="kie").ask("GET", "/openapi.json", None).json()
    assert document["servers"] == [{"url": "http://127.0.0.1:4020"}]


# --- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["kie", "apikley", "crun"])
@pytest.mark.parametrize(("options", "status", "code"), [((), 200, 422), (("errors=http",), 422, 422),
    (("unknown-id=404",), 200, 404), (("errors=http", "unknown-id=404"), 404, 404)])  # fmt: skip
def test_an_unknown_id_is_answered_as_the_options_say(
    provider: str, options: tuple[str, ...], status: int, code: int
) -> None:
    stage = Stage(provider, options=options)
    for unknown in ("task_0", "00000000-0000-4000-8000-000000000000", "%00", "a b", "../x", "é"):
        response = stage.poll(provider, unknown)
        assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("unknown", ["00000000-0000-4000-8000-000000000000", "nonsense", "%00", "a b", "é"])
def test_an_unknown_or_malformed_id_in_a_path_is_http_404(unknown: str) -> None:
    stage = Stage("mulerouter", "acme")
    assert stage.poll("mulerouter", unknown).status_code == 404
    assert stage.poll("acme", unknown).json()["type"].endswith("/no-such-picture")


@pytest.mark.parametrize("provider", ["kie", "apikley", "crun"])
def test_with_errors_over_http_the_status_follows_the_code(provider: str) -> None:
    stage = Stage(provider, options=("errors=http",), credits=0)
    assert stage.create(provider, SIMPLE[provider], key=None).status_code == 401
    assert stage.create(provider, {}).status_code == 422
    assert stage.create(provider, SIMPLE[provider]).status_code == 402


def test_the_words_of_the_guide_go_through_answers_and_document() -> None:
    stage = Stage("mulerouter", options=("statuses=guide",), frozen=True)
    created = stage.create("mulerouter", SIMPLE["mulerouter"]).json()["task_info"]
    assert created["status"] == "queued"
    document = stage.ask("GET", "/mulerouter/openapi.json").text
    assert '"succeeded"' in document
    assert '"completed"' not in document


def test_every_option_of_the_issue_is_there() -> None:
    options = {
        f"{name}.{option}": list(each.values)
        for name in NAMES
        for option, each in provider_of(name).behaviour.options.items()
    }
    wanted = {
        "apikley.errors": ["body", "http"], "apikley.unknown-id": ["422", "404"],
        "crun.errors": ["body", "http"], "crun.unknown-id": ["422", "404"],
        "kie.errors": ["body", "http"], "kie.unknown-id": ["422", "404"], "kie.media": ["14d", "24h"],
        "mulerouter.statuses": ["endpoints", "guide"],
    }  # fmt: skip
    assert options | wanted == options


# --- determinism --------------------------------------------------------------------------------------------


def script(stage: Stage) -> list[tuple[int, Any, bytes]]:
    """Play the same requests to every provider; return all that came back."""
    played: list[httpx.Response] = []
    for provider in NAMES:
        played.append(stage.create(provider, SIMPLE[provider]))
        played.append(stage.create(provider, {"model": "nonsense"}))
        task = stage.created(provider, SIMPLE[provider], key="other")
        played.append(stage.poll(provider, task, key="other"))
        played.append(stage.poll(provider, "nonsense"))
        played.append(stage.ask("GET", f"/{provider}/openapi.json"))
        played.append(stage.ask("PATCH", f"/{provider}/nothing"))
    return [(each.status_code, each.headers.raw, each.content) for each in played]


def test_the_same_seed_clock_and_requests_give_the_same_bytes() -> None:
    first, second = (Stage(seed=5, start=START, frozen=True) for _ in range(2))
    second.time += 999_999
    second.emulator.namespaces.of_key("somebody else entirely")
    assert script(first) == script(second)


def test_another_seed_gives_other_ids() -> None:
    ids = {
        seed: [Stage(seed=seed, frozen=True).created(name, SIMPLE[name]) for name in ("crun", "mulerouter", "acme")]
        for seed in (1, 2)
    }
    assert not set(ids[1]) & set(ids[2])


# --- the rest -----------------------------------------------------------------------------------------------


def test_links_begin_with_the_public_url() -> None:
    stage = Stage(public_url="https://tunnel.example", instant=True)
    for provider in NAMES:
        task = stage.created(provider, SIMPLE[provider])
        assert stage.facts(provider, task)["outputs"][0].startswith("https://tunnel.example/_files/")


def test_an_answer_is_refused_in_the_words_of_the_operation_that_was_meant() -> None:
    stage = Stage("apikley")
    assert set(stage.create("apikley", {}).json()) == {"code", "msg", "data"}
    assert set(stage.poll("apikley", "unknown").json()) == {"code", "message", "data"}


def test_a_provider_without_an_error_for_a_condition_tells_it_as_the_wider_one() -> None:
    provider = provider_of("acme")
    emulator = Emulator([provider], Settings())
    operation = emulator.providers["acme"].operations["createPictures"]
    told = {
        condition: operation.error(condition).name
        for condition in ("key-refused", "id-malformed", "file-unknown", "model-unknown")
    }
    assert told == {
        "key-refused": "no-key",
        "id-malformed": "no-such-picture",
        "file-unknown": "no-such-picture",
        "model-unknown": "invalid",
    }
    assert App(emulator).emulator is emulator


def test_what_a_path_leads_to_is_remembered_within_bounds() -> None:
    stage = Stage("kie")
    names = [*map(str, range(600)), "x" * 5_000]
    assert {stage.ask("GET", f"/~{name}/kie/api/v1/chat/credit").status_code for name in names} == {200}
    kept = vars(stage.emulator)["_places"]
    assert 0 < len(kept) <= 256
    assert max(map(len, kept)) < 1_000
