from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.provider import BUILT_IN
from understudy.openapi.reads import CONVERSIONS, FACTS, compile_reads, read
from understudy.openapi.source import read_source
from understudy.openapi.template import compile_template
from understudy.openapi.times import MAX_TIME

TASK = st.fixed_dictionaries(
    {
        "id": st.text(min_size=1),
        "created": st.integers(0, MAX_TIME),
        "updated": st.integers(0, MAX_TIME),
        "completed": st.integers(0, MAX_TIME // 1000).map(lambda seconds: seconds * 1000),
        "duration": st.integers(0, 10**10),
        "outputs": st.lists(st.text(), min_size=1),
        "input": st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text()),
    }
)
WRITTEN = {
    "id": "{{ task.id }}",
    "created": "{{ task.created | iso }}",
    "updated": "{{ task.updated }}",
    "completed": "{{ task.completed | seconds }}",
    "duration": "{{ task.duration | exact_seconds }}",
    "param": "{{ {'input': task.input} | json }}",
    "result": {"urls": "{{ task.outputs }}"},
}
READS = {
    "id": "/id",
    "created": {"at": "/created", "as": "iso"},
    "updated": {"at": "/updated", "as": "milliseconds"},
    "completed": {"at": ["/nowhere", "/completed"], "as": "seconds"},
    "duration": {"at": "/duration", "as": "seconds"},
    "input": "/param#/input",
    "outputs": ["/nowhere", "/result/urls"],
}


@given(TASK)
def test_what_templates_write_reads_back(task: dict[str, Any]) -> None:
    written = compile_template(WRITTEN, frozenset({"task"}))({"task": task})
    assert read(compile_reads(READS), written) == task


def read_as(conversion: str, value: Any) -> Any:
    """The fact that a read makes of one value, or "left out"."""
    return read(compile_reads({"id": {"at": "/x", "as": conversion}}), {"x": value}).get("id", "left out")


@pytest.mark.parametrize(
    ("conversion", "value", "fact"),
    [
        ("as-is", "x", "x"),
        ("milliseconds", 1e308, "left out"),
        ("seconds", 1e308, "left out"),
        ("seconds", 10**30, "left out"),
        ("milliseconds", MAX_TIME, MAX_TIME),
        ("as-is", [1], [1]),
        ("as-is", False, False),
        ("as-is", None, "left out"),
        ("milliseconds", 1500, 1500),
        ("milliseconds", "1500", "left out"),
        ("milliseconds", True, "left out"),
        ("seconds", 1.25, 1250),
        ("seconds", inf, "left out"),
        ("seconds", nan, "left out"),
        ("iso", "2025-09-21T00:00:00.500Z", 1_758_412_800_500),
        ("iso", "yesterday", "left out"),
        ("iso", 1_758_412_800, "left out"),
        ("list", ["a", "b"], ["a", "b"]),
        ("list", "a", ["a"]),
        ("list", 5, "left out"),
    ],
)
def test_a_value_is_understood_as_told_and_left_out_where_it_cannot_be(conversion: str, value: Any, fact: Any) -> None:
    assert read_as(conversion, value) == fact


def test_the_first_pointer_that_leads_to_something_understood_counts() -> None:
    reads = compile_reads({"created": {"at": ["/a", "/b", "/c"], "as": "seconds"}})
    assert read(reads, {"a": None, "b": "odd", "c": 2}) == {"created": 2000}
    assert read(reads, "no object at all") == {}


def test_the_schema_of_behaviour_files_offers_every_fact_and_every_conversion_and_no_other() -> None:
    schema = read_source(BUILT_IN.parent / "behaviour.schema.yaml").data["$defs"]["reads"]
    assert tuple(schema["propertyNames"]["enum"]) == FACTS
    offered = schema["additionalProperties"]["anyOf"][1]["properties"]["as"]["enum"]
    assert set(offered) == set(CONVERSIONS)
