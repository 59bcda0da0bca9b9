"""Variants that no check may mind."""

from __future__ import annotations

from dataclasses import replace

import orjson
from understudy.openapi.pointer import MISSING, resolve

from .answers import header, on_refusal, typed, when
from .letters import headers, letters
from .playing import slower
from .wrapping import Asked, Defect, Scene, Told, put


def _respaced(_scene: Scene, _asked: Asked, told: Told) -> Told:
    data = told.data
    return told if data is MISSING else told.with_body(orjson.dumps(data, option=orjson.OPT_INDENT_2))


def _reordered(_scene: Scene, _asked: Asked, told: Told) -> Told:
    data = told.data
    return told if data is MISSING else told.with_body(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))


def _escaped(_scene: Scene, _asked: Asked, told: Told) -> Told:
    import json  # noqa: PLC0415 - this one writes what is beyond ASCII as escapes

    data = told.data
    return told if data is MISSING else told.with_body(json.dumps(data, ensure_ascii=True).encode())


def _reworded(_scene: Scene, asked: Asked, told: Told) -> Told:
    pointers = asked.operation.refusal.message if asked.operation else ()
    for pointer in pointers:
        if isinstance(resolve(told.data, pointer), str):
            return told.with_data(put(told.data, pointer, "Something about this is not right"))
    return told


def _headers_reversed(_scene: Scene, _asked: Asked, told: Told) -> Told:
    return replace(told, headers=tuple(reversed(told.headers)))


HARMLESS: tuple[Defect, ...] = (
    Defect("with-spaces", "", on_answer=_respaced, styles="kie mulerouter"),
    Defect("in-another-order", "", on_answer=_reordered, styles="kie acme"),
    Defect("in-ascii", "", on_answer=_escaped, styles="mulerouter crun"),
    Defect(
        "with-a-charset",
        "",
        on_answer=lambda _s, _a, t: t.with_header(
            b"content-type", next((v for n, v in t.headers if n == b"content-type"), b"") + b"; charset=utf-8"
        ),
        styles="kie mulerouter",
    ),
    Defect("type-in-capitals", "", on_answer=when("poll", typed(b"Application/JSON")), styles="kie acme"),
    Defect("with-a-request-id", "", on_answer=header(b"x-request-id", b"abc"), styles="kie mulerouter"),
    Defect("with-cache-control", "", on_answer=header(b"cache-control", b"no-store"), styles="acme apikley"),
    Defect("with-a-cookie", "", on_answer=header(b"set-cookie", b"lb=1; Path=/"), styles="kie mulerouter"),
    Defect("headers-in-another-order", "", on_answer=_headers_reversed, styles="mulerouter crun"),
    Defect("in-other-words", "", on_answer=on_refusal("any", _reworded), styles="kie mulerouter acme"),
    Defect(
        "a-longer-wait",
        "",
        on_answer=on_refusal("rate-limited", lambda _s, _a, t: t.with_header(b"retry-after", b"17")),
        styles="kie acme",
    ),
    Defect("three-times-slower", "", emulated=slower(3), styles="kie mulerouter acme"),
    Defect("at-once", "", emulated=slower(0), styles="kie mulerouter"),
    Defect(
        "callbacks-with-more-headers",
        "",
        on_callback=headers(lambda _s, h: {**h, "x-forwarded-for": "10.0.0.1", "user-agent": "provider/2"}),
        styles="kie mulerouter",
    ),
    Defect(
        "callbacks-with-spaces",
        "",
        on_callback=letters(lambda _s, b: orjson.dumps(orjson.loads(b)) + b"\n"),
        styles="apikley kie",
    ),
    Defect("connection-closed-each-time", "", on_answer=header(b"connection", b"close"), styles="kie acme"),
)
