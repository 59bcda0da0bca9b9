"""Every mutant breaks exactly what its label says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.contracts.closed import second_judge, verdict
from understudy.contracts.flat import in_document
from understudy.contracts.mutants import Mutants, as_schema
from understudy.contracts.samples import samples
from understudy.contracts.strategies import Strategies

from .corpus import SCHEMAS


def faults(schema: Any, payload: Any) -> Any:
    return {(each.pointer, each.keyword): each for each in Mutants(Strategies(schema)).faults(schema, payload)}


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_mutant_fits_its_schema(name: Any) -> None:
    schema = SCHEMAS[name]
    strategies = Strategies(schema, everything=True)
    judge, second = verdict(schema, in_document(schema)), second_judge(schema, in_document(schema))
    for payload in samples(strategies.values(schema), 3):
        for fault in Mutants(strategies).faults(schema, payload):
            assert not judge(fault.payload), fault
            # What is no URI template, say, is told otherwise by every library.
            assert fault.keyword == "format" or not second.is_valid(fault.payload), fault


@pytest.mark.parametrize(
    ("schema", "payload", "keyword", "value"),
    [
        ({"type": "integer", "minimum": 3}, 3, "minimum", 2),
        ({"type": "integer", "exclusiveMinimum": 3}, 4, "minimum", 3),
        ({"type": "number", "maximum": 3}, 3, "maximum", 4),
        ({"type": "integer", "multipleOf": 5}, 10, "multipleOf", 11),
        ({"type": "integer", "multipleOf": 5, "maximum": 10}, 10, "maximum", 15),
        ({"type": "string", "minLength": 3}, "abc", "minLength", "ab"),
        ({"type": "string", "maxLength": 3}, "abc", "maxLength", "abcc"),
        ({"type": "string", "maxLength": 3, "pattern": "^[a-c]+$"}, "abc", "maxLength", "abcc"),
        ({"type": "string", "maxLength": 3, "pattern": "^[a-c]+$"}, "abc", "pattern", ""),
        ({"type": "string", "format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", "format", "~not this~"),
        ({"type": "string", "enum": ["a"]}, "a", "enum", "a-"),
        ({"type": "integer", "enum": [1, 2]}, 1, "enum", 0),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 2], "minItems", [1]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 2}, [1, 2], "maxItems", [1, 2, 2]),
        (
            {"type": "array", "items": {"type": "integer"}, "maxItems": 2, "uniqueItems": True},
            [7, 8],
            "uniqueItems",
            [7, 7],
        ),
        ({"type": "array", "contains": {"const": 1}, "minContains": 2}, [1, 1], "contains", [1]),
        ({"type": "object", "minProperties": 1}, {"a": 1}, "minProperties", {}),
        ({"type": "object", "maxProperties": 1}, {"a": 1}, "maxProperties", {"a": 1, "not-in-the-schema-0": "text"}),
    ],
)
def test_each_constraint_is_broken_alone(schema: Any, payload: Any, keyword: Any, value: Any) -> None:
    assert faults(schema, payload)["", keyword].value == value


def test_faults_name_the_place_and_leave_the_rest_alone() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "additionalProperties": False,
        "properties": {
            "a": {"type": "object", "properties": {"n/m": {"type": "integer", "maximum": 5}}},
            "b": {"type": "null"},
        },
    }
    found = faults(schema, {"a": {"n/m": 1}, "b": None})
    assert found["/a/n~1m", "maximum"].payload == {"a": {"n/m": 6}, "b": None}
    assert found["/a", "required"].payload == {"b": None}
    assert found["/not-in-the-schema", "additionalProperties"].payload["a"] == {"n/m": 1}


def test_a_payload_is_not_changed_by_its_mutants() -> None:
    schema, payload = SCHEMAS["object"], {"a": 1, "b": "x"}
    faults(schema, payload)
    assert payload == {"a": 1, "b": "x"}


def test_a_branch_is_chosen_by_what_the_payload_is() -> None:
    schema = SCHEMAS["one of objects"]
    assert ("/v", "type") in faults(schema, {"k": "b", "v": "text"})


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_mutants_can_be_drawn(data: Any) -> None:
    schema = SCHEMAS["object"]
    fault = data.draw(Mutants(Strategies(schema)).strategy(schema))
    assert not verdict(schema, in_document(schema))(fault.payload)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_flat_schema_written_out_again_judges_the_same(name: Any) -> None:
    schema = SCHEMAS[name]
    strategies = Strategies(schema)
    again = verdict(as_schema(strategies.flatten(schema)), strategies.resolver)
    judge = verdict(schema, strategies.resolver)
    for value in (*samples(strategies.values(schema), 10), None, "", 7, [], {}, {"a": 1}):
        assert again(value) == judge(value), value
