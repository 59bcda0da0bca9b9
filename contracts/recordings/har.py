"""Reading HAR 1.2, as browsers, proxies and the emulator write it."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from ...openapi.times import parse_time
from ..checks.exchange import Headers
from .entry import Entry, SkippedError

FORM = "application/x-www-form-urlencoded"


def entry_of(data: Any) -> Entry:
    """Return the entry of a HAR log that `data` is.

    Raises:
        SkippedError: it is none, or the recorder left out what is needed to judge it.
    """
    if not (
        isinstance(data, dict) and isinstance(data.get("request"), dict) and isinstance(data.get("response"), dict)
    ):
        raise SkippedError("not an entry with a request and a response")
    request, response, own = data["request"], data["response"], data.get("_understudy")
    own = own if isinstance(own, dict) else {}
    real = _time(data.get("startedDateTime"))
    took = data.get("time")
    # The clock of an emulator's provider may stand still while an answer is on its way.
    virtual = _time(own["time"]) if own.get("time") else None
    began = real if virtual is None else virtual
    lasted = round(took) if virtual is None and isinstance(took, int | float) and 0 <= took < _LONGEST else 0
    status = response.get("status")
    if not isinstance(status, int) or isinstance(status, bool):
        raise SkippedError("not an entry with a request and a response")
    sent, was_encoded = _sent(request)
    answer, is_encoded = _answer(response) if status else (b"", False)
    return Entry(
        _text(request.get("method")).upper(), _text(request.get("url")), _headers(request.get("headers")), sent,
        began, real, began + lasted, status or None, _headers(response.get("headers")), answer,
        error="" if status else str(response.get("_error") or "no answer was recorded"),
        provider=own.get("provider") or ("" if own else None), decoded=was_encoded + is_encoded,
    )  # fmt: skip


_LONGEST = 86_400_000


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SkippedError("not an entry with a request and a response")
    return value


def _time(value: Any) -> int:
    try:
        return parse_time(_text(value))
    except ValueError:
        raise SkippedError("without a time") from None


def _headers(listed: Any) -> Headers:
    found = listed if isinstance(listed, list) else []
    pairs = [(each.get("name"), each.get("value")) for each in found if isinstance(each, dict)]
    # Browsers tell what HTTP/2 has in place of a request line as headers whose names begin with a colon.
    return tuple(
        (name.lower(), value)
        for name, value in pairs
        if isinstance(name, str) and isinstance(value, str) and not name.startswith(":")
    )


def _sent(request: dict[str, Any]) -> tuple[bytes, bool]:
    """Return the request's body, and whether it was written as base64."""
    posted = request.get("postData")
    if not isinstance(posted, dict):
        size = request.get("bodySize")
        if isinstance(size, int) and size > 0:
            raise SkippedError("the request's body was not recorded")
        return b"", False
    if isinstance(posted.get("text"), str) and posted["text"]:
        # Requests have no field for it, so that recorders have one of their own.
        encoding = posted.get("encoding") or posted.get("_encoding")
        return _decoded(posted["text"], encoding), encoding == "base64"
    listed = posted.get("params")
    pairs = [(str(each.get("name")), str(each.get("value", ""))) for each in listed or () if isinstance(each, dict)]
    if str(posted.get("mimeType", "")).startswith(FORM):
        return urlencode(pairs).encode(), False
    return b"", False


def _answer(response: dict[str, Any]) -> tuple[bytes, bool]:
    """Return the answer's body, and whether it was written as base64."""
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    text, size = content.get("text"), content.get("size")
    if not isinstance(text, str):
        if isinstance(size, int) and size > 0:
            raise SkippedError("the answer's body was not recorded")
        return b"", False
    return _decoded(text, content.get("encoding")), content.get("encoding") == "base64"


def _decoded(text: str, encoding: Any) -> bytes:
    if encoding != "base64":
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SkippedError("a body that is said to be base64 and is not") from None
