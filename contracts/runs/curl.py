"""An exchange as a command for a terminal that asks the same again; keys are named, never shown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ...openapi.masking import SECRET_HEADERS, mask_header, mask_query
from ..checks.exchange import Exchange

_MOST_BODY = 100_000


def curl(exchange: Exchange, base_url: str, keys: Mapping[str, str]) -> str:
    """Return a command that asks what `exchange` asked.

    Args:
        exchange: what was asked.
        base_url: where the provider is.
        keys: the variables of the shell that hold keys, by key.
    """
    query = mask_query(exchange.query.encode()).decode()
    url = f"{base_url}{exchange.path}" + (f"?{query}" if query else "")
    parts = ["curl", "-sS", "-X", exchange.method, shlex.quote(url)]
    for name, value in exchange.headers:
        parts += ["-H", _header(name, value, keys)]
    if not any(name == "content-type" for name, _ in exchange.headers) and exchange.body:
        parts += ["-H", "'content-type;'"]  # curl's own would say that it is a form
    if not exchange.body:
        return " ".join(parts)
    return _with_body(parts, exchange.body)


def _with_body(parts: list[str], body: bytes) -> str:
    if len(body) > _MOST_BODY:
        return f"{' '.join(parts)} --data-binary @body  # {len(body):,} bytes, too many to show"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # no argument can hold these bytes
        octal = "".join(f"\\{byte:03o}" for byte in body)
        return f"printf '{octal}' | {' '.join(parts)} --data-binary @-"
    # A body that begins with @ would be taken for the name of a file.
    flag = "--data-raw"
    return " ".join([*parts, flag, shlex.quote(text)])


def _header(name: str, value: str, keys: Mapping[str, str]) -> str:
    scheme, space, key = value.partition(" ")
    whole = value in keys
    variable = keys.get(value) or (keys.get(key) if space else None)
    if variable is not None:
        before = "" if whole else f"{scheme} "
        return f'"{_safe(name)}: {_safe(before)}${variable}"'
    shown = value
    if name.encode() in SECRET_HEADERS and not _is_wrong_on_purpose(key if space else value):
        shown = mask_header(name.encode(), value.encode("latin-1", "replace")).decode("utf-8", "replace")
    return shlex.quote(f"{name}: {shown}" if shown else f"{name};")


def _is_wrong_on_purpose(key: str) -> bool:
    return "invalid" in key or not key.strip() or key == "aW52YWxpZDppbnZhbGlk"


def _safe(text: str) -> str:
    return "".join(f"\\{char}" if char in '"$`\\' else char for char in text)
