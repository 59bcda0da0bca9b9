"""The reference client as a client under test, living as fast as the provider's clock runs."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from understudy.client import AsyncClient, Client, Phase, Task, UnderstudyError, parse_callback, verify_callback
from understudy.contracts.clients.contract import SPEED

from ...client.speakers import MODELS, loaded_once

SECRETS = {"kie": "a webhook key", "mulerouter": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
TIMEOUT = 200.0
"""Seconds by the provider's clock that one request may take."""
GIVE_UP = 600.0
"""Seconds by the provider's clock after which a wait is given up."""
_TLS = ssl.create_default_context()


def now() -> float:
    """Return the client's time, which passes as quickly as the provider's."""
    return time.monotonic() * SPEED


def _hasten(request: httpx.Request) -> None:
    timeout = request.extensions["timeout"]
    request.extensions["timeout"] = {what: seconds / SPEED for what, seconds in timeout.items()}


def _stretch(response: httpx.Response) -> None:
    """Tell the wait that is asked for, which is real time, in the client's."""
    if response.headers.get("retry-after", "").isdigit():
        response.headers["retry-after"] = str(round(int(response.headers["retry-after"]) * SPEED))


class _Transport(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _hasten(request)
        response = super().handle_request(request)
        _stretch(response)
        return response


class _AsyncTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _hasten(request)
        response = await super().handle_async_request(request)
        _stretch(response)
        return response


def fields_of(name: str) -> dict[str, Any]:
    """Return input that keeps pictures small."""
    if name == "acme":
        return {"resolution": "sketch", "count": 3}
    return {"resolution": "1K"} if name in {"kie", "apikley", "mulerouter"} else {}


class _Common:
    errors = (UnderstudyError,)

    def __init__(self, name: str, base_url: str, key: str) -> None:
        self.name = name
        self.provider = loaded_once(name)
        if name in SECRETS:
            self.secret = SECRETS[name]
        self.folder = tempfile.TemporaryDirectory()
        self.settings = {"api_key": key, "base_url": base_url, "timeout": TIMEOUT, "now": now}
        self.hint = threading.Event()

    def callback(self, headers: dict[str, str], body: bytes) -> None:
        if self.name in SECRETS:
            verify_callback(self.provider, headers, body, self.secret)
        if parse_callback(self.provider, headers, body).phase.terminal:
            self.hint.set()

    def creation(self, prompt: str, callback_url: str | None) -> dict[str, Any]:
        return {"model": MODELS[self.name], "prompt": prompt, "fields": fields_of(self.name),
                "callback_url": callback_url}  # fmt: skip


class SyncReference(_Common):
    """`Client`: waits by polling, unless a callback comes first; fetches what was made."""

    def __init__(self, name: str, base_url: str, key: str) -> None:
        super().__init__(name, base_url, key)
        http = httpx.Client(transport=_Transport(verify=_TLS))
        self.http = http
        self.client = Client(self.provider, http=http, sleep=self._sleep, **self.settings)  # type: ignore[arg-type]

    def _sleep(self, seconds: float) -> None:
        if self.hint.wait(seconds / SPEED):
            self.hint.clear()

    def generate(self, prompt: str, callback_url: str | None = None) -> list[Path]:
        task: Task = self.client.create(**self.creation(prompt, callback_url))
        done = self.client.wait(task, timeout=GIVE_UP)
        assert done.phase is Phase.COMPLETED
        return self.client.download(done, self.folder.name)

    def close(self) -> None:
        self.client.close()
        self.http.close()
        self.folder.cleanup()


class AsyncReference(_Common):
    """`AsyncClient`, likewise; it hands out links."""

    def __init__(self, name: str, base_url: str, key: str) -> None:
        super().__init__(name, base_url, key)
        self.http = httpx.AsyncClient(transport=_AsyncTransport(verify=_TLS))
        self.client = AsyncClient(self.provider, http=self.http, sleep=_sleep_async, **self.settings)  # type: ignore[arg-type]

    async def generate(self, prompt: str, callback_url: str | None = None) -> list[str]:
        task = await self.client.create(**self.creation(prompt, callback_url))
        done = await self.client.wait(task, timeout=GIVE_UP)
        return list(done.outputs)

    async def close(self) -> None:
        await self.client.close()
        await self.http.aclose()
        self.folder.cleanup()


async def _sleep_async(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED)


KINDS = {"sync": SyncReference, "async": AsyncReference}
