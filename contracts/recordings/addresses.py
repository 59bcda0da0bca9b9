"""Whose a URL is: the provider's own, or an emulator's that plays it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..checks.oracle import Oracle

_PORTS = {"http": 80, "https": 443, "": None}


@dataclass(frozen=True, slots=True)
class Address:
    """A URL below its provider: path and query as they were sent."""

    path: str
    query: str


class Addresses:
    """The URLs below which a provider is reached.

    Args:
        oracle: the provider's.
        more: base URLs beside those that the behaviour file and the documents name.
    """

    def __init__(self, oracle: Oracle, more: Iterable[str] = ()) -> None:
        self._oracle = oracle
        named = [
            *more, oracle.behaviour.base_url, *oracle.contract.servers,
            *(each.server for each in oracle.contract.operations.values()),
        ]  # fmt: skip
        bases = {found for each in named if (found := _base(each))}
        self._bases = sorted(bases, key=lambda base: -len(base[1]))
        name = re.escape(oracle.provider.name)
        self._prefix = re.compile(rf"(?:/~[^/]+)?/{name}(?=/)")

    def find(self, url: str, *, played: bool = False) -> Address | None:
        """Return where `url` leads to below the provider, None where it is somebody else's.

        `played` says that an emulator took it for this provider's.
        """
        try:
            parts = urlsplit(url)
            host = _host(url)
        except ValueError:
            return None
        for base, path in self._bases:
            if host == base and (parts.path + "/").startswith(path + "/"):
                return Address(parts.path[len(path) :] or "/", parts.query)
        prefix = self._prefix.match(parts.path)
        if prefix and (played or self._oracle.has_path(parts.path[prefix.end() :])):
            return Address(parts.path[prefix.end() :], parts.query)
        return None


def _host(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _base(url: str) -> tuple[tuple[str, int | None], str] | None:
    """Return the host and the path that `url` begins with, None where it names no host."""
    try:
        host = _host(url)
    except ValueError:
        return None
    return (host, urlsplit(url).path.rstrip("/")) if host[0] else None


def same_url(one: str) -> str:
    """Return `one` in the form in which two spellings of a URL are equal: without fragment, the port told."""
    try:
        parts = urlsplit(one)
        host, port = _host(one)
    except ValueError:
        return one
    return f"{parts.scheme}://{host}:{port}{parts.path or '/'}?{parts.query}"
