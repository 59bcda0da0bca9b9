"""Callbacks that go wrong on the wire: a request that is reset, cut off, slow, or none at all."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from .allowance import Target
from .chance import draw
from .faults import GATEWAY_PAGE, SLICE_SECONDS, delay_seconds
from .scenario import Play

_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and where to: the URL as it was given, and the checked addresses of its host."""

    url: str
    target: Target
    addresses: list[str]
    headers: Mapping[str, str]
    body: bytes


async def send_faulty(fault: Play, message: Message) -> int | None:
    """Play `fault` on a connection to the message's first address; return the response's status, if there was one.

    Raises:
        OSError: the connection can't be made or breaks.
        ValueError: what came back is no HTTP.
    """
    name = fault.does["fault"]
    random = draw(0, message.url, len(message.body), "fault")
    if name == "delay":
        await asyncio.sleep(delay_seconds(fault, random))
    if name == "html-502":
        message = replace(message, headers={**message.headers, "content-type": "text/html"}, body=GATEWAY_PAGE)
    if name == "malformed-json":
        message = replace(message, body=message.body[: len(message.body) * 2 // 3])
    tls = message.target.scheme == "https" or None
    name_in_tls = message.target.host if tls else None
    reader, writer = await asyncio.open_connection(
        message.addresses[0], message.target.port, ssl=tls, server_hostname=name_in_tls
    )
    try:
        await _play(fault, message, random, writer)
        return await _status(reader)
    finally:
        writer.close()


async def _play(fault: Play, message: Message, random: bytes, writer: asyncio.StreamWriter) -> None:
    raw = _request(message)
    match fault.does["fault"]:
        case "reset":
            await _write(writer, raw[: len(raw) // 2])
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            writer.transport.abort()
            raise ConnectionResetError("played: reset")
        case "empty-reply":
            raise ConnectionAbortedError("played: closed without a byte")
        case "truncated-body":
            await _write(writer, raw[: len(raw) - max(1, len(message.body) // 2)])
            raise ConnectionAbortedError("played: closed in the middle of the body")
        case "garbage":
            await _write(writer, bytes(byte | 0x80 for byte in random) + b"\r\n\r\n")
            raise ConnectionAbortedError("played: bytes that are no HTTP")
        case "hang":
            await asyncio.Event().wait()
        case "dribble":
            await _dribble(writer, raw, fault.values["bytes_per_second"])
        case _:
            await _write(writer, raw)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _dribble(writer: asyncio.StreamWriter, raw: bytes, bytes_per_second: float) -> None:
    size = max(1, int(bytes_per_second * SLICE_SECONDS))
    for start in range(0, len(raw), size):
        await _write(writer, raw[start : start + size])
        await asyncio.sleep(size / bytes_per_second)


async def _status(reader: asyncio.StreamReader) -> int:
    line = await reader.readline()
    parts = line.split(b" ", 2)
    if len(parts) < 2 or not line.startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise ValueError(f"{line[:80]!r} is no HTTP")
    return int(parts[1])


def _request(message: Message) -> bytes:
    parts = urlsplit(message.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    length = str(len(message.body))
    fields = {"host": parts.netloc, **message.headers, "content-length": length, "connection": "close"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + message.body
