"""Showing that a key was there without showing the key."""

from __future__ import annotations

import re
from urllib.parse import quote

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
