"""Links to files of this server: written with what they need to find their way back, and read again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import parse_qs, quote, unquote, urlsplit

PREFIX = "/_files/"
_LONGEST_TIME = 20


@dataclass(frozen=True, slots=True)
class Link:
    """What a link to a file names; `until` is when it stops working, in the namespace's time."""

    provider: str
    namespace: str
    name: str
    until: int | None = None
    signature: str = ""


def write_link(base: str, link: Link, seed: int) -> str:
    """Return the URL of `link` below `base`."""
    path = "/".join(quote(part, safe="/~") for part in (link.provider, link.namespace, link.name))
    query = "" if link.until is None else f"?until={link.until}&signature={sign(link, seed)}"
    return f"{base}{PREFIX}{path}{query}"


def sign(link: Link, seed: int) -> str:
    """Return what proves that this server wrote `link`."""
    text = f"{seed}/{link.provider}/{link.namespace}/{link.name}/{link.until}"
    return blake2b(text.encode(), digest_size=10).hexdigest()


def read_link(url: str, base: str) -> Link | None:
    """Return what `url` names where it is a link below `base`, else None."""
    if not url.startswith(base + PREFIX):
        return None
    parts = urlsplit(url[len(base) :])
    return read_path(unquote(parts.path), parts.query)


def read_path(path: str, query: str) -> Link | None:
    """Return the link that a decoded path and a query string mean, or None where they mean none."""
    parts = path.removeprefix(PREFIX).split("/", 2)
    if not path.startswith(PREFIX) or len(parts) != 3 or not parts[2]:
        return None
    values = parse_qs(query)
    until = values.get("until", [""])[0]
    provider, namespace, name = parts
    signature = values.get("signature", [""])[0]
    moment = int(until) if until.isascii() and until.isdigit() and len(until) < _LONGEST_TIME else None
    return Link(provider, namespace, name, moment, signature)
