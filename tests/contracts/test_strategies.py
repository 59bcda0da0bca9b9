"""Strategies draw what fits; what they throw away is little."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from understudy.contracts.closed import second_judge, verdict
from understudy.contracts.flat import SchemaError, in_document
from understudy.contracts.samples import samples
from understudy.contracts.strategies import Strategies
from understudy.openapi.provider import built_in_names, load_provider

from .corpus import SCHEMAS

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_drawn_fits_by_the_verdict_of_both_validators(name: Any) -> None:
    schema = SCHEMAS[name]
    judge, second = verdict(schema, in_document(schema)), second_judge(schema, in_document(schema))
    drawn = samples(Strategies(schema).values(schema), 60)
    assert drawn
    assert [value for value in drawn if not judge(value)] == []
    assert [value for value in drawn if not second.is_valid(value)] == []


def bodies(provider: str) -> list[Any]:
    contract = load_provider(provider).contract
    document = contract.document("")
    return [
        (document, schema)
        for operation in contract.operations.values()
        for schema in contract.body(operation)[1].values()
    ] + [
        (document, media.get("schema", {}))
        for operation in contract.operations.values()
        for response in contract.responses(operation).values()
        for media in response.get("content", {}).values()
    ]


@pytest.mark.untraced
@pytest.mark.parametrize("provider", built_in_names())
def test_every_stored_body_is_drawn_as_it_should_be(provider: Any) -> None:
    for document, schema in bodies(provider):
        strategies = Strategies(document)
        judge = verdict(schema, strategies.resolver)
        assert [value for value in samples(strategies.values(schema), 25) if not judge(value)] == []


@pytest.mark.untraced
@pytest.mark.parametrize("name", SCHEMAS)
def test_little_of_what_is_drawn_has_to_be_thrown_away(name: Any, monkeypatch: Any) -> Any:
    asked: list[bool] = []

    def counted(schema: Any, resolver: Any) -> Any:
        judge = verdict(schema, resolver)
        return lambda value: asked.append(judge(value)) or asked[-1]  # type: ignore[func-returns-value, redundant-expr]

    monkeypatch.setattr("understudy.contracts.strategies.verdict", counted)
    samples(Strategies(SCHEMAS[name]).values(SCHEMAS[name]), 100)
    assert asked.count(False) <= 0.1 * max(len(asked), 10)


@pytest.mark.untraced
def test_a_stored_request_is_drawn_in_about_a_millisecond() -> None:
    for provider in built_in_names():
        contract = load_provider(provider).contract
        creation = next(each for name, each in contract.operations.items() if name.startswith("create"))
        schema = next(iter(contract.body(creation)[1].values()))
        values = Strategies(contract.document("")).values(schema)
        samples(values, 20)
        begun = process_time()
        samples(values, 200)
        assert (process_time() - begun) / 200 < 0.010  # ten times what it takes, for machines under load


def test_what_only_the_other_side_sends_is_left_out() -> None:
    schema = {"type": "object", "properties": {"id": {"readOnly": True}, "secret": {"writeOnly": True}, "name": {}}}
    sent = samples(Strategies(schema, direction="sent").values(schema), 40)
    received = samples(Strategies(schema, direction="received").values(schema), 40)
    assert {name for value in sent for name in value} == {"secret", "name"}
    assert {name for value in received for name in value} == {"id", "name"}


def test_a_required_member_is_sent_whoever_it_is_for() -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "null", "readOnly": True}}}
    assert samples(Strategies(schema, direction="sent").values(schema), 3) == [{"id": None}]


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "integer", "multipleOf": 10, "minimum": 1, "maximum": 9},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"enum": [1], "not": {"enum": [1]}},
        {"type": "array", "items": False, "minItems": 1},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "object", "required": ["a", "b"], "maxProperties": 1},
        {
            "$ref": "#/$defs/n",
            "$defs": {"n": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}}},
        },
    ],
)
def test_a_schema_that_nothing_fits_is_refused_when_it_is_built(schema: Any) -> None:
    with pytest.raises(SchemaError, match="no value"):
        Strategies(schema).values(schema)


def test_a_reference_that_leads_nowhere_or_only_to_itself_is_said() -> None:
    with pytest.raises(SchemaError, match="'#/nowhere' leads nowhere"):
        Strategies({}).values({"$ref": "#/nowhere"})
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}
    with pytest.raises(SchemaError, match="never ends"):
        Strategies(circle).values(circle)


def test_the_same_seed_draws_the_same() -> None:
    schema = SCHEMAS["object"]
    assert samples(Strategies(schema).values(schema), 20) == samples(Strategies(schema).values(schema), 20)


def test_the_simplest_value_comes_first() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^[a-z]{2,}$"}}}
    assert Strategies(schema).simplest(schema) == {"a": "aa"}
    assert Strategies(False).simplest(False) is None


def test_with_everything_nothing_that_may_be_there_is_missing() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "integer"}}, "b": {"type": "null"}},
    }
    for value in samples(Strategies(schema, everything=True).values(schema), 10):
        assert value["a"]
        assert value["b"] is None


def test_a_pattern_that_python_cannot_read_is_left_to_the_judge() -> None:
    schema = {"type": "string", "anyOf": [{"pattern": "^\\p{L}*$"}, {"enum": ["a"]}]}
    assert "a" in samples(Strategies(schema).values(schema), 30)
