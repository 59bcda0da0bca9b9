"""Links in answers: what a provider sends there is not trusted to be one."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from ..openapi.errors import shorten
from .errors import ProtocolViolation


def checked_url(url: str) -> str:
    """Return `url`.

    Raises:
        ProtocolViolation: it is no link that can be fetched.
    """
    try:
        parsed, again = httpx.URL(url), urlsplit(url)  # each lets through what the other refuses
        right = parsed.scheme in {"http", "https"} and bool(parsed.host) and bool(again.hostname) and again.port != 0
    except (httpx.InvalidURL, ValueError):
        right = False
    if not right:
        raise ProtocolViolation("", "a link that begins with http:// or https://", shorten(url))
    return url
