"""Two schemas compared: what changed, and what it does to the values that fit."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.contracts.changes import reverse, shown
from understudy.contracts.closed import verdict
from understudy.contracts.compare import Comparison
from understudy.contracts.flat import Flattener, in_document
from understudy.contracts.strategies import Strategies

from .corpus import SCHEMAS

A = {"type": "object", "properties": {"a": {"type": "integer"}}}
B = {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}


def compare(before: Any, after: Any, text: Any = "") -> list[tuple[str, str, str]]:
    found = Comparison(Flattener(in_document(before)), Flattener(in_document(after))).schemas(before, after, text=text)
    return [(change.what, change.effect, shown(change.path)) for change in found]


CHANGES: list[tuple[str, Any, Any, list[tuple[str, str, str]]]] = [
    ("a type for another", {"type": "string"}, {"type": "integer"}, [("type-changed", "changed", "")]),
    ("whole numbers for all", {"type": "integer"}, {"type": "number"}, [("type-changed", "widened", "")]),
    ("one type more", {"type": "string"}, {"type": ["string", "integer"]}, [("type-changed", "widened", "")]),
    ("null as well", {"type": "string"}, {"type": ["string", "null"]}, [("became-nullable", "widened", "")]),
    ("a type where any was", {}, {"type": "string"}, [("type-changed", "narrowed", "")]),
    ("a value more", {"enum": [1]}, {"enum": [1, 2]}, [("enum-value-added", "widened", "")]),
    (
        "another constant",
        {"const": 1},
        {"const": 2},
        [("enum-value-removed", "narrowed", ""), ("enum-value-added", "widened", "")],
    ),
    (
        "true is not 1",
        {"enum": [1]},
        {"enum": [True]},
        [("enum-value-removed", "narrowed", ""), ("enum-value-added", "widened", "")],
    ),
    ("values where any was", {"type": "string"}, {"type": "string", "enum": ["a"]}, [("became-enum", "narrowed", "")]),
    (
        "a lower most",
        {"type": "integer", "maximum": 9},
        {"type": "integer", "maximum": 8},
        [("max-lowered", "narrowed", "")],
    ),
    (
        "a higher least",
        {"type": "number", "minimum": 1},
        {"type": "number", "exclusiveMinimum": 1},
        [("min-raised", "narrowed", "")],
    ),
    ("a first bound", {"type": "number"}, {"type": "number", "minimum": 1}, [("min-set", "narrowed", "")]),
    (
        "longer text",
        {"type": "string", "maxLength": 3},
        {"type": "string", "maxLength": 4},
        [("max-length-raised", "widened", "")],
    ),
    (
        "fewer items",
        {"type": "array", "minItems": 1},
        {"type": "array", "minItems": 2},
        [("min-items-raised", "narrowed", "")],
    ),
    (
        "more members",
        {"type": "object", "maxProperties": 1},
        {"type": "object"},
        [("max-properties-unset", "widened", "")],
    ),
    ("a pattern", {"type": "string"}, {"type": "string", "pattern": "^a"}, [("pattern-added", "narrowed", "")]),
    (
        "another pattern",
        {"type": "string", "pattern": "a"},
        {"type": "string", "pattern": "b"},
        [("pattern-changed", "changed", "")],
    ),
    (
        "a wider format",
        {"type": "integer", "format": "int32"},
        {"type": "integer", "format": "int64"},
        [("format-changed", "widened", "")],
    ),
    (
        "another format",
        {"type": "string", "format": "date"},
        {"type": "string", "format": "uri"},
        [("format-changed", "changed", "")],
    ),
    ("a format", {"type": "string"}, {"type": "string", "format": "uri"}, [("format-added", "narrowed", "")]),
    (
        "a coarser step",
        {"type": "integer", "multipleOf": 2},
        {"type": "integer", "multipleOf": 4},
        [("multiple-of-changed", "narrowed", "")],
    ),
    (
        "another step",
        {"type": "integer", "multipleOf": 2},
        {"type": "integer", "multipleOf": 3},
        [("multiple-of-changed", "changed", "")],
    ),
    (
        "items that differ",
        {"type": "array"},
        {"type": "array", "uniqueItems": True},
        [("unique-items-set", "narrowed", "")],
    ),
    ("a member required", A, {**A, "required": ["a"]}, [("became-required", "narrowed", "a")]),
    (
        "a member inside",
        {"type": "array", "items": A},
        {"type": "array", "items": {**A, "required": ["a"]}},
        [("became-required", "narrowed", "[].a")],
    ),
    ("a member gone", A, {"type": "object"}, [("property-removed", "widened", "a")]),
    ("a required member", {"type": "object"}, B, [("required-property-added", "narrowed", "b")]),
    (
        "a member of a closed object",
        {"type": "object", "additionalProperties": False},
        {**A, "additionalProperties": False},
        [("property-added-closed", "widened", "a")],
    ),
    (
        "no more members",
        A,
        {**A, "additionalProperties": False},
        [("additional-properties-restricted", "narrowed", "")],
    ),
    (
        "members of a kind",
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        [("type-changed", "changed", "*")],
    ),
    (
        "names",
        {"type": "object"},
        {"type": "object", "propertyNames": {"maxLength": 3}},
        [("property-names-restricted", "narrowed", "")],
    ),
    (
        "names that match",
        {"type": "object"},
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        [("pattern-properties-added", "narrowed", "")],
    ),
    (
        "values by pattern",
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        {"type": "object", "patternProperties": {"^x": {"type": "null"}}},
        [("type-changed", "changed", "*")],
    ),
    (
        "a first item",
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        [("type-changed", "changed", "[0]")],
    ),
    ("a branch more", {"oneOf": [A, B]}, {"oneOf": [A, B, {"type": "string"}]}, [("one-of-added", "widened", "")]),
    (
        "a branch changed",
        {"anyOf": [A, B]},
        {"anyOf": [{**A, "required": ["a"]}, B]},
        [("became-required", "narrowed", "a")],
    ),
    ("any of instead of one", {"oneOf": [A, B]}, {"anyOf": [A, B]}, [("one-of-became-any-of", "widened", "")]),
    (
        "one form of two that overlap",
        {**A, "properties": {**A["properties"], **B["properties"]}},  # type: ignore[dict-item]
        {"oneOf": [A, {"type": "object"}]},
        [("wrapped-in-one-of", "changed", "")],
    ),
    (
        "one form or a text",
        A,
        {"oneOf": [A, {"type": "array", "items": {"enum": [1]}}, {"enum": ["x"]}]},
        [("wrapped-in-one-of", "widened", "")],
    ),
    (
        "a condition of all",
        A,
        {**A, "anyOf": [{"required": ["a"]}, {"minProperties": 2}]},
        [("wrapped-in-any-of", "narrowed", "")],
    ),
    ("not", {"type": "string"}, {"type": "string", "not": {"const": "a"}}, [("not-added", "narrowed", "")]),
    (
        "not as much",
        {"type": "string", "not": {"enum": ["a", "b"]}},
        {"type": "string", "not": {"enum": ["a"]}},
        [("not-changed", "widened", "")],
    ),
    (
        "an item to contain",
        {"type": "array"},
        {"type": "array", "contains": {"const": 1}},
        [("contains-added", "narrowed", "")],
    ),
    (
        "more to contain",
        {"type": "array", "contains": {"const": 1}, "maxContains": 3},
        {"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 4},
        [("min-contains-raised", "narrowed", ""), ("max-contains-raised", "widened", "")],
    ),
    (
        "a condition",
        {"type": "object"},
        {"type": "object", "dependentRequired": {"a": ["b"]}},
        [("condition-added", "narrowed", "")],
    ),
    (
        "a condition's end",
        {"if": {"const": 1}, "then": {"type": "integer"}},
        {"if": {"const": 1}, "then": {"type": "number"}},
        [("condition-changed", "widened", "")],
    ),
    (
        "another condition",
        {"if": {"const": 1}, "then": {"type": "integer"}},
        {"if": {"const": 2}, "then": {"type": "integer"}},
        [("condition-changed", "changed", "")],
    ),
    (
        "what a text holds",
        {"type": "string"},
        {"type": "string", "contentSchema": {"type": "object"}},
        [("content-schema-added", "narrowed", "")],
    ),
    (
        "what a text holds inside",
        {"type": "string", "contentSchema": {"type": "object"}},
        {"type": "string", "contentSchema": {"type": "array"}},
        [("type-changed", "changed", "[content]")],
    ),
    (
        "how a text is encoded",
        {"type": "string", "contentEncoding": "base64"},
        {"type": "string", "contentEncoding": "base32"},
        [("content-encoding-changed", "changed", "")],
    ),
    ("a branch of all", {"allOf": [A]}, {"allOf": [A, {"maxProperties": 3}]}, [("max-properties-set", "narrowed", "")]),
    (
        "a branch of all that asks nothing new",
        {"allOf": [A]},
        {"allOf": [A, {"type": "object"}]},
        [("all-of-added", "narrowed", "")],
    ),
    ("a branch of all with notes only", {"allOf": [A]}, {"allOf": [A, {"title": "x"}]}, []),
    ("a default", {"default": 1}, {"default": 2}, [("default-changed", "noted", "")]),
    ("deprecation", A, {**A, "deprecated": True}, [("deprecated-set", "noted", "")]),
    (
        "a word of many",
        {"x-extensible-enum": ["a", "b"]},
        {"x-extensible-enum": ["a"]},
        [("extensible-enum-value-removed", "narrowed", "")],
    ),
    (
        "a keyword that asks nothing here",
        {"type": "array", "maximum": 5},
        {"type": "array", "maximum": 4},
        [("max-lowered", "narrowed", "")],
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_what_changed_is_told_with_what_it_does(before: Any, after: Any, expected: Any) -> None:
    assert sorted(compare(before, after)) == sorted(expected)


@pytest.mark.parametrize(("before", "after"), [case[1:3] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_the_opposite_change_has_the_opposite_effect(before: Any, after: Any) -> None:
    there = sorted(
        (reverse(effect), place)  # type: ignore[arg-type]
        for what, effect, place in compare(before, after)
        if "extensible" not in what
    )
    back = sorted((effect, place) for what, effect, place in compare(after, before) if "extensible" not in what)
    assert there == back


SAME = [
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    ({"type": ["string", "null"], "minLength": 1}, {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 1}]}),
    ({"type": ["integer", "string"]}, {"oneOf": [{"type": "string"}, {"type": "integer"}]}),
    ({"const": 1}, {"enum": [1.0]}),
    ({"oneOf": [A, B]}, {"oneOf": [B, A]}),
    ({"allOf": [A, B]}, {"allOf": [B, A]}),
    ({"allOf": [A]}, A),
    ({"anyOf": [A]}, A),
    (A, {**A, "additionalProperties": True, "required": [], "minProperties": 0, "description": "an a"}),
    ({"type": "string"}, {"type": "string", "pattern": ".*", "minLength": 0}),
    ({"type": "array", "items": {}}, {"type": "array", "uniqueItems": False}),
    ({"allOf": [A, {"required": ["a"]}]}, {**A, "required": ["a"]}),
    (
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": B}},
        {"type": "object", "properties": {"a": B}},
    ),
    ({"$ref": "#/$defs/x", "$defs": {"x": A}}, {"$ref": "#/$defs/y", "$defs": {"y": A}}),
    ({"enum": ["b", "a"]}, {"enum": ["a", "b"]}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_for_the_same_are_no_change(one: Any, other: Any) -> None:
    assert compare(one, other) == compare(other, one) == []


def test_a_recursive_schema_is_told_of_once() -> Any:
    def tree(kind: str) -> Any:
        node = {
            "type": "object",
            "properties": {"v": {"type": kind}, "next": {"$ref": "#/$defs/n"}, "all": {"items": {"$ref": "#/$defs/n"}}},
        }
        return {"$ref": "#/$defs/n", "$defs": {"n": node}}

    assert compare(tree("string"), tree("string")) == []
    assert compare(tree("string"), tree("integer")) == [("type-changed", "changed", "v")]


def test_recursive_schemas_joined_by_all_of_end() -> Any:
    def joined(size: int) -> Any:
        node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/a"}, "x": {"maxLength": size}}}
        other = {"type": "object", "properties": {"next": {"$ref": "#/$defs/b"}}}
        return {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {"a": node, "b": other}}

    assert compare(joined(3), joined(3)) == []
    assert compare(joined(3), joined(2))[0] == ("max-length-lowered", "narrowed", "x")


def test_written_as_text_a_string_may_be_what_a_number_was() -> None:
    assert compare({"type": "integer"}, {"type": "string"}, text="value") == [("type-changed", "widened", "")]
    assert compare({"type": "string"}, {"type": "integer"}, text="value") == [("type-changed", "narrowed", "")]
    assert compare({"type": "integer"}, {"type": "string", "maxLength": 2}, text="value") == [
        ("type-changed", "changed", "")
    ]
    assert compare({"type": ["integer", "string"]}, {"type": "string"}, text="value") == [
        ("type-changed", "narrowed", "")
    ]


def test_marks_on_both_sides_are_told_with_changes_inside() -> None:
    before = {
        "type": "object",
        "properties": {"a": {"type": "object", "readOnly": True, "properties": {"b": {"maxLength": 3}}}},
    }
    after = copy.deepcopy(before)
    after["properties"]["a"]["properties"]["b"]["maxLength"] = 2  # type: ignore[index]
    (change,) = Comparison(Flattener(in_document({})), Flattener(in_document({}))).schemas(before, after)
    assert change.guards == {"readOnly"}


schemas = st.sampled_from(
    [copy.deepcopy(each) for each in SCHEMAS.values() if "$defs" not in (each if isinstance(each, dict) else {})]
)
documents = st.recursive(
    schemas,
    lambda inner: st.one_of(
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda each: {"type": "object", "properties": each}
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
        st.lists(inner, min_size=1, max_size=2).map(lambda each: {"allOf": each}),
    ),
    max_leaves=5,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        made = {key: reordered(each) for key, each in reversed(value.items())}
        for word in ("anyOf", "oneOf", "allOf", "required", "enum"):
            if isinstance(made.get(word), list):
                made[word] = made[word][::-1]
        return made
    return [reordered(each) for each in value] if isinstance(value, list) else value


def referred(value: Any, held: dict[str, Any]) -> Any:
    """Move every schema that is a property or an item into `$defs`."""
    if isinstance(value, list):
        return [referred(each, held) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: each if key in {"enum", "const"} else referred(each, held) for key, each in value.items()}
    if isinstance(made.get("items"), dict):
        name = f"d{len(held)}"
        held[name] = made["items"]
        made["items"] = {"$ref": f"#/$defs/{name}"}
    return made


@given(documents)
@settings(max_examples=150, deadline=None)
def test_a_schema_against_itself_in_another_dress_is_no_change(schema: Any) -> None:
    assert compare(schema, json.loads(json.dumps(schema))) == []
    assert [each for each in compare(schema, reordered(schema)) if each[1] != "noted"] == []
    held: dict[str, Any] = {}
    moved = referred(schema, held)
    if isinstance(moved, dict):
        assert compare(schema, {**moved, "$defs": held}) == []


@given(documents, documents)
@settings(max_examples=150, deadline=None)
def test_what_widens_one_way_narrows_the_other(one: Any, other: Any) -> None:
    there, back = compare(one, other), compare(other, one)
    assert sorted((reverse(effect), place) for _, effect, place in there) == sorted(  # type: ignore[arg-type]
        (effect, place) for _, effect, place in back
    )


@given(st.data(), schemas, schemas)
@settings(max_examples=150, deadline=None)
def test_where_nothing_is_said_to_be_lost_nothing_is(data: Any, one: Any, other: Any) -> None:
    """Sampled soundness: every value drawn from the base fits the revision, unless the comparison says otherwise."""
    effects = {effect for _, effect, _ in compare(one, other)}
    if effects <= {"widened", "noted"}:
        judge = verdict(other, in_document(other))
        value = data.draw(Strategies(one).values(one))
        assert judge(value)
