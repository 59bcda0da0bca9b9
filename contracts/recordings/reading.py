"""Where recordings come from: a file, standard input, an emulator."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

from ...openapi.errors import LoadError
from .recording import MAX_BYTES

DEFAULT_EMULATOR = "http://127.0.0.1:4020"
_JOURNAL = "/_understudy/exchanges"
_DELIVERIES = "/_understudy/deliveries"
_SECONDS = 30


def read_bytes(source: str) -> tuple[bytes, str]:
    """Return the bytes of a recording, and what to call it.

    Args:
        source: a file; ``-`` for standard input; ``journal`` for what the emulator on this machine has seen; or the
            URL of an emulator or of its journal.

    Raises:
        LoadError: there is none, or it is too large.
    """
    if source == "-":
        return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"), "standard input"
    path = Path(source)
    if source == "journal" and not path.exists():
        return _journal(DEFAULT_EMULATOR), "the journal"
    if source.startswith(("http://", "https://")):
        return _fetched(source) if _JOURNAL in source else _journal(source.rstrip("/")), source
    try:
        with path.open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1), source), source
    except OSError as error:
        raise LoadError(source, error.strerror or str(error), expected="a HAR, `journal`, or - for stdin") from None


def _bounded(text: bytes, name: str) -> bytes:
    if len(text) > MAX_BYTES:
        raise LoadError(name, f"is more than {MAX_BYTES:,} bytes", expected="a shorter recording")
    return text


def _journal(emulator: str) -> bytes:
    """Return everything that an emulator was asked, and the callbacks that it sent, wherever they went."""
    har, deliveries = _fetched(f"{emulator}{_JOURNAL}.har"), _fetched(f"{emulator}{_DELIVERIES}")
    return b'{"har":%b,"sent":%b}' % (har, deliveries)


def _fetched(url: str) -> bytes:
    found = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_SECONDS, trust_env=False) as response:
            if response.status_code != 200:
                raise LoadError(url, f"answers HTTP {response.status_code}", expected="an emulator's journal")
            for part in response.iter_bytes():
                found += part
                if len(found) > MAX_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoadError(url, f"does not answer: {error}", expected="a running emulator, with its control API") from None
    return _bounded(bytes(found), url)
