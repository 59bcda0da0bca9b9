"""A request as it came, and the values that a behaviour file's runtime expressions find in it."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from ..openapi.pointer import MISSING, resolve
from .refusal import Refused

Headers = list[tuple[bytes, bytes]]
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
        headers: names in lower case.
        body: as sent.
        path_values: what the path's parameters stand for, once it was matched to an operation.
        on_socket: whether it came over a connection that faults can be played on.
        form: the parts of a form, once it was parsed; None where the body is no form.
    """

    __slots__ = (
        "__dict__", "_first", "body", "form", "headers", "method", "on_socket", "path", "path_values", "query_string",
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
        self._first: dict[bytes, bytes] | None = None

    def header(self, name: bytes) -> str | None:
        """Return the value of the header `name` (in lower case), the first where it was sent twice, or None."""
        value = (self._first or self._first_values()).get(name)
        return None if value is None else value.decode("latin-1")

    def header_names(self) -> KeysView[bytes]:
        """Return the names of the headers that were sent, in lower case."""
        return (self._first or self._first_values()).keys()

    def joined(self, name: bytes) -> str | None:
        """Return the values of every header `name` (in lower case) as one list (RFC 9110), or None."""
        if name not in (self._first or self._first_values()):
            return None
        return b", ".join([value for key, value in self.headers if key == name]).decode("latin-1")

    def _first_values(self) -> dict[bytes, bytes]:
        self._first = dict(reversed(self.headers))
        return self._first

    def forget_parsed(self) -> None:
        """Forget what was parsed of it; it is parsed again when it is asked for."""
        self.__dict__.clear()
        self.form = self._first = None

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one given twice, the first."""
        text = self.query_string.decode("latin-1")
        if "%" not in text and "+" not in text:  # nothing to decode: what `parse_qs` would make of it, in a tenth
            found: dict[str, str] = {}
            for part in text.split("&"):
                if part:
                    key, _, value = part.partition("=")
                    found.setdefault(key, value)
            return found
        return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True, errors="replace").items()}

    @cached_property
    def json(self) -> Any:
        """The body as data.

        Raises:
            Refused: it is not JSON.
        """
        if self.form is not None:
            return self.form
        try:
            data = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refused("body-malformed", f"the body is no JSON: {error}; expected a JSON object") from None
        if self.body.count(b"[") + self.body.count(b"{") > _SHALLOW and not _can_be_told(data):
            raise Refused("body-malformed", "the body is nested too deeply")
        return data

    def find(self, expression: str) -> Any:
        """Return what a runtime expression such as ``$request.query.taskId`` stands for, or `MISSING`."""
        place, name, pointer = _place(expression)
        if place == "query":
            return self.query.get(name, MISSING)
        if place == "path":
            return self.path_values.get(name, MISSING)
        if place == "header":
            value = self.header(name.lower().encode())
            return MISSING if value is None else value
        return resolve(self.json, pointer)

    def text(self, expression: str | None) -> str | None:
        """Return what `expression` stands for where that is text, else None."""
        value = MISSING if expression is None else self.find(expression)
        return value if isinstance(value, str) else None


_NONE: Mapping[str, str] = {}


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
