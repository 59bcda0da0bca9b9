"""Sending one attempt of a callback: to a checked address, for a bounded time, reading a bounded answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .allowance import Allowance, Target, open_addresses, parse_target
from .faulty_sender import Message, send_faulty
from .scenario import Play

if TYPE_CHECKING:
    import httpx

RESPONSE_BYTES = 64 * 1024
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
    """Return the addresses that `host` resolves to, in the system's order.

    Raises:
        OSError: it resolves to none, or not within two seconds.
    """
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
        self._clients: dict[str, httpx.AsyncClient] = {}

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
        except TimeoutError:
            error = f"no answer within {seconds:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        return Outcome(status, response, error, (time.perf_counter() - began) * 1000)

    async def _posted(self, message: Message) -> tuple[int, str]:
        import httpx  # noqa: PLC0415 - see `send`

        client = self._client(message.target.scheme)
        asked = httpx.URL(message.url)
        for address in message.addresses:
            # The address stands in the URL, the name in the Host header and in TLS: what was checked is what is used.
            pinned = asked.copy_with(host=address, fragment=None)
            named = {"host": asked.netloc.decode("ascii"), **message.headers}
            request = client.build_request("POST", pinned, headers=named, content=message.body)
            request.extensions["sni_hostname"] = message.target.host
            try:
                response = await client.send(request, stream=True)
            except httpx.ConnectError:
                if address == message.addresses[-1]:
                    raise
                continue
            try:
                return response.status_code, await _beginning(response)
            finally:
                await response.aclose()
        raise OSError("there is no address to send to")

    def _client(self, scheme: str) -> httpx.AsyncClient:
        client = self._clients.get(scheme)
        if client is None:
            import httpx  # noqa: PLC0415 - see `send`

            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
            # Certificates are loaded for https alone: it takes a while, and a test's receiver rarely has one.
            client = httpx.AsyncClient(
                timeout=httpx.Timeout(None),
                trust_env=False,
                follow_redirects=False,
                limits=limits,
                verify=scheme == "https",
            )
            self._clients[scheme] = client
        return client

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()


async def _beginning(response: httpx.Response) -> str:
    """Read the response, or as much of it as is kept; a receiver may send more than anybody wants."""
    parts, size = [], 0
    async for part in response.aiter_raw(RESPONSE_BYTES):
        parts.append(part)
        size += len(part)
        if size >= RESPONSE_BYTES:
            break
    return b"".join(parts)[:RESPONSE_BYTES].decode("utf-8", "replace")
