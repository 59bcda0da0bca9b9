"""What the parts of the control API share: how a request is read, and how it is refused."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request

from ..openapi.errors import shorten


class ControlError(ValueError):
    """A request to the control API can't be done; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def body_of(request: Request) -> dict[str, Any]:
    """Return the request's body, an object; an empty body is an empty object.

    Raises:
        ControlError: it is no JSON object.
    """
    raw = await request.body()
    try:
        data = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as error:
        raise ControlError(f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ControlError(f"the body is {shorten(data)}; expected an object")
    return data
