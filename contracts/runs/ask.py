"""Requests to a provider's operations, made by its stored contract: plain values, sent by nobody yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ...openapi.pointer import MISSING, split
from ..checks.documented import DocumentedOperation
from ..checks.exchange import Exchange, Headers
from ..checks.oracle import Oracle

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is to be sent.

    Attributes:
        method: in capitals.
        path: percent-encoded, without the part that leads to the provider.
        query: without the question mark.
        headers: names in lower case; the kit adds none of its own but those that HTTP needs.
        body: as it will be sent.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def with_header(self, name: str, value: str | None) -> Ask:
        """Return this request with another value of the header `name` (in lower case), or without it for None."""
        kept = tuple(each for each in self.headers if each[0] != name)
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


def exchange_of(ask: Ask) -> Exchange:
    """Return `ask` as an exchange that nobody has answered."""
    return Exchange(ask.method, ask.path, ask.query, ask.headers, ask.body, 0, 0, None)


class NoKeyPlaceError(ValueError):
    """The contract wants the key in a place that the kit can't put it; the message names the operation."""


def make_ask(
    operation: DocumentedOperation, key: str | None, *, parameters: Mapping[tuple[str, str], Any] | None = None,
    body: Any = MISSING, content_type: str = JSON,
) -> Ask:  # fmt: skip
    """Return a request to `operation`.

    Args:
        operation: what is asked.
        key: the key to show; None shows none.
        parameters: values by place (query, path or header) and name.
        body: data, sent as JSON; `MISSING` sends no body.
        content_type: of the body.

    Raises:
        NoKeyPlaceError: the key belongs neither into a header nor anywhere else that is known here.
    """
    path, query = operation.behaviour.key.path, {}
    headers: dict[str, str] = {} if key is None else key_header(operation, key)
    for (where, name), value in (parameters or {}).items():
        if where == "path":
            safe = "/" if name in operation.behaviour.slashes else ""
            path = path.replace(f"{{{name}}}", quote(_text(value), safe=safe))
        elif where == "query":
            query[name] = _text(value)
        else:
            headers[name.lower()] = _text(value)
    content = b""
    if body is not MISSING:
        headers["content-type"] = content_type
        content = _json(body)
    return Ask(operation.behaviour.key.method, path, urlencode(query), tuple(headers.items()), content)


def ask_for_task(operation: DocumentedOperation, key: str | None, task_id: str) -> Ask:
    """Return the request by which `operation` is asked about a task: a poll, a cancellation.

    Raises:
        NoKeyPlaceError: see `make_ask`.
    """
    place, _, name = (operation.behaviour.task_id or "").removeprefix("$request.").partition(".")
    if place.startswith("body#"):
        pointer = (operation.behaviour.task_id or "").partition("#")[2]
        return make_ask(operation, key, body=_nested(split(pointer), task_id))
    return make_ask(operation, key, parameters={(place, name): task_id})


def poll_of(oracle: Oracle, created_by: str) -> DocumentedOperation | None:
    """Return the operation that polls tasks which the operation `created_by` created, None where there is none."""
    return _asker(oracle, "poll", created_by)


def cancel_of(oracle: Oracle, created_by: str) -> DocumentedOperation | None:
    """Return the operation that cancels tasks which the operation `created_by` created, None where there is none."""
    return _asker(oracle, "cancel", created_by)


def _asker(oracle: Oracle, does: str, created_by: str) -> DocumentedOperation | None:
    fitting = [
        each for each in oracle.doing(does) if not each.behaviour.creates or created_by in each.behaviour.creates
    ]
    return fitting[0] if fitting else None


def key_header(operation: DocumentedOperation, key: str) -> dict[str, str]:
    """Return the header in which `operation` is shown `key`; none where it needs no key.

    Raises:
        NoKeyPlaceError: it is wanted somewhere else.
    """
    schemes = operation.contract.security_schemes(operation.operation)
    for scheme in schemes:
        if scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer":
            return {"authorization": f"Bearer {key}"}
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            return {str(scheme["name"]).lower(): key}
    if schemes:
        raise NoKeyPlaceError(f"{operation.name} wants its key elsewhere than in a header, which is not known here")
    return {}


def _nested(tokens: tuple[Any, ...], value: Any) -> Any:
    return {tokens[0]: _nested(tokens[1:], value)} if tokens else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value).decode()


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits, which a schema without bounds allows
        return json.dumps(value, separators=(",", ":")).encode()
