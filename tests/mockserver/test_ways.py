"""Whichever way a request takes to its answer, through ASGI or a shorter one, who sent it can't tell."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.app import App
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.journal import shown
from understudy.mockserver.protocol import Protocol
from understudy.mockserver.server import _new_loop as new_loop
from understudy.mockserver.settings import Settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from .stage import SIMPLE, START, as_json, provider_of

DATE = (b"date", b"Mon, 08 Dec 2025 07:23:20 GMT")
DEADLINE = 10
EXAMPLES = 100
INVALID = (
    b"HTTP/1.1 400 Bad Request\r\ndate: %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 30\r\n"
    b"connection: close\r\n\r\nInvalid HTTP request received."
) % DATE[1]
LAST = b"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"
CREATE = "/kie/api/v1/jobs/createTask"
POLL = "/kie/api/v1/jobs/recordInfo?taskId=none"
CREDIT = "/kie/api/v1/chat/credit"
BODY = as_json(SIMPLE["kie"])
LARGE = BODY + b" " * 70_000
"""It may come in several slices; after an upgrade uvicorn drops what came with it in one, so it follows none."""
METHODS = ["GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "M-SEARCH", "CONNECT", "get"]
TARGETS = [
    CREATE, CREATE, POLL, CREDIT, "/~anna" + CREATE, "/~an%20na" + CREDIT, "/" + CREATE, CREATE + "/", "/kie", "/",
    "*", "//", "/~", "/~anna", "/k%69e/api/v1/chat/credit", CREDIT + "?", CREDIT + "?a=%zz&a=b?c", CREDIT + "#x", "/é",
    "/acme/jobs", "/kie/openapi.json", "/_understudy/clock", "/_understudy/nothing", "/%5Funderstudy/clock",
    "/_understudy/files/x", "http://127.0.0.1" + CREDIT, "127.0.0.1:80", "/a b", "/kie/../kie/api/v1/chat/credit",
]  # fmt: skip
VERSIONS = ["1.1", "1.1", "1.1", "1.1", "1.1", "1.1", "1.0", "2.0"]
KEYS = ["Authorization: Bearer anna", "authorization: bearer  anna", "Authorization: Bearer invalid", "X-Api-Key: anna"]
LINES = [
    "Host: 127.0.0.1", "Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c",
    "Expect: 100-continue", "Expect: more", "Content-Type: application/json", "Content-Type: text/plain", "X-Empty:",
    "X-Long: " + "x" * 5000, "X-Odd:\tä ", " folded", "no colon", "Space : x", "Content-Length: 0", "X: a\nY: b",
    "Understudy-Scenario: fail", "Understudy-Scenario: malformed-json", "Understudy-Scenario: nothing",
    "Prefer: code=429",
]  # fmt: skip
BODIES = [b"", b"", BODY, BODY, b"{", b"\r\n", b"GET / HTTP/1.1\r\n\r\n"]
FRAMINGS = ["length", "length", "length", "length", "chunked", "none", "longer"]


def framed(body: bytes, framing: str) -> tuple[list[str], bytes]:
    """Return the headers that say where `body` ends, and how it is sent."""
    if framing == "chunked":
        half = len(body) // 2
        parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part]
        return ["Transfer-Encoding: chunked"], b"".join([*parts, b"0\r\n\r\n"])
    if framing == "longer":
        return [f"Content-Length: {len(body) + 1}"], body
    return [f"Content-Length: {len(body)}"] if body and framing == "length" else [], body


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw bytes that are a request, or nearly: first line, headers and body are few, so that they meet again."""
    method, target, version = (draw(st.sampled_from(each)) for each in (METHODS, TARGETS, VERSIONS))
    line = f"{method} {target} HTTP/{version}"
    body, framing, lines, before = BODY, "length", [KEYS[0], "Content-Type: application/json"], ""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        line, body = f"POST {CREATE} HTTP/1.1", draw(st.sampled_from([BODY, BODY, BODY, LARGE]))
        lines += draw(st.sampled_from([[], [], ["Understudy-Scenario: malformed-json"]]))
    elif kind == 1:
        body = b""
    elif kind > 2:
        body, framing = draw(st.sampled_from(BODIES)), draw(st.sampled_from(FRAMINGS))
        lines = [draw(st.sampled_from(KEYS)), *draw(st.lists(st.sampled_from(LINES), max_size=2))]
        before = draw(st.sampled_from(["", "", "", "\r\n", "\r\n\r\n"]))
    more, sent = framed(body, framing)
    return "\r\n".join([before + line, *lines, *more, "", ""]).encode() + sent


@st.composite
def connections(draw: st.DrawFn) -> list[bytes]:
    """Draw what is sent over one connection, in pieces: requests, some of them together, some cut."""
    sent = draw(st.lists(requests(), min_size=1, max_size=4))
    sent = [each for one in sent for each in [one] * draw(st.integers(1, 3))]
    pieces = [sent[0]]
    for each in sent[1:]:
        if draw(st.integers(0, 3)):
            pieces.append(each)
        else:
            pieces[-1] += each
    for _ in range(draw(st.integers(0, 2))):
        which = draw(st.integers(0, len(pieces) - 1))
        at = draw(st.integers(0, min(400, len(pieces[which]))))
        pieces[which : which + 1] = [pieces[which][:at], pieces[which][at:]]
    return pieces


class Watched(HttpToolsProtocol):
    """Tells how much it received and whether it is at rest."""

    received = 0
    lost = False

    def data_received(self, data: bytes) -> None:
        """Take what was received."""
        self.received += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection."""
        self.lost = True
        super().connection_lost(exc)

    def at_rest(self, sent: int) -> bool:
        """Tell whether all that was sent is read, and nothing waits for its answer."""
        last: RequestResponseCycle | None = self.cycle
        return self.lost or (self.received == sent and (last is None or last.response_complete))


class Short(Watched, Protocol):
    """The protocol of ours."""


class Side:
    """An emulator behind one protocol class, and a client of it in the same loop."""

    def __init__(self, protocol: type[Watched]) -> None:
        self._protocol = protocol
        given = Settings(frozen=True, limits=False, start=START)
        self.emulator = Emulator([provider_of("kie"), provider_of("acme")], given, real=lambda: START)

    async def answers(self, sent: list[list[bytes]]) -> list[bytes]:
        """Send pieces over one connection after the other; return what each is answered until it is closed."""
        self.emulator.reset()
        config = uvicorn.Config(App(self.emulator), lifespan="off", log_config=None, access_log=False, ws="none")
        config.proxy_headers = False
        config.load()
        state = ServerState()
        state.default_headers = [DATE]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return [await self._asked(listener, config, state, pieces) for pieces in sent]

    async def _asked(
        self, listener: socket.socket, config: uvicorn.Config, state: ServerState, pieces: list[bytes]
    ) -> bytes:
        loop = asyncio.get_running_loop()
        made = self._protocol(config, state, {})
        with socket.create_connection(listener.getsockname()) as ours:
            ours.setblocking(False)
            theirs = listener.accept()[0]
            theirs.setblocking(False)
            await loop.connect_accepted_socket(lambda: made, theirs)
            async with asyncio.timeout(DEADLINE):
                await _give(made, ours, pieces)
                with contextlib.suppress(OSError):
                    ours.shutdown(socket.SHUT_WR)
                return await _until_closed(ours)


async def _give(made: Watched, ours: socket.socket, pieces: list[bytes]) -> None:
    """Send piece by piece, each once the one before was read; the last brings whatever is open to its end."""
    loop, sent = asyncio.get_running_loop(), 0
    for piece in (*pieces, LAST):
        with contextlib.suppress(OSError):
            await loop.sock_sendall(ours, piece)
        sent += len(piece)
        await _until(lambda: made.lost or made.received == sent)  # noqa: B023 - asked at once
    await _until(lambda: made.at_rest(sent))


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)


async def _until_closed(ours: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    with contextlib.suppress(ConnectionError):
        while part := await loop.sock_recv(ours, 65536):
            received += part
    return received


def told(emulator: Emulator) -> list[dict[str, Any]]:
    """Return what the journal shows but for what differs each time."""
    return [{**shown(each), "id": None, "milliseconds": None} for each in emulator.journal]


@pytest.fixture(scope="module", autouse=True)
def silent() -> Iterator[None]:
    """Let uvicorn say nothing of what is no HTTP."""
    logger = logging.getLogger("uvicorn.error")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """The loop that a server runs in."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        yield runner


@pytest.fixture(scope="module")
def sides() -> tuple[Side, Side]:
    """An emulator that is reached through ASGI alone, and one like it that is reached as it is served."""
    return Side(Watched), Side(Short)


def check_alike(loop: asyncio.Runner, sides: tuple[Side, Side], sent: list[list[bytes]]) -> None:
    """Check that both sides answer `sent` with the same bytes and remember the same of it."""
    plain, short = (loop.run(side.answers(sent)) for side in sides)
    for theirs, ours in zip(plain, short, strict=True):
        if theirs != ours and theirs.endswith(INVALID):
            # What is no HTTP overtakes answers that are still under way, and ends the connection before they are sent.
            assert ours.endswith(INVALID)
            one, other = sorted((theirs.removesuffix(INVALID), ours.removesuffix(INVALID)), key=len)
            assert other.startswith(one)
            return
        assert ours == theirs
    assert told(sides[1].emulator) == told(sides[0].emulator)


@settings(max_examples=EXAMPLES)
@given(sent=st.lists(connections(), min_size=1, max_size=3))
def test_who_asks_cannot_tell_which_way_an_answer_came(
    loop: asyncio.Runner, sides: tuple[Side, Side], sent: list[list[bytes]]
) -> None:
    check_alike(loop, sides, sent)
