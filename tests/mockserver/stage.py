"""A stage for the emulator's tests: an application in this process, with its real time in the test's hands."""

from __future__ import annotations

import asyncio
import atexit
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from understudy.mockserver.app import App, Log
from understudy.mockserver.compiled import CompiledOperation
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.settings import Settings
from understudy.openapi.provider import Provider, built_in_names, load_provider
from understudy.openapi.reads import read

from .control_document import judge_async

ACME = Path(__file__).parent.parent / "providers" / "acme"
NAMES = (*built_in_names(), "acme")
START = 1_765_178_600_000
"""Where the real time of a stage begins: 2025-12-08T07:23:20.000Z."""
URL = "http://127.0.0.1:4020"

_loop = asyncio.new_event_loop()


@atexit.register
def _end() -> None:
    async def cancel(tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    _loop.run_until_complete(cancel(asyncio.all_tasks(_loop)))
    _loop.close()


@lru_cache(maxsize=64)
def provider_of(name: str, *options: str) -> Provider:
    """Return the provider `name` with ``option=value`` of each of `options`; one that is built in, or acme."""
    chosen = dict(option.split("=") for option in options)
    return load_provider(ACME if name == "acme" else name, chosen)


class Stage:
    """An emulator, its application, and a client of both.

    Attributes:
        time: the real time that the emulator sees, in milliseconds since the epoch.
        said: what the emulator had to say.
    """

    def __init__(
        self,
        *providers: str | Provider,
        options: tuple[str, ...] = (),
        root: str | None = None,
        log: Log | None = None,
        **settings: Any,
    ) -> None:
        self.time = START
        self.said: list[str] = []
        self.settings = Settings(**settings)
        loaded = [provider_of(each, *options) if isinstance(each, str) else each for each in providers or NAMES]
        self.emulator = Emulator(loaded, self.settings, root=root, said=self.said.append, real=lambda: self.time)
        self.app = App(self.emulator, log)
        hooks = {"response": [judge_async]}
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=URL, event_hooks=hooks)

    def wait(self, seconds: float) -> None:
        """Let real time pass."""
        self.time += round(seconds * 1000)

    def ask(self, method: str, url: str, key: str | None = "test", **more: Any) -> httpx.Response:
        """Send a request, with `key` where the provider of the URL's first part wants it."""
        headers = {**self.key_header(url, key), **more.pop("headers", {})}
        return _loop.run_until_complete(self._client.request(method, url, headers=headers, **more))

    def key_header(self, url: str, key: str | None) -> dict[str, str]:
        """Return the header that carries `key` to the provider of a URL."""
        path = httpx.URL(url).path
        parts = [part for part in path.split("/") if part and not part.startswith("~")]
        provider = self.emulator.providers.get(parts[0] if parts else "") or self.emulator.root
        if key is None or provider is None:
            return {}
        header, scheme = provider.key_place
        return {header: f"{scheme} {key}".strip()}

    def operation(self, provider: str, name: str) -> CompiledOperation:
        """Return an operation by its name."""
        return self.emulator.providers[provider].operations[name]

    def create(self, provider: str, body: Any, name: str = "", key: str | None = "test", **more: Any) -> httpx.Response:
        """Send a creation: with the provider's first operation that creates, or that of `name`."""
        operation = self.operation(provider, name) if name else creators(self, provider)[0]
        sent = {} if body is None else {"json": body}
        return self.ask("POST", f"/{provider}{operation.behaviour.key.path}", key, **sent, **more)

    def created(self, provider: str, body: Any, name: str = "", key: str | None = "test") -> str:
        """Send a creation that is accepted, and return the task's id."""
        operation = self.operation(provider, name) if name else creators(self, provider)[0]
        response = self.create(provider, body, name, key)
        assert response.is_success, response.text
        found = read(operation.behaviour.reads, response.json())
        assert "id" in found, response.text
        return str(found["id"])

    def poll(self, provider: str, task: str, name: str = "", key: str | None = "test") -> httpx.Response:
        """Ask for a task: with the operation that asks for tasks of the creation `name`, or of the first one."""
        asker = asker_of(self, provider, name or creators(self, provider)[0].name)
        return self.ask("GET", f"/{provider}" + url_of(asker, task), key)

    def facts(self, provider: str, task: str, name: str = "", key: str | None = "test") -> dict[str, Any]:
        """Return what the provider's answer to a poll says, as its behaviour file reads it."""
        response = self.poll(provider, task, name, key)
        assert response.status_code == 200, response.text
        asker = asker_of(self, provider, name or creators(self, provider)[0].name)
        found = read(asker.behaviour.reads, response.json())
        assert "status" in found, response.text
        return found

    def phase(self, provider: str, task: str) -> str:
        """Return our word for where a task stands."""
        statuses = self.emulator.providers[provider].behaviour.statuses
        return statuses[self.facts(provider, task)["status"]].phase.value


def creators(stage: Stage, provider: str) -> list[CompiledOperation]:
    """Return the operations of `provider` that create tasks."""
    return [each for each in stage.emulator.providers[provider].operations.values() if each.behaviour.does == "create"]


def asker_of(stage: Stage, provider: str, creator: str) -> CompiledOperation:
    """Return the operation that asks for the tasks that `creator` makes."""
    return next(
        each
        for each in stage.emulator.providers[provider].operations.values()
        if each.behaviour.does == "poll" and (not each.behaviour.creates or creator in each.behaviour.creates)
    )


def url_of(operation: CompiledOperation, task: str) -> str:
    """Return path and query that ask `operation` about `task`."""
    place = operation.behaviour.task_id or ""
    name = place.rpartition(".")[2]
    path = operation.behaviour.key.path
    return path.replace(f"{{{name}}}", task) if ".path." in place else f"{path}?{name}={task}"


SIMPLE: Mapping[str, Any] = {
    "kie": {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}},
    "apikley": {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}},
    "crun": {"model": "google/nano-banana", "input": {"prompt": "a lighthouse"}},
    "mulerouter": {"prompt": "a lighthouse"},
    "acme": {"prompt": "a lighthouse"},
}
"""A body that each provider's first creation accepts."""


def refused_with(provider: str, response: httpx.Response) -> tuple[Any, str]:
    """Return the code and the message of a refusal, as the provider tells them."""
    refusal = provider_of(provider).behaviour.refusal
    facts = read_refusal(refusal.code, refusal.message, response.json())
    return facts["code"], facts["message"]


def read_refusal(code: tuple[str, ...], message: tuple[str, ...], body: Any) -> dict[str, Any]:
    """Return the code and the message at these pointers of a refusal."""
    from understudy.openapi.reads import compile_reads  # noqa: PLC0415

    return read(compile_reads({"code": list(code), "message": list(message)}), body)


def as_json(data: Any) -> bytes:
    """Return `data` as JSON bytes."""
    return json.dumps(data).encode()
