"""Showing that a key was there without showing the key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import orjson

_SHOWN = 4


def mask(secret: str) -> str:
    """Return `secret` with all but its first characters hidden; short secrets are hidden entirely."""
    return f"{secret[:_SHOWN]}…" if len(secret) >= 2 * _SHOWN else "…"


SECRET_HEADERS = frozenset(
    {
        b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key", b"api-key", b"x-goog-api-key",
        b"x-webhook-signature", b"webhook-signature", b"x-understudy-token",
    }
)  # fmt: skip
"""Headers that carry keys or signatures, in lower case."""
_SECRET_WORDS = (b"key", b"token", b"secret", b"signature")
_WITH_SCHEME = frozenset({b"authorization", b"proxy-authorization"})
_SECRET_PARAMETER = re.compile(rb"((?:^|(?<=&))[^&=]*(?:key|token|secret|signature)=)([^&]*)", re.IGNORECASE)


def mask_header(name: bytes, value: bytes, *, secret: bool = False) -> bytes:
    """Return the `value` of a header called `name` (in lower case), masked where it carries a key or a signature.

    `secret` says that it does, whatever its name is.
    """
    if not secret and name not in SECRET_HEADERS and not (name.startswith(b"x-") and name.endswith(_SECRET_WORDS)):
        return value
    scheme, space, key = value.partition(b" ")
    if not space or name not in _WITH_SCHEME:
        scheme, space, key = b"", b"", value
    return scheme + space + mask(key.decode("latin-1")).encode()


def mask_query(query: bytes) -> bytes:
    """Return a query string with the values of parameters that carry keys or signatures masked."""
    return _SECRET_PARAMETER.sub(lambda match: match[1] + quote(mask(match[2].decode("latin-1"))).encode(), query)


_SECRET_INSIDE = re.compile(r"(?:key|token|secret|signature|password|authorization)(?:\\*\"|=)", re.IGNORECASE)
_SECRET_FIELD = re.compile(r"(?:key|token|secret|signature|password|authorization)$", re.IGNORECASE)


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with every one of `secrets` in it masked, and what a URL in it carries in parameters for keys."""
    for secret in secrets:
        text = text.replace(secret, mask(secret))
    place, question, query = text.partition("?")
    return place + question + mask_query(query.encode()).decode() if question and "://" in place else text


def mask_data(data: Any, secrets: Iterable[str] = ()) -> Any:
    """Return JSON `data` with texts masked that stand in fields for keys, and `secrets` wherever they stand."""
    if isinstance(data, dict):
        return {
            name: mask(value) if isinstance(value, str) and is_secret_field(name) else mask_data(value, secrets)
            for name, value in data.items()
        }
    if isinstance(data, list):
        return [mask_data(each, secrets) for each in data]
    return _mask_inside(data, secrets) if isinstance(data, str) else data


def _mask_inside(text: str, secrets: Iterable[str]) -> str:
    """Return `text`, which may be JSON of its own with fields for keys, masked."""
    if text[:1] in {"{", "["} and _SECRET_INSIDE.search(text):
        try:
            inside = orjson.loads(text)
        except orjson.JSONDecodeError:
            return mask_text(text, secrets)
        masked = mask_data(inside, secrets)
        return text if masked == inside else orjson.dumps(masked).decode()
    return mask_text(text, secrets)


def is_secret_field(name: str) -> bool:
    """Tell whether a field called `name` is one that carries a key, a token or a signature."""
    return _SECRET_FIELD.search(name) is not None
