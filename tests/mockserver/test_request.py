"""A request as it came, and what runtime expressions find in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.headers import Headers
from understudy.mockserver.refusal import Refused
from understudy.mockserver.request import Request, RequestView
from understudy.openapi.pointer import MISSING


def made(body: bytes = b"", query: bytes = b"", **headers: str) -> Request:
    """Return a request."""
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = Request("POST", "/v1/tasks/7", query, Headers(sent), body)
    request.path_values = {"id": "7"}
    return request


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$request.query.taskId", "a b"), ("$request.query.none", MISSING), ("$request.path.id", "7"),
        ("$request.path.none", MISSING), ("$request.header.X-Acme-Key", "secret"), ("$request.header.none", MISSING),
        ("$request.body#/input/prompt", "x"), ("$request.body#/input/none", MISSING), ("$request.body#/images/1", 2),
        ("$request.body#", {"input": {"prompt": "x"}, "images": [1, 2]}),
    ],
)  # fmt: skip
def test_an_expression_finds_its_value(expression: str, found: Any) -> None:
    request = made(b'{"input":{"prompt":"x"},"images":[1,2]}', b"taskId=a+b&empty=", x_acme_key="secret")
    assert request.find(expression) == found


def test_only_text_is_text() -> None:
    request = made(b'{"a":"x","b":1}')
    assert [request.text(each) for each in ("$request.body#/a", "$request.body#/b", "$request.body#/c", None)] == [
        "x",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"", None),
        (b"a", ""),
        (b"a=", ""),
        (b"a=1&a=2", "1"),
        (b"a=%E2%98%83", "\u2603"),
        (b"a=%FF", "\ufffd"),
        (b"a=1;b=2", "1;b=2"),
        (b"a=+%2B", " +"),
        (b"a=\xff", "\xff"),
        (b"&&a=1", "1"),
    ],
)
def test_a_query_is_read_whatever_it_is(query: bytes, value: str | None) -> None:
    assert made(query=query).query.get("a") == value


def test_a_form_stands_for_the_body() -> None:
    request = made(b"nothing to parse")
    request.form = {"folder": "in"}
    assert request.find("$request.body#/folder") == "in"


@given(st.binary(max_size=100))
def test_a_body_is_data_or_refused(body: bytes) -> None:
    seen = RequestView(made(body)).body
    if seen is not None:
        assert made(body).json == seen
    elif body.strip() != b"null":
        with pytest.raises(Refused, match="body-malformed"):
            _ = made(body).json


def test_a_template_sees_body_query_and_path() -> None:
    view = RequestView(made(b'{"a":1}', b"b=2"))
    assert (view.body, view.query, view.path) == ({"a": 1}, {"b": "2"}, {"id": "7"})


def test_many_brackets_side_by_side_are_not_deep() -> None:
    body = b"[" + b",".join([b"[]"] * 1000) + b"]"
    assert len(made(body).json) == 1000
