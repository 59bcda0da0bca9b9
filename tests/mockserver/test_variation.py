"""Tomorrow's provider: how answers are changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.scenario import Repertoire, built_in_scenarios
from understudy.mockserver.variation import EXTRA, vary
from understudy.openapi.pointer import MISSING, join, resolve
from understudy.openapi.reads import compile_reads

from .stage import provider_of

READS = compile_reads({"status": ["/data/state", "/state"], "id": "/data/id", "outputs": "/data/result#/urls"})
BODY = {
    "code": 200,
    "data": {"id": "t1", "state": "waiting", "result": '{"urls":["a","b"]}', "tags": ["x", {"y": 1}]},
    "none": None,
}


def changed(name: str, body: Any = BODY, **given: str) -> Any:
    """Return `body` with a drift played on it, which leaves the body itself as it was."""
    before = copy.deepcopy(body)
    made = vary(Repertoire(built_in_scenarios()).bind(name, given, provider_of("kie").behaviour), body, READS)
    assert body == before
    return made


@pytest.mark.parametrize(
    ("path", "became"),
    [
        ("/data/id", {"value": "t1"}),
        ("data.id", {"value": "t1"}),
        ("/code", "200"),
        ("/none", "null"),
        ("/data/tags", [["x", {"y": 1}]]),
        ("/data/tags/0", {"value": "x"}),
        ("/data/tags/1/y", "1"),
    ],
)
def test_a_value_gets_another_type(path: str, became: Any) -> None:
    assert resolve(changed("type-changed", path=path), path if path[0] == "/" else "/data/id") == became


def test_a_field_is_missing_or_has_another_name() -> None:
    assert resolve(changed("missing-field", path="/data/id"), "/data/id") is MISSING
    renamed = changed("renamed-field", path="/data/id")
    assert (resolve(renamed, "/data/id"), resolve(renamed, "/data/id_v2")) == (MISSING, "t1")
    assert changed("missing-field", path="/data/tags/0")["data"]["tags"] == [{"y": 1}]
    assert changed("renamed-field", path="/data/tags/0")["data"]["tags"] == [{"y": 1}]


def test_json_inside_a_string_can_be_changed() -> None:
    assert changed("missing-field", path="/data/result#/urls")["data"]["result"] == "{}"
    assert changed("type-changed", path="/data/result#/urls/1")["data"]["result"] == '{"urls":["a",{"value":"b"}]}'


def test_without_a_path_what_tells_most_is_changed() -> None:
    assert resolve(changed("missing-field"), "/data/state") is MISSING
    assert changed("renamed-field", {"data": {"id": "t1"}})["data"] == {"id_v2": "t1"}
    assert changed("missing-field", {"state": "x"}) == {}
    assert changed("missing-field", {"other": 1}) == {"other": 1}


def test_a_field_is_added_where_there_is_an_object() -> None:
    assert changed("extra-field")[EXTRA]["since"] == "tomorrow"
    assert EXTRA in changed("extra-field", path="/data")["data"]
    assert changed("extra-field", path="/data/id") == BODY
    assert changed("extra-field", path="/nowhere") == BODY
    assert changed("extra-field", [1]) == [1]


def test_the_status_is_one_that_nobody_knows() -> None:
    assert changed("unknown-status")["data"]["state"] == "archived"
    assert changed("unknown-status", {"state": "x"}, status="new")["state"] == "new"
    assert changed("unknown-status", {"code": 1}) == {"code": 1}


def test_the_whole_body_may_change_its_type_or_go() -> None:
    assert changed("type-changed", path="/") == BODY
    assert changed("missing-field", [1, 2], path="/1") == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    JSON,
    st.sampled_from(["type-changed", "missing-field", "renamed-field", "extra-field"]),
    st.lists(st.text(max_size=3), max_size=3),
)
def test_any_body_can_be_varied_anywhere(body: Any, name: str, tokens: list[str]) -> None:
    changed(name, body, path=join(*tokens) or "/")
