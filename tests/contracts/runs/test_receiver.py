"""The receiver of callbacks, asked as a provider would, on the loop that it shares with the target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from understudy.contracts.runs.receiver import Receiver
from understudy.contracts.runs.target import Target


@pytest.fixture
def target() -> Iterator[Target]:
    with Target("http://127.0.0.1:1") as made:
        yield made


def sent(target: Target, receiver: Receiver, body: bytes = b"{}") -> int:
    async def post() -> int:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.post(receiver.url, content=body, headers={"X-Id": "7"})).status_code

    return target.run(post())


def test_what_comes_is_kept_and_answered_as_told(target: Target) -> None:
    with closing(Receiver(target)) as receiver:
        receiver.answers.extend([500])
        assert (sent(target, receiver, b"one"), sent(target, receiver, b"two")) == (500, 200)
    first, second = receiver.callbacks
    assert (first.body, first.answered, first.number) == (b"one", 500, 1)
    assert (second.body, second.answered, second.number) == (b"two", 200, 2)
    assert ("x-id", "7") in first.headers


@pytest.mark.parametrize("answer", ["reset", "hang"])
def test_a_receiver_may_answer_nothing(target: Target, answer: str) -> None:
    with closing(Receiver(target)) as receiver:
        receiver.answers.append(answer)
        with pytest.raises(httpx.TransportError):
            sent(target, receiver)
    assert receiver.callbacks[0].answered is None


def test_a_receiver_is_closed_quietly_while_connections_are_open(target: Target) -> None:
    complaints: list[Any] = []

    async def connected(url: str) -> asyncio.StreamWriter:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        parts = httpx.URL(url)
        _, writer = await asyncio.open_connection(parts.host, parts.port)
        writer.write(b"POST / HTTP/1.1\r\n")
        await asyncio.sleep(0)
        return writer

    receiver = Receiver(target)
    writer = target.run(connected(receiver.url))
    target.run(asyncio.sleep(0.01))
    receiver.close()
    writer.close()
    target.run(asyncio.sleep(0))
    assert complaints == []


def test_who_speaks_no_http_is_left(target: Target) -> None:
    async def shout(url: str) -> bytes:
        parts = httpx.URL(url)
        reader, writer = await asyncio.open_connection(parts.host, parts.port)
        writer.write(b"EHLO example.com\r\n\r\n")
        said = await reader.read()
        writer.close()
        return said

    with closing(Receiver(target)) as receiver:
        assert target.run(shout(receiver.url)) == b""
    assert receiver.callbacks == []
