"""One line per exchange, for a person or for a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import orjson

from ..openapi.errors import cut
from ..openapi.times import iso
from .exchange import Exchange

_LONGEST_PATH = 200


def text_log(stream: TextIO) -> Callable[[Exchange], None]:
    """Return a log that writes aligned lines to `stream`: time, key, status, duration, what was asked and played."""

    def log(exchange: Exchange) -> None:
        facts = _facts(exchange)
        asked = facts["operation"] or f"{facts['method']} {cut(facts['path'], _LONGEST_PATH)}"
        tail = " ".join(str(part) for part in (facts["task"], facts["played"]) if part)
        line = (
            f"{facts['time'][11:23]} {facts['status']} {facts['ms']:7.1f} ms  {facts['key']:5} "
            f"{facts['provider']} {asked} {tail}"
        )
        stream.write(_printable(line.rstrip()) + "\n")

    return log


def _printable(text: str) -> str:
    """Return `text` with what a client may have put there to break lines or steer a terminal spelled out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def json_log(stream: TextIO) -> Callable[[Exchange], None]:
    """Return a log that writes one JSON object per line to `stream`."""

    def log(exchange: Exchange) -> None:
        stream.write(orjson.dumps(_facts(exchange)).decode() + "\n")

    return log


def _facts(exchange: Exchange) -> dict[str, Any]:
    namespace = exchange.namespace
    return {
        "time": iso(exchange.real_time),
        "key": namespace.masked_key if namespace else "",
        "provider": exchange.provider,
        "operation": exchange.operation,
        "method": exchange.request.method,
        "path": exchange.request.path,
        "task": exchange.task,
        "played": exchange.played,
        "status": exchange.answer.status,
        "ms": round(exchange.milliseconds, 1),
    }
