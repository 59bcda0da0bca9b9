"""Exchanges as HAR 1.2, which browsers' tools open."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl, quote

from ..openapi.times import iso
from .exchange import Exchange
from .faults import MUTE
from .journal import header_text

_IN_QUERY = "%/~:@!$&'()*+,;=?"
"""What stands in a query as it is: what was escaped is not escaped again."""


def to_har(exchanges: Iterable[Exchange], base: str, version: str) -> dict[str, Any]:
    """Return `exchanges` as a HAR log; `base` is what their URLs begin with."""
    creator = {"name": "understudy", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each, base) for each in exchanges]}}


def _entry(exchange: Exchange, base: str) -> dict[str, Any]:
    return {
        "startedDateTime": iso(exchange.real_time),
        "time": exchange.milliseconds,
        "request": _request(exchange, base),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": exchange.milliseconds, "receive": 0},
        "_understudy": {
            "id": exchange.number, "namespace": exchange.namespace.id if exchange.namespace else None,
            "provider": exchange.provider, "operation": exchange.operation, "task": exchange.task,
            "played": exchange.played, "time": iso(exchange.time) if exchange.time else None,
        },
    }  # fmt: skip


def _request(exchange: Exchange, base: str) -> dict[str, Any]:
    request = exchange.request
    query = request.query_string.decode("latin-1")
    at_root = exchange.operation == "file" or not exchange.provider
    path = quote(request.path if at_root else f"/{exchange.provider}{request.path}", safe="/~:@!$&'()*+,;=")
    return {
        "method": request.method,
        "url": base + path + (f"?{quote(query, safe=_IN_QUERY)}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
        "headersSize": -1,
        "bodySize": len(request.body),
        **({"postData": _post_data(exchange)} if request.body else {}),
    }


def _response(exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    mute = exchange.fault is not None and exchange.fault.does["fault"] in MUTE
    made = {
        "status": 0 if mute else answer.status,
        "statusText": "" if mute else responses.get(answer.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [] if mute else _headers(answer.headers),
        "content": {"size": 0, "mimeType": ""} if mute else _content(answer.headers, answer.body),
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1 if mute else len(answer.body),
    }
    # Where no answer came, browsers write status 0 and say why in a field of their own.
    return made | ({"_error": exchange.fault.name} if exchange.fault is not None and mute else {})


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> list[dict[str, str]]:
    return [{"name": name.decode("latin-1"), "value": header_text(value)} for name, value in headers]


def _media_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"content-type"), "")


def _post_data(exchange: Exchange) -> dict[str, Any]:
    content = _content(exchange.request.headers, exchange.request.body)
    made = {"mimeType": content["mimeType"], "params": [], "text": content["text"]}
    # HAR has a field for base64 on answers only; fields of one's own begin with an underscore.
    return made | ({"_encoding": content["encoding"]} if "encoding" in content else {})


def _content(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> dict[str, Any]:
    made: dict[str, Any] = {"size": len(body), "mimeType": _media_type(headers)}
    try:
        return made | {"text": body.decode()}
    except UnicodeDecodeError:
        return made | {"text": base64.b64encode(body).decode(), "encoding": "base64"}
