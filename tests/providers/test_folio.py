"""The second provider of tests: it loads, it plays, and the kit finds nothing and reaches every check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.runs.target import Target
from understudy.contracts.runs.verification import VerifySettings, verify
from understudy.mockserver import Settings, create_app
from understudy.openapi.provider import Provider, load_provider

from ..mockserver.stage import Stage

FOLDER = Path(__file__).parent / "folio"
LINE: dict[str, Any] = {"model": "folio-line", "spec": {"prompt": "two hares", "copies": 2, "finish": "press"}}
PLATE: dict[str, Any] = {"model": "folio-plate", "spec": {"prompt": "", "plates": ["https://example.com/a.png"]}}
NOT_REACHED: set[str] = set()
"""Checks that this provider gives nothing to judge."""


@pytest.fixture(scope="module")
def folio() -> Provider:
    return load_provider(FOLDER)


@pytest.fixture
def stage(folio: Provider) -> Stage:
    return Stage(folio)


def test_it_loads_whole(folio: Provider) -> None:
    folio.behaviour.compile()
    filed = folio.contract.operations["fileJob"]
    assert list(filed.variants) == ["folio-line", "folio-plate"]
    assert filed.documents == ("jobs.yaml", "plates.yaml")
    (letter,) = filed.effective["callbacks"].values()
    assert list(folio.contract.resolve(letter)) == ["{$request.body#/notify_url}"]


def filed(stage: Stage, body: Any = LINE) -> str:
    answer = stage.ask("POST", "/folio/jobs", json=body)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "OK"), answer.text
    return str(answer.json()["job"]["number"])


def job(stage: Stage, number: str, method: str = "GET") -> Any:
    answer = stage.ask(method, f"/folio/jobs/{number}")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "OK"), answer.text
    return answer.json()["job"]


def states(stage: Stage, number: str) -> Iterator[tuple[str, int]]:
    for _ in range(100):
        told = job(stage, number)
        yield told["state"], told["progress"]
        if told["ended_at"] is not None:
            return
        stage.wait(0.5)


def test_a_job_passes_through_all_its_states_and_tells_its_sheets_in_a_text(stage: Stage) -> None:
    number = filed(stage)
    passed = list(dict.fromkeys(states(stage, number)))
    assert passed == [("filed", 0), ("sketching", 35), ("inking", 70), ("bound", 100)]
    told = job(stage, number)
    assert orjson.loads(told["spec"]) == LINE["spec"]
    assert (told["model"], told["spent"], told["fault"]) == ("folio-line", 1.5, None)
    assert told["took"] == round((told["ended_at"] - told["filed_at"]) * 1000)
    sheets = orjson.loads(told["result"])["sheets"]
    assert len(sheets) == 2
    assert all(stage.ask("GET", sheet, None).content[:4] == b"RIFF" for sheet in sheets)
    assert stage.ask("GET", "/folio/purse").json()["purse"] == {"left": 9998.5, "unit": "pulls"}


def test_a_job_is_voided_once_and_then_it_is_the_documented_conflict_in_a_200(stage: Stage) -> None:
    number = filed(stage, PLATE)
    stage.wait(5)
    assert job(stage, number, "DELETE")["state"] == job(stage, number)["state"] == "void"
    late = stage.ask("DELETE", f"/folio/jobs/{number}")
    assert late.status_code == 200
    assert late.json() == {"outcome": "job.ended", "note": "The job has ended and stays as it is", "field": None}
    assert stage.ask("GET", "/folio/purse").json()["purse"]["left"] == 10_000


def test_the_shelf_is_read_part_by_part_the_last_job_first(stage: Stage) -> None:
    numbers = [filed(stage) for _ in range(5)]
    at, seen = 0, []
    while at is not None:
        shelf = stage.ask("GET", f"/folio/jobs?limit=2&offset={at}").json()["shelf"]
        assert shelf["held"] == 5
        seen.append([each["number"] for each in shelf["jobs"]])
        at = shelf["go_on_at"]
    assert [len(each) for each in seen] == [2, 2, 1]
    assert [number for each in seen for number in each] == numbers[::-1]


def test_the_same_key_in_the_body_tells_the_same_job(stage: Stage) -> None:
    numbers = [filed(stage, {**LINE, "request_key": key}) for key in ("order-1", "order-1", "order-2")]
    assert numbers[0] == numbers[1] != numbers[2]
    other = stage.ask("POST", "/folio/jobs", json={**PLATE, "request_key": "order-1"})
    assert (other.status_code, other.json()["outcome"]) == (200, "order.bad")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({**LINE, "model": "folio-oil"}, "model.unknown", None),
        ({**LINE, "spec": {"prompt": "x", "pressure": 0}}, "order.bad", "spec.pressure"),
        ({**LINE, "spec": {"prompt": "x", "plates": []}}, "order.bad", "spec.plates"),
        ({"model": "folio-plate", "spec": {"prompt": "x"}}, "order.bad", "spec.plates"),
        ({**LINE, "notify_url": 1}, "order.bad", "notify_url"),
    ],
)
def test_what_is_wrong_with_an_order_is_told_in_a_200(stage: Stage, body: Any, code: str, field: str | None) -> None:
    refused = stage.ask("POST", "/folio/jobs", json=body)
    assert refused.status_code == 200
    assert (refused.json()["outcome"], refused.json()["field"]) == (code, field)
    assert len(refused.headers["x-request-id"]) == 36


@pytest.mark.parametrize("spec", [{"pressure": None}, {"pressure": 0.5}, {"shape": "21:9", "file": "png"}])
def test_null_is_taken_where_the_3_0_document_allows_it(stage: Stage, spec: Any) -> None:
    filed(stage, {**LINE, "spec": {**LINE["spec"], **spec}, "notify_url": None})


def test_who_files_too_fast_is_told_when_to_come_again(stage: Stage) -> None:
    answers: list[httpx.Response] = [stage.ask("POST", "/folio/jobs", json=LINE) for _ in range(26)]
    assert {each.json()["outcome"] for each in answers[:25]} == {"OK"}
    assert (answers[25].status_code, answers[25].json()["outcome"]) == (429, "rate.exceeded")
    stage.wait(int(answers[25].headers["retry-after"]))
    filed(stage)


def test_the_kit_finds_nothing_and_reaches_every_check(folio: Provider) -> None:
    app = create_app([folio], Settings(callback_timeout=0.05))
    with Target("http://127.0.0.1:4020/folio", app=app) as target:
        result = verify(folio, target, VerifySettings("flo_key", max_examples=3))
    assert result.tally.findings == []
    assert result.notes == []
    assert result.callbacks > 10
    assert {each.id for each in CHECKS if not result.tally.judged[each.id]} == NOT_REACHED
