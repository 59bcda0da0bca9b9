"""One line per exchange, for a person or for a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import orjson

from ..openapi.times import iso
from .exchange import Exchange


def text_log(stream: TextIO) -> Callable[[Exchange], None]:
    """Return a log that writes aligned lines to `stream`: time, key, status, duration, what was asked and played."""

    def log(exchange: Exchange) -> None:
        facts = _facts(exchange)
        asked = f"{facts['method']} {facts['path']}" if not facts["operation"] else facts["operation"]
        tail = " ".join(str(part) for part in (facts["task"], facts["played"]) if part)
        stream.write(
            f"{facts['time'][11:23]} {facts['status']} {facts['ms']:7.1f} ms  {facts['key']:5} "
            f"{facts['provider']} {asked} {tail}".rstrip()
            + "\n"
        )

    return log


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
