"""An emulator with one thing wrong with it: an ASGI application around the real one, and a sender around its sender.

What is broken is broken on the wire, after the emulator has done its work (or before it gets the request), so that
the kit meets what it would meet with a provider that is really so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
from understudy.mockserver import Settings, create_app
from understudy.mockserver.faulty_sender import Message
from understudy.mockserver.sender import Outcome, Sender
from understudy.openapi.behaviour import OperationBehaviour, Phase
from understudy.openapi.pointer import MISSING, resolve, split
from understudy.openapi.provider import Provider
from understudy.openapi.routes import Routes

CONTROL = "/_understudy"
FILES = "/_files"


@dataclass(frozen=True)
class Asked:
    """A request on its way to the emulator; `operation` is None where it means none."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    operation: OperationBehaviour | None
    path_values: Mapping[str, str]

    @property
    def does(self) -> str:
        """What its operation does, or ""."""
        return self.operation.does if self.operation else ""

    @property
    def data(self) -> Any:
        """Its body as data, or None."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def task_id(self) -> str:
        """The id of the task that it asks for, or ""."""
        place, _, name = ((self.operation and self.operation.task_id) or "").removeprefix("$request.").partition(".")
        if place == "query":
            return parse_qs(self.query).get(name, [""])[0]
        return self.path_values.get(name, "")

    def header(self, name: bytes) -> bytes:
        """Return the header `name`, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    def with_header(self, name: bytes, value: bytes | None) -> Asked:
        """Return it with another header `name`, or without it."""
        kept = tuple(each for each in self.headers if each[0] != name)
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


@dataclass(frozen=True)
class Told:
    """An answer on its way back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as data, `MISSING` where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return MISSING

    def with_data(self, data: Any) -> Told:
        """Return it with another body."""
        return self.with_body(orjson.dumps(data))

    def with_body(self, body: bytes) -> Told:
        """Return it with another body and the length of that."""
        told = self.with_header(b"content-length", str(len(body)).encode())
        return replace(told, body=body)

    def with_header(self, name: bytes, value: bytes | None) -> Told:
        """Return it with another header `name`, or without it."""
        kept = tuple(each for each in self.headers if each[0] != name)
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


def put(data: Any, pointer: str, value: Any) -> Any:
    """Return `data` with `value` at `pointer`, which may step into JSON inside a string; `MISSING` removes."""
    return _put(data, split(pointer), value)


def _put(data: Any, tokens: tuple[Any, ...], value: Any) -> Any:
    if not tokens:
        return value
    first, rest = tokens[0], tokens[1:]
    if not isinstance(first, str):
        inside = orjson.loads(data) if isinstance(data, str) and data else {}
        return orjson.dumps(_put(inside, rest, value)).decode()
    if isinstance(data, list):
        made = list(data)
        made[int(first)] = _put(made[int(first)], rest, value)
        return made
    changed = dict(data) if isinstance(data, dict) else {}
    if not rest and value is MISSING:
        changed.pop(first, None)
    else:
        changed[first] = _put(changed.get(first), rest, value)
    return changed


@dataclass
class Scene:
    """What a defect may know: the provider, and what it has kept in mind since it was put up."""

    provider: Provider
    memory: dict[Any, Any] = field(default_factory=dict)

    def fact(self, asked: Asked, told: Told, name: str) -> Any:
        """Return what an answer says as the fact `name` as it stands there, or `MISSING`."""
        read = asked.operation.reads.get(name) if asked.operation else None
        found = (resolve(told.data, each) for each in (read.pointers if read else ()))
        return next((value for value in found if value is not MISSING and value is not None), MISSING)

    def pointer(self, asked: Asked, told: Told, name: str) -> str | None:
        """Return where an answer says the fact `name`, None where it does not."""
        read = asked.operation.reads.get(name) if asked.operation else None
        for each in read.pointers if read else ():
            if resolve(told.data, each) not in (MISSING, None):
                return each
        return None

    def tell(self, asked: Asked, told: Told, name: str, value: Any) -> Told:
        """Return the answer with `value` as the fact `name`, where it says that fact; else as it is."""
        pointer = self.pointer(asked, told, name)
        return told if pointer is None else told.with_data(put(told.data, pointer, value))

    def phase(self, asked: Asked, told: Told) -> Phase | None:
        """Return the phase that an answer tells, or None."""
        status = self.provider.behaviour.statuses.get(str(self.fact(asked, told, "status")))
        return status.phase if status else None

    def word(self, phase: Phase) -> str:
        """Return the provider's first status word of `phase`."""
        return next(name for name, each in self.provider.behaviour.statuses.items() if each.phase is phase)

    def letter(self, body: bytes, name: str, value: Any) -> bytes:
        """Return a callback's body with `value` as the fact `name`, where it says that fact."""
        callbacks = self.provider.behaviour.callbacks
        data = orjson.loads(body)
        for each in callbacks.reads[name].pointers if callbacks and name in callbacks.reads else ():
            if resolve(data, each) not in (MISSING, None):
                return orjson.dumps(put(data, each, value))
        return body

    def letter_phase(self, body: bytes) -> Phase | None:
        """Return the phase that a callback tells."""
        callbacks = self.provider.behaviour.callbacks
        data = orjson.loads(body)
        for each in callbacks.reads["status"].pointers if callbacks else ():
            status = self.provider.behaviour.statuses.get(str(resolve(data, each)))
            if status:
                return status.phase
        return None


OnRequest = Callable[[Scene, Asked], Asked | Told]
OnAnswer = Callable[[Scene, Asked, Told], Told]
OnCallback = Callable[[Scene, Message], "list[Message]"]


@dataclass(frozen=True)
class Defect:
    """One thing wrong.

    Attributes:
        name: the flag.
        claims: the id of the check that is to catch it; "" for a harmless variant, at which every check is silent.
        on_request: changes a request before the emulator gets it, or answers in its place.
        on_answer: changes an answer.
        on_callback: changes a callback: the messages that are sent in its place; none drops it, and the emulator is
            told that it was received.
        emulated: changes the provider that the emulator plays; the kit judges by the true one.
        outcome: changes what the emulator is told came of a callback.
        documented: changes what the kit is told of the provider.
        styles: the providers that show it, styles of which differ.
    """

    name: str
    claims: str
    on_request: OnRequest = lambda _scene, asked: asked
    on_answer: OnAnswer = lambda _scene, _asked, told: told
    on_callback: OnCallback = lambda _scene, message: [message]
    emulated: Callable[[Provider], None] = lambda _provider: None
    outcome: Callable[[Scene, Message, Outcome], Outcome] = lambda _scene, _message, outcome: outcome
    documented: Callable[[Provider], None] = lambda _provider: None
    styles: str = ""


class FaultyApp:
    """An emulator of `provider` with one defect."""

    def __init__(self, provider: Provider, played: Provider, defect: Defect, settings: Settings | None = None) -> None:
        defect.emulated(played)
        self._app = create_app([played], settings or Settings())
        self._defect = defect
        self._prefix = f"/{provider.name}"
        self._scene = Scene(provider)
        self._routes = Routes((each.key, each.slashes, each) for each in provider.behaviour.operations.values())
        deliveries = self._app.emulator.deliveries
        deliveries.sender = _FaultySender(deliveries.sender, defect, self._scene)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith((CONTROL, FILES)):
            await self._app(scope, receive, send)
            return
        asked = await self._asked(scope, receive)
        changed = self._defect.on_request(self._scene, asked)
        told = changed if isinstance(changed, Told) else await self._answered(scope, changed)
        told = self._defect.on_answer(self._scene, asked, told)
        await send({"type": "http.response.start", "status": told.status, "headers": list(told.headers)})
        await send({"type": "http.response.body", "body": told.body})

    async def _asked(self, scope: Any, receive: Any) -> Asked:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = unquote(scope["path"]).removeprefix(self._prefix)
        match = self._routes.find(path)
        operation = match.targets.get(scope["method"]) if match else None
        query = scope["query_string"].decode("latin-1")
        headers = tuple((name.lower(), value) for name, value in scope["headers"])
        return Asked(scope["method"], path, query, headers, body, operation, match.values if match else {})

    async def _answered(self, scope: Any, asked: Asked) -> Told:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        path = self._prefix + asked.path
        changed = {
            **scope, "method": asked.method, "path": path, "raw_path": path.encode(), "headers": list(asked.headers),
            "query_string": asked.query.encode("latin-1"),
        }  # fmt: skip
        await self._app(changed, receive, send)
        body = b"".join(each.get("body", b"") for each in messages[1:])
        headers = tuple((bytes(name).lower(), bytes(value)) for name, value in messages[0]["headers"])
        return Told(messages[0]["status"], headers, body)


class _FaultySender(Sender):
    """Sends callbacks as the defect has it."""

    def __init__(self, sender: Sender, defect: Defect, scene: Scene) -> None:
        super().__init__(sender.allowance)
        self._defect = defect
        self._scene = scene

    async def send(self, message: Message, seconds: float, fault: Any = None) -> Outcome:
        """Send `message` as the defect has it."""
        outcome = Outcome(200, "", "", 0.0)
        for each in self._defect.on_callback(self._scene, message):
            outcome = await super().send(each, seconds, fault)
        return self._defect.outcome(self._scene, message, outcome)
