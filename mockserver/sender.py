"""Sending one attempt of a callback: to a checked address, for a bounded time, reading a bounded answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from .allowance import Allowance, Target, open_addresses, parse_target
from .faulty_sender import Message, send_faulty
from .scenario import Play

if TYPE_CHECKING:
    import httpx

RESPONSE_BYTES = 64 * 1024
"""As much of a response is kept."""
MOST_RESPONSE_BYTES = 1_000_000
"""A response longer than this counts as none."""
RESOLVE_SECONDS = 2.0
Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: a status and the beginning of the response, or an error."""

    status: int | None
    response: str
    error: str
    milliseconds: float


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that `host` resolves to, in the system's order; of an address, itself.

    Raises:
        OSError: it resolves to none, or not within two seconds.
    """
    with contextlib.suppress(ValueError):
        ip_address(host)
        return [host]
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    # A thread of its own that nobody joins: the system's resolver can't be interrupted, and nobody who stops the
    # server should have to wait for it.
    threading.Thread(target=_resolve, args=(host, port, loop, settle), daemon=True).start()
    async with asyncio.timeout(RESOLVE_SECONDS):
        return await answer


def _resolve(
    host: str, port: int, loop: asyncio.AbstractEventLoop, settle: Callable[[list[str] | OSError], None]
) -> None:
    found: list[str] | OSError
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(address[0]) for *_, address in answers))
    except (OSError, UnicodeError) as error:
        found = error if isinstance(error, OSError) else OSError(str(error))
    with contextlib.suppress(RuntimeError):  # the loop may be gone by now
        loop.call_soon_threadsafe(settle, found)


class Sender:
    """Sends callbacks; keeps connections open between them.

    Redirects are not followed and the environment's proxies are ignored: a callback goes to the checked address or
    nowhere.
    """

    def __init__(self, allowance: Allowance, resolve: Resolve = resolve) -> None:
        self.allowance = allowance
        self._resolve = resolve
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}

    async def checked(self, url: str) -> tuple[Target, list[str]]:
        """Return what `url` aims at, and the addresses that a callback to it may go to.

        Raises:
            BlockedError: it may go to none.
            OSError: the host resolves to nothing.
        """
        target = parse_target(url)
        return target, open_addresses(target, await self._resolve(target.host, target.port), self.allowance)

    async def send(self, message: Message, seconds: float, fault: Play | None = None) -> Outcome:
        """POST `message` to the first of its addresses that answers, within `seconds`; never raises.

        A `fault` on the wire is played instead, on a connection of its own.
        """
        import httpx  # noqa: PLC0415 - a server that sends no callback starts without it

        began = time.perf_counter()
        status, response, error = None, "", ""
        try:
            async with asyncio.timeout(seconds):
                if fault is None:
                    status, response = await self._posted(message)
                else:
                    status = await send_faulty(fault, message)
        except (TimeoutError, httpx.TimeoutException):
            error = f"no answer within {round(seconds, 1):g} s"
        except _TooLongError as failure:
            status, response, error = failure.status, failure.beginning, str(failure)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        return Outcome(status, response, error, (time.perf_counter() - began) * 1000)

    async def _posted(self, message: Message) -> tuple[int, str]:
        import httpx  # noqa: PLC0415 - see `send`

        transport = self._transport(message.target.scheme)
        for address in message.addresses:
            pinned, host = _pinned(message.url, address)
            named = {"host": host, "accept": "*/*", **message.headers}
            extensions = {"sni_hostname": message.target.host}
            request = httpx.Request("POST", pinned, headers=named, content=message.body, extensions=extensions)
            try:
                if message.target.scheme == "https":
                    response = await _shaken(transport, request)
                else:
                    response = await transport.handle_async_request(request)
            except httpx.ConnectError:
                if address == message.addresses[-1]:
                    raise
                continue
            try:
                return response.status_code, await _read(response)
            finally:
                await response.aclose()
        raise OSError("there is no address to send to")

    def _transport(self, scheme: str) -> httpx.AsyncHTTPTransport:
        """Return what sends: without the cookies that a client would carry from one receiver to another."""
        transport = self._transports.get(scheme)
        if transport is None:
            import httpx  # noqa: PLC0415 - see `send`

            # A kept connection belongs to an address: over TLS another name there must show a certificate of its own.
            kept = 0 if scheme == "https" else 64
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=2)
            # Certificates are loaded for https alone: it takes a while, and a test's receiver rarely has one.
            transport = httpx.AsyncHTTPTransport(verify=scheme == "https", trust_env=False, limits=limits)
            self._transports[scheme] = transport
        return transport

    async def close(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()


@lru_cache(maxsize=1024)
def _pinned(url: str, address: str) -> tuple[httpx.URL, str]:
    """Return `url` with `address` as its host, and the Host header that names the one that was meant.

    The address stands in the URL, the name in the header and in TLS: what was checked is what is used.
    """
    import httpx  # noqa: PLC0415 - see `Sender.send`

    asked = httpx.URL(url)
    return asked.copy_with(host=address, fragment=None), asked.netloc.decode("ascii")


async def _shaken(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    """Send `request` over TLS; close its connection where that fails.

    What sends leaves the connection open itself when it is cancelled while it shakes hands.
    """
    opened: list[Any] = []

    async def trace(event: str, told: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened.append(told["return_value"])

    request.extensions["trace"] = trace
    try:
        return await transport.handle_async_request(request)
    except BaseException:
        for stream in opened:
            await stream.aclose()
        raise


class _TooLongError(Exception):
    """A receiver answers more than anybody wants to read."""

    def __init__(self, status: int, beginning: str) -> None:
        super().__init__(f"answered {status} and more than {MOST_RESPONSE_BYTES:,} bytes")
        self.status = status
        self.beginning = beginning


async def _read(response: httpx.Response) -> str:
    """Read the response, and return as much of it as is kept.

    Raises:
        _TooLongError: there is no end to it; the rest is not read.
    """
    kept, size = b"", 0
    async for part in response.aiter_raw():
        kept += part[: RESPONSE_BYTES - len(kept)]
        size += len(part)
        if size > MOST_RESPONSE_BYTES:
            raise _TooLongError(response.status_code, kept.decode("utf-8", "replace"))
    return kept.decode("utf-8", "replace")
