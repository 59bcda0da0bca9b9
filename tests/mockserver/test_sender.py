"""One attempt: what a receiver may do to it, and what it never does to the engine."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from unittest import mock

import httpx
import pytest
from understudy.mockserver import sender as module
from understudy.mockserver.allowance import Allowance
from understudy.mockserver.faulty_sender import Message
from understudy.mockserver.sender import RESPONSE_BYTES, Outcome, Sender, resolve

from .post import Post
from .receiver import Answer, Receiver, wait_until

BAD: dict[str, tuple[Answer, str]] = {
    "closes early": ("close", "RemoteProtocolError: Server disconnected"),
    "closes in the answer's head": (b"HTTP/1.1 200", "RemoteProtocolError: Server disconnected"),
    "closes in the answer's body": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", "RemoteProtocolError: peer closed connection"
    ),
    "answers 100 MB": ("huge", "answered 200 and more than 1,000,000 bytes"),
    "redirects": (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "answered 302"),
    "speaks no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", "RemoteProtocolError: Server disconnected"),
    "speaks bytes": (b"\x00\xff\x00\xff\r\n\r\n", "RemoteProtocolError: illegal status line"),
    "never answers": ("hang", "no answer within 0.3 s"),
    "sends endless headers": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000, "RemoteProtocolError"),
    "refuses": (503, "answered 503"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_receiver_makes_a_failed_attempt_with_its_reason_and_the_next_is_served(bad: str) -> None:
    answer, reason = BAD[bad]
    with Post("kie", behave=answer, callback_timeout=0.3) as post, Receiver() as good:
        task = post.created("kie")
        other = post.created("kie", url=good.url)
        post.advance("30s")
        attempts = post.deliveries(task)[0]["attempts"]
        assert len(attempts) >= 1
        assert attempts[0]["error"].startswith(reason), attempts[0]["error"]
        post.receiver.behave = lambda _: 200
        post.advance()
        assert post.deliveries(task)[0]["state"] == "delivered"
        assert post.deliveries(other)[0]["state"] == "delivered"


def test_a_receiver_that_is_not_there_is_a_failed_attempt() -> None:
    with Post("crun") as post:
        task = post.created("crun", url="http://127.0.0.1:1/")
        post.advance()
        assert post.deliveries(task)[0]["reason"].startswith("after 1 attempts: ConnectError")


def send(sender: Sender, url: str, seconds: float = 2, body: bytes = b"{}") -> Outcome:
    """Send one attempt, and close."""

    async def sent() -> Outcome:
        target, addresses = await sender.checked(url)
        try:
            return await sender.send(
                Message(url, target, addresses, {"content-type": "application/json"}, body), seconds
            )
        finally:
            await sender.close()

    return asyncio.run(sent())


def test_what_a_receiver_answers_is_kept_up_to_a_bound() -> None:
    long = b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n" + b"x" * 500_000
    with Receiver(long) as receiver:
        outcome = send(Sender(Allowance()), receiver.url)
    assert (outcome.status, outcome.error, len(outcome.response)) == (200, "", RESPONSE_BYTES)


def test_of_an_endless_answer_no_more_is_read_than_shows_that_it_is_one() -> None:
    with Receiver("huge") as receiver:
        began = time.perf_counter()
        outcome = send(Sender(Allowance()), receiver.url, 5)
    assert (outcome.status, len(outcome.response)) == (200, RESPONSE_BYTES)
    assert time.perf_counter() - began < 2


def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]

    with Receiver() as receiver:
        outcome = send(Sender(Allowance(), two), f"http://both.example:{receiver.port}/x?y=1#z")
        assert outcome.status == 200
        assert receiver.received[0].path == "/x?y=1"
        assert receiver.received[0].headers["host"] == f"both.example:{receiver.port}"


def test_a_host_without_an_address_is_told() -> None:
    outcome = asyncio.run(Sender(Allowance()).send(_nowhere(), 1))
    assert outcome.error == "OSError: there is no address to send to"


def _nowhere() -> Message:
    return Message("http://x/", module.parse_target("http://x/"), [], {}, b"")  # type: ignore[attr-defined]


def test_cookies_of_one_receiver_never_reach_another() -> None:
    cookie = b"HTTP/1.1 200 OK\r\nset-cookie: session=1; path=/\r\ncontent-length: 2\r\n\r\n{}"
    with Post("crun", behave=cookie) as post, Receiver() as other:
        post.created("crun")
        post.created("crun", url=other.url)
        post.advance()
        post.created("crun", url=other.url)
        post.advance()
        assert all("cookie" not in each.headers for each in (*post.receiver.received, *other.received))


def test_over_tls_the_name_is_kept_and_the_connection_goes_to_the_checked_address() -> None:
    seen: list[tuple[str, str, str]] = []

    async def handle(_: object, request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["host"], request.extensions["sni_hostname"]))
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle):
        assert send(Sender(Allowance(), here), "https://name.example:8443/x").status == 200
    assert seen == [("https://127.0.0.1:8443/x", "name.example:8443", "name.example")]


def test_a_receiver_that_speaks_no_tls_gets_nothing() -> None:
    with Receiver() as receiver:
        outcome = send(Sender(Allowance()), f"https://localhost:{receiver.port}/", 0.5)
        assert (outcome.status, outcome.error) == (None, "no answer within 0.5 s")
        assert receiver.received == []


@pytest.mark.parametrize("seconds", [0.001, 0.05])
def test_an_attempt_that_is_given_up_while_shaking_hands_leaves_no_connection_behind(seconds: float) -> None:
    sender = Sender(Allowance())
    sender._transport("https")  # loading certificates takes longer than the attempt
    with Receiver() as receiver, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = send(sender, f"https://127.0.0.1:{receiver.port}/", seconds)
        assert outcome.error == f"no answer within {round(seconds, 1):g} s"
        wait_until(lambda: receiver.open == 0)
        gc.collect()
    assert [str(each.message) for each in caught] == []


def test_addresses_are_asked_of_nobody() -> None:
    with mock.patch.object(threading, "Thread", side_effect=AssertionError("asked the system")):
        assert asyncio.run(resolve("127.0.0.1", 80)) == ["127.0.0.1"]
        assert asyncio.run(resolve("::1", 80)) == ["::1"]


def test_names_are_asked_of_the_system() -> None:
    assert "127.0.0.1" in asyncio.run(resolve("localhost", 80))


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "\u2024.\u2024", "..", "a..b"])
def test_a_name_that_can_be_none_does_not_resolve(host: str) -> None:
    with pytest.raises(OSError, match=r"."):
        asyncio.run(resolve(host, 80))


def test_a_resolver_that_does_not_answer_is_left_behind() -> None:
    released = threading.Event()
    with (
        mock.patch.object(module.socket, "getaddrinfo", side_effect=lambda *_, **__: released.wait(5) and []),  # type: ignore[attr-defined]
        mock.patch.object(module, "RESOLVE_SECONDS", 0.05),
        pytest.raises(OSError, match=r"^$"),
    ):
        asyncio.run(resolve("slow.example", 80))
    released.set()


def test_a_name_that_does_not_resolve_is_a_failed_attempt_and_is_tried_again() -> None:
    async def nothing(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with Post("kie") as post:
        post.stage.emulator.deliveries.sender._resolve = nothing
        task = post.created("kie", url="http://nowhere.example/")
        post.advance()
        delivery = post.deliveries(task)[0]
    assert (delivery["state"], len(delivery["attempts"])) == ("given-up", 4)
    assert delivery["attempts"][0]["error"] == "its host can't be resolved: no such name"


def test_resolving_counts_towards_the_time_that_an_attempt_may_take() -> None:
    async def slowly(host: str, port: int) -> list[str]:
        await asyncio.sleep(0.2)
        return ["127.0.0.1"]

    with Post("crun", behave="hang", callback_timeout=0.3) as post:
        post.stage.emulator.deliveries.sender._resolve = slowly
        began = time.perf_counter()
        post.created("crun", url=f"http://slow.example:{post.receiver.port}/")
        post.advance()
        assert time.perf_counter() - began < 0.48
