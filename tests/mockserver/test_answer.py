"""Answers as bytes."""

from __future__ import annotations

import pytest
from understudy.mockserver.answer import json_answer, render_headers, render_refusal, render_reply, text_answer
from understudy.openapi.behaviour import Error, Refusal, Reply, Template

NAMES = frozenset({"error", "problem", "price", "value"})


def template(data: object) -> Template:
    """Return a template over a few names."""
    return Template(data, NAMES, "")


def test_json_and_text_carry_their_types() -> None:
    assert json_answer(200, {"a": "é"}).headers == ((b"content-type", b"application/json"),)
    assert json_answer(200, {"a": "é"}).body == '{"a":"é"}'.encode()
    assert text_answer(404, "é").headers == ((b"content-type", b"text/plain; charset=utf-8"),)


def test_headers_are_in_lower_case_and_left_out_where_null() -> None:
    made = render_headers(template({"Retry-After": "{{ value }}", "X-Fixed": "é☃", "X-Number": 5}), {"value": None})
    assert made == ((b"x-fixed", b"\xe9?"), (b"x-number", b"5"))
    assert render_headers(None, {}) == ()


def test_a_reply_without_a_body_has_no_type() -> None:
    reply = Reply(204, template({"X-A": "{{ value }}"}), None, {})
    assert render_reply(reply, {"value": 1}, None).headers == ((b"x-a", b"1"),)
    assert render_reply(reply, {"value": 1}, None).body == b""


REFUSAL = Refusal(
    status=template("{{ error.status or error.code }}"),
    content_type="application/problem+json",
    body=template({"code": "{{ error.code }}", "title?": "{{ error.title }}", "detail": "{{ error.message }}"}),
    code=("/code",), message=("/detail",), accepted=(),
)  # fmt: skip


def error(status: int | None = None, body: object = None, **facts: str) -> Error:
    """Return an entry of an error catalogue."""
    message = template("{{ problem }}!")
    return Error("bad", 422, status, message, None, None if body is None else template(body), facts, (), "documented")


@pytest.mark.parametrize(("status", "override", "sent"), [(None, None, 422), (400, None, 400), (400, 404, 404)])
def test_the_status_is_the_errors_or_its_code_unless_it_is_overridden(
    status: int | None, override: int | None, sent: int
) -> None:
    made = render_refusal(REFUSAL, error(status), {"problem": "no"}, override)
    assert made.status == sent
    assert made.headers == ((b"content-type", b"application/problem+json"),)
    assert made.body == b'{"code":422,"detail":"no!"}'


def test_an_errors_own_facts_and_body_are_shown() -> None:
    assert b'"title":"Bad"' in render_refusal(REFUSAL, error(title="Bad"), {"problem": "no"}).body
    assert render_refusal(REFUSAL, error(body=["{{ error.name }}"]), {"problem": "no"}).body == b'["bad"]'
