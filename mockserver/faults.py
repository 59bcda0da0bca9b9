"""Faults on the wire, played on the connection that the protocol class hands over."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from http.client import responses
from typing import Any, Protocol

from .answer import Answer
from .scenario import Play

GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
)
SLICE_SECONDS = 0.05
MAX_DELAY_SECONDS = 24 * 3600
_MAX_EXPONENT = 50
MUTE = frozenset({"reset", "empty-reply", "garbage", "hang"})
"""Faults after which the client has no answer in HTTP."""
LOSSY = MUTE | {"truncated-body", "malformed-json", "html-502"}
"""Faults after which the client does not have the answer that the provider gave."""


class Wire(Protocol):
    """A connection, below HTTP."""

    def write(self, data: bytes) -> None:
        """Send `data` as it is."""

    def close(self) -> None:
        """Close the connection once everything is sent."""

    def closing(self) -> bool:
        """Tell whether the connection is gone, or about to be."""

    def reset(self) -> None:
        """Reset the connection: the peer sees a TCP RST."""


Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def spoil(play: Play, answer: Answer) -> Answer:
    """Return `answer` spoiled by the faults that are HTTP all the same; others leave it as it is."""
    match play.does["fault"]:
        case "html-502":
            return Answer(502, ((b"content-type", b"text/html"),), GATEWAY_PAGE)
        case "malformed-json":
            return replace(answer, body=answer.body[: len(answer.body) * 2 // 3] or b'{"')
        case _:
            return answer


async def delay(play: Play, random: bytes) -> None:
    """Wait, in real time, as long as the fault `delay` says."""
    if play.does["fault"] == "delay":
        await asyncio.sleep(min(delay_seconds(play, random), MAX_DELAY_SECONDS))


def delay_seconds(play: Play, random: bytes) -> float:
    """Return how late an answer is: fixed, between two durations, or log-normal about a median."""
    fraction = int.from_bytes(random[:4], "big") / (1 << 32)
    if "uniform" in play.values:
        low, high = play.values["uniform"]
        return float(low + (high - low) * fraction) / 1000
    if "lognormal" in play.values:
        other = (int.from_bytes(random[4:8], "big") + 1) / ((1 << 32) + 1)
        normal = math.sqrt(-2 * math.log(other)) * math.cos(2 * math.pi * fraction)
        return float(play.values["lognormal"]) / 1000 * math.exp(min(normal * play.values["sigma"], _MAX_EXPONENT))
    return float(play.values["fixed"]) / 1000


async def break_connection(
    play: Play, answer: Answer, wire: Wire, receive: Receive, random: bytes, *, head: bool = False
) -> None:
    """Play a fault that HTTP has no words for, and return when the connection is gone; `head` leaves out the body."""
    if wire.closing():  # who asked is gone: there is nobody left to break anything for
        return
    raw = as_bytes(answer)
    raw = raw[: len(raw) - len(answer.body)] if head else raw
    match play.does["fault"]:
        case "reset":
            wire.reset()
        case "empty-reply":
            wire.close()
        case "truncated-body":
            wire.write(raw[: len(raw) - max(1, (0 if head else len(answer.body)) // 2)])
            wire.close()
        case "garbage":
            wire.write(bytes(byte | 0x80 for byte in random) + b"\r\n\r\n")
            wire.close()
        case "dribble":
            await _dribble(wire, raw, play.values["bytes_per_second"])
            wire.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _dribble(wire: Wire, raw: bytes, bytes_per_second: float) -> None:
    size = max(1, int(bytes_per_second * SLICE_SECONDS))
    for start in range(0, len(raw), size):
        if wire.closing():
            return
        wire.write(raw[start : start + size])
        await asyncio.sleep(size / bytes_per_second)


def as_bytes(answer: Answer) -> bytes:
    """Return `answer` as it stands on the wire, asking for the connection to be closed."""
    phrase = responses.get(answer.status, "Unknown")
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode()), (b"connection", b"close")]
    lines = [
        f"HTTP/1.1 {answer.status} {phrase}".encode(),
        *(name + b": " + value for name, value in headers),
        b"",
        b"",
    ]
    return b"\r\n".join(lines) + answer.body
