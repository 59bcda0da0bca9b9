"""Exchanges as HAR 1.2, which browsers' tools open."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from ..openapi.times import iso
from .exchange import Exchange
from .journal import header_text
from .request import Headers


def to_har(exchanges: Iterable[Exchange], base: str, version: str) -> dict[str, Any]:
    """Return `exchanges` as a HAR log; `base` is what their URLs begin with."""
    creator = {"name": "understudy", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each, base) for each in exchanges]}}


def _entry(exchange: Exchange, base: str) -> dict[str, Any]:
    request, answer = exchange.request, exchange.answer
    query = request.query_string.decode("latin-1")
    path = (
        request.path if exchange.operation == "file" or not exchange.provider else f"/{exchange.provider}{request.path}"
    )
    return {
        "startedDateTime": iso(exchange.real_time),
        "time": exchange.milliseconds,
        "request": {
            "method": request.method,
            "url": base + path + (f"?{query}" if query else ""),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(request.headers),
            "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
            "headersSize": -1,
            "bodySize": len(request.body),
            **({"postData": _post_data(exchange)} if request.body else {}),
        },
        "response": {
            "status": answer.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(answer.headers),
            "content": _content(answer.headers, answer.body),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(answer.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange.milliseconds, "receive": 0},
        "_understudy": {
            "id": exchange.number, "namespace": exchange.namespace.id if exchange.namespace else None,
            "provider": exchange.provider, "operation": exchange.operation, "task": exchange.task,
            "played": exchange.played, "time": iso(exchange.time) if exchange.time else None,
        },
    }  # fmt: skip


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name.decode("latin-1"), "value": header_text(value)} for name, value in headers]


def _media_type(headers: Headers) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"content-type"), "")


def _post_data(exchange: Exchange) -> dict[str, Any]:
    content = _content(exchange.request.headers, exchange.request.body)
    made = {"mimeType": content["mimeType"], "params": [], "text": content["text"]}
    # HAR has a field for base64 on answers only; browsers write the same one on requests.
    return made | ({"encoding": content["encoding"]} if "encoding" in content else {})


def _content(headers: Headers, body: bytes) -> dict[str, Any]:
    made: dict[str, Any] = {"size": len(body), "mimeType": _media_type(headers)}
    try:
        return made | {"text": body.decode()}
    except UnicodeDecodeError:
        return made | {"text": base64.b64encode(body).decode(), "encoding": "base64"}
