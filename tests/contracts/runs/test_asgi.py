"""Asking an application without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

from understudy.contracts.runs.asgi import call


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    headers = [(b"X-Path", scope["path"].encode()), (b"x-length", dict(scope["headers"])[b"content-length"])]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": scope["query_string"]})


def asked(app: Any) -> Any:
    return asyncio.run(call(app, "POST", "/a%20b", "x=1", (("x-key", "k"),), b"body"))


def test_an_application_sees_the_request_and_its_answer_is_whole() -> None:
    assert asked(echo) == (201, (("x-path", "/a b"), ("x-length", "4")), b"bodyx=1")


def test_an_application_that_raises_has_answered_500() -> None:
    async def raises(*_: Any) -> None:
        raise RuntimeError("nobody thought of this")

    assert asked(raises)[0] == 500


def test_an_application_that_sends_nothing_has_answered_500() -> None:
    async def silent(*_: Any) -> None:
        pass

    assert asked(silent)[0] == 500
