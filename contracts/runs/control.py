"""Steering an emulator over its control API: rules, the clock, settings; whatever answers `/_understudy/health`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import httpx

from ...openapi.times import parse_time
from .target import Clock, Target

CONTROL = "/_understudy"


class ControlError(Exception):
    """The control API refused, or did not answer; the message says what."""


def is_emulator(target: Target) -> bool:
    """Tell whether `target` is an emulator whose control API is open."""
    try:
        health = target.run(target.fetch("GET", f"{CONTROL}/health"))
        steered = target.run(target.fetch("GET", f"{CONTROL}/scenarios"))
        return health.status_code == 200 and "version" in health.json() and steered.status_code == 200
    except (httpx.HTTPError, ValueError, TypeError):
        return False


class Control:
    """Steers the namespaces of some keys on an emulator."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def ask(self, method: str, path: str, data: Any = None, **query: str) -> Any:
        """Return what the control API answers.

        Raises:
            ControlError: it refused.
        """
        return self._target.run(self.asked(method, path, data, **query))

    async def asked(self, method: str, path: str, data: Any = None, **query: str) -> Any:
        """Do what `ask` does, for whoever is on the loop already."""
        url = CONTROL + path + (f"?{urlencode(query)}" if query else "")
        try:
            response = await self._target.fetch(method, url, data)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ControlError(f"{method} {CONTROL}{path}: {type(error).__name__}: {error}") from None
        if response.status_code >= 400:
            raise ControlError(f"{method} {CONTROL}{path}: {answer.get('error', response.status_code)}")
        return answer

    def play(self, key: str, scenario: str, *, times: int | None = 1, **values: Any) -> None:
        """Play `scenario` for the next request of `key` that it fits, `times` times; None plays it for all.

        `values` are the scenario's parameters; ``when`` is the rule's condition.
        """
        rule: dict[str, Any] = {"play": scenario}
        if times is not None:
            rule["times"] = times
        if when := values.pop("when", None):
            rule["when"] = when
        if values:
            rule["with"] = values
        self.ask("POST", "/rules", rule, namespace=key)

    def forget_rules(self, key: str) -> None:
        """Remove the rules of `key`."""
        self.ask("DELETE", "/rules", namespace=key)

    def reset(self, key: str) -> None:
        """Forget everything of `key`: tasks, credits, rules, clock, exchanges, callbacks."""
        self.ask("POST", "/reset", namespace=key)

    def set(self, key: str, provider: str, **settings: str | None) -> None:
        """Change account settings of `key` with `provider`; None takes one back."""
        self.ask("POST", "/settings", {provider: settings}, namespace=key)

    def deliveries(self, key: str, task_id: str | None = None) -> list[dict[str, Any]]:
        """Return the deliveries of `key`, oldest first, as the control API shows them."""
        query = {} if task_id is None else {"task": task_id}
        found: list[dict[str, Any]] = self.ask("GET", "/deliveries", namespace=key, **query)["deliveries"]
        return found

    def redeliver(self, key: str, delivery_id: str) -> None:
        """Let a callback be sent once more."""
        self.ask("POST", f"/deliveries/{quote(delivery_id, safe='')}/redeliver", namespace=key)


class HeldTime(Clock):
    """The clocks of some keys of an emulator, which stand still until they are told to go on, all by the same amount.

    Raises:
        ControlError: the control API refused.
    """

    def __init__(self, control: Control, keys: tuple[str, ...]) -> None:
        self._control = control
        self._keys = keys
        self._moving = keys[0]
        frozen = {key: self._time(control.ask("POST", "/clock", {"freeze": True}, namespace=key)) for key in keys}
        self._now = max(frozen.values())
        for key, now in frozen.items():
            if now < self._now:
                control.ask("POST", "/clock", {"set": self._now / 1000}, namespace=key)

    @staticmethod
    def _time(answer: Any) -> int:
        return parse_time(str(answer["clocks"][0]["now"]))

    def now(self) -> int:
        """Return the time."""
        return self._now

    async def at_arrival(self) -> int:
        """Return the time that the clock tells which is being advanced: in the middle of that it is on its way."""
        return self._time(await self._control.asked("GET", "/clock", namespace=self._moving))

    def wait(self, milliseconds: int) -> None:
        """Advance every clock; return when everything that fell due has been done."""
        for key in self._keys:
            self._moving = key
            answer = self._control.ask("POST", "/clock", {"advance": milliseconds}, namespace=key)
            self._now = self._time(answer)
