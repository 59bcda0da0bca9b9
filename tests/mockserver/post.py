"""A stage with receivers of callbacks: creations that ask for one, clocks that are advanced, and what was delivered."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx

from . import stage as module
from .receiver import Behave, Receiver
from .stage import SIMPLE, Stage

SECRETS = {
    "kie": {"webhook_key": "a key of kie"},
    "mulerouter": {"webhook_secret": "whsec_aGVsbG9oZWxsb2hlbGxvaGVsbG8="},
}
FIELDS = {"kie": "callBackUrl", "apikley": "callBackUrl", "crun": "callback_url"}
"""The field of the creation that holds the receiver's URL; MuleRouter has a setting of the account for it."""


class Post:
    """A stage whose clocks stand still, and a receiver."""

    def __init__(self, *providers: Any, behave: Behave | int | str | bytes = 200, **settings: Any) -> None:
        self.receiver = Receiver(behave)
        self.stage = Stage(
            *providers, **{"frozen": True, "limits": False, "credits": 1e9, "callback_timeout": 2.0, **settings}
        )

    def __enter__(self) -> Self:
        """Let the receiver listen."""
        self.receiver.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self.run(self.stage.emulator.deliveries.close())
        self.run(asyncio.sleep(0.001))  # what was closed says so in the loop's next round
        self.receiver.__exit__(None, None, None)

    def run(self, awaitable: Any) -> Any:
        """Run something in the loop of the stage."""
        return module._loop.run_until_complete(awaitable)

    def control(self, method: str, path: str, key: str | None = "test", **more: Any) -> httpx.Response:
        """Ask the control API about a key."""
        params = {**({} if key is None else {"namespace": key}), **more.pop("params", {})}
        return self.stage.ask(method, f"/_understudy{path}", None, params=params, **more)

    def set(self, provider: str, key: str = "test", **values: str | None) -> httpx.Response:
        """Set settings of an account."""
        return self.control("POST", "/settings", key, json={provider: values})

    def sign(self, provider: str) -> dict[str, str]:
        """Set the account's secret, where the provider signs; return the settings."""
        if provider in SECRETS:
            self.set(provider, **SECRETS[provider])
        return SECRETS.get(provider, {})

    def create(self, provider: str, play: str = "", url: str | None = None, key: str = "test") -> httpx.Response:
        """Create a task whose callbacks go to the receiver, or to `url`."""
        url = f"{self.receiver.url}/{provider}" if url is None else url
        body = dict(SIMPLE[provider])
        if provider in FIELDS:
            body[FIELDS[provider]] = url
        else:
            assert self.set(provider, key, webhook_url=url).status_code == 200
        headers = {"Understudy-Scenario": play} if play else {}
        return self.stage.create(provider, body, key=key, headers=headers)

    def created(self, provider: str, play: str = "", url: str | None = None, key: str = "test") -> str:
        """Create a task; return its id."""
        response = self.create(provider, play, url, key)
        found = list(self.stage.emulator.namespaces.of_key(key).account(provider).tasks)
        assert response.is_success, response.text
        assert found[-1] in response.text, response.text
        return found[-1]

    def advance(self, by: str = "1h", key: str = "test") -> None:
        """Advance a key's clock."""
        response = self.control("POST", "/clock", key, json={"advance": by})
        assert response.status_code == 200, response.text

    def deliveries(self, task: str | None = None, key: str | None = "test", **filters: str) -> list[dict[str, Any]]:
        """Return the deliveries of a key, or those about a task."""
        params = {**filters, **({} if task is None else {"task": task})}
        response = self.control("GET", "/deliveries", key, params=params)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["deliveries"]
        return found
