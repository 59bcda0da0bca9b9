"""The emulator that a client is played with, steered over its control API."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx

from ...openapi.errors import nearest, shorten
from ...openapi.times import parse_time
from ..checks.exchange import Exchange
from ..runs.ask import Ask
from ..runs.control import CONTROL, Control, ControlError

_TOKEN = "x-understudy-token"  # noqa: S105 - the header's name
_TIMEOUT_SECONDS = 30.0
MAX_EXCHANGES = 1000
_HARMLESS = {"delay", "dribble"}
"""Faults after which the client has the answer all the same."""


class NoEmulatorError(Exception):
    """What was handed in is no emulator that can be steered; the message says what it is instead."""


class ClientStage(Control):
    """An emulator at a URL.

    It keeps no connection: those that are open are the client's.

    Args:
        url: where it is, without a provider.
        token: its control token, if it wants one.

    Raises:
        NoEmulatorError: nobody answers there, or something else does.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        limits = httpx.Limits(max_keepalive_connections=0)
        verified = self.url.startswith("https:")  # else reading the certificates of the system would be for nothing
        self._http = httpx.Client(timeout=_TIMEOUT_SECONDS, limits=limits, trust_env=False, verify=verified)
        self._token = {} if token is None else {_TOKEN: token}
        try:
            told = self._version()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            told = f"{type(error).__name__}: {error}"
        if told:
            self._http.close()
            raise NoEmulatorError(f"{url}: no emulator answers there ({told}); expected a URL of understudy")

    def _version(self) -> str:
        """Return what is there instead of an emulator, "" where one is."""
        health = self._http.get(f"{self.url}{CONTROL}/health").json()
        return "" if isinstance(health, dict) and "version" in health else shorten(health)

    def __enter__(self) -> Self:
        """Return this stage."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self._http.close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    def ask(self, method: str, path: str, data: Any = None, **query: str) -> Any:
        """Return what the control API answers.

        Raises:
            ControlError: it refused, or did not answer.
        """
        url = f"{self.url}{CONTROL}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            response = self._http.request(method, url, json=data, headers=self._token)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ControlError(f"{method} {CONTROL}{path}: {type(error).__name__}: {error}") from None
        if response.is_error:
            raise ControlError(f"{method} {CONTROL}{path}: {answer.get('error', response.status_code)}")
        return answer

    def check_plays(self, provider: str) -> None:
        """Check that `provider` is played here.

        Raises:
            ControlError: it is not; the message says what is.
        """
        known = [each["name"] for each in self.ask("GET", "/providers")["providers"]]
        if provider not in known:
            raise ControlError(f"{self.url} plays no {provider!r}{nearest(provider, known)}; known: {', '.join(known)}")

    def exchanges(self, key: str, provider: str) -> list[dict[str, Any]]:
        """Return what `key` asked `provider`, oldest first; of very many the newest."""
        query = {"namespace": key, "provider": provider, "limit": str(MAX_EXCHANGES)}
        found: list[dict[str, Any]] = self.ask("GET", "/exchanges", **query)["exchanges"]
        return found

    def report(self, key: str) -> dict[str, Any]:
        """Return what the emulator tells of who has `key`."""
        report: dict[str, Any] = self.ask("GET", "/report", namespace=key)["reports"][0]
        return report

    def tasks(self, key: str, provider: str) -> list[dict[str, Any]]:
        """Return the tasks of `key`, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", "/tasks", namespace=key, provider=provider)["tasks"]
        return found

    def send(self, provider: str, ask: Ask) -> Exchange:
        """Send a request to `provider`; an answer that never came is one without status."""
        url = f"{self.url}/{provider}{ask.path}" + (f"?{ask.query}" if ask.query else "")
        parts = ask.method, ask.path, ask.query, ask.headers, ask.body, 0, 0
        try:
            response = self._http.request(ask.method, url, headers=list(ask.headers), content=ask.body or None)
        except httpx.HTTPError as error:
            return Exchange(*parts, None, error=str(error))
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Exchange(*parts, response.status_code, headers, response.content)

    def fetch(self, link: str) -> tuple[int, bytes]:
        """Return status and body of what is at `link`; 0 where nothing is."""
        try:
            response = self._http.get(link, follow_redirects=True)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, b""
        return response.status_code, response.content


def exchange_of(shown: dict[str, Any], provider: str) -> Exchange:
    """Return an exchange as the journal shows it; an answer that the client did not get is none."""
    request, response = shown["request"], shown["response"]
    began = parse_time(shown["time"]) if shown["time"] else 0
    path = request["path"]
    lost = bool(shown["fault"]) and shown["fault"] not in _HARMLESS
    return Exchange(
        request["method"], path.removeprefix(f"/{provider}") or "/", request["query"],
        tuple((name.lower(), value) for name, value in request["headers"].items()), (request["body"] or "").encode(),
        began, began, None if lost else response["status"],
        tuple((name.lower(), value) for name, value in response["headers"].items()),
        b"" if lost else (response["body"] or "").encode(), shown["fault"] if lost else "", shown["id"],
    )  # fmt: skip
