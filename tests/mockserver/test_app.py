"""The emulator as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from understudy.mockserver.exchange import Exchange

from .stage import SIMPLE, Stage, as_json

Message = MutableMapping[str, Any]


def spoken(stage: Stage, scope: Message, *messages: Message) -> list[Message]:
    """Speak ASGI to the application and return what it sends."""
    coming, sent = iter(messages), []

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(stage.app(scope, receive, send))
    return sent


def scope(method: str = "POST", path: str = "/acme/v2/pictures") -> Message:
    """Return the scope of a request with a key."""
    headers = [(b"x-acme-key", b"test"), (b"content-type", b"application/json")]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}


def part(body: bytes, *, more: bool = False) -> Message:
    """Return a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_other_kinds_of_connection_are_let_be() -> None:
    assert spoken(Stage("acme"), {"type": "websocket"}) == []


def test_a_server_that_tells_of_start_and_stop_is_answered() -> None:
    told = spoken(Stage("acme"), {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [each["type"] for each in told] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_body_may_come_in_parts() -> None:
    body = as_json(SIMPLE["acme"])
    start, end = spoken(Stage("acme"), scope(), part(body[:5], more=True), part(b"", more=True), part(body[5:]))
    assert start["status"] == 201
    assert (b"content-length", str(len(end["body"])).encode()) in start["headers"]


@pytest.mark.parametrize("before", [[], [part(b"{", more=True)], [part(b"{", more=True), part(b"", more=True)]])
def test_who_goes_before_the_body_is_complete_gets_nothing_and_leaves_nothing(before: list[Message]) -> None:
    stage = Stage("acme")
    assert spoken(stage, scope(), *before, {"type": "http.disconnect"}) == []
    assert not list(stage.emulator.namespaces)


def test_no_more_of_a_body_is_kept_than_shows_that_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.mockserver.app.MAX_BODY_BYTES", 10)
    exchanges: list[Exchange] = []
    parts = [part(b"x" * 6, more=True) for _ in range(5)]
    spoken(Stage("acme", log=exchanges.append), scope(), *parts, part(b"y"))
    assert exchanges[0].request.body == b"x" * 12


def test_every_exchange_is_told_once_with_how_long_it_took() -> None:
    exchanges: list[Exchange] = []
    stage = Stage("acme", log=exchanges.append)
    stage.create("acme", SIMPLE["acme"])
    stage.ask("GET", "/_files/x", None)
    stage.ask("GET", "/_understudy/health", None)
    assert [each.answer.status for each in exchanges] == [201, 404]
    assert all(each.milliseconds > 0 for each in exchanges)


def test_an_answer_to_head_has_the_length_and_not_the_body() -> None:
    start, end = spoken(Stage("acme"), scope("HEAD", "/acme/nothing"), part(b""))
    assert end["body"] == b""
    assert int(dict(start["headers"])[b"content-length"]) > 50
