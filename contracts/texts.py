"""Strategies for strings: lengths, patterns and formats."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .matching import Matching

_LONGEST = 10_000
_NUMBERS = 2**24
_SPREAD = 24
"""How many characters more than the fewest are drawn: long text finds little that short text does not."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;-_/\\'\"<>&%+=#?!@$()[]{}|~^*`\n\t"
_TEXT = f"{_LETTERS}éßñЖяλ漢字日本ไทय\u00a0\u00ad\u200b\u200d\u2028\u202e\ufeff\ufffd🙂👩‍🚀𐍈"
"""What text is made of: enough of Unicode to hurt, and quick to draw from, as all of it is not."""
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_SECONDS = st.integers(0, 1_500_000_000)


def texts(
    low: int, high: int | None, patterns: tuple[str, ...] = (), formats: tuple[str, ...] = ()
) -> tuple[SearchStrategy[str], bool]:
    """Return a strategy for strings of `low` to `high` characters, and whether what it draws is sure to fit."""
    known = [name for name in formats if name in FORMATS]
    if patterns:
        return _matching(low, high, patterns, known)
    if known:
        return _formatted(low, high, known)
    return _free(low, high), True


def _free(low: int, high: int | None) -> SearchStrategy[str]:
    most = low + _SPREAD if high is None else min(high, low + _SPREAD)
    short = st.text(_TEXT, min_size=low, max_size=most)
    if high is None or high <= most:
        return short
    return st.one_of(short, st.sampled_from(("x" * high, "é" * high)))


def _matching(
    low: int, high: int | None, patterns: tuple[str, ...], formats: list[str]
) -> tuple[SearchStrategy[str], bool]:
    try:
        made = Matching(patterns[0], low, low + _LONGEST if high is None else high)
    except (re.error, OverflowError, RecursionError):  # an expression of another dialect: what is drawn is judged
        return _free(low, high), False
    drawn = st.integers(0, _NUMBERS).map(made.text).filter(_is_made)
    return drawn.map(str), not formats and len(patterns) == 1


def _is_made(text: str | None) -> bool:
    return text is not None


def _formatted(low: int, high: int | None, formats: list[str]) -> tuple[SearchStrategy[str], bool]:
    drawn = FORMATS[formats[0]](low, high)
    if low == 0 and high is None:
        return drawn, len(formats) == 1
    fits = drawn.filter(lambda text: low <= len(text) and (high is None or len(text) <= high))
    return fits, len(formats) == 1


_Make = Callable[[int, int | None], SearchStrategy[str]]


def _simply(strategy: SearchStrategy[str]) -> _Make:
    return lambda _low, _high: strategy


def _uris(low: int, high: int | None) -> SearchStrategy[str]:
    """Return URIs as long as asked: the path is padded, and short ones are of the shortest form."""
    if high is not None and high < len(_HOSTS[0]) + 8:
        return st.integers(0, 9).map(lambda number: f"s:{number}".ljust(low, "0"))
    return st.tuples(st.sampled_from(_HOSTS), st.integers(0, 0xFFFF)).map(
        lambda parts: f"{parts[0]}{parts[1]:x}".ljust(low, "a")[: high or None]
    )


_HOSTS = ("https://a.example/", "http://a.example/b/", "https://a.example/?c=")
_EMAILS = st.tuples(st.sampled_from("abcxyz"), st.integers(0, 9999)).map(
    lambda parts: f"{parts[0]}{parts[1]}@b.example"
)


def _date(seconds: int) -> datetime:
    return _BEGIN + timedelta(seconds=seconds)


def _date_times() -> SearchStrategy[str]:
    zones = st.sampled_from(("Z", "+00:00", "-07:30"))
    return st.tuples(_SECONDS, st.sampled_from(("", ".5", ".123456")), zones).map(
        lambda parts: f"{_date(parts[0]):%Y-%m-%dT%H:%M:%S}{parts[1]}{parts[2]}"
    )


def _base64(low: int, high: int | None) -> SearchStrategy[str]:
    fewest, most = -(-low // 4) * 3, None if high is None else high // 4 * 3
    top = fewest + _SPREAD if most is None else min(most, fewest + _SPREAD)
    return st.binary(min_size=max(0, fewest - 2 if low else 0), max_size=max(top, 0)).map(
        lambda raw: b64encode(raw).decode()
    )


_HOSTNAMES = st.integers(0, 999).map(lambda number: f"h{number}.example")
_UUIDS = st.integers(0, 2**62 - 1).map(
    lambda number: (
        f"{number & 0xFFFFFFFF:08x}-{number >> 32 & 0xFFFF:04x}-4{number >> 48 & 0xFFF:03x}"
        f"-8{number >> 60 & 0x3:03x}-{number & 0xFFFFFFFFFFFF:012x}"
    )
)

FORMATS: dict[str, _Make] = {
    "uuid": _simply(_UUIDS),
    **dict.fromkeys(("uri", "iri", "uri-reference", "iri-reference", "url"), _uris),
    "uri-template": _simply(st.sampled_from(("https://a.example/{id}", "/{a}/{b}"))),
    "date-time": _simply(_date_times()),
    "date": _simply(_SECONDS.map(lambda seconds: f"{_date(seconds):%Y-%m-%d}")),
    "time": _simply(_SECONDS.map(lambda seconds: f"{_date(seconds):%H:%M:%S}Z")),
    "duration": _simply(st.integers(0, 999).map(lambda number: f"PT{number}S")),
    **dict.fromkeys(("email", "idn-email"), _simply(_EMAILS)),
    **dict.fromkeys(("hostname", "idn-hostname"), _simply(_HOSTNAMES)),
    "ipv4": _simply(st.integers(0, 0xFFFFFF).map(lambda n: f"10.{n >> 16}.{n >> 8 & 0xFF}.{n & 0xFF}")),
    "ipv6": _simply(st.integers(0, 0xFFFF).map(lambda number: f"2001:db8::{number:x}")),
    "byte": _base64,
    "regex": _simply(st.sampled_from(("^a+$", "[0-9]{2}", ""))),
    "json-pointer": _simply(st.sampled_from(("", "/a", "/a/0/b~1c"))),
    "relative-json-pointer": _simply(st.sampled_from(("0", "1/a"))),
}  # fmt: skip


def chars_outside(pattern: str) -> list[str]:
    """Return texts that `pattern` does not match, simplest first."""
    compiled: Any = re.compile(pattern, re.ASCII)
    tries = ("", " ", "a", "A", "0", "-", "~", "\u00e9", "a b", "!!", "x" * 64, "0" * 64, "{}")
    return [text for text in tries if not compiled.search(text)]
