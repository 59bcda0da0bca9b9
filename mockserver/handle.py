"""Steering a server from Python: an account with a provider, its clock, and what was asked of it.

Everything goes through the control API, so that it works with a server in this process and with one elsewhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from .control import TOKEN_HEADER
from .namespace import namespace_id

_TIMEOUT_SECONDS = 30


class ControlRefused(RuntimeError):  # noqa: N818 - it is what the server said, in its words
    """The control API refused what was asked of it; the message is the server's."""


class VerificationFailed(AssertionError):  # noqa: N818 - an assertion that did not hold
    """Something was asked more or less often than it should have been; the message shows what came nearest."""


class ControlClient:
    """Speaks to the control API of the server at `url`.

    Args:
        url: the server's address, as ``http://127.0.0.1:4020``.
        token: what the server was given as ``--control-token``, if it was.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token
        headers = {} if token is None else {TOKEN_HEADER: token}
        base = f"{self.url}/_understudy"
        # The environment's proxies are none of a local server's business.
        encrypted = base.startswith("https:")  # reading the system's certificates takes longer than a test
        self._http = httpx.Client(
            base_url=base, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False, verify=encrypted
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, path: str, *, json: Any = None, **query: Any) -> Any:
        """Return what the control API answers.

        Raises:
            ControlRefused: it refused.
        """
        params = {name: value for name, value in query.items() if value is not None}
        response = self._http.request(method, path, json=json, params=params)
        if response.is_error:
            try:
                message = response.json()["error"]
            except (ValueError, KeyError):
                message = f"{method} {path}: HTTP {response.status_code}"
            raise ControlRefused(message)
        return response.json()


class ClockHandle:
    """The clock of an account's namespace."""

    def __init__(self, control: ControlClient, key: str) -> None:
        self._control = control
        self._key = key

    def _turn(self, **data: Any) -> str:
        answer = self._control.ask("POST", "/clock", json=data, namespace=self._key)
        return str(answer["clocks"][0]["now"])

    def now(self) -> str:
        """Return the time, ISO 8601."""
        return str(self._control.ask("GET", "/clock", namespace=self._key)["clocks"][0]["now"])

    def freeze(self) -> str:
        """Stand still from now on; return the time."""
        return self._turn(freeze=True)

    def resume(self) -> str:
        """Run again; return the time."""
        return self._turn(resume=True)

    def set(self, time: str) -> str:
        """Stand at `time` (ISO 8601), which is not before now; return the time."""
        return self._turn(set=time)

    def run_at(self, speed: float) -> str:
        """Run `speed` times as fast as real time; return the time."""
        return self._turn(speed=speed)

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0, milliseconds: float = 0) -> str:
        """Go forward and stand still there; return, with the time, when everything that fell due has been done."""
        whole = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
        return self._turn(advance=round(whole))


class InboxHandle:
    """A receiver of callbacks that the server holds for an account."""

    def __init__(self, control: ControlClient, name: str) -> None:
        self._control = control
        self._path = f"/inbox/{name}"
        self.url = f"{control.url}/_understudy/inbox/{name}"

    def messages(self) -> list[dict[str, Any]]:
        """Return what came, oldest first: headers, body (text), time, and how it was answered."""
        return list(self._control.ask("GET", self._path)["messages"])

    def wait(self, count: int = 1, *, timeout: float = 10) -> list[dict[str, Any]]:
        """Return what came once there are `count` in all.

        Raises:
            ControlRefused: there are fewer after `timeout` seconds.
        """
        return list(self._control.ask("GET", self._path, wait=timeout, count=count)["messages"])

    def answer(self, answer: int | str, times: int = 1) -> None:
        """Answer the next `times` callbacks with an HTTP status, or with ``hang`` or ``reset``."""
        self._control.ask("POST", f"{self._path}/answer", json={"answer": answer, "times": times})

    def clear(self) -> None:
        """Forget what came."""
        self._control.ask("DELETE", self._path)


class Account:
    """An account of one's own with a provider: a key that nobody else has, and what happens to it.

    Attributes:
        provider: the provider's name.
        api_key: the key; every request with it belongs to this account.
        base_url: where the provider is.
        clock: the clock of the key's namespace.
        inbox: a receiver for callbacks.
    """

    def __init__(self, control: ControlClient, provider: str, key: str, *, speed: float | None = None) -> None:
        self._control = control
        self.provider = provider
        self.api_key = key
        self.base_url = f"{control.url}/{provider}"
        self.clock = ClockHandle(control, key)
        self.inbox = InboxHandle(control, namespace_id(key))
        if speed is not None:
            self.clock.run_at(speed)

    def __repr__(self) -> str:
        return f"Account({self.provider!r})"

    @property
    def keyless_url(self) -> str:
        """Where the provider is for an application whose own key is fixed: whatever key it sends, this account's."""
        return f"{self._control.url}/~{quote(self.api_key, safe='')}/{self.provider}"

    def play(
        self, scenario: str, *, rule_times: int | None = None, when: dict[str, Any] | None = None, **parameters: Any
    ) -> str:
        """Play `scenario` with the next request it is for, or the next `rule_times`; return the rule's id.

        `when` says which requests are meant, as in a rule. A parameter that Python has another use for is written
        with an underscore behind it: ``for_="5s"``.

        Raises:
            ControlRefused: it is not known, the provider can't play it, or a parameter is wrong.
        """
        wanted = {"provider": self.provider, **(when or {})}
        given = {name.removesuffix("_"): value for name, value in parameters.items()}
        rule: dict[str, Any] = {"when": wanted, "play": scenario, "with": given}
        times = rule_times if rule_times is not None else self._default_times(scenario, given)
        if times is not None:
            rule["times"] = times
        return str(self._control.ask("POST", "/rules", json=rule, namespace=self.api_key)["id"])

    def _default_times(self, scenario: str, given: dict[str, Any]) -> Any:
        """Return for how many requests `scenario` is played: one, or all where it shows tomorrow's provider.

        Of results and callbacks, `times` counts those of one task, and the rule is for its creation.
        """
        if given.get("on") in {"result", "callback"}:
            return 1
        if "times" in given:
            return given["times"]
        listed = self._control.ask("GET", "/scenarios")["scenarios"]
        kind = next((each["kind"] for each in listed if each["name"] == scenario), "refusal")
        return None if kind == "drift" else 1

    def forget_rules(self) -> None:
        """Play nothing any more."""
        self._control.ask("DELETE", "/rules", namespace=self.api_key)

    def tasks(self) -> list[dict[str, Any]]:
        """Return the account's tasks, oldest first."""
        found = self._control.ask("GET", "/tasks", namespace=self.api_key, provider=self.provider)
        return list(found["tasks"])

    def advance_task(self, task_id: str, to: str, **failure: Any) -> dict[str, Any]:
        """Move a task by hand to a status of the provider's, or to a phase such as ``completed``."""
        path = f"/tasks/{quote(task_id, safe='')}/advance"
        moved: dict[str, Any] = self._control.ask("POST", path, json={"to": to, **failure}, namespace=self.api_key)
        return moved

    def exchanges(self, **filters: Any) -> list[dict[str, Any]]:
        """Return what was asked and answered, oldest first; filters are operation, task, status and limit."""
        found = self._control.ask("GET", "/exchanges", namespace=self.api_key, provider=self.provider, **filters)
        return list(found["exchanges"])

    def report(self) -> dict[str, Any]:
        """Return how the client behaved: its polls, its repetitions, its downloads."""
        report: dict[str, Any] = self._control.ask("GET", "/report", namespace=self.api_key)["reports"][0]
        return report

    def set(self, **settings: str | None) -> None:
        """Set the account's settings, such as the secret that signs callbacks; None takes one back.

        Raises:
            ControlRefused: the provider has no such setting, or the value can't be used.
        """
        self._control.ask("POST", "/settings", json={self.provider: settings}, namespace=self.api_key)

    def deliveries(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the account's callbacks and their attempts; filters are state and task."""
        found = self._control.ask("GET", "/deliveries", namespace=self.api_key, provider=self.provider, **filters)
        return list(found["deliveries"])

    def redeliver(self, delivery_id: str) -> None:
        """Send a callback once more."""
        self._control.ask("POST", f"/deliveries/{delivery_id}/redeliver", namespace=self.api_key)

    def cancel_delivery(self, delivery_id: str) -> None:
        """Send a callback no more."""
        self._control.ask("POST", f"/deliveries/{delivery_id}/cancel", namespace=self.api_key)

    def pause_deliveries(self) -> None:
        """Send no callbacks of this key, whatever falls due, until they are resumed."""
        self._control.ask("POST", "/deliveries/pause", namespace=self.api_key)

    def resume_deliveries(self) -> None:
        """Send the callbacks of this key again."""
        self._control.ask("POST", "/deliveries/resume", namespace=self.api_key)

    def verify(
        self, operation: str | None = None, *, times: int | None = None, at_least: int | None = None,
        at_most: int | None = None, **when: Any,
    ) -> None:  # fmt: skip
        """Check how often something was asked; without a count, that it was asked at all.

        Raises:
            VerificationFailed: it was not asked that often; the message shows the nearest requests.
        """
        wanted: dict[str, Any] = {"provider": self.provider, **when}
        if operation is not None:
            wanted["operation"] = operation
        counts = {"times": times, "at_least": at_least, "at_most": at_most}
        question = {"when": wanted, **{name: count for name, count in counts.items() if count is not None}}
        answer = self._control.ask("POST", "/verify", json=question, namespace=self.api_key)
        if not answer["ok"]:
            raise VerificationFailed(_told(wanted, answer))

    def reset(self) -> None:
        """Forget everything about this key."""
        self._control.ask("POST", "/reset", namespace=self.api_key)

    def journal(self) -> str:
        """Return the account's exchanges in short, a line each."""
        lines = []
        for each in self.exchanges(limit=100):
            request, response = each["request"], each["response"]
            tail = " ".join(filter(None, (each["task"], each["played"])))
            lines.append(f"{each['time']} {request['method']} {request['path']} → {response['status']} {tail}".rstrip())
        return "\n".join(lines)


def _told(wanted: dict[str, Any], answer: dict[str, Any]) -> str:
    lines = [f"{wanted} was asked {answer['matched']} times; expected {answer['expected']}"]
    for near in answer["nearest"]:
        lines.append(f"  nearest: {near['request']} (exchange {near['exchange']})")
        lines += [
            f"    {each['field']}: {each['actual']!r}, expected {each['expected']!r}" for each in near["differences"]
        ]
    return "\n".join(lines)
