"""The journal: bounded, masked at the door, with what was wrong in both directions and what followed."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.mockserver.answer import Answer
from understudy.mockserver.exchange import Exchange
from understudy.mockserver.headers import Headers
from understudy.mockserver.journal import Journal, header_text
from understudy.mockserver.request import Request
from understudy.openapi.provider import Provider
from understudy.openapi.times import iso

from .stage import ACME, NAMES, SIMPLE, START, Stage, asker_of, creators, provider_of

EXCHANGES = "/_understudy/exchanges"


def exchanges(stage: Stage, query: str = "") -> list[dict[str, Any]]:
    """Return what the journal shows."""
    response = stage.ask("GET", f"{EXCHANGES}?{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["exchanges"]
    return found


def exchange(size: int = 0, header: bytes = b"") -> Exchange:
    """Return an exchange of that many bytes."""
    made = Exchange(Request("GET", "/", b"", Headers([(b"x", header)]), b"x" * size))
    made.answer = Answer(200, (), b"")
    return made


def held(request: Request) -> list[Any]:
    """Return everything that `request` holds."""
    return [list(request.headers) if name == "headers" else getattr(request, name) for name in Request.__slots__]


def test_an_exchange_shows_what_was_asked_and_answered_with_both_times() -> None:
    stage = Stage("kie", frozen=True)
    stage.wait(7)
    stage.ask("POST", "/_understudy/clock?namespace=test", json={"advance": "1h"})
    task = stage.created("kie", SIMPLE["kie"])
    (shown,) = exchanges(stage)
    assert (shown["time"], shown["real_time"]) == (iso(START + 3_600_000), iso(START + 7000))
    assert (shown["provider"], shown["operation"], shown["task"]) == ("kie", "createTask", task)
    assert (shown["request"]["method"], shown["request"]["path"]) == ("POST", "/api/v1/jobs/createTask")
    assert '"a lighthouse"' in shown["request"]["body"]
    assert (shown["response"]["status"], task in shown["response"]["body"]) == (200, True)
    assert shown["findings"] == []


def test_what_followed_from_a_creation_hangs_off_it() -> None:
    stage = Stage("kie", frozen=True)
    response = stage.create(
        "kie", SIMPLE["kie"], headers={"Understudy-Scenario": "fail; waiting=1s; queuing=2s; generating=3s"}
    )
    task = response.json()["data"]["taskId"]
    assert [each["status"] for each in exchanges(stage)[0]["transitions"]] == ["waiting"]
    stage.ask("POST", "/_understudy/clock?namespace=test", json={"advance": "1h"})
    stage.poll("kie", task)
    created, polled = exchanges(stage)
    assert created["transitions"] == [
        {"status": "waiting", "time": iso(START)},
        {"status": "queuing", "time": iso(START + 1000)},
        {"status": "generating", "time": iso(START + 3000)},
        {"status": "fail", "time": iso(START + 6000)},
    ]
    assert "transitions" not in polled
    assert created["played"] == "fail; waiting=1s; queuing=2s; generating=3s"


def test_filters_choose_and_unknown_ones_are_refused() -> None:
    stage = Stage("kie", "acme", frozen=True)
    task = stage.created("kie", SIMPLE["kie"])
    stage.poll("kie", task)
    stage.created("acme", SIMPLE["acme"])
    stage.ask("GET", "/kie/nothing", "other")
    numbers = {
        "": [1, 2, 3, 4], "provider=acme": [3], "operation=recordInfo": [2], f"task={task}": [1, 2], "status=201": [3],
        "namespace=other": [4], "namespace=test&provider=kie": [1, 2], "limit=1": [4], "limit=2&namespace=test": [2, 3],
    }  # fmt: skip
    for query, wanted in numbers.items():
        assert [each["id"] for each in exchanges(stage, query)] == wanted, query
    mistakes = {
        "taks=1": "the query has no field 'taks' (did you mean 'task'?)",
        "provider=kei": "no provider 'kei' (did you mean 'kie'?)",
        "provider=kie&operation=recordInf": "no operation 'recordInf' (did you mean 'recordInfo'?)",
        "status=ok": "status is 'ok'; expected an HTTP status",
        "status=²": "status is",
        "limit=0": "limit is '0'",
        "limit=99999": "limit is '99999'; expected a number from 1 to 1000",
        "limit=²": "limit is",
    }
    for query, message in mistakes.items():
        response = stage.ask("GET", f"{EXCHANGES}?{query}")
        assert (response.status_code, message in response.json()["error"]) == (400, True), query


# --- bounds -------------------------------------------------------------------------------------------------


def test_of_too_many_exchanges_the_oldest_go_first_and_that_is_said_once() -> None:
    said: list[str] = []
    journal = Journal(said.append, max_exchanges=3)
    for _ in range(10):
        journal.add(exchange())
    assert ([each.number for each in journal], journal.dropped) == ([8, 9, 10], 7)
    assert said == ["the journal is full (3 exchanges or 67,108,864 bytes): the oldest exchanges go first"]
    assert sum(journal.counts.values()) == 10
    journal.forget()
    assert (list(journal), journal.dropped) == ([], 0)


@pytest.mark.parametrize("large", [exchange(size=5000), exchange(header=b"x" * 5000)], ids=["body", "headers"])
def test_of_too_many_bytes_the_oldest_go_first(large: Exchange) -> None:
    journal = Journal(print, max_bytes=8000)
    journal.add(large)
    journal.add(exchange())
    assert len(list(journal)) == 2
    journal.add(exchange(size=6000))
    assert [each.number for each in journal] == [3]


def test_nothing_that_was_parsed_stays_in_memory() -> None:
    stage = Stage("kie", frozen=True)
    stage.created("kie", SIMPLE["kie"])
    files = {"file": ("a.png", b"x" * 1000, "image/png")}
    stage.ask("POST", "/kie/api/file-stream-upload", files=files, data={"uploadPath": "x"})
    exchanges(stage)
    question = {"when": {"body": {"/uploadPath": "x"}}}
    assert stage.ask("POST", "/_understudy/verify", json=question).json()["matched"] == 1
    for each in stage.emulator.journal:
        assert each.request.form is None
        fresh = Request("GET", "/", b"", Headers(), b"")
        assert all(getattr(each.request, name) is getattr(fresh, name) for name in ("form", "_query", "_json"))


def test_the_journal_says_what_it_dropped() -> None:
    stage = Stage("kie", frozen=True, limits=False)
    stage.emulator.journal._max_exchanges = 5
    for _ in range(8):
        stage.created("kie", SIMPLE["kie"])
    answer = stage.ask("GET", EXCHANGES).json()
    assert (answer["total"], answer["dropped"], len(stage.said)) == (5, 3, 1)


# --- secrets ------------------------------------------------------------------------------------------------

SECRET = "sk-0123456789-abcdef-TOPSECRET"


def search(stage: Stage, secret: str) -> list[str]:
    """Return where `secret` is shown, of everything that the journal tells."""
    pages = ("exchanges", "exchanges.har", "report", "tasks", "clock", "metrics", "rules", "deliveries")
    texts = {page: stage.ask("GET", f"/_understudy/{page}").text for page in pages}
    texts["repr"] = repr([held(each.request) for each in stage.emulator.journal])
    texts["headers"] = repr([each.request.headers for each in stage.emulator.journal])
    return [page for page, text in texts.items() if secret in text]


@pytest.mark.parametrize("provider", NAMES)
def test_no_key_is_in_the_journal_wherever_it_was_sent(provider: str) -> None:
    stage = Stage(provider, limits=False)
    creator = creators(stage, provider)[0]
    path = f"/{provider}{creator.behaviour.key.path}"
    header, scheme = stage.emulator.providers[provider].key_place
    ways: list[dict[str, str]] = [
        {header: f"{scheme} {SECRET}".strip()},
        {header: f"{scheme} {SECRET} and more {SECRET}".strip()},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
        {"X-API-Key": SECRET},
        {"Cookie": f"session={SECRET}; other={SECRET}"},
        {"X-Goog-Api-Key": SECRET},
        {"X-Other-Token": SECRET},
        {"webhook-signature": f"v1,{SECRET} v1,{SECRET}"},
    ]
    for headers in ways:
        stage.ask("POST", path, None, json=SIMPLE[provider], headers=headers)
    stage.ask("GET", f"/{provider}/nothing?api_key={SECRET}&x=1&signature={SECRET}", None)
    task = stage.created(provider, SIMPLE[provider], key=SECRET)
    stage.poll(provider, task, key=SECRET)
    asker_of(stage, provider, creator.name)
    assert len(exchanges(stage)) == len(ways) + 3
    assert search(stage, SECRET) == []
    assert search(stage, "TOPSECRET") == []


def test_a_key_in_a_header_of_the_providers_own_is_masked_too() -> None:
    acme = provider_of("acme")
    own = Provider(ACME, acme._source, acme.behaviour, [], {})
    schemes = own.contract.components["securitySchemes"]
    next(iter(schemes.values()))["name"] = "Acme-Pass"
    stage = Stage(own)
    response = stage.ask("POST", "/acme/v2/pictures", None, json=SIMPLE["acme"], headers={"Acme-Pass": SECRET})
    assert response.status_code == 201
    assert search(stage, SECRET) == []
    assert exchanges(stage)[0]["request"]["headers"]["acme-pass"] == "sk-0…"


def test_a_masked_header_still_tells_its_beginning() -> None:
    stage = Stage("kie")
    stage.ask("GET", "/kie/api/v1/chat/credit?token=abcdefghijk", SECRET)
    request = exchanges(stage)[0]["request"]
    assert request["headers"]["authorization"] == "Bearer sk-0…"
    assert request["query"] == "token=abcd%E2%80%A6"
    assert header_text(b"caf\xe9") == "café"


# --- findings -----------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_request_and_with_an_answer_is_found() -> None:
    stage = Stage("crun", frozen=True)
    stage.create("crun", {"model": "google/nano-banana", "input": {"prompt": 5}})
    task = stage.created("crun", SIMPLE["crun"])
    url = f"/crun/api/v1/client/job/TaskInfo?task_id={task}"
    stage.ask("GET", url, headers={"Understudy-Scenario": "missing-field; path=data.task_id"})
    wrong, right, drifted = exchanges(stage)
    (finding,) = wrong["findings"]
    assert (finding["direction"], finding["condition"]) == ("request", "request-invalid")
    assert "input.prompt is 5" in finding["problem"]
    assert right["findings"] == []
    (finding,) = drifted["findings"]
    assert (finding["direction"], finding["pointer"], finding["problem"]) == ("response", "/data/task_id", "is missing")


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        ("html-502", "status 502 is not documented"),
        ("malformed-json", "the body is no JSON"),
        ("type-changed; path=code; on=create", ""),
    ],
)
def test_a_spoiled_answer_is_found(scenario: str, problem: str) -> None:
    stage = Stage("kie", frozen=True)
    stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": scenario})
    (shown,) = exchanges(stage)
    found = [each for each in shown["findings"] if each["direction"] == "response"]
    assert any(problem in each["problem"] for each in found), shown["findings"]
    assert shown["fault"] == (None if scenario.startswith("type") else scenario)


UNDOCUMENTED = {
    "kie": {"method-not-allowed"},
    "apikley": {"method-not-allowed"},
    "mulerouter": {"method-not-allowed", "bad-request"},
    "acme": {"wrong-method", "nothing-here", "no-such-picture", "too-late"},
}
"""Errors that no document tells of a creation: played all the same, they are found to be undocumented."""


@pytest.mark.parametrize("provider", NAMES)
def test_nothing_is_found_where_nothing_is_wrong(provider: str) -> None:
    stage = Stage(provider, limits=False)
    task = stage.created(provider, SIMPLE[provider])
    for _ in range(4):
        stage.poll(provider, task)
        stage.wait(15)
    for name in provider_of(provider).behaviour.errors:
        stage.create(provider, SIMPLE[provider], headers={"Understudy-Scenario": name})
    undocumented = {each["played"] for each in exchanges(stage) if each["findings"]}
    assert undocumented == UNDOCUMENTED.get(provider, set())


def test_what_was_for_no_operation_is_in_the_journal_without_findings() -> None:
    stage = Stage("kie", instant=True)
    stage.ask("GET", "/kie/nothing")
    stage.ask("GET", "/nobody/nothing")
    task = stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", stage.facts("kie", task)["outputs"][0].replace("0.png", "9.png"))
    shown = exchanges(stage)
    assert [
        (each["provider"], each["operation"], each["findings"]) for each in shown if each["operation"] in {None, "file"}
    ] == [
        ("kie", None, []),
        (None, None, []),
        ("kie", "file", []),
    ]
