"""Who may call, and where: changes of security and of servers. Informational, each with a sentence."""

from __future__ import annotations

from typing import Any

from .document import Side, mapping
from .exchange import Exchange
from .findings import Finding
from .flat import json_key

_IDENTITY = ("type", "scheme", "in", "name", "openIdConnectUrl")


def compare_security(exchange: Exchange, base: Side, revision: Side) -> list[Finding]:
    """Compare what a caller has to show."""
    if exchange.polarity != "operation":
        return []
    before = _choices(base, exchange.base.file, exchange.base.operation)
    after = _choices(revision, exchange.revision.file, exchange.revision.operation)
    places = base.place(exchange.base.operation, "security"), revision.place(exchange.revision.operation, "security")
    found = []
    for choice in sorted(before.keys() - after.keys()):
        told = f"a call with {before[choice]} is no longer documented"
        found.append(exchange.finding("security-removed", "info", "sent", told, *places))
    for choice in sorted(after.keys() - before.keys()):
        told = f"a call with {after[choice]} is documented now"
        found.append(exchange.finding("security-added", "info", "sent", told, *places))
    return found


def _choices(side: Side, file: str, operation: Any) -> dict[str, str]:
    """Return the ways to be let in, each by what it asks for, not by what its scheme is called."""
    document = side.documents[file]
    asked = operation.get("security", document.get("security"))
    schemes = mapping(mapping(document.get("components")).get("securitySchemes"))
    found = {}
    for choice in asked if isinstance(asked, list) else [{}]:
        parts = []
        for name, scopes in sorted(mapping(choice).items()):
            scheme = side.follow(schemes.get(name))
            kind = {key: scheme[key] for key in _IDENTITY if key in scheme} or {"name": name}
            parts.append((str(json_key(kind)), _shown(kind), sorted(map(str, scopes or ()))))
        key = repr([(identity, scopes) for identity, _, scopes in sorted(parts)])
        found[key] = " and ".join(f"{shown} {' '.join(scopes)}".strip() for _, shown, scopes in parts) or "no key"
    return found


def _shown(kind: dict[str, Any]) -> str:
    return " ".join(str(kind[key]) for key in ("type", "scheme", "in", "name") if key in kind)


def compare_servers(base: Side, revision: Side) -> list[Finding]:
    """Compare the addresses that the documents give."""
    before, after = _servers(base), _servers(revision)
    found = []
    for what, urls, place in (
        ("removed", before.keys() - after.keys(), before), ("added", after.keys() - before.keys(), after)
    ):  # fmt: skip
        for url in sorted(urls):
            gone = what == "removed"
            told = f"The server {url} is no longer listed" if gone else f"The server {url} is new"
            places = (place[url], None) if gone else (None, place[url])
            found.append(Finding(f"server-{what}", "info", "sent", "", told, *places))
    return found


def _servers(side: Side) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in side.main:
        servers = side.documents[file].get("servers")
        for number, server in enumerate(servers if isinstance(servers, list) else ()):
            url = str(mapping(server).get("url", "/"))
            found.setdefault(url.rstrip("/") or "/", side.at(file, f"/servers/{number}"))
    return found
