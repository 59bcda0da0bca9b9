"""Places in a schema: which keyword a path leads to, and where the way is not plain."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.openapi.pointer import MISSING
from understudy.openapi.schema_place import schema_place, value_at

SIZE = {"enum": ["1K"], "type": "string"}
SCHEMA: dict[str, Any] = {
    "properties": {
        "size": SIZE,
        "list": {"items": {"$ref": "#/components/Size"}},
        "both": {"allOf": [{}, SIZE]},
        "more": {"additionalProperties": SIZE},
        "named": {"$id": "https://example.com/", "type": "string"},
        "escaped": {"$ref": "#/components/a~1b"},
        "elsewhere": {"$ref": "other.json"},
        "nowhere": {"$ref": "#/components/None"},
        "branches": {"anyOf": [SIZE]},
        "None": SIZE,
        "closed": {"properties": {}, "additionalProperties": False},
    },
    "components": {"Size": SIZE, "a/b": SIZE},
}


@pytest.mark.parametrize(
    ("path", "order", "depth"),
    [
        ("properties/size/type", (0, 1), 1),
        ("properties/list/items/$ref/enum", (0, 0, 0, 0), 2),
        ("properties/both/allOf/1/enum", (0, 0, 1, 0), 1),
        ("properties/more/additionalProperties/type", (0, 0, 1), 2),
    ],
)
def test_a_plain_way_leads_to_its_keyword(path: str, order: tuple[int, ...], depth: int) -> None:
    steps = [int(step) if step.isdigit() else step for step in path.split("/")]
    found = schema_place(SCHEMA, steps)
    assert found is not None
    assert (found.schema, found.keyword, found.order, found.depth) == (SIZE, steps[-1], order, depth)


def test_a_closed_object_is_a_keyword_of_its_own() -> None:
    found = schema_place(SCHEMA, ["properties", "closed", "additionalProperties"])
    assert found is not None
    assert (found.keyword, found.order, found.depth) == ("additionalProperties", (0, 1), 1)


@pytest.mark.parametrize(
    "path",
    [
        "", "properties", "properties/size", "properties/size/minLength", "properties/unknown/type",
        "properties/more/additionalProperties", "properties/named/type", "properties/escaped/$ref/type",
        "properties/elsewhere/$ref/type", "properties/nowhere/$ref/type", "properties/branches/anyOf/0/type",
        "properties/both/allOf/x/type", "properties/both/allOf", "properties/type", "items/type",
    ],
)  # fmt: skip
def test_a_way_that_is_not_plain_leads_nowhere(path: str) -> None:
    assert schema_place(SCHEMA, [int(step) if step.isdigit() else step for step in path.split("/") if step]) is None


def test_a_value_is_found_by_names_and_numbers_but_a_number_is_no_name() -> None:
    data = {"list": [{"a": 5}], "1": "one", "01": "other"}
    assert value_at(data, ["list", 0, "a"]) == 5
    assert value_at(data, []) is data
    paths: tuple[list[str | int], ...] = ([1], ["list", "0"], ["list", 1], ["list", 0, "b"], ["list", 0, "a", "b"])
    for path in paths:
        assert value_at(data, path) is MISSING
