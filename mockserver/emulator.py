"""The emulator: from a request to an answer, with no I/O in between."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from ..openapi.behaviour import Failure, Limit, Phase
from ..openapi.errors import nearest
from ..openapi.provider import Provider
from ..openapi.refusals import REFUSED_KEYS
from ..openapi.routes import Match
from . import actions
from .allowance import Allowance
from .answer import Answer, json_answer, render_headers, render_refusal
from .call import Call
from .chance import draw, uuid_from
from .checks import check_request
from .clock import Clock, real_milliseconds
from .compiled import CompiledOperation, CompiledProvider
from .deliveries import Deliveries
from .direction import NOTHING, direct
from .exchange import Exchange
from .faults import spoil
from .inbox import Inboxes
from .journal import Journal
from .links import Link, write_link
from .namespace import Namespace, Namespaces
from .pictures import full_body, result_names
from .plan import Intervention
from .refusal import Refused
from .request import Request
from .rules import Rule, RuleBook
from .scenario import Play, Repertoire, ScenarioError, built_in_scenarios, error_with_code, parse_header
from .sender import Sender
from .settings import MAX_BODY_BYTES, Settings
from .store import FileStore, TaskStore
from .task import Task
from .variation import vary

_MOST_PLACES = 256
_LONGEST_PLACE = 1024
_UNKNOWN = dict.fromkeys(("price", "retry_after", "error", "task", "field", "missing", "new_id"))
"""What a refusal tells nothing of, unless it does."""


class _Place(NamedTuple):
    """What a path leads to: a provider, the path there, the namespace it names, what links begin with, operations."""

    provider: CompiledProvider | None
    path: str
    namespace: str
    base: str
    match: Match[CompiledOperation] | None


class Emulator:
    """Plays providers. Everything that changes is in here; nothing here waits, reads or sends."""

    def __init__(
        self,
        providers: Iterable[Provider],
        settings: Settings,
        *,
        root: str | None = None,
        repertoire: Repertoire | None = None,
        said: Callable[[str], None] = lambda _: None,
        real: Callable[[], int] = real_milliseconds,
    ) -> None:
        self.settings = settings
        self._said = said
        self.providers = {provider.name: CompiledProvider(provider) for provider in providers}
        self.root = self.providers[root] if root else None
        self.tasks = TaskStore(settings.max_tasks, said)
        self.files = FileStore(said)
        self.real = real
        started = real()

        def make_clock() -> Clock:
            return Clock(start=settings.start, since=started, speed=settings.speed, frozen=settings.frozen, real=real)

        self.namespaces = Namespaces(make_clock, said)
        self.repertoire = repertoire or Repertoire(built_in_scenarios())
        self.rules = RuleBook()
        self.journal = Journal(said)
        self.deliveries = Deliveries(self, Sender(Allowance(settings.callback_allow)), said)
        self.inboxes = Inboxes()
        self._defaults: dict[str, list[Play]] = {}
        self._defaults_of = 0
        self._places: dict[str, _Place] = {}
        self._check_default()

    def _check_default(self) -> None:
        """Refuse a default scenario that none of the providers can play."""
        errors = []
        for provider in self.providers.values() if self.settings.scenario else ():
            try:
                self.default_plays(provider)
            except ScenarioError as error:
                errors.append(error)
        if errors and len(errors) == len(self.providers):
            raise errors[0]

    def default_plays(self, provider: CompiledProvider) -> list[Play]:
        """Return what creations with `provider` are played with by default.

        Raises:
            ScenarioError: the provider can't play it.
        """
        if not self.settings.scenario:
            return []
        if self._defaults_of != self.repertoire.version:
            self._defaults_of = self.repertoire.version
            self._defaults.clear()
        if provider.name not in self._defaults:
            found = parse_header(self.settings.scenario)
            bound = [self.repertoire.bind(name, given, provider.behaviour) for name, given in found]
            self._defaults[provider.name] = bound
        return self._defaults[provider.name]

    def rule_for(self, call: Call) -> tuple[Rule, Play] | None:
        """Return the rule that the call is played by, those of its namespace before those of all, and its play."""
        for book in (call.namespace.rules, self.rules):
            if book.rules:
                found = book.choose(
                    call.operation, call.request, self.repertoire, self.settings.seed, call.namespace.id
                )
                if found is not None:
                    return found
        return None

    def handle(self, request: Request) -> Exchange:
        """Return the exchange that `request` leads to; its answer is always there."""
        exchange = Exchange(request)
        place = self._places.get(request.path) or self._place(request.path)
        provider = place.provider
        if provider is None:
            exchange.answer = self._no_provider(place.path)
            return exchange
        exchange.provider = provider.name
        request.path = place.path
        key = request.headers.credential(provider.key_place)
        namespace = self.namespaces.of_key(place.namespace or key or "")
        call = Call(self, exchange, provider, namespace)
        call.base = place.base
        exchange.namespace = namespace
        exchange.time = call.now
        exchange.pace = 0 if namespace.clock.frozen else namespace.clock.speed
        exchange.answer = self._answer(call, key, place.match)
        if provider.behaviour.headers is not None:
            exchange.answer.headers += render_headers(provider.behaviour.headers, self._refusal_context(call, ""))
        return exchange

    def _place(self, path: str) -> _Place:
        """Return what `path` leads to, remembered where it may come again."""
        rest, name = _split_namespace(path)
        provider, rest = self._provider_of(rest)
        if provider is None:
            return _Place(None, rest, name, "", None)
        self.journal.secret_headers.add(provider.key_header)
        named = f"/~{quote(name, safe='')}" if name else ""
        base = self.settings.public_url + named + ("" if provider is self.root else f"/{provider.name}")
        place = _Place(provider, rest, name, base, provider.routes.find(rest))
        if place.match is not None and not place.match.values and len(path) <= _LONGEST_PLACE:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            self._places[path] = place
        return place

    async def advance(self, namespace: Namespace, milliseconds: int) -> None:
        """Advance a namespace's clock; return when everything that fell due has been done."""
        namespace.clock.freeze()
        await self.deliveries.advance(namespace, namespace.clock.now() + milliseconds)

    def move(
        self, namespace: Namespace, provider: str, task: Task, status: str, failure: Failure | None = None
    ) -> None:
        """Move `task` to `status` now; with no `failure` of its own it fails as its plan says, or as documented."""
        now = namespace.clock.now()
        phase = task.operation.phase_of(status)
        if phase is Phase.FAILED and failure is None:
            failure = task.plan.failure or task.operation.owner.behaviour.failures["failed"]
        task.interventions += (Intervention(now, status, failure),)
        end, moment, plan = phase, now, task.plan
        if not phase.terminal and plan.progress == "time" and status in plan.statuses:
            # Put into the middle of its plan, a task goes on from there.
            end = task.operation.phase_of(plan.statuses[-1])
            moment += plan.starts[-1] - plan.starts[plan.statuses.index(status)]
        if end in {Phase.FAILED, Phase.CANCELLED}:
            namespace.account(provider).refund_later(task, moment)
        self.deliveries.plan_moved(namespace, provider, task, now)

    def result_links(self, namespace: Namespace, provider: str, task: Task) -> tuple[str, ...]:
        """Return the links to the results of `task`."""
        found = (Link(provider, namespace.id, name) for name in result_names(task, full_body(task)))
        return tuple(write_link(self.settings.public_url, each, self.settings.seed) for each in found)

    def created_by(self, exchange: Exchange) -> Task | None:
        """Return the task that `exchange` created, if it created one that is kept."""
        provider = self.providers.get(exchange.provider)
        operation = None if provider is None else provider.operations.get(exchange.operation)
        if exchange.namespace is None or operation is None or operation.behaviour.does != "create":
            return None
        return exchange.namespace.account(exchange.provider).tasks.get(exchange.task)

    def reset(self, namespace: Namespace | None = None) -> None:
        """Forget everything of `namespace`, or of all: tasks, credits, files, rules, clocks, exchanges."""
        self.deliveries.forget(self.namespaces if namespace is None else [namespace])
        self.namespaces.forget(namespace)
        self.tasks.forget(namespace)
        self.journal.forget(None if namespace is None else namespace.id)
        self.inboxes.clear(None if namespace is None else namespace.id)
        if namespace is None:
            self.rules = RuleBook()

    def _answer(self, call: Call, key: str | None, match: Match[CompiledOperation] | None) -> Answer:
        request = call.request
        if match is None:
            return self._no_operation(call, "path-unknown", 404)
        operation = match.targets.get(request.method)
        if operation is None:
            answer = self._no_operation(call, "method-unknown", 405)
            answer.headers += ((b"allow", ", ".join(sorted(match.targets)).encode()),)
            return answer
        request.path_values = match.values
        call.operation = operation
        call.exchange.operation = operation.name
        try:
            if operation.needs_key:
                self._check_key(key, call.provider)
            call.direction = direct(call)
            if call.direction is not NOTHING:
                return self._directed(call)
            return self._performed(call)
        except Refused as refused:
            return self.refuse(call, refused)
        except ScenarioError as error:
            call.exchange.fault = None
            call.exchange.played = "no such scenario"
            return json_answer(400, {"error": f"understudy: {error}"})
        except Exception as error:  # a template may fail on a body that nobody thought of; the others go on
            self._said(f"{call.provider.name}, {operation.name}: {type(error).__name__}: {error}")
            return self.refuse(call, Refused("server-failed", f"{operation.name} can't be answered"))

    def _performed(self, call: Call) -> Answer:
        if self.settings.limits:
            self._check_rate(call)
        if len(call.request.body) > MAX_BODY_BYTES:
            raise Refused("body-too-large", f"the body is larger than {MAX_BODY_BYTES:,} bytes")
        call.variant = check_request(call.operation, call.request)
        return actions.perform(call)

    def _directed(self, call: Call) -> Answer:
        """Return the answer with what the call's scenarios make of it."""
        plays = call.direction.now
        call.exchange.played = ", ".join(play.text for play in (*plays, *call.direction.later))
        call.exchange.fault = fault = next((play for play in plays if play.kind == "wire"), None)
        refusal = next((play for play in plays if play.kind == "refusal"), None)
        answer = self._accepted(call, fault) if refusal is None else self._refused_by(call, refusal)
        for play in plays:
            if play.kind == "drift" and not call.exchange.refused and answer.body:
                answer.body = orjson.dumps(vary(play, orjson.loads(answer.body), call.operation.behaviour.reads))
        return answer if fault is None else spoil(fault, answer)

    def _accepted(self, call: Call, fault: Play | None) -> Answer:
        """Return the answer of a call that is not refused by a scenario; a `fault` may keep it from being done."""
        if fault is not None and not fault.values.get("accepted", True):
            return self.refuse(call, Refused("server-failed", f"played: {fault.text}"))
        try:
            return self._performed(call)
        except Refused as refused:
            return self.refuse(call, refused)

    def _refused_by(self, call: Call, play: Play) -> Answer:
        behaviour = call.provider.behaviour
        name = play.does.get("error") or error_with_code(str(play.values["code"]), behaviour) or ""
        wait = self.retry_after(1000 * play.values.get("retry_after", 1))
        facts = {"retry_after": wait, "price": call.balance() + 1, "message": play.values.get("message")}
        answer = self.refuse(call, Refused("server-failed", f"played: {play.text}", error=name, **facts))
        if "retry_after" in play.values and not any(header == b"retry-after" for header, _ in answer.headers):
            answer.headers += ((b"retry-after", str(wait).encode()),)
        return answer

    def _check_key(self, key: str | None, provider: CompiledProvider) -> None:
        if not key:
            raise Refused("key-missing", "no key was sent")
        if self.settings.keys is not None:
            if not any(hmac.compare_digest(key.encode(), each.encode()) for each in self.settings.keys):
                raise Refused("key-refused", "the key is not one of --keys")
        elif key.removeprefix(provider.behaviour.key_prefix).startswith(REFUSED_KEYS):
            raise Refused("key-refused", f"keys that begin with {REFUSED_KEYS!r} are refused")

    def _check_rate(self, call: Call) -> None:
        for limit in call.provider.limits[call.operation.name]:
            wait = call.account.wait_for(limit, call.now)
            if wait:
                raise Refused("rate-exceeded", _rate_sentence(limit), retry_after=self.retry_after(wait))

    def retry_after(self, milliseconds: int) -> int:
        """Return the real seconds, at least 1, after which `milliseconds` of a namespace's time have passed."""
        return max(1, -int(-milliseconds // (1000 * self.settings.speed)))

    def refuse(self, call: Call, refused: Refused, status: int | None = None) -> Answer:
        """Return `refused` in the provider's words; `status` overrides the HTTP status."""
        error = call.operation.error(refused.condition)
        if refused.error:
            error = call.provider.behaviour.errors[refused.error]
        call.exchange.refused = True
        call.exchange.played = call.exchange.played or error.name
        if call.operation.behaviour.does == "poll" and not call.exchange.task:
            task = call.task()
            call.exchange.task = "" if task is None else task.id
        context = {**self._refusal_context(call, refused.problem), **refused.facts}
        refusal = call.operation.behaviour.refusal if status is None else call.provider.behaviour.refusal
        return render_refusal(refusal, error, context, status)

    def _refusal_context(self, call: Call, problem: str) -> dict[str, Any]:
        namespace = call.namespace
        namespace.exchanges += 1
        context = {**call.context, **_UNKNOWN, "problem": problem}
        if call.provider.tells_new_ids:
            context["new_id"] = uuid_from(draw(self.settings.seed, namespace.id, namespace.exchanges, "refusal"))
        return context

    def _no_operation(self, call: Call, condition: str, status: int) -> Answer:
        request = call.request
        if request.method == "GET" and request.path == "/openapi.json":
            return json_answer(200, call.provider.document(call.base))
        return self.refuse(call, Refused(condition, call.provider.routes.nearest(request.method, request.path)), status)

    def _provider_of(self, path: str) -> tuple[CompiledProvider | None, str]:
        name, slash, rest = path[1:].partition("/")
        provider = self.providers.get(name)
        if provider is not None:
            return provider, slash + rest or "/"
        return self.root, path

    def _no_provider(self, path: str) -> Answer:
        name = path[1:].partition("/")[0]
        known = ", ".join(f"/{each}" for each in self.providers)
        return json_answer(
            404, {"error": f"/{name} is no provider{nearest(name, self.providers)}; served here: {known}"}
        )


def _split_namespace(path: str) -> tuple[str, str]:
    """Return the path without the part that names a namespace, and that name or ""."""
    if not path.startswith("/~"):
        return path, ""
    name, slash, rest = path[2:].partition("/")
    return slash + rest, name


def _rate_sentence(limit: Limit) -> str:
    return f"more than {limit.count} calls in {limit.per / 1000:g} s"
