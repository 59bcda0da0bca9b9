"""The control API, below ``/_understudy``; described by ``openapi/control.yaml``."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..openapi import source as source_module
from ..openapi.behaviour import Failure, Phase
from ..openapi.errors import nearest, shorten
from ..openapi.times import iso, parse_duration, parse_time
from . import control_callbacks as callbacks
from .clock import Clock, ClockError
from .condition import ConditionError
from .control_error import ControlError, body_of
from .emulator import Emulator
from .findings import findings_of
from .har import to_har
from .journal import shown
from .namespace import Namespace
from .report import client_report
from .rules import RuleBook
from .scenario import ScenarioError, why_not
from .task import Task
from .verification import answer, parse_question

PREFIX = "/_understudy"
TOKEN_HEADER = "x-understudy-token"  # noqa: S105 - the header's name
_DOCUMENT = Path(source_module.__file__).parent / "control.yaml"
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}
_MAX_LISTED = 1000


class Control:
    """What the routes share: the emulator, and how a request names what it is about."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def namespace(self, request: Request) -> Namespace | None:
        """Return the namespace that ``?namespace=`` names, by key or id; None where none is named."""
        name = request.query_params.get("namespace")
        if name is None:
            return None
        return self.emulator.namespaces.of_id(name) or self.emulator.namespaces.of_key(name)

    def namespaces(self, request: Request) -> list[Namespace]:
        """Return the namespace that is named, or all of them."""
        named = self.namespace(request)
        return list(self.emulator.namespaces) if named is None else [named]

    def rules(self, request: Request) -> tuple[RuleBook, str]:
        """Return the rules of the namespace that is named, or those for all, and what their ids begin with."""
        named = self.namespace(request)
        return (self.emulator.rules, "r") if named is None else (named.rules, f"{named.id}-")

    def find_task(self, request: Request) -> tuple[Namespace, str, Task]:
        """Return the task that the path names, with its namespace and provider.

        Raises:
            ControlError: there is none.
        """
        wanted = request.path_params["id"]
        known: list[str] = []
        for namespace in self.namespaces(request):
            for provider, account in namespace.accounts.items():
                if wanted in account.tasks:
                    return namespace, provider, account.tasks[wanted]
                known += account.tasks
        raise ControlError(f"no task {wanted!r}{nearest(wanted, known[:_MAX_LISTED])}", 404)


def task_shown(namespace: Namespace, provider: str, task: Task) -> dict[str, Any]:
    """Return a task as the control API shows it."""
    state = task.state(namespace.clock.now())
    return {
        "id": task.id,
        "namespace": namespace.id,
        "provider": provider,
        "operation": task.operation.name,
        "model": task.model,
        "status": state.status,
        "phase": task.operation.phase_of(state.status),
        "created": iso(task.created),
        "updated": iso(state.since),
        "polls": task.polls,
        "plan": [
            {"status": status, "after": start}
            for status, start in zip(task.plan.statuses, task.plan.starts, strict=True)
        ],
        "progress": task.plan.progress,
    }


def clock_shown(namespace: Namespace) -> dict[str, Any]:
    """Return a namespace's clock as the control API shows it."""
    clock = namespace.clock
    return {"namespace": namespace.id, "now": iso(clock.now()), "frozen": clock.frozen, "speed": clock.speed}


async def _health(_: Control, __: Request) -> Any:
    return {"status": "ok", "version": version("understudy")}


async def _providers(control: Control, _: Request) -> Any:
    found = control.emulator.providers.items()
    return {
        "providers": [
            {"name": name, "title": each.behaviour.title, "operations": list(each.operations)} for name, each in found
        ]
    }


async def _scenarios(control: Control, _: Request) -> Any:
    providers = control.emulator.providers
    listed = [
        {
            "name": scenario.name,
            "about": scenario.about,
            "kind": scenario.kind,
            "parameters": {
                each.name: {"type": each.type, "default": each.default, "about": each.about}
                for each in scenario.parameters.values()
            },
            "providers": {
                name: why_not(scenario, {"code": "500"}, each.behaviour) or True for name, each in providers.items()
            },
        }
        for scenario in control.emulator.repertoire.scenarios.values()
    ]
    return {"scenarios": listed, "errors": {name: list(each.behaviour.errors) for name, each in providers.items()}}


async def _list_rules(control: Control, request: Request) -> Any:
    book, _ = control.rules(request)
    return {"rules": [rule.shown() for rule in book.rules]}


async def _add_rule(control: Control, request: Request) -> Any:
    book, prefix = control.rules(request)
    data = await body_of(request)
    rule = book.add(data, prefix, control.emulator.providers, control.emulator.repertoire)
    return JSONResponse(rule.shown(), 201)


async def _clear_rules(control: Control, request: Request) -> Any:
    book, _ = control.rules(request)
    book.clear()
    return {"rules": []}


async def _remove_rule(control: Control, request: Request) -> Any:
    wanted = request.path_params["id"]
    books = [control.emulator.rules, *(namespace.rules for namespace in control.emulator.namespaces)]
    if not any(book.remove(wanted) for book in books):
        raise ControlError(f"no rule {wanted!r}", 404)
    return {"removed": wanted}


async def _list_tasks(control: Control, request: Request) -> Any:
    wanted = request.query_params.get("provider")
    found = [
        task_shown(namespace, provider, task)
        for namespace in control.namespaces(request)
        for provider, account in namespace.accounts.items()
        if wanted in {None, provider}
        for task in account.tasks.values()
    ]
    return {"tasks": found[-_MAX_LISTED:], "total": len(found)}


async def _show_task(control: Control, request: Request) -> Any:
    return task_shown(*control.find_task(request))


async def _advance_task(control: Control, request: Request) -> Any:
    namespace, provider, task = control.find_task(request)
    data = await body_of(request)
    statuses = control.emulator.providers[provider].behaviour.statuses
    wanted = data.get("to")
    if wanted in set(Phase) and wanted not in statuses:
        wanted = next((status.name for status in statuses.values() if status.phase == wanted), None)
    if wanted not in statuses:
        known = ", ".join([*statuses, *dict.fromkeys(status.phase.value for status in statuses.values())])
        raise ControlError(
            f"to is {shorten(data.get('to'))}{nearest(str(data.get('to')), statuses)}; expected one of {known}"
        )
    now = namespace.clock.now()
    state = task.state(now)
    if task.operation.phase_of(state.status).terminal:
        raise ControlError(f"the task is {state.status} already", 409)
    control.emulator.move(namespace, provider, task, str(wanted), _failure(data, task))
    return task_shown(namespace, provider, task)


def _failure(data: dict[str, Any], task: Task) -> Failure | None:
    default = task.operation.owner.behaviour.failures["failed"]
    if "code" not in data and "message" not in data:
        return None
    return Failure(data.get("code", default.code), data.get("message", default.message), default.facts)


async def _show_clocks(control: Control, request: Request) -> Any:
    return {"clocks": [clock_shown(namespace) for namespace in control.namespaces(request)]}


_CLOCK_WORDS = ("freeze", "set", "advance", "speed", "resume")


async def _set_clocks(control: Control, request: Request) -> Any:
    data = await body_of(request)
    if unknown := [key for key in data if key not in _CLOCK_WORDS]:
        hint = nearest(unknown[0], _CLOCK_WORDS)
        raise ControlError(f"no field {unknown[0]!r}{hint}; known: {', '.join(_CLOCK_WORDS)}")
    namespaces = control.namespaces(request)
    for namespace in namespaces:
        await _turn(control.emulator, namespace, data)
    return {"clocks": [clock_shown(namespace) for namespace in namespaces]}


async def _turn(emulator: Emulator, namespace: Namespace, data: dict[str, Any]) -> None:
    clock: Clock = namespace.clock
    if "speed" in data:
        speed = data["speed"]
        if isinstance(speed, bool) or not isinstance(speed, int | float):
            raise ControlError(f"speed is {shorten(speed)}; expected a number above 0")
        clock.run_at(speed)
    if data.get("freeze"):
        clock.freeze()
    if "set" in data:
        clock.set(_moment(data["set"]))
    if "advance" in data:
        await emulator.advance(namespace, _milliseconds(data["advance"]))
    if data.get("resume"):
        clock.resume()


def _moment(value: Any) -> int:
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise ControlError(f"set: {error}") from None


def _milliseconds(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return parse_duration(str(value))
    except ValueError as error:
        raise ControlError(f"advance: {error}") from None


def _selected(control: Control, request: Request) -> Any:
    query = request.query_params
    namespace = control.namespace(request)
    status = query.get("status")
    if status is not None and not status.isdigit():
        raise ControlError(f"status is {status!r}; expected an HTTP status")
    return control.emulator.journal.select(
        namespace=namespace.id if namespace else None, provider=query.get("provider"), operation=query.get("operation"),
        task=query.get("task"), status=int(status) if status else None,
    )  # fmt: skip


async def _exchanges(control: Control, request: Request) -> Any:
    emulator = control.emulator
    limit = request.query_params.get("limit", "100")
    if not limit.isdigit() or not 0 < int(limit) <= _MAX_LISTED:
        raise ControlError(f"limit is {limit!r}; expected a number from 1 to {_MAX_LISTED}")
    found = _selected(control, request)
    listed = [
        shown(each, findings=findings_of(each, emulator.providers), task=emulator.created_by(each))
        for each in found[-int(limit) :]
    ]
    return {"exchanges": listed, "total": len(found), "dropped": emulator.journal.dropped}


async def _har(control: Control, request: Request) -> Any:
    return to_har(_selected(control, request), control.emulator.settings.public_url, version("understudy"))


async def _verify(control: Control, request: Request) -> Any:
    providers = control.emulator.providers
    question = parse_question(await body_of(request), providers)
    namespace = control.namespace(request)
    found = control.emulator.journal.select(namespace=namespace.id if namespace else None)
    return answer(question, found, providers)


async def _report(control: Control, request: Request) -> Any:
    emulator = control.emulator
    reports = [
        client_report(each, emulator.journal.select(namespace=each.id), emulator.providers)
        for each in control.namespaces(request)
    ]
    return {"reports": reports}


async def _reset(control: Control, request: Request) -> Any:
    named = control.namespace(request)
    control.emulator.reset(named)
    return {"reset": named.id if named else "all"}


async def _metrics(control: Control, _: Request) -> Any:
    from .metrics import render  # noqa: PLC0415 - its library is needed by nothing else

    content, content_type = render(control.emulator)
    return Response(content, media_type=content_type)


async def _document(control: Control, _: Request) -> Any:
    data = source_module.read_source(_DOCUMENT).data
    return {**data, "servers": [{"url": control.emulator.settings.public_url}]}


Handler = Callable[[Control, Request], Awaitable[Any]]

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health", _health),
    ("GET", "/openapi.json", _document),
    ("GET", "/providers", _providers),
    ("GET", "/scenarios", _scenarios),
    ("GET", "/rules", _list_rules),
    ("POST", "/rules", _add_rule),
    ("DELETE", "/rules", _clear_rules),
    ("DELETE", "/rules/{id}", _remove_rule),
    ("GET", "/tasks", _list_tasks),
    ("GET", "/tasks/{id}", _show_task),
    ("POST", "/tasks/{id}/advance", _advance_task),
    ("GET", "/clock", _show_clocks),
    ("POST", "/clock", _set_clocks),
    ("GET", "/exchanges", _exchanges),
    ("GET", "/exchanges.har", _har),
    ("POST", "/verify", _verify),
    ("GET", "/report", _report),
    ("POST", "/reset", _reset),
    ("GET", "/metrics", _metrics),
    ("GET", "/deliveries", callbacks.list_deliveries),
    ("POST", "/deliveries/pause", callbacks.pause),
    ("POST", "/deliveries/resume", callbacks.resume),
    ("POST", "/deliveries/{id}/redeliver", callbacks.redeliver),
    ("POST", "/deliveries/{id}/cancel", callbacks.cancel),
    ("GET", "/settings", callbacks.show_settings),
    ("POST", "/settings", callbacks.change_settings),
    ("POST", "/inbox/{name}", callbacks.receive),
    ("GET", "/inbox/{name}", callbacks.read_inbox),
    ("DELETE", "/inbox/{name}", callbacks.empty_inbox),
    ("POST", "/inbox/{name}/answer", callbacks.answer_inbox),
)
OPEN: tuple[Handler, ...] = (_health, callbacks.receive)
"""What answers whoever asks: the one to be asked from anywhere, the other takes what providers send."""


class _Nothing(Response):
    """What an inbox answers that was told to reset the connection, or to let it hang."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


def control_app(emulator: Emulator) -> Starlette:
    """Return the application that answers below ``/_understudy``."""
    control = Control(emulator)
    paths: dict[str, dict[str, Handler]] = {}
    for method, path, handler in ROUTES:
        paths.setdefault(path, {})[method] = handler

    def route(path: str, handlers: dict[str, Handler]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answered(control, request, handlers["GET" if request.method == "HEAD" else request.method])

        return Route(PREFIX + path, endpoint, methods=list(handlers))

    return Starlette(
        routes=[route(path, handlers) for path, handlers in paths.items()],
        exception_handlers={404: _not_found, 405: _not_found},
    )


async def _answered(control: Control, request: Request, handler: Handler) -> Response:
    if handler not in OPEN or not (handler is _health or control.emulator.settings.control):
        refusal = _refused(control.emulator, request)
        if refusal:
            return JSONResponse({"error": refusal}, 403)
    try:
        made = await handler(control, request)
    except ClientDisconnect:
        return _Nothing()
    except ControlError as error:
        return JSONResponse({"error": str(error)}, error.status)
    except (ConditionError, ScenarioError, ClockError) as error:
        return JSONResponse({"error": str(error)}, 400)
    if made is None:
        return _Nothing()
    return made if isinstance(made, Response) else Response(orjson.dumps(made), media_type="application/json")


def _refused(emulator: Emulator, request: Request) -> str:
    """Return why the control API is closed to `request`, or ""."""
    settings = emulator.settings
    if not settings.control:
        return "the control API is off (--no-control)"
    if settings.control_token is not None:
        given = request.headers.get(TOKEN_HEADER, "")
        if hmac.compare_digest(given.encode(), settings.control_token.encode()):
            return ""
        return f"the header {TOKEN_HEADER} is not the token of --control-token"
    host = request.headers.get("host", "")
    if (urlsplit(f"//{host}").hostname or "") not in _LOOPBACK:
        return f"the host {host!r} is not this machine; start with --control-token to be asked from elsewhere"
    origin = request.headers.get("origin")
    if origin is not None and (urlsplit(origin).hostname or "") not in _LOOPBACK:
        return f"the origin {origin!r} is not this machine"
    return ""


async def _not_found(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    asked = f"{request.method} {request.url.path}"
    known = [f"{method} {PREFIX}{path}" for method, path, _ in ROUTES]
    return JSONResponse({"error": f"{asked} is not of the control API{nearest(asked, known)}"}, status)
