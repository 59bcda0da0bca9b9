"""The emulator: from a request to an answer, with no I/O in between."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from ..openapi.behaviour import Limit
from ..openapi.errors import nearest
from ..openapi.provider import Provider
from . import actions
from .answer import Answer, json_answer, render_headers, render_refusal
from .call import Call
from .chance import draw, uuid_from
from .checks import check_request
from .clock import Clock, real_milliseconds
from .compiled import CompiledProvider
from .exchange import Exchange
from .namespace import Namespaces
from .refusal import Refused
from .request import Request
from .settings import MAX_BODY_BYTES, Settings
from .store import FileStore, TaskStore

REFUSED_KEYS = "invalid"
"""Keys that begin with this are refused by every provider: the wrong key for tests."""


class Emulator:
    """Plays providers. Everything that changes is in here; nothing here waits, reads or sends."""

    def __init__(
        self,
        providers: Iterable[Provider],
        settings: Settings,
        *,
        root: str | None = None,
        said: Callable[[str], None] = lambda _: None,
        real: Callable[[], int] = real_milliseconds,
    ) -> None:
        self.settings = settings
        self.providers = {provider.name: CompiledProvider(provider) for provider in providers}
        self.root = self.providers[root] if root else None
        self.tasks = TaskStore(settings.max_tasks, said)
        self.files = FileStore(said)
        started = real()

        def make_clock() -> Clock:
            return Clock(start=settings.start, since=started, speed=settings.speed, frozen=settings.frozen, real=real)

        self.namespaces = Namespaces(make_clock, said)

    def handle(self, request: Request) -> Exchange:
        """Return the exchange that `request` leads to; its answer is always there."""
        exchange = Exchange(request)
        path, name = _split_namespace(request.path)
        provider, rest = self._provider_of(path)
        if provider is None:
            exchange.answer = self._no_provider(path)
            return exchange
        exchange.provider = provider.name
        request.path = rest
        key = _key_of(provider, request)
        namespace = self.namespaces.of_key(name or key or "")
        call = Call(self, exchange, provider, namespace)
        call.base = self._base(provider, name)
        exchange.namespace = namespace
        exchange.time = call.now
        exchange.answer = self._answer(call, key)
        if provider.behaviour.headers is not None:
            exchange.answer.headers += render_headers(provider.behaviour.headers, self._refusal_context(call, ""))
        return exchange

    def _base(self, provider: CompiledProvider, namespace: str) -> str:
        """Return what links to `provider` begin with, for who came by way of `namespace` or of the key alone."""
        named = f"/~{quote(namespace, safe='')}" if namespace else ""
        return self.settings.public_url + named + ("" if provider is self.root else f"/{provider.name}")

    def _answer(self, call: Call, key: str | None) -> Answer:
        request = call.request
        match = call.provider.routes.find(request.path)
        if match is None:
            return self._no_operation(call, "path-unknown", 404)
        operation = match.targets.get(request.method)
        if operation is None:
            answer = self._no_operation(call, "method-unknown", 405)
            answer.headers.append((b"allow", ", ".join(sorted(match.targets)).encode()))
            return answer
        request.path_values = match.values
        call.operation = operation
        call.exchange.operation = operation.name
        try:
            if operation.needs_key:
                self._check_key(key)
            self._check_rate(call)
            _check_size(request)
            call.variant = check_request(operation, request)
            return actions.perform(call)
        except Refused as refused:
            return self.refuse(call, refused)

    def _check_key(self, key: str | None) -> None:
        if not key:
            raise Refused("key-missing", "no key was sent")
        if self.settings.keys is not None:
            if not any(hmac.compare_digest(key.encode(), each.encode()) for each in self.settings.keys):
                raise Refused("key-refused", "the key is not one of --keys")
        elif key.startswith(REFUSED_KEYS):
            raise Refused("key-refused", f"keys that begin with {REFUSED_KEYS!r} are refused")

    def _check_rate(self, call: Call) -> None:
        if not self.settings.limits:
            return
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
        call.exchange.played = error.name
        context = {**self._refusal_context(call, refused.problem), **refused.facts}
        refusal = call.operation.behaviour.refusal if status is None else call.provider.behaviour.refusal
        return render_refusal(refusal, error, context, status)

    def _refusal_context(self, call: Call, problem: str) -> dict[str, Any]:
        call.namespace.exchanges += 1
        random = draw(self.settings.seed, call.namespace.id, call.namespace.exchanges, "refusal")
        empty = dict.fromkeys(("price", "retry_after", "error", "task", "field", "missing"))
        return {**call.context, **empty, "problem": problem, "new_id": uuid_from(random)}

    def _no_operation(self, call: Call, condition: str, status: int) -> Answer:
        request = call.request
        if request.method == "GET" and request.path == "/openapi.json":
            return json_answer(200, call.provider.provider.contract.document(call.base))
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


def _key_of(provider: CompiledProvider, request: Request) -> str | None:
    header, scheme = provider.key_place
    value = request.header(header.encode())
    if value is None or not scheme:
        return value
    sent, _, key = value.partition(" ")
    return key.strip() if sent.lower() == scheme.lower() else None


def _check_size(request: Request) -> None:
    if len(request.body) > MAX_BODY_BYTES:
        raise Refused("body-too-large", f"the body is larger than {MAX_BODY_BYTES:,} bytes")


def _rate_sentence(limit: Limit) -> str:
    return f"more than {limit.count} calls in {limit.per / 1000:g} s"
