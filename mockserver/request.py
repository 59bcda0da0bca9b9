"""A request as it came, and the values that a behaviour file's runtime expressions find in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from ..openapi.pointer import MISSING, resolve
from .headers import Headers
from .refusal import Refused

EXTENSION = "understudy.wire"
"""The name under which a server hands over the connection, for faults to be played on it."""
_SHALLOW = 200
"""So many brackets, however they are nested, can't be too deep."""


class Request:
    """One request: what was sent, and parts of it parsed when first asked for.

    Attributes:
        method: in capitals.
        path: decoded, without the part that leads to the provider.
        query_string: as sent.
        headers: as sent.
        body: as sent.
        path_values: what the path's parameters stand for, once it was matched to an operation.
        on_socket: whether it came over a connection that faults can be played on.
        form: the parts of a form, once it was parsed; None where the body is no form.
    """

    __slots__ = (
        "_json", "_query", "body", "form", "headers", "method", "on_socket", "path", "path_values", "query_string",
    )  # fmt: skip

    def __init__(
        self, method: str, path: str, query_string: bytes, headers: Headers, body: bytes, *, on_socket: bool = False
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.body = body
        self.on_socket = on_socket
        self.path_values: Mapping[str, str] = _NONE
        self.form: dict[str, Any] | None = None
        self._query: dict[str, str] | None = None
        self._json: Any = _UNREAD

    def forget_parsed(self) -> None:
        """Forget what was parsed of it; it is parsed again when it is asked for."""
        self.form = self._query = None
        self._json = _UNREAD

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one given twice, the first."""
        if self._query is None:
            self._query = _parsed(self.query_string.decode("latin-1"))
        return self._query

    @property
    def json(self) -> Any:
        """The body as data.

        Raises:
            Refused: it is not JSON.
        """
        if self._json is not _UNREAD:
            return self._json
        if self.form is not None:
            return self.form
        try:
            data = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refused("body-malformed", f"the body is no JSON: {error}; expected a JSON object") from None
        if self.body.count(b"[") + self.body.count(b"{") > _SHALLOW and not _can_be_told(data):
            raise Refused("body-malformed", "the body is nested too deeply")
        self._json = data
        return data

    def find(self, expression: str) -> Any:
        """Return what a runtime expression such as ``$request.query.taskId`` stands for, or `MISSING`."""
        place, name, pointer = _place(expression)
        if place == "query":
            return self.query.get(name, MISSING)
        if place == "path":
            return self.path_values.get(name, MISSING)
        if place == "header":
            value = self.headers.get(name.lower().encode())
            return MISSING if value is None else value
        return resolve(self.json, pointer)

    def text(self, expression: str | None) -> str | None:
        """Return what `expression` stands for where that is text, else None."""
        value = MISSING if expression is None else self.find(expression)
        return value if isinstance(value, str) else None


_NONE: Mapping[str, str] = {}
_UNREAD: Any = object()


def _parsed(query: str) -> dict[str, str]:
    if "%" not in query and "+" not in query:  # nothing to decode: what `parse_qs` would make of it, in a tenth
        found: dict[str, str] = {}
        for part in query.split("&"):
            if part:
                key, _, value = part.partition("=")
                found.setdefault(key, value)
        return found
    return {key: values[0] for key, values in parse_qs(query, keep_blank_values=True, errors="replace").items()}


@lru_cache(maxsize=1024)
def _place(expression: str) -> tuple[str, str, str]:
    """Return the part of a request that a runtime expression means, the name in it, and the pointer into a body."""
    place, _, name = expression.removeprefix("$request.").partition(".")
    return place, name, expression.partition("#")[2]


def _can_be_told(data: Any) -> bool:
    """Tell whether an answer could repeat `data`, which stands somewhat deeper there."""
    try:
        orjson.dumps([[[[[[[[data]]]]]]]])
    except orjson.JSONEncodeError:
        return False
    return True


class RequestView:
    """A request as templates see it."""

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def body(self) -> Any:
        """The body as data, or None where it is none."""
        try:
            return self._request.json
        except Refused:
            return None

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters."""
        return self._request.query

    @property
    def path(self) -> Mapping[str, str]:
        """What the path's parameters stand for."""
        return self._request.path_values
