"""The control API, below ``/_understudy``; described by ``openapi/control.yaml``."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib.metadata import version
from ipaddress import ip_address
from itertools import islice
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
from ..openapi.behaviour import Failure, Phase, Status
from ..openapi.errors import nearest, shorten
from ..openapi.times import MAX_DURATION, iso, parse_duration, parse_time
from . import control_callbacks as callbacks
from .clock import MAX_CLOCK, Clock, ClockError
from .condition import ConditionError, check_fields
from .control_error import ControlError, body_of
from .emulator import Emulator
from .exchange import Exchange
from .findings import findings_of
from .har import to_har
from .journal import shown
from .life import failure_with
from .namespace import Namespace
from .report import client_report
from .rules import RuleBook
from .scenario import ScenarioError, why_not
from .task import Task
from .verification import answer, parse_question

PREFIX = "/_understudy"
TOKEN_HEADER = "x-understudy-token"  # noqa: S105 - the header's name
_DOCUMENT = Path(source_module.__file__).parent / "control.yaml"
_MAX_LISTED = 1000
_MAX_SPEED = 1_000_000


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
        accounts = [(each, *account) for each in self.namespaces(request) for account in each.accounts.items()]
        found = [(each, name, account.tasks[wanted]) for each, name, account in accounts if wanted in account.tasks]
        if not found:
            known = [task for _, _, account in accounts for task in islice(account.tasks, _MAX_LISTED)]
            raise ControlError(f"no task {wanted!r}{nearest(wanted, known[:_MAX_LISTED])}", 404)
        if len(found) > 1:
            ids = ", ".join(dict.fromkeys(each.id for each, _, _ in found))
            raise ControlError(f"{len(found)} tasks are called {wanted!r}; give a namespace, one of {ids}", 409)
        return found[0]


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
    _check_known("provider", wanted, control.emulator.providers)
    found = [
        (namespace, provider, task)
        for namespace in control.namespaces(request)
        for provider, account in namespace.accounts.items()
        if wanted in {None, provider}
        for task in account.tasks.values()
    ]
    return {"tasks": [task_shown(*each) for each in found[-_MAX_LISTED:]], "total": len(found)}


def _check_known(what: str, value: str | None, known: Iterable[str]) -> None:
    if value is not None and value not in known:
        raise ControlError(f"no {what} {value!r}{nearest(value, known)}; known: {', '.join(known)}")


async def _show_task(control: Control, request: Request) -> Any:
    return task_shown(*control.find_task(request))


async def _advance_task(control: Control, request: Request) -> Any:
    namespace, provider, task = control.find_task(request)
    data = await body_of(request)
    check_fields("advance", data, ("to", "code", "message"))
    statuses = control.emulator.providers[provider].behaviour.statuses
    wanted = _status_meant(data.get("to"), statuses)
    status = task.state(namespace.clock.now()).status
    if statuses[status].phase.terminal:
        raise ControlError(f"the task is {status} already", 409)
    order = list(statuses)
    if not statuses[wanted].phase.terminal and order.index(wanted) < order.index(status):
        raise ControlError(f"the task is {status} already, and goes back to {wanted} no more", 409)
    failure = _failure(data, task, fails=statuses[wanted].phase is Phase.FAILED)
    control.emulator.move(namespace, provider, task, wanted, failure)
    return task_shown(namespace, provider, task)


def _status_meant(wanted: Any, statuses: Mapping[str, Status]) -> str:
    """Return the provider's word for what `wanted`, a status or a phase, means: of a phase, the first status."""
    if wanted in list(statuses):
        return str(wanted)
    found = next((name for name, status in statuses.items() if status.phase.value == wanted), None)
    if found is None:
        known = [*statuses, *dict.fromkeys(status.phase.value for status in statuses.values())]
        raise ControlError(f"to is {shorten(wanted)}{nearest(str(wanted), known)}; expected one of {', '.join(known)}")
    return found


def _failure(data: dict[str, Any], task: Task, *, fails: bool) -> Failure | None:
    given: dict[str, Any] = {name: data[name] for name in ("code", "message") if name in data}
    if given and not fails:
        raise ControlError(f"{next(iter(given))} is of failures; expected to to be one")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ControlError(f"{name} is {shorten(value)}; expected text")
    return failure_with(task.operation.owner.behaviour.failures["failed"], given) if given else None


async def _show_clocks(control: Control, request: Request) -> Any:
    return {"clocks": [clock_shown(namespace) for namespace in control.namespaces(request)]}


async def _set_clocks(control: Control, request: Request) -> Any:
    data = await body_of(request)
    check_fields("the clock", data, tuple(_CLOCK_WORDS))
    turns: dict[str, Any] = {word: read(word, data[word]) for word, read in _CLOCK_WORDS.items() if word in data}
    namespaces = control.namespaces(request)
    for namespace in namespaces:  # all or none
        if "set" in turns:
            namespace.clock.check(turns["set"])
        if turns.get("set", namespace.clock.now()) + turns.get("advance", 0) > MAX_CLOCK:
            raise ClockError(f"clocks go no further than {iso(MAX_CLOCK)}")
    for namespace in namespaces:
        await _turn(control.emulator, namespace, turns)
    return {"clocks": [clock_shown(namespace) for namespace in namespaces]}


async def _turn(emulator: Emulator, namespace: Namespace, turns: Mapping[str, Any]) -> None:
    clock: Clock = namespace.clock
    if "speed" in turns:
        clock.run_at(turns["speed"])
    if "freeze" in turns:
        clock.freeze()
    if "set" in turns:
        clock.set(turns["set"])
    if "advance" in turns:
        await emulator.advance(namespace, turns["advance"])
    if "resume" in turns:
        clock.resume()
    emulator.deliveries.wake()


def _flag(word: str, value: Any) -> bool:
    if value is not True:
        raise ControlError(f"{word} is {shorten(value)}; expected true")
    return True


def _speed(word: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MAX_SPEED:
        raise ControlError(f"{word} is {shorten(value)}; expected a number above 0, at most {_MAX_SPEED:,}")
    return value


def _moment(word: str, value: Any) -> int:
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise ControlError(f"{word}: {error}") from None


def _milliseconds(word: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DURATION:
        return value
    try:
        return parse_duration(str(value))
    except ValueError as error:
        raise ControlError(f"{word}: {error}, or a number of milliseconds") from None


_CLOCK_WORDS: dict[str, Callable[[str, Any], Any]] = {
    "freeze": _flag, "set": _moment, "advance": _milliseconds, "speed": _speed, "resume": _flag,
}  # fmt: skip


_FILTERS = ("namespace", "provider", "operation", "task", "status", "limit")


def _selected(control: Control, request: Request) -> Any:
    query = request.query_params
    check_fields("the query", query, _FILTERS)
    providers = control.emulator.providers
    served = [each for name, each in providers.items() if query.get("provider") in {None, name}]
    _check_known("provider", query.get("provider"), providers)
    _check_known("operation", query.get("operation"), ["file", *(name for each in served for name in each.operations)])
    namespace = control.namespace(request)
    status = query.get("status")
    if status is not None and not (status.isascii() and status.isdigit() and len(status) == 3):
        raise ControlError(f"status is {status!r}; expected an HTTP status")
    return control.emulator.journal.select(
        namespace=namespace.id if namespace else None, provider=query.get("provider"), operation=query.get("operation"),
        task=query.get("task"), status=int(status) if status else None,
    )  # fmt: skip


async def _exchanges(control: Control, request: Request) -> Any:
    emulator = control.emulator
    limit = request.query_params.get("limit", "100")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 0 < int(limit) <= _MAX_LISTED):
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
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in emulator.journal:
        if exchange.namespace is not None:
            found[exchange.namespace.id].append(exchange)
    namespaces = control.namespaces(request)
    return {"reports": [client_report(each, found[each.id], emulator.providers) for each in namespaces]}


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
    if not _is_loopback(f"//{host}"):
        return f"the host {host!r} is not this machine; start with --control-token to be asked from elsewhere"
    origin = request.headers.get("origin")
    if origin is not None and not _is_loopback(origin):
        return f"the origin {origin!r} is not this machine"
    return ""


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _not_found(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    asked = f"{request.method} {request.url.path}"
    known = [f"{method} {PREFIX}{path}" for method, path, _ in ROUTES]
    headers = getattr(error, "headers", None)
    return JSONResponse({"error": f"{asked} is not of the control API{nearest(asked, known)}"}, status, headers)
