"""Both clients under one roof: a test is written once, and speaks through either."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from understudy.client import AsyncClient, Client
from understudy.openapi.provider import Provider, built_in_names, load_provider

ACME = Path(__file__).parent.parent / "providers" / "acme"
MODELS = {
    "acme": "brush-2",
    "apikley": "nano-banana-pro",
    "crun": "google/nano-banana",
    "kie": "nano-banana-pro",
    "mulerouter": "nano-banana-pro",
}
KINDS = ("sync", "async")
_TLS = ssl.create_default_context()  # made once: a client that makes its own takes longer than most tests
URL = "http://127.0.0.1:9"
"""An address for clients that are not to send anything."""


def folder_of(name: str) -> str | Path:
    """Return what a user would pass as the provider."""
    return name if name in built_in_names() else ACME


def loaded(name: str, **options: str) -> Provider:
    """Return the provider, with options chosen."""
    return load_provider(folder_of(name), {key.replace("_", "-"): value for key, value in options.items()})


@cache
def loaded_once(name: str) -> Provider:
    """Return the provider, for tests that change nothing about it."""
    return loaded(name)


class FakeTime:
    """A clock that only sleeping moves, and what was slept; safe to be used from several threads."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.pauses: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        assert seconds >= 0
        with self._lock:
            self.moment += seconds
            self.pauses.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let `seconds` pass at once, and others do something."""
        self.sleep(seconds)
        await asyncio.sleep(0)


class Awaited:
    """An `AsyncClient` whose methods are run to their end."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        """Return the client's attribute; of a coroutine function, one that is run."""
        attribute = getattr(self.client, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        def run(*args: Any, **kwargs: Any) -> Any:
            return self._runner.run(attribute(*args, **kwargs))

        return run

    def __repr__(self) -> str:
        return repr(self.client)


Speaker = Any
"""A `Client`, or an `AsyncClient` that looks like one."""
Connect = Callable[..., Speaker]


def connecting(kind: str, time: FakeTime) -> Iterator[Connect]:
    """Yield a function that opens clients of `kind`, whose time is `time`; close them all in the end."""
    opened: list[Callable[[], Any]] = []
    with asyncio.Runner() as runner:

        def connect(provider: Any = ACME, **settings: Any) -> Speaker:
            settings = {"api_key": "ak_test", "base_url": URL, "now": time.now, **settings}
            speaker: Any
            if kind == "sync":
                http = httpx.Client(verify=_TLS, trust_env=False)
                opened.append(http.close)
                speaker = Client(provider, **{"sleep": time.sleep, "http": http, **settings})
            else:
                async_http = httpx.AsyncClient(verify=_TLS, trust_env=False)
                opened.append(lambda: runner.run(async_http.aclose()))
                settings = {"sleep": time.sleep_async, "http": async_http, **settings}
                speaker = Awaited(AsyncClient(provider, **settings), runner)
            opened.append(speaker.close)
            return speaker

        yield connect
        for each in reversed(opened):
            each()
