"""Showing that a key was there without showing the key."""

from __future__ import annotations

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


def mask_header(name: bytes, value: bytes) -> bytes:
    """Return the `value` of a header called `name` (in lower case), masked where it carries a key or a signature."""
    if name not in SECRET_HEADERS and not (name.startswith(b"x-") and name.endswith(_SECRET_WORDS)):
        return value
    scheme, space, secret = value.rpartition(b" ")
    return scheme + space + mask(secret.decode("latin-1")).encode()
