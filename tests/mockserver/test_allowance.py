"""Where a callback may go: decided by what the URL and the addresses are, not by how they are written."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import NoReturn
from unittest import mock

import pytest
from understudy.mockserver import sender as module
from understudy.mockserver.allowance import (
    Allowance,
    BlockedError,
    open_addresses,
    parse_allowed,
    parse_target,
    receiver_of,
)
from understudy.mockserver.delivery import Delivery
from understudy.mockserver.sender import Sender

from .post import Post
from .receiver import Receiver

NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "rebound.example": ["169.254.169.254"],
    "private.example": ["10.1.2.3", "192.168.1.1"],
    "six.example": ["fd00::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
    "example.com": ["93.184.216.34"],
    "www.example.com": ["93.184.216.34"],
}
"""What the resolver of these tests says; addresses in any spelling are what the system's resolver makes of them."""

HOSTILE = [
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://8.8.8.8/",
    "http://0.0.0.0/", "http://0/", "http://169.254.169.254/latest/meta-data/", "http://169.254.1.1/",
    "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://167772161/", "http://0xa.0.0.1/",
    "http://012.0.0.1/", "http://10.1/", "http://192.168.257/", "http://224.0.0.1/", "http://255.255.255.255/",
    "http://[::]/", "http://[::ffff:10.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a00:1::]/",
    "http://[fe80::1]/", "http://[fd00::1]/", "http://[fec0::1]/", "http://[2001:db8::1]/", "http://[ff02::1]/",
    "http://127.0.0.1@10.0.0.1/", "http://user:secret@127.0.0.1/", "http://10.0.0.1#@127.0.0.1/",
    "http://10.0.0.1\\@127.0.0.1/", "http://127.0.0.1\\@10.0.0.1/", "http:\\\\10.0.0.1/", "http://127.0.0.1 .10.0.0.1/",
    "http://rebound.example/", "http://private.example/", "http://six.example/", "http://metadata.google.internal/",
    "http://mixed.example/", "http://example.com/", "https://example.com/", "ftp://127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/", "javascript:alert(1)", "//127.0.0.1/", "127.0.0.1", "", "http://", "http:///x",
    "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\t",
    "http://127.0.0.1:4020/_understudy/reset", "http://localhost:4020/_understudy/rules?x=1",
    "http://[::1]:4020/_understudy/settings", "http://127.0.0.1:4020//_understudy/reset",
    "http://127.0.0.1:4020/./_understudy/reset", "http://127.0.0.1:4020/kie/../_understudy/reset",
    "http://127.0.0.1:4020/%5funderstudy/reset", "http://127.0.0.1:4020/%255funderstudy/reset",
    "http://127.0.0.1:4020/%2e%2e/_understudy/reset", "http://127.0.0.1:4020/_understudy%2freset",
    "http://127.0.0.1:4020/_understudy/inbox/../reset", "http://127.0.0.1:4020/_understudy/inbox/x/answer",
    "http://127.0.0.1:4020/_understudy/inbox/x%2fanswer", "http://127.0.0.1:4020/_understudy/inbox/%2e%2e/reset",
    "http://127.0.0.1:4020/_understudy/inbox", "http://127.0.0.1:4020/_understudy", "http://127.1:4020/_understudy/reset",
    "http://2130706433:4020/_understudy/reset", "http://127.0.0.1:1234/_understudy/reset",
    "http://127.0.0.1:4020/_UNDERSTUDY/reset", "http://127.0.0.1:4020/_understudy;x/reset",
]  # fmt: skip

OPEN = [
    "http://127.0.0.1/", "http://127.0.0.1:9999/cb?x=1", "http://localhost:8080/_understudied", "http://[::1]:80/",
    "http://127.255.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
    "http://[::ffff:127.0.0.1]/", "https://localhost/", "HTTP://LOCALHOST/",
    "http://127.0.0.1:4020/_understudy/inbox/mine", "http://127.0.0.1:4020/_understudy/inbox/a%20b",
]  # fmt: skip


async def resolve(host: str, port: int) -> list[str]:
    """Resolve names as `NAMES` says, and addresses as the system does, which asks nobody about them."""
    if host in NAMES:
        return NAMES[host]
    try:
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(str(error)) from None
    return [str(address[0]) for *_, address in found]


def checked(url: str, *allowed: str) -> list[str]:
    """Return the addresses that a callback to `url` may go to."""
    allowance = Allowance(tuple(map(parse_allowed, allowed)))
    return asyncio.run(Sender(allowance, resolve).checked(url))[1]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_blocked(url: str) -> None:
    with pytest.raises(BlockedError):
        checked(url)


@pytest.mark.parametrize("url", OPEN)
def test_loopback_is_open_in_every_spelling(url: str) -> None:
    assert checked(url)


@pytest.fixture
def sealed() -> Iterator[None]:
    """No connection can be made: who tries fails the test."""

    def reached(*_: object, **__: object) -> NoReturn:
        pytest.fail("a connection was made")

    with (
        mock.patch("anyio.connect_tcp", reached),
        mock.patch.object(asyncio, "open_connection", reached),
        mock.patch.object(module, "_resolve", reached),
    ):
        yield


@pytest.mark.usefixtures("sealed")
def test_no_hostile_url_reaches_a_connection() -> None:
    with Post("kie") as post:
        post.stage.emulator.deliveries.sender._resolve = resolve
        task = post.created("kie", url=HOSTILE[0])
        post.advance()
        delivery = post.stage.emulator.namespaces.of_key("test").outbox.all[post.deliveries(task)[0]["id"]]
        for url in HOSTILE:
            _redirected(post, delivery, url)
        blocked = [text for text in post.stage.said if "blocked" in text]
        assert len(blocked) == len(HOSTILE) + 1
        assert not any("\n" in text or "\r" in text for text in blocked)


def _redirected(post: Post, delivery: Delivery, url: str) -> None:
    delivery.url = url
    post.stage.emulator.deliveries.redeliver(post.stage.emulator.namespaces.of_key("test"), delivery)
    post.advance("1m")
    assert (delivery.state, delivery.attempts) == ("blocked", []), url
    assert delivery.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Receiver() as other:
        answer = f"HTTP/1.1 {status} Moved\r\nlocation: {other.url}/x\r\ncontent-length: 0\r\n\r\n".encode()
        with Post("crun", behave=answer) as post:
            task = post.created("crun")
            post.advance()
            assert len(post.receiver.received) == 1
            assert post.deliveries(task)[0]["reason"] == f"after 1 attempts: answered {status}"
        assert other.received == []


def test_proxy_variables_are_ignored() -> None:
    with Receiver() as proxy, Post("crun") as post:
        variables = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"), proxy.url)
        with mock.patch.dict(os.environ, {**variables, "no_proxy": "", "NO_PROXY": ""}):
            post.created("crun")
            post.advance()
        assert (len(post.receiver.received), len(proxy.received)) == (1, 0)


def test_a_name_that_resolves_elsewhere_a_moment_later_does_not_get_through() -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with Post("kie", behave=500) as post:
        post.stage.emulator.deliveries.sender._resolve = rebinding
        with mock.patch.object(socket, "getaddrinfo", side_effect=AssertionError("asked the system")):
            task = post.created("kie", url=f"http://rebind.example:{post.receiver.port}/cb")
            post.advance()
        came = post.receiver.received
        assert [each.headers["host"] for each in came] == [f"rebind.example:{post.receiver.port}"]
        delivery = post.deliveries(task)[0]
        assert (delivery["state"], len(delivery["attempts"])) == ("blocked", 1)
        assert "169.254.169.254" in delivery["reason"]
        assert len(asked) == 2


@pytest.mark.parametrize(
    ("allowed", "url"),
    [("example.com", "http://example.com/"), ("EXAMPLE.com:443", "https://example.com/"), ("10.0.0.1", "http://10.0.0.1/"),
     ("10.0.0.1", "http://167772161/"), ("[fd00::1]:80", "http://six.example/"), ("FD00:0::1", "http://[fd00::1]/"),
     ("private.example", "http://private.example:99/"), ("[FD00:0::1]", "http://[fd00::1]/")],
)  # fmt: skip
def test_what_the_user_names_is_open(allowed: str, url: str) -> None:
    if allowed == "FD00:0::1":
        with pytest.raises(ValueError, match="HOST:PORT"):
            parse_allowed(allowed)
    else:
        assert checked(url, allowed)


@pytest.mark.parametrize(
    ("allowed", "url"),
    [("example.com:80", "https://example.com/"), ("example.com", "http://www.example.com/"),
     ("10.0.0.1", "http://10.0.0.2/"), ("10.0.0.1:80", "http://10.0.0.1:81/"), ("127.0.0.1", "http://10.0.0.1/"),
     ("example.com", "http://127.0.0.1/_understudy/reset"), ("example.com", "http://example.com/_understudy/reset")],
)  # fmt: skip
def test_nothing_else_is_opened_by_it(allowed: str, url: str) -> None:
    with pytest.raises(BlockedError):
        checked(url, allowed)


def test_of_the_addresses_of_a_name_only_those_that_are_open_are_used() -> None:
    target = parse_target("http://name.example/")
    found = ["10.0.0.5", "169.254.169.254", "127.0.0.1"]
    assert open_addresses(target, found, Allowance((("10.0.0.5", None),))) == ["10.0.0.5", "127.0.0.1"]
    assert open_addresses(target, found, Allowance()) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "text", ["", "http://x", "a/b", "a b", "a:b", "a:99999", "::1", "a@b", "*", "a?b", "a#b", ":80"]
)
def test_what_is_no_host_can_not_be_named(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST or HOST:PORT"):
        parse_allowed(text)


def test_the_reason_says_what_would_open_it() -> None:
    with pytest.raises(BlockedError, match=r"^rebound.example \(169.254.169.254\) is not loopback; --callback-allow"):
        checked("http://rebound.example/")


def test_connections_are_counted_by_host_and_port() -> None:
    assert receiver_of("http://LOCALHOST/x") == receiver_of("http://localhost:80/y") == "localhost:80"
    assert receiver_of("https://localhost/x") == "localhost:443"
    assert receiver_of("http://[") == receiver_of("ftp://x") == ""
