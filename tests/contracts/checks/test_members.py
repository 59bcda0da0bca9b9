from typing import Any

import pytest
from understudy.contracts.checks.members import Members

NAMED = {"type": "object", "properties": {"a": {"type": "string"}}}
OPEN = {"type": "object", "properties": {"a": {}}, "additionalProperties": True}
TREE = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}, "name": {}}}
COMPONENTS = {"schemas": {"Tree": TREE, "Named": NAMED}}
REFERENCE = {"$ref": "#/components/schemas/Named"}
BY_CODE = {
    "properties": {"code": {}},
    "anyOf": [
        {"properties": {"code": {"const": 1}, "data": NAMED}, "required": ["code"]},
        {"properties": {"code": {"const": 2}, "why": {}}, "required": ["code"]},
    ],
}

CASES: list[tuple[Any, Any, list[str]]] = [
    (NAMED, {"a": "x"}, []),
    (NAMED, {"a": "x", "b": 1, "c": {"d": 1}}, ["/b", "/c"]),
    (REFERENCE, {"b": 1}, ["/b"]),
    ({**REFERENCE, "properties": {"b": {}}}, {"a": "", "b": 1}, []),
    (OPEN, {"b": 1}, []),
    ({"allOf": [NAMED, OPEN]}, {"b": 1}, []),
    ({"allOf": [NAMED, {"properties": {"b": NAMED}}]}, {"a": "", "b": {"c": 1}}, ["/b/c"]),
    ({"type": "object"}, {"b": 1}, []),
    (True, {"b": 1}, []),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, []),
    ({"additionalProperties": NAMED}, {"b": {"a": ""}, "c": {"d": 1}}, ["/c/d"]),
    ({"patternProperties": {"^x-": NAMED}}, {"x-1": {"q": 1}, "y": 1}, ["/x-1/q", "/y"]),
    ({"properties": {"a": {}}, "patternProperties": {"(": {}}}, {"b": 1}, []),
    ({"type": "array", "items": REFERENCE}, [{"a": ""}, {"b": 1}], ["/1/b"]),
    ({"prefixItems": [NAMED], "items": OPEN}, [{"b": 1}, {"b": 1}], ["/0/b"]),
    (
        {"if": {"properties": {"a": {}}}, "then": {"properties": {"b": {}}}, "else": {}},
        {"a": 1, "b": 1, "c": 1},
        ["/c"],
    ),
    (TREE, {"left": {"left": {"name": 1, "right": {}}}}, ["/left/left/right"]),
    (BY_CODE, {"code": 1, "data": {"a": "", "z": 1}}, ["/data/z"]),
    (BY_CODE, {"code": 2, "data": {}}, ["/data"]),
    (BY_CODE, {"code": 3, "data": {}, "why": 1, "b": 1}, ["/b"]),
    ({"oneOf": [NAMED, {"type": "null"}]}, {"b": 1}, ["/b"]),
    ({"oneOf": [NAMED, {"anyOf": [{"type": "null"}, OPEN]}]}, {"a": 7, "b": 1}, []),
]


@pytest.mark.parametrize(("schema", "data", "expected"), CASES)
def test_a_member_is_documented_if_a_branch_that_speaks_of_the_data_names_it(
    schema: Any, data: Any, expected: list[str]
) -> None:
    members = Members([schema], COMPONENTS)
    assert members.walk(data).undocumented == expected
    assert members.walk(data).undocumented == expected  # what was kept of the first walk says the same


def test_texts_that_are_json_by_their_media_type_are_met() -> None:
    text = {"type": "string", "contentMediaType": "application/json"}
    members = Members([{"properties": {"a": {"anyOf": [{"type": "null"}, text]}, "b": {"items": text}}}], {})
    assert members.walk({"a": "{}", "b": ["1", "x"]}).texts == [("/a", "{}"), ("/b/0", "1"), ("/b/1", "x")]
    assert members.walk({"a": None}).texts == []


def test_a_schema_that_refers_to_itself_ends() -> None:
    circle = {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}], "properties": {"a": {}}}}}
    assert Members([{"$ref": "#/components/schemas/A"}], circle).walk({"b": 1}).undocumented == ["/b"]
