import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.pointer import MISSING, escape, join, resolve, split

RFC_6901 = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}
ANSWER = {"data": {"resultJson": json.dumps({"resultUrls": ["https://a.test/1", json.dumps({"deep": [4, 5]})]})}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", RFC_6901),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_rfc_6901_resolve(pointer: str, value: Any) -> None:
    assert resolve(RFC_6901, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["/bar", "/foo/2", "/foo/-", "/foo/-1", "/foo/00", "/foo/²", "/foo/0/x", "/foo/" + "9" * 5000, "/foo/a"]
)
def test_a_pointer_that_leads_nowhere_resolves_to_missing(pointer: str) -> None:
    assert resolve(RFC_6901, pointer) is MISSING


def test_missing_is_false_and_prints_as_itself_and_is_not_a_null_that_stands_there() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
    assert resolve({"a": None}, "/a") is None


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/data/resultJson#/resultUrls/0", "https://a.test/1"),
        ("/data/resultJson#/resultUrls/1#/deep/1", 5),
        ("/data/resultJson#/other", MISSING),
        ("/data#/resultUrls", MISSING),
        ("/data/none#/resultUrls", MISSING),
    ],
)
def test_a_pointer_steps_through_json_in_a_string(pointer: str, value: Any) -> None:
    assert resolve(ANSWER, pointer) == value


@pytest.mark.parametrize("text", ["", "{", "not json"])
def test_a_string_that_holds_no_json_leads_nowhere(text: str) -> None:
    assert resolve({"a": text}, "/a#/b") is MISSING


@pytest.mark.parametrize("pointer", ["a", "a/b", "#/a"])
def test_text_that_is_no_pointer_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match="is no JSON Pointer: it should begin with '/'"):
        split(pointer)


@given(st.lists(st.text(max_size=6)))
def test_what_was_joined_splits_into_the_same_tokens(tokens: list[str]) -> None:
    assert split(join(*tokens)) == tuple(tokens)


@pytest.mark.parametrize(
    ("token", "written"), [("a/b", "a~1b"), ("m~n", "m~0n"), ("C#", "C~2"), ("#", "~2"), ("a#b", "a#b"), ("~1", "~01")]
)
def test_a_token_is_escaped_so_that_it_is_one_token_again(token: str, written: str) -> None:
    assert escape(token) == written
    assert resolve({token: {"x": 1}}, f"/{written}/x") == 1


@given(JSON, st.text(alphabet="/~#01a", max_size=12).map("/".__add__))
def test_no_data_makes_a_pointer_fail(data: Any, pointer: str) -> None:
    resolve(data, pointer)


def places(value: Any, tokens: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every value inside `value`, with the tokens that lead to it."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(tokens, value), *(place for key, child in children for place in places(child, (*tokens, key)))]


@given(JSON)
def test_every_value_is_found_at_its_own_pointer(data: Any) -> None:
    for tokens, value in places(data):
        assert resolve(data, join(*tokens)) is value
