"""A reverse proxy that passes on what comes, byte for byte, and tells afterwards what it saw.

Each connection of the application has one of its own to the provider, which lives as long: what the provider does to a
connection (closing it, resetting it, cutting an answer off) happens to the application's as well. Nothing is repeated,
nothing decoded, nothing put together anew. Of requests the name of the host is rewritten, and the target begins with
the path of the provider's URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .body import Body
from .heads import (
    UNTIL_CLOSED,
    Head,
    NoHeadError,
    addressed_to,
    answer_framing,
    read_head,
    request_framing,
    request_line,
    status_of,
)
from .passed import Passed
from .wire import Wire, connect

INBOX = b"/_understudy/inbox/"
CONNECT_SECONDS = 30.0
_TAKEN = b'{"code":200,"msg":"success"}'


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where requests go.

    Attributes:
        url: as the user gave it.
        host: name or address.
        port: of the host.
        tls: whether it speaks TLS.
        path: what targets begin with there, without a slash at its end.
    """

    url: str
    host: str
    port: int
    tls: bool
    path: str

    @property
    def authority(self) -> bytes:
        """The host as the field ``Host`` names it."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.tls else 80
        return (shown if self.port == default else f"{shown}:{self.port}").encode()


def parse_upstream(url: str) -> Upstream:
    """Return what `url` names.

    Raises:
        ValueError: it is no http or https URL with a host, or has a query.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            f"{url!r} is no URL to pass on to; expected one such as https://api.example.com, without a query"
        )
    tls = parts.scheme == "https"
    return Upstream(url, parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))


class Proxy:
    """Passes on what comes.

    Args:
        upstream: where requests go.
        callback_to: where callbacks go that come to the inbox; None keeps them here.
        tls: what connections over TLS are checked by.
        limit: of longer bodies nothing is kept, in bytes.
        saw: is told of each request when it is over.
    """

    def __init__(
        self, upstream: Upstream, *, callback_to: Upstream | None = None, tls: ssl.SSLContext | None = None,
        limit: int, saw: Callable[[Passed], None],
    ) -> None:  # fmt: skip
        self._upstream = upstream
        self._callback_to = callback_to
        self._tls = tls
        self._limit = limit
        self._saw = saw
        self._serving: set[asyncio.Task[None]] = set()

    def accept(self, wire: Wire) -> None:
        """Serve a connection that has come."""
        task = asyncio.get_running_loop().create_task(_Connection(self, wire).serve())
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        """Break off what is under way."""
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def tell(self, passed: Passed) -> None:
        """Tell whoever watches that a request is over."""
        passed.ended = _now()
        self._saw(passed)

    async def connected(self, to: Upstream) -> Wire:
        """Return a new connection to `to`.

        Raises:
            OSError: there is none.
        """
        return await connect(to.host, to.port, self._tls if to.tls else None, CONNECT_SECONDS)

    def route(self, target: bytes) -> tuple[Upstream | None, bytes, str | None]:
        """Return where a request goes, the target it has there, and the inbox that it was sent to.

        A callback that nobody else is to have goes nowhere.
        """
        if not target.startswith(INBOX):
            return self._upstream, self._upstream.path.encode() + target, None
        path, question, query = target.partition(b"?")
        name = unquote(path.removeprefix(INBOX).decode("latin-1"))
        if self._callback_to is None:
            return None, target, name
        return self._callback_to, (self._callback_to.path or "/").encode() + question + query, name

    @property
    def limit(self) -> int:
        """Of longer bodies nothing is kept."""
        return self._limit


class _GoneError(Exception):
    """The application takes nothing any more."""


class _Connection:
    """One connection of the application, with the one to the provider that belongs to it."""

    def __init__(self, proxy: Proxy, wire: Wire) -> None:
        self._proxy = proxy
        self._down = wire
        self._up: Wire | None = None
        self._to: Upstream | None = None

    async def serve(self) -> None:
        """Pass on one request after the other until either side ends the connection."""
        try:
            while await self._one():
                pass
        except (OSError, NoHeadError, asyncio.CancelledError):
            self._down.writer.transport.abort()
            if self._up is not None:
                self._up.writer.transport.abort()
        finally:
            self._down.close()
            if self._up is not None:
                self._up.close()

    async def _one(self) -> bool:
        """Pass on one request and its answer; tell whether the connection goes on."""
        raw = await self._down.head()
        if not raw:
            return False
        try:
            head = read_head(raw)
            method, target = request_line(head)
            body = Body(request_framing(head), self._proxy.limit)
        except NoHeadError as error:
            await self._say(400, f"understudy watch: {error}")
            return False
        to, there, inbox = self._proxy.route(target)
        passed = Passed(method, target, head, body, _now(), inbox)
        if to is None:
            return await self._keep(passed)
        try:
            return await self._passed_on(passed, to, there)
        except asyncio.CancelledError:
            passed.problem = passed.problem or "the application went away"
            raise
        finally:
            self._proxy.tell(passed)

    async def _keep(self, passed: Passed) -> bool:
        """Take a callback that is for nobody else."""
        while not passed.body.done:
            data = await self._down.some()
            if not data:
                return False
            self._down.hold(data[passed.body.feed(data) :])
        await self._answer(passed, 200, b"application/json", _TAKEN)
        self._proxy.tell(passed)
        return not passed.head.closes

    async def _passed_on(self, passed: Passed, to: Upstream, target: bytes) -> bool:
        if not await self._reach(passed, to):
            return False
        up = self._up
        assert up is not None  # noqa: S101 - reached
        task = asyncio.current_task()
        # Who no longer waits for the answer is noticed at once: the provider should notice too.
        self._down.when_ended(lambda: _cancelled(task))
        sending: asyncio.Task[bool] | None = None
        try:
            await up.send(addressed_to(passed.head, target, to.authority))
            if not passed.body.done:
                sending = asyncio.get_running_loop().create_task(self._send_body(passed.body, up))
                sending.add_done_callback(lambda done: done.cancelled() or done.exception())  # it shows in the answer
            whole = await self._pass_answer(passed, up)
        except _GoneError:
            raise asyncio.CancelledError from None
        except (OSError, NoHeadError) as error:
            passed.ending, passed.problem = "cut", f"{to.url} broke off: {error}"
            self._break(up)
            return False
        finally:
            self._down.when_ended(None)
            if sending is not None and not sending.done():
                sending.cancel()
        if not whole:
            self._down.writer.transport.abort()
            return False
        sent = sending is None or (sending.done() and not sending.cancelled() and sending.exception() is None)
        goes_on = sent and not (passed.head.closes or passed.answer_head.closes)
        return goes_on and passed.body.done

    async def _reach(self, passed: Passed, to: Upstream) -> bool:
        """Have a connection to `to`, or say that there is none."""
        if self._up is not None and self._to is to:
            self._up.when_ended(None)
            return True
        if self._up is not None:
            self._up.close()
        try:
            self._up, self._to = await self._proxy.connected(to), to
        except OSError as error:
            passed.ending, passed.problem = "refused", f"{to.url} can't be reached: {error.strerror or error}"
            await self._say(502, f"understudy watch: {passed.problem}", passed)
            return False
        return True

    async def _send_body(self, body: Body, up: Wire) -> bool:
        while not body.done:
            data = await self._down.some()
            if not data:
                return False
            used = body.feed(data)
            self._down.hold(data[used:])
            await up.send(data[:used])
        return True

    async def _pass_answer(self, passed: Passed, up: Wire) -> bool:
        """Pass on the answer as it comes; tell whether all of it came."""
        while True:
            raw = await up.head()
            if not raw:
                raise NoHeadError("the connection was closed without an answer")
            head = read_head(raw)
            status = status_of(head)
            if status == 101:
                await self._pass_down(raw)
                await self._tunnel(up)
                raise NoHeadError("the connection changed its protocol, and was passed on unread")
            if status >= 200:
                break
            await self._pass_down(raw)
        framing = answer_framing(head, status, passed.method)
        passed.status, passed.answer_head, passed.answer = status, head, Body(framing, self._proxy.limit)
        # Where the body has begun to come, the head leaves with it: two small packets are slower than one.
        waiting = raw if up.has_some and not passed.answer.done else b""
        if not waiting:
            await self._pass_down(raw)
        while not passed.answer.done:
            data = await up.some()
            if not data:
                return self._ended(passed, up, framing=str(framing))
            used = passed.answer.feed(data)
            up.hold(data[used:])
            await self._pass_down(waiting + data[:used])
            waiting = b""
        passed.ending = "answered"
        up.when_ended(self._down.close)
        return True

    def _ended(self, passed: Passed, up: Wire, *, framing: str) -> bool:
        """Tell whether an answer is whole whose connection has ended."""
        if passed.answer.end():
            passed.ending = "answered"
            if framing == UNTIL_CLOSED:
                self._down.close()
            return True
        passed.ending = "cut"
        passed.problem = f"the answer was cut off after {passed.answer.size:,} bytes"
        up.close()
        return False

    async def _pass_down(self, data: bytes) -> None:
        try:
            await self._down.send(data)
        except OSError:
            raise _GoneError from None

    async def _tunnel(self, up: Wire) -> None:
        async def one_way(source: Wire, sink: Wire) -> None:
            with contextlib.suppress(OSError):
                while data := await source.some():
                    await sink.send(data)
            sink.close()

        await asyncio.gather(one_way(self._down, up), one_way(up, self._down))

    def _break(self, up: Wire) -> None:
        """Do to the application's connection what was done to the provider's."""
        up.writer.transport.abort()
        self._down.reset()

    async def _say(self, status: int, text: str, passed: Passed | None = None) -> None:
        """Answer in words of our own, and close."""
        body = f"{text}\n".encode()
        made = passed or Passed("", b"", Head(b"", ()), Body(0, 0), 0)
        await self._answer(made, status, b"text/plain; charset=utf-8", body, closes=True)

    async def _answer(
        self, passed: Passed, status: int, content_type: bytes, body: bytes, *, closes: bool = False
    ) -> None:
        reason = {200: b"OK", 400: b"Bad Request", 502: b"Bad Gateway"}[status]
        lines = [
            b"HTTP/1.1 %d %s" % (status, reason), b"Content-Type: " + content_type, b"Content-Length: %d" % len(body),
            *([b"Connection: close"] if closes or passed.head.closes else []), b"", b"",
        ]  # fmt: skip
        raw = b"\r\n".join(lines)
        passed.status, passed.answer_head, passed.answer = status, read_head(raw), Body(len(body), self._proxy.limit)
        passed.answer.feed(body)
        passed.ending = "refused" if passed.problem else "answered"
        await self._down.send(raw + body)


def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()


def _now() -> int:
    return time.time_ns() // 1_000_000
