"""Reading the emulator's journal, as its control API lists the exchanges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...openapi.times import parse_time
from ..checks.exchange import Callback, Headers
from .entry import Entry, SkippedError

_LEFT_OUT = re.compile(r"<[\d,]+ bytes>")


def entry_of(data: Any) -> Entry:
    """Return the exchange of a journal that `data` is.

    Raises:
        SkippedError: it is none, or was spoiled on its way, so that what the client met was not written down.
    """
    if isinstance(data, dict) and data.get("fault"):
        raise SkippedError("spoiled by a fault that was played")
    try:
        request, response = data["request"], data["response"]
        began, real = data["time"], parse_time(data["real_time"])
        virtual = real if began is None else parse_time(began)
        return Entry(
            request["method"], request["path"] + (f"?{request['query']}" if request["query"] else ""),
            _headers(request["headers"]), _body(request["body"], "request"), virtual, real, virtual,
            int(response["status"]), _headers(response["headers"]), _body(response["body"], "answer"),
            provider=data["provider"] or "", below=True,
        )  # fmt: skip
    except SkippedError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SkippedError("not an exchange of a journal") from None


def callbacks_of(data: Any, provider: str) -> Iterator[Callback]:
    """Yield the callbacks that went out for the task that the exchange `data` created."""
    deliveries = data.get("deliveries") if isinstance(data, dict) else None
    for delivery in deliveries if isinstance(deliveries, list) else ():
        try:
            if delivery["provider"] != provider:
                continue
            for attempt in delivery["attempts"]:
                if not attempt["headers"]:  # it was not allowed to go where it should have gone
                    continue
                yield Callback(
                    _headers(attempt["headers"]), attempt["body"].encode(), parse_time(attempt["time"]),
                    parse_time(attempt["real_time"]), attempt["status"],
                )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            continue


def _headers(told: Any) -> Headers:
    return tuple((name.lower(), str(value)) for name, value in told.items())


def _body(text: Any, whose: str) -> bytes:
    if text is None:
        return b""
    if _LEFT_OUT.fullmatch(text):
        raise SkippedError(f"the {whose}'s body was not recorded")
    return bytes(text.encode())
