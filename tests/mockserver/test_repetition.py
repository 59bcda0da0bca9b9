"""Creations that are safe to repeat."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.mockserver import repetition

from .stage import Stage

BODY = {"prompt": "a heron", "n": 2}
KEY = "order-0001"


@pytest.fixture
def stage() -> Stage:
    return Stage("acme", frozen=True)


def create(stage: Stage, idempotency: str | None = KEY, key: str = "test", **body: Any) -> Any:
    headers = {} if idempotency is None else {"Idempotency-Key": idempotency}
    return stage.create("acme", {**BODY, **body}, key=key, headers=headers)


def coins(stage: Stage) -> float:
    return float(stage.ask("GET", "/acme/v2/account").json()["coins"])


def test_the_same_key_gives_the_same_task_and_charges_once(stage: Stage) -> None:
    first = create(stage)
    left = coins(stage)
    again = create(stage)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert coins(stage) == left == 10_000 - 4


def test_a_repeated_creation_tells_where_the_task_stands_by_now(stage: Stage) -> None:
    first = create(stage).json()
    stage.ask("POST", "/_understudy/clock?namespace=test", json={"advance": 60_000})
    again = create(stage).json()
    assert (again["id"], again["status"]) == (first["id"], "done")


def test_what_differs_only_in_its_writing_is_the_same_body(stage: Stage) -> None:
    first = create(stage).json()
    headers = {"Idempotency-Key": KEY, "X-Acme-Key": "test", "Content-Type": "application/json"}
    again = stage.ask("POST", "/acme/v2/pictures", content=b'{ "n":2, "prompt":"a heron" }', headers=headers)
    assert again.json()["id"] == first["id"]


def test_the_same_key_with_another_body_is_refused(stage: Stage) -> None:
    first = create(stage).json()["id"]
    refused = create(stage, prompt="a stork")
    assert refused.status_code == 422
    assert refused.json()["detail"] == f"the key of task {first} came with another body; expected the same one"
    assert coins(stage) == 10_000 - 4


@pytest.mark.parametrize("other", [{"idempotency": "order-0002"}, {"idempotency": None}, {"key": "another"}])
def test_another_key_no_key_or_another_account_gives_another_task(stage: Stage, other: dict[str, Any]) -> None:
    assert create(stage).json()["id"] != create(stage, **other).json()["id"]


def test_a_key_is_forgotten_with_its_task(stage: Stage) -> None:
    first = create(stage).json()["id"]
    stage.ask("POST", "/_understudy/clock?namespace=test", json={"advance": 7 * 86_400_000 - 1})
    assert create(stage).json()["id"] == first
    stage.ask("POST", "/_understudy/clock?namespace=test", json={"advance": 1})
    second = create(stage, prompt="a stork").json()["id"]
    assert second != first
    assert create(stage, prompt="a stork").json()["id"] == second


def test_the_oldest_keys_of_an_account_go_first(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "MAX_KEYS", 2)
    first, second, third = (create(stage, f"order-000{n}").json()["id"] for n in (1, 2, 3))
    assert [create(stage, f"order-000{n}").json()["id"] for n in (3, 2)] == [third, second]
    assert create(stage, "order-0001").json()["id"] != first
