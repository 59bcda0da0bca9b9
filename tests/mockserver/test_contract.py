"""Every schema-valid creation is accepted and lives as documented; every single fault in one is refused so."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.account import Account
from understudy.mockserver.plan import make_plan, path_to
from understudy.openapi.behaviour import Phase
from understudy.openapi.reads import read

from ..strategies import CREATIONS, NO_TEXT, Creation
from .oracle import problems_of
from .stage import NAMES, SIMPLE, Stage, as_json, asker_of, creators, refused_with

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "default": dict.fromkeys(NAMES, ()),
    "other": {
        "kie": ("errors=http", "unknown-id=404"),
        "apikley": ("errors=http", "unknown-id=404"),
        "crun": ("errors=http", "unknown-id=404"),
        "mulerouter": ("statuses=guide",),
        "acme": (),
    },
}
STAGES = {
    (name, kind): Stage(name, options=given[name], limits=False) for kind, given in OPTIONS.items() for name in NAMES
}
KEYS = (f"key-{number}" for number in count())
KNOWN = {creation.model for creation in CREATIONS}
JSON = {"content-type": "application/json"}
EACH = [
    pytest.param(creation, kind, id=f"{creation}-{kind}")
    for creation in CREATIONS
    for kind in OPTIONS
    if kind == "default" or OPTIONS[kind][creation.provider]
]


def account_of(stage: Stage, creation: Creation, key: str) -> Account:
    """Return the account of a key."""
    return stage.emulator.namespaces.of_key(key).account(creation.provider)


@pytest.mark.parametrize(("creation", "kind"), EACH)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_every_valid_creation_is_accepted_and_its_whole_life_is_as_documented(
    creation: Creation, kind: str, data: Any
) -> None:
    body = data.draw(creation.bodies())
    end = data.draw(st.sampled_from([Phase.COMPLETED, Phase.COMPLETED, Phase.FAILED]))
    stage, key = STAGES[creation.provider, kind], next(KEYS)
    operation = stage.operation(creation.provider, creation.operation)
    created = stage.create(creation.provider, None, creation.operation, key, content=as_json(body), headers=JSON)
    assert problems_of(operation, created) == []
    assert 200 <= created.status_code < 300
    facts = read(operation.behaviour.reads, created.json())
    assert "id" in facts, created.text
    (task,) = account_of(stage, creation, key).tasks.values()
    behaviour = operation.owner.behaviour
    if end is Phase.FAILED:
        failure = data.draw(st.sampled_from(list(behaviour.failures.values())))
        task.plan = make_plan(path_to(behaviour.statuses, end), task.random, failure)
    asker = asker_of(stage, creation.provider, creation.operation)
    for status, start in zip(task.plan.statuses, task.plan.starts, strict=True):
        stage.time = max(stage.time, task.created + start)
        polled = stage.poll(creation.provider, facts["id"], creation.operation, key)
        assert (polled.status_code, problems_of(asker, polled)) == (200, [])
        seen = read(asker.behaviour.reads, polled.json())
        assert (seen["id"], seen["status"]) == (facts["id"], status)
        assert seen.get("created", task.created) // 1000 == task.created // 1000
        assert ("outputs" in seen) == (behaviour.statuses[status].phase is Phase.COMPLETED)
    assert behaviour.statuses[status].phase is end
    if "input" in seen and creation.inputs is not None:
        assert seen["input"] == body["input"]


@pytest.mark.parametrize(("creation", "kind"), EACH)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_every_single_fault_in_a_creation_is_refused_as_documented(creation: Creation, kind: str, data: Any) -> None:
    body, name = data.draw(creation.faults())
    stage, key = STAGES[creation.provider, kind], next(KEYS)
    operation = stage.operation(creation.provider, creation.operation)
    refused = stage.create(creation.provider, None, creation.operation, key, content=as_json(body), headers=JSON)
    assert problems_of(operation, refused) == []
    code, message = refused_with(creation.provider, refused)
    assert code in {422, 2001, "https://acme.example/problems/invalid"}
    assert name in message or (name == "" and "model" in message) or len(message) > 300
    assert not account_of(stage, creation, key).tasks


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("provider", ["kie", "apikley", "crun"])
@given(model=NO_TEXT | st.text(max_size=30).filter(lambda text: text not in KNOWN))
@settings(max_examples=12, deadline=None)
def test_every_unknown_model_is_refused_as_documented(provider: str, kind: str, model: Any) -> None:
    stage = STAGES[provider, kind]
    body = as_json({"model": model, "input": {"prompt": "x"}})
    response = stage.create(provider, None, key=next(KEYS), content=body, headers=JSON)
    assert problems_of(creators(stage, provider)[0], response) == []
    code, message = refused_with(provider, response)
    assert (code, message[:9]) == (422, "model is ")


@pytest.mark.parametrize("creation", CREATIONS, ids=str)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_the_strategies_mean_what_the_effective_document_says(creation: Creation, data: Any) -> None:
    operation = STAGES[creation.provider, "default"].operation(creation.provider, creation.operation)
    validators = operation.variants[creation.model] if creation.model else operation.bodies
    is_valid = validators["application/json"].is_valid
    assert is_valid(data.draw(creation.bodies()))
    assert not is_valid(data.draw(creation.faults())[0])


BAD = {
    "no key": (None, {}, b"{}"), "a wrong key": ("invalid", JSON, b"{}"), "no JSON": ("test", JSON, b"{"),
    "no type": ("test", {}, b"{}"), "another type": ("test", {"content-type": "text/csv"}, b"{}"),
    "too large": ("test", JSON, b" " * 45_000_001), "nothing": ("test", JSON, b""), "empty": ("test", JSON, b"{}"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("provider", NAMES)
def test_every_refusal_is_one_that_the_effective_document_knows(provider: str, kind: str, bad: str) -> None:
    stage, (key, headers, body) = STAGES[provider, kind], BAD[bad]
    for operation in stage.emulator.providers[provider].operations.values():
        if operation.bodies and not (bad.startswith("n") and operation.name == "putFile"):
            path = f"/{provider}{operation.behaviour.key.path}?signature=x"
            response = stage.ask(operation.behaviour.key.method, path, key, content=body, headers=headers)
            assert problems_of(operation, response) == []


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("provider", NAMES)
def test_spent_credits_and_exceeded_rates_are_refused_as_documented(provider: str, kind: str) -> None:
    for balance in (0, 1e9):
        stage = Stage(provider, options=OPTIONS[kind][provider], credits=balance)
        responses = [stage.create(provider, SIMPLE[provider]) for _ in range(31)]
        assert [problems_of(creators(stage, provider)[0], each) for each in responses] == [[]] * 31


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("provider", NAMES)
@given(task=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
@settings(max_examples=10, deadline=None)
def test_whatever_id_is_asked_for_is_answered_as_documented(provider: str, kind: str, task: str) -> None:
    stage = STAGES[provider, kind]
    for operation in stage.emulator.providers[provider].operations.values():
        place = operation.behaviour.task_id or ""
        if place.startswith("$request.query."):
            response = stage.ask(
                operation.behaviour.key.method,
                f"/{provider}{operation.behaviour.key.path}",
                params={place.rpartition(".")[2]: task},
            )
            assert problems_of(operation, response) == []
            assert refused_with(provider, response)


def test_no_document_is_silent_about_what_was_looked_at() -> None:
    seen = {(creation.provider, creation.operation) for creation in CREATIONS}
    known = {
        (name, operation.name)
        for name in NAMES
        for operation in STAGES[name, "default"].emulator.providers[name].operations.values()
        if operation.behaviour.does == "create"
    }
    assert seen == known
