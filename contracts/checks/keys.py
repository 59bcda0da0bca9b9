"""Refusal: without a key, or with a wrong one, nothing is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any
from urllib.parse import parse_qs

from ...openapi.refusals import REFUSED_KEYS, error_for
from .exchange import Exchange, header
from .finding import Problem, check
from .oracle import Observation, Oracle


class KeyShown(Enum):
    """What a request shows where its operation wants a key."""

    RIGHT = "right"
    """A key that looks as one should; or none, where none is wanted."""
    MISSING = "missing"
    MALFORMED = "malformed"
    """Something that is no key: empty, or of another scheme."""
    WRONG = "wrong"
    """A key that is nobody's by its form: the wrong keys of tests."""
    UNKNOWN = "unknown"
    """The key is wanted in a place that is not read here."""


def key_shown(seen: Observation) -> KeyShown:
    """Return what a request shows; of several schemes, any of which will do, the best."""
    schemes = seen.operation.key_schemes if seen.operation else ()
    if not schemes:
        return KeyShown.RIGHT
    prefix = seen.oracle.behaviour.key_prefix
    found = {_shown(scheme, seen.exchange, prefix) for scheme in schemes}
    order = (KeyShown.RIGHT, KeyShown.UNKNOWN, KeyShown.WRONG, KeyShown.MALFORMED)
    return next((each for each in order if each in found), KeyShown.MISSING)


def _shown(scheme: Mapping[str, Any], exchange: Exchange, prefix: str) -> KeyShown:
    kind, where = scheme.get("type"), scheme.get("in")
    if kind == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
        text = header(exchange.headers, "authorization")
        if text is None:
            return KeyShown.MISSING
        word, _, key = text.partition(" ")
        return _of_key(key.strip(), prefix) if word.lower() == "bearer" else KeyShown.MALFORMED
    if kind != "apiKey" or where not in {"header", "query"}:
        return KeyShown.UNKNOWN
    name = str(scheme["name"])
    if where == "header":
        text = header(exchange.headers, name.lower())
    else:
        text = parse_qs(exchange.query, keep_blank_values=True, errors="replace").get(name, [None])[0]
    return KeyShown.MISSING if text is None else _of_key(text.strip(), prefix)


def _of_key(key: str, prefix: str) -> KeyShown:
    if not key:
        return KeyShown.MALFORMED
    return KeyShown.WRONG if key.removeprefix(prefix).startswith(REFUSED_KEYS) else KeyShown.RIGHT


@check("key-required", "error", "exchange", "refusal", "Without a key nothing is done that needs one.")
def key_required(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request that shows no key where one is needed."""
    if key_shown(seen) is KeyShown.MISSING:
        yield from _unauthorized(oracle, seen, "key-missing", "without a key")


@check(
    "wrong-key-refused", "error", "exchange", "refusal", "With what can be no right key nothing is done that needs one."
)
def wrong_key_refused(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request whose key is empty, of another scheme, or nobody's by its form."""
    shown = key_shown(seen)
    if shown is KeyShown.MALFORMED:
        yield from _unauthorized(oracle, seen, "key-refused", "with something that is no key")
    elif shown is KeyShown.WRONG:
        yield from _unauthorized(oracle, seen, "key-refused", "with a key that nobody has")


def _unauthorized(oracle: Oracle, seen: Observation, condition: str, how: str) -> Iterator[Problem | None]:
    if seen.exchange.status is None:
        return
    if seen.refusal is None and seen.accepted:
        yield Problem(f"{seen.name} was done {how}", seen.name, evidence=(seen.exchange,))
        return
    refusal = seen.refusal
    entry = error_for(oracle.behaviour, seen.operation.behaviour if seen.operation else None, condition)
    if refusal is None or refusal.status >= 500 or refusal.meaning == "rate-limited":
        return
    if refusal.meaning == "unauthorized" or (entry is not None and refusal.entry is entry):
        yield None
        return
    said = f"{refusal.meaning} ({refusal.code or f'HTTP {refusal.status}'})"
    sentence = f"{seen.name}, asked {how}, refused that as {said}; expected is unauthorized"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


CHECKS = (key_required, wrong_key_refused)
