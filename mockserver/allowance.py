"""Where a callback may go: decided for each delivery, from the URL and the addresses that its host resolved to.

Loopback is open, but never a control API such as this server's own, on whichever port; whatever else the user names
is open as well; everything else is closed. The decision is about addresses, so that no spelling of one, and no name
for one, gets round it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote, urlsplit

Address = IPv4Address | IPv6Address
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w.:-]+")


_INBOX = ["_understudy", "inbox"]


class BlockedError(Exception):
    """A delivery may not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the user opened.

    Attributes:
        named: hosts (in lower case) that the user named, each with the port, or None for every port.
    """

    named: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver's URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def receiver(self) -> str:
        """Whom connections are counted by."""
        return f"{self.host}:{self.port}"


def parse_allowed(text: str) -> tuple[str, int | None]:
    """Return the host and the port of ``HOST[:PORT]``.

    Raises:
        ValueError: it is neither a name nor an address, or the port is none.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or text.lower() != _spelling(host, port) or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is no host; expected HOST or HOST:PORT")
    return host, port


def _spelling(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def receiver_of(url: str) -> str:
    """Return whom connections for `url` are counted by; "" where it is none that a callback can go to."""
    try:
        return parse_target(url).receiver
    except BlockedError:
        return ""


def parse_target(url: str) -> Target:
    """Return what `url` aims at.

    Raises:
        BlockedError: it is none that a callback can go to.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BlockedError(f"the URL is malformed: {error}") from None
    if parts.scheme not in _PORTS:
        raise BlockedError(f"the scheme {parts.scheme!r} is neither http nor https")
    if not host or any(char.isspace() or char in '\\"<>^`{|}' for char in url):
        raise BlockedError("the URL is malformed")
    if parts.username is not None or parts.password is not None:
        raise BlockedError("the URL holds a user name, which hides where it leads")
    return Target(parts.scheme, host.lower(), _PORTS[parts.scheme] if port is None else port, parts.path or "/")


def open_addresses(target: Target, addresses: Iterable[str], allowance: Allowance) -> list[str]:
    """Return those of `addresses`, to which the target's host resolved, that a callback may go to.

    Raises:
        BlockedError: there is none.
    """
    found = list(addresses)
    if _is_control(target.path):
        raise BlockedError("it leads to a control API such as this server's own")
    named = {host for host, port in allowance.named if port in {None, target.port}}
    if target.host in named:
        return found
    opened = {_canonical(host) for host in named if _is_address(host)}
    may = [each for each in found if _canonical(each).is_loopback or _canonical(each) in opened]
    if not may:
        where = "" if found == [target.host] else f" ({', '.join(found)})"
        raise BlockedError(f"{target.host}{where} is not loopback; --callback-allow {target.host} opens it")
    return may


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _canonical(address: str) -> Address:
    """Return the address that `address` really leads to: an IPv4 one may be wrapped in IPv6."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _is_control(path: str) -> bool:
    """Tell whether `path` may lead to the control API, inboxes aside; an odd spelling counts as if it did."""
    decoded = unquote(unquote(path)).lower()
    parts = [part for part in decoded.split("/") if part not in {"", "."}]
    if ".." in parts:
        return "_understudy" in decoded
    return bool(parts) and parts[0].startswith("_understudy") and (parts[:2] != _INBOX or len(parts) != 3)
