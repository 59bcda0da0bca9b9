"""A provider made ready to be played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.compiled import CompiledOperation, CompiledProvider
from understudy.mockserver.headers import Headers
from understudy.mockserver.request import Request
from understudy.openapi.provider import load_provider
from understudy.openapi.requests import for_requests
from understudy.openapi.validation import Validator

from .stage import Stage, provider_of

BEHAVIOUR = """
understudy: 1
title: Tiny
base_url: https://api.acme.example
id: { format: "{hex32}" }
statuses: { waiting: { phase: pending }, done: { phase: completed }, broken: { phase: failed } }
failures: { failed: { code: 1, message: It broke } }
refusal:
  status: 400
  body: { why: "{{ error.name }}: {{ problem }}" }
  reads: { code: /why, message: /why }
errors: { only: { code: 1, message: "{{ problem }}" } }
operations:
  create:
    on: POST /tasks
    does: create
    answer: { status: 201, body: { id: "{{ task.id }}" } }
    reads: { id: /id }
  list:
    on: GET /tasks
    does: list
    page: { size: $request.query.size, start: $request.query.from }
    answer: { body: { ids: { $each: "{{ tasks }}", $as: task, $item: "{{ task.id }}" } } }
"""
DOCUMENT = """
openapi: 3.1.0
info: { title: Tiny, version: 1.0.0 }
paths:
  /tasks:
    post:
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Order" }
      responses: { "201": { description: Taken in } }
    get:
      parameters:
        - { name: size, in: query, schema: true }
        - { name: kind, in: query, schema: { type: array, items: { enum: [a, b] } } }
        - { name: flag, in: query, schema: { type: boolean } }
        - { name: ratio, in: query, schema: { type: [number, "null"] } }
        - { name: X-Trace, in: header, required: true, schema: { type: string, minLength: 3 } }
        - { name: session, in: cookie, schema: { type: integer } }
      responses: { "200": { description: Here } }
components:
  schemas:
    Order:
      type: object
      required: [id]
      allOf: [{ properties: { size: { default: 3 } } }, true]
      properties:
        id: { type: string, readOnly: true }
        prompt: { type: string, default: nothing }
        style: { type: object, properties: { name: { default: plain }, deep: { properties: { a: { default: 1 } } } } }
        whole: { type: object, default: { a: 1 }, properties: { b: { default: 2 } } }
        self: { $ref: "#/components/schemas/Order" }
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A provider's folder with everything odd in it."""
    folder = tmp_path_factory.mktemp("providers") / "tiny"
    folder.mkdir()
    (folder / "behaviour.yaml").write_text(BEHAVIOUR)
    (folder / "tiny.yaml").write_text(DOCUMENT)
    return folder


@pytest.fixture
def stage(tiny: Path) -> Stage:
    """A stage for that provider."""
    provider = load_provider(tiny)
    provider.check()
    return Stage(provider)


def operation(name: str, provider: str = "acme") -> CompiledOperation:
    """Return an operation of a provider."""
    return CompiledProvider(provider_of(provider)).operations[name]


@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ({}, {"prompt": "nothing", "size": 3, "whole": {"a": 1}}),
        ({"prompt": "x", "size": None}, {"prompt": "x", "size": None, "whole": {"a": 1}}),
        ({"style": {}}, {"style": {"name": "plain"}, "prompt": "nothing", "size": 3, "whole": {"a": 1}}),
        (
            {"style": {"deep": {}}},
            {"style": {"name": "plain", "deep": {"a": 1}}, "prompt": "nothing", "size": 3, "whole": {"a": 1}},
        ),
        ({"style": "none"}, {"style": "none", "prompt": "nothing", "size": 3, "whole": {"a": 1}}),
        ({"whole": {}}, {"prompt": "nothing", "size": 3, "whole": {}}),
        ([], []),
        ("text", "text"),
        (None, None),
    ],
)
def test_documented_defaults_stand_for_what_is_left_out(stage: Stage, body: Any, filled: Any) -> None:
    before = repr(body)
    assert stage.operation("tiny", "create").with_defaults(body, None) == filled
    assert repr(body) == before


def test_the_defaults_are_those_of_the_variant() -> None:
    create = operation("createTask", "kie")
    full = [create.with_defaults({"input": {}}, model)["input"] for model in ("google/nano-banana", "nano-banana-pro")]
    assert full == [
        {"output_format": "png", "image_size": "1:1"},
        {"aspect_ratio": "1:1", "resolution": "1K", "output_format": "png"},
    ]


def test_what_only_answers_carry_is_not_required_of_a_request(stage: Stage) -> None:
    assert stage.ask("POST", "/tiny/tasks", json={"prompt": "x"}).status_code == 201


def test_a_body_that_is_not_required_may_be_left_out(stage: Stage) -> None:
    assert stage.ask("POST", "/tiny/tasks").status_code == 201
    listed = stage.ask("GET", "/tiny/tasks?size=5", headers={"x-trace": "abc"})
    assert len(listed.json()["ids"]) == 1


@pytest.mark.parametrize(
    ("query", "trace", "problem"),
    [
        ("", None, "the header parameter X-Trace is missing"),
        ("", "ab", "X-Trace has 2 characters; expected at least 3"),
        ("kind=c", "abc", "kind 0 is 'c'; expected one of 'a', 'b'"),
        ("flag=yes", "abc", "flag is 'yes', of type string; expected boolean"),
        ("ratio=wide", "abc", "ratio is 'wide', of type string; expected number or null"),
    ],
)
def test_parameters_are_read_as_the_type_that_is_documented(
    stage: Stage, query: str, trace: str | None, problem: str
) -> None:
    refused = stage.ask("GET", f"/tiny/tasks?{query}", headers={} if trace is None else {"x-trace": trace})
    assert refused.json()["why"] == f"only: {problem}"


@pytest.mark.parametrize("query", ["kind=a", "flag=true", "ratio=1.5", "ratio=null", "size=[]", "session=x", ""])
def test_parameters_that_fit_are_taken(stage: Stage, query: str) -> None:
    assert stage.ask("GET", f"/tiny/tasks?{query}", headers={"x-trace": "abc"}).status_code == 200


def test_a_parameter_has_its_documented_type_or_default() -> None:
    listing = operation("listPictures")
    asked = Request("GET", "/", b"limit=7&none=x", Headers(), b"")
    values = [
        listing.parameter_value(asked, f"$request.query.{name}") for name in ("limit", "offset", "none", "missing")
    ]
    assert values == [7, 0, "x", None]


def test_a_provider_with_no_security_needs_no_key_and_takes_a_bearers(stage: Stage) -> None:
    provider = stage.emulator.providers["tiny"]
    assert not provider.operations["create"].needs_key
    assert provider.key_place == ("authorization", "Bearer")


def test_the_first_error_stands_in_where_the_catalogue_has_nothing_better(stage: Stage) -> None:
    assert stage.ask("PATCH", "/tiny/tasks").json()["why"].startswith("only: PATCH /tasks is no operation")
    assert stage.operation("tiny", "create").error("no such condition").name == "only"


def test_an_operation_says_which_it_is() -> None:
    assert repr(operation("account")) == "CompiledOperation('acme', 'account')"


SCHEMAS: Any = st.recursive(
    st.booleans() | st.sampled_from([{"type": "string"}, {"readOnly": True}, {"default": 1}]),
    lambda each: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("ab"), each),
            "required": st.lists(st.sampled_from("ab"), unique=True),
            "items": each,
            "allOf": st.lists(each, min_size=1),
            "not": each,
        },
    ),
    max_leaves=8,
)


@given(SCHEMAS, st.dictionaries(st.sampled_from("ab"), st.integers() | st.text()))
def test_a_request_is_judged_as_an_answer_but_for_what_is_read_only(schema: Any, data: Any) -> None:
    changed = for_requests(schema)
    if "'readOnly'" not in repr(schema):
        assert changed == schema
    if "'not'" not in repr(schema) and Validator(schema).is_valid(data):
        assert Validator(changed).is_valid(data)
