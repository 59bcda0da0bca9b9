"""Answers as bytes, and the two ways they come about: a template, or the error catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ..openapi.behaviour import Error, Refusal, Reply, Template
from .headers import Fields

if TYPE_CHECKING:
    from .call import Call

JSON = b"application/json"
JSON_ALONE: Fields = ((b"content-type", JSON),)
"""The headers of nearly every answer."""


@dataclass(slots=True)
class Answer:
    """What goes back to the client; `headers` has everything but the length."""

    status: int
    headers: Fields
    body: bytes


def json_answer(status: int, data: Any, content_type: bytes = JSON) -> Answer:
    """Return `data` as a JSON answer."""
    return Answer(status, ((b"content-type", content_type),), orjson.dumps(data))


def text_answer(status: int, text: str) -> Answer:
    """Return `text` as a plain answer."""
    return Answer(status, ((b"content-type", b"text/plain; charset=utf-8"),), text.encode())


def render_headers(template: Template | None, context: Mapping[str, Any]) -> Fields:
    """Return the headers that `template` makes of `context`; one whose value is null is left out."""
    if template is None:
        return ()
    rendered = template(context).items()
    return tuple(
        (name.lower().encode(), str(value).encode("latin-1", "replace"))
        for name, value in rendered
        if value is not None
    )


def render_reply(reply: Reply, context: Mapping[str, Any], body: Template | None) -> Answer:
    """Return the documented answer of an operation."""
    if body is None:
        return Answer(reply.status, render_headers(reply.headers, context), b"")
    headers = JSON_ALONE if reply.headers is None else JSON_ALONE + render_headers(reply.headers, context)
    return Answer(reply.status, headers, orjson.dumps(body(context)))


def reply(call: Call, more: Mapping[str, Any]) -> Answer:
    """Return the answer of the call's operation, whose template may use the names of `more` as well."""
    documented = call.operation.behaviour.answer
    return render_reply(documented, {**call.context, **more}, documented.body)


def render_refusal(refusal: Refusal, error: Error, context: dict[str, Any], status: int | None = None) -> Answer:
    """Return the refusal that `error` of the catalogue stands for; `status` overrides its HTTP status."""
    shown = {"code": error.code, "status": error.status, "name": error.name, **error.facts}
    context |= {"error": shown}
    shown["message"] = context.pop("message", None) or error.message(context)
    headers = render_headers(error.headers, context)
    body = (error.body or refusal.body)(context)
    content_type = refusal.content_type.encode()
    return Answer(
        status or int(refusal.status(context)), ((b"content-type", content_type), *headers), orjson.dumps(body)
    )
