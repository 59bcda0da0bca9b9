"""The emulator as an ASGI application: reads requests and sends answers. What needs no ASGI is in `protocol`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .answer import Answer, json_answer, text_answer
from .chance import draw
from .direction import SOCKET_FAULTS, direct_file
from .emulator import Emulator
from .exchange import Exchange
from .faults import Wire, break_connection, delay, spoil
from .gallery import Gallery, staged
from .headers import Headers
from .heads import AnswerHeads, RequestHeads
from .links import PREFIX, Link, read_path
from .request import EXTENSION, Request
from .scenario import ScenarioError
from .scenario_file import ScenarioFile
from .settings import MAX_BODY_BYTES

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Log = Callable[[Exchange], None]

CONTROL = "/_understudy"
BEGUN = "understudy.exchange"
"""Where a scope holds the exchange that was begun already."""
_GONE = "http.disconnect"


class App:
    """An ASGI application that plays providers.

    Args:
        emulator: what decides every answer.
        log: told of each exchange; None where nobody wants to know.
        scenario_file: the user's scenarios, read again when they change.
    """

    def __init__(self, emulator: Emulator, log: Log | None = None, scenario_file: ScenarioFile | None = None) -> None:
        self.emulator = emulator
        self._scenario_file = scenario_file
        self._log = log
        self._gallery = Gallery(emulator)
        self._control: Any = None
        self.request_heads = RequestHeads()
        self.answer_heads = AnswerHeads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or be told of start and stop; other kinds of connection are none of ours."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        if scope["type"] != "http":
            return
        begun: Exchange | None = scope.get(BEGUN)
        if begun is not None:
            await self._finish(begun, scope, receive, send)
            return
        path = scope["path"]
        if self._scenario_file is not None:
            self._scenario_file.refresh()
        if path.startswith(CONTROL):
            await self._control_app()(scope, receive, send)
            return
        began = time.perf_counter()
        real_time = self.emulator.real()
        message = await receive()
        if message["type"] == _GONE:
            return
        body = await _whole(message, receive) if message.get("more_body") else message.get("body", b"")
        if body is None:
            return
        request = Request(
            scope["method"],
            path,
            scope["query_string"],
            Headers(scope["headers"]),
            body,
            on_socket=_wire(scope) is not None,
        )
        exchange = await self._file(request) if path.startswith(PREFIX) else self.emulator.handle(request)
        exchange.began, exchange.real_time = began, real_time
        self.emulator.journal.add(exchange)
        await self._finish(exchange, scope, receive, send)

    def begin(self, request: Request) -> Exchange | None:
        """Return the exchange of `request` with its answer, kept in the journal; None where more than that is asked.

        Where nothing but the answer is to be sent, the caller sends it, and the exchange is `finished`. Otherwise the
        caller calls the application, with the exchange in its scope as `BEGUN`.
        """
        if request.path.startswith((CONTROL, PREFIX)):
            return None
        if self._scenario_file is not None:
            self._scenario_file.refresh()
        began = time.perf_counter()
        real_time = self.emulator.real()
        exchange = self.emulator.handle(request)
        exchange.began, exchange.real_time = began, real_time
        self.emulator.journal.add(exchange)
        return exchange

    def finished(self, exchange: Exchange) -> None:
        """Note that the answer was sent."""
        exchange.milliseconds = (time.perf_counter() - exchange.began) * 1000
        if self._log is not None:
            self._log(exchange)

    async def _finish(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, and what goes before it."""
        if exchange.early is not None and exchange.namespace is not None:
            await self.emulator.deliveries.early(exchange.namespace, exchange.early)
        if exchange.fault is None:
            await _send(send, exchange.answer, exchange.request.method)
        else:
            await self._spoiled(exchange, _wire(scope), receive, send)
        self.finished(exchange)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Close the connections over which callbacks were sent, for who serves this as any other application."""
        if (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
            if (await receive())["type"] == "lifespan.shutdown":
                await self.emulator.deliveries.close()
                await send({"type": "lifespan.shutdown.complete"})

    async def _spoiled(self, exchange: Exchange, wire: Wire | None, receive: Receive, send: Send) -> None:
        """Send an answer that a fault spoils."""
        fault = exchange.fault
        assert fault is not None  # noqa: S101 - the caller saw to it
        random = draw(self.emulator.settings.seed, exchange.request.path, exchange.number, "fault")
        await delay(fault, random)
        if fault.does["fault"] in SOCKET_FAULTS and wire is not None:
            head = exchange.request.method == "HEAD"
            await break_connection(fault, exchange.answer, wire, receive, random, head=head)
        else:
            await _send(send, exchange.answer, exchange.request.method)

    def _control_app(self) -> Any:
        if self._control is None:
            # Imported when first asked for: the path of a documented operation needs none of it.
            from .control import control_app  # noqa: PLC0415

            self._control = control_app(self.emulator)
        return self._control

    async def _file(self, request: Request) -> Exchange:
        exchange = Exchange(request)
        link = read_path(request.path, request.query_string.decode("latin-1"))
        if request.method not in {"GET", "HEAD"}:
            exchange.answer = text_answer(405, f"{request.method} is not possible on a file; GET is")
            exchange.answer.headers += ((b"allow", b"GET, HEAD"),)
        elif link is None:
            exchange.answer = text_answer(404, f"{request.path} is no link to a file")
        else:
            exchange.provider = link.provider if link.provider in self.emulator.providers else ""
            exchange.operation = "file"
            exchange.namespace = self.emulator.namespaces.of_id(link.namespace)
            if exchange.namespace is not None:
                clock = exchange.namespace.clock
                exchange.time, exchange.pace = clock.now(), 0 if clock.frozen else clock.speed
            if link.name.startswith("results/"):
                exchange.task = link.name.removeprefix("results/").rpartition("/")[0]
            await self._fetch(exchange, link)
        return exchange

    async def _fetch(self, exchange: Exchange, link: Link) -> None:
        provider = self.emulator.providers.get(link.provider)
        try:
            plays = None if provider is None else direct_file(self.emulator, provider, exchange.request)
        except ScenarioError as error:
            exchange.played = "no such scenario"
            exchange.answer = json_answer(400, {"error": f"understudy: {error}"})
            return
        plays = self._gallery.plays_for(link) if plays is None else plays
        exchange.played = ", ".join(play.text for play in plays)
        refusal = next((play for play in plays if play.kind == "refusal"), None)
        exchange.refused = refusal is not None
        if refusal is None or provider is None:
            exchange.answer = await self._gallery.fetch(link)
        else:
            exchange.answer = text_answer(provider.status_of(refusal), f"refused: {refusal.text}")
        for play in plays:
            if play.kind == "result":
                exchange.answer = staged(exchange.answer, play.does.get("status", 0), cut="truncated" in play.does)
            elif play.kind == "wire":
                exchange.fault = play
                exchange.answer = spoil(play, exchange.answer)


def _wire(scope: Scope) -> Wire | None:
    return (scope.get("extensions") or {}).get(EXTENSION)


async def _whole(message: MutableMapping[str, Any], receive: Receive) -> bytes | None:
    """Return the body that begins with `message`, or as much of it as shows that it is too large.

    What is beyond that is read and let go. None where the client went before it had sent everything.
    """
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == _GONE:
            return None
        part = message.get("body", b"")
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        size += len(part)
    return b"".join(parts)


async def _send(send: Send, answer: Answer, method: str) -> None:
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
