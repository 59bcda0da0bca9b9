"""The part of the control API that is about callbacks: deliveries, inboxes, account settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..openapi.errors import nearest, shorten
from ..openapi.masking import mask, mask_header
from ..openapi.provider import OptionError, check_setting
from .clock import real_milliseconds
from .condition import check_fields
from .control_error import ControlError, body_of
from .delivery import STATES, Delivery, delivery_shown
from .inbox import MAX_MESSAGE_BYTES, Letter
from .journal import header_text
from .namespace import Namespace
from .request import EXTENSION

if TYPE_CHECKING:
    from .control import Control

_MAX_WAIT_SECONDS = 60.0
_LISTED = 1000


async def list_deliveries(control: Control, request: Request) -> Any:
    """Return the deliveries of a namespace, or of all."""
    query = request.query_params
    check_fields("the query", query, ("namespace", "provider", "state", "task"))
    provider, state, task = query.get("provider"), query.get("state"), query.get("task")
    for what, value, known in (("provider", provider, control.emulator.providers), ("state", state, STATES)):
        if value is not None and value not in known:
            raise ControlError(f"no {what} {value!r}{nearest(value, known)}; known: {', '.join(known)}")
    found = [
        each
        for namespace in control.namespaces(request)
        for each in namespace.outbox.all.values()
        if provider in {None, each.provider} and state in {None, each.state} and task in {None, each.task.id}
    ]
    return {"deliveries": [delivery_shown(each) for each in found[-_LISTED:]], "total": len(found)}


def _find(control: Control, request: Request) -> tuple[Namespace, Delivery]:
    wanted = request.path_params["id"]
    for namespace in control.namespaces(request):
        if wanted in namespace.outbox.all:
            return namespace, namespace.outbox.all[wanted]
    raise ControlError(f"no delivery {wanted!r}", 404)


async def redeliver(control: Control, request: Request) -> Any:
    """Send a delivery once more."""
    namespace, delivery = _find(control, request)
    control.emulator.deliveries.redeliver(namespace, delivery)
    return delivery_shown(delivery)


async def cancel(control: Control, request: Request) -> Any:
    """Send a delivery no more."""
    _, delivery = _find(control, request)
    if delivery.state != "pending":
        raise ControlError(f"the delivery is {delivery.state} already", 409)
    control.emulator.deliveries.cancel(delivery)
    return delivery_shown(delivery)


async def pause(control: Control, request: Request) -> Any:
    """Send nothing of a namespace, or of all, for the time being."""
    control.emulator.deliveries.pause(control.namespace(request))
    return {"paused": True}


async def resume(control: Control, request: Request) -> Any:
    """Send again."""
    control.emulator.deliveries.resume(control.namespace(request))
    return {"paused": False}


async def show_settings(control: Control, request: Request) -> Any:
    """Return the account settings of each provider, secrets masked."""
    named = control.namespace(request)
    shown: dict[str, dict[str, str | None]] = {}
    for name, provider in control.emulator.providers.items():
        shown[name] = {}
        for setting in provider.behaviour.settings.values():
            value = control.emulator.deliveries.setting(named, name, setting.name)
            shown[name][setting.name] = mask(value) if value and setting.secret else value
    return {"settings": shown}


async def change_settings(control: Control, request: Request) -> Any:
    """Set account settings of one namespace: ``{"acme": {"webhook_url": "https://…"}}``; null takes one back."""
    named = control.namespace(request)
    if named is None:
        raise ControlError("settings belong to an account: name it with ?namespace=")
    for provider, values in (await body_of(request)).items():
        known = control.emulator.providers
        if provider not in known:
            raise ControlError(f"no provider {provider!r}{nearest(provider, known)}; known: {', '.join(known)}")
        if not isinstance(values, dict):
            raise ControlError(f"{provider} is {shorten(values)}; expected settings by name")
        for name, value in values.items():
            _change(control, named, provider, name, value)
    return await show_settings(control, request)


def _change(control: Control, namespace: Namespace, provider: str, name: str, value: Any) -> None:
    behaviour = control.emulator.providers[provider].behaviour
    if name not in behaviour.settings:
        known = ", ".join(behaviour.settings) or "none"
        raise ControlError(f"{provider} has no setting {name!r}{nearest(name, behaviour.settings)}; known: {known}")
    if value is None:
        namespace.settings.pop((provider, name), None)
        return
    if not isinstance(value, str):
        raise ControlError(f"{provider}.{name} is {shorten(value)}; expected text")
    try:
        check_setting(behaviour, name, value)
    except OptionError as error:
        raise ControlError(f"{provider}.{error}") from None
    namespace.settings[provider, name] = value


async def receive(control: Control, request: Request) -> Response | None:
    """Take a callback into an inbox; return the answer, or None where the connection was reset or left hanging."""
    inbox = control.emulator.inboxes.open(request.path_params["name"])
    body = await _beginning(request)
    answer = inbox.next_answer()
    hidden = {b"authorization", b"cookie"}  # a signature is there to be verified
    headers = {
        name.decode("latin-1"): header_text(mask_header(name, value) if name in hidden else value)
        for name, value in request.headers.raw
    }
    inbox.put(Letter(real_milliseconds(), headers, body.decode("utf-8", "replace"), answer))
    if answer.isdigit():
        return JSONResponse({"code": int(answer), "msg": "success" if answer == "200" else "refused"}, int(answer))
    wire = (request.scope.get("extensions") or {}).get(EXTENSION)
    if answer == "reset" and wire is not None:
        wire.reset()
    while not await request.is_disconnected():
        message = await request.receive()
        if message["type"] == "http.disconnect":
            break
    return None


async def _beginning(request: Request) -> bytes:
    """Read the body, and return as much of it as an inbox keeps."""
    kept = b""
    async for part in request.stream():
        kept += part[: MAX_MESSAGE_BYTES - len(kept)]
    return kept


async def read_inbox(control: Control, request: Request) -> Any:
    """Return what came into an inbox; with ``wait`` (seconds) and ``count``, once so many have come."""
    inbox = control.emulator.inboxes.open(request.path_params["name"])
    query = request.query_params
    if "wait" in query:
        try:
            seconds, count = float(query["wait"]), int(query.get("count", "1"))
        except ValueError:
            seconds, count = -1, -1
        if not (0 <= seconds <= _MAX_WAIT_SECONDS and count >= 0):
            raise ControlError(f"wait is a number of seconds up to {_MAX_WAIT_SECONDS:g}, count a whole number")
        if not await inbox.wait(count, seconds):
            raise ControlError(f"{inbox.count} callbacks came within {seconds:g} s; expected {count}", 408)
    return {"messages": [letter.shown() for letter in inbox.letters], "total": inbox.count}


async def empty_inbox(control: Control, request: Request) -> Any:
    """Forget what came into an inbox, and how the next ones were to be answered."""
    control.emulator.inboxes.clear(request.path_params["name"])
    return {"messages": [], "total": 0}


async def answer_inbox(control: Control, request: Request) -> Any:
    """Say how the next callbacks are answered: ``{"answer": 500, "times": 3}``; ``hang`` and ``reset`` are answers."""
    data = await body_of(request)
    answer, times = str(data.get("answer")), data.get("times", 1)
    if answer not in {"hang", "reset"} and not (answer.isdigit() and 200 <= int(answer) <= 599):
        raise ControlError(f"answer is {shorten(data.get('answer'))}; expected an HTTP status, hang or reset")
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= _LISTED:
        raise ControlError(f"times is {shorten(times)}; expected a whole number from 1 to {_LISTED}")
    inbox = control.emulator.inboxes.open(request.path_params["name"])
    inbox.answers.extend([answer] * times)
    return {"answers": list(inbox.answers)}
