"""An account with a provider on a real socket, as a test's hands hold it."""

from __future__ import annotations

import socket
from typing import Any

import httpx
from understudy.mockserver.compiled import CompiledOperation
from understudy.mockserver.handle import Account, ControlClient
from understudy.mockserver.server import MockServer
from understudy.openapi.reads import read

from .control_document import judge
from .stage import SIMPLE, as_json, asker_of, creators, url_of

DEADLINE = 10


def steered(server: MockServer) -> ControlClient:
    """Return a client of the server's control API whose answers are judged by the API's document."""
    control = ControlClient(server.url)
    control._http.event_hooks = {"response": [judge]}
    return control


class Bench:
    """A key of its own with a provider, its clock standing still; what it is asked goes over the wire."""

    def __init__(self, server: MockServer, control: ControlClient, provider: str, key: str) -> None:
        self.server, self.provider = server, provider
        self.account = Account(control, provider, key)
        self.account.reset()
        self.account.clock.freeze()
        played = server.emulator.providers[provider]
        self.behaviour = played.behaviour
        header, scheme = played.key_place
        self.headers = {header: f"{scheme} {key}".strip()}
        self.creator: CompiledOperation = creators(server, provider)[0]  # type: ignore[arg-type]
        self.asker: CompiledOperation = asker_of(server, provider, self.creator.name)  # type: ignore[arg-type]
        # Loading certificates would take longer than most tests.
        self._http = httpx.Client(base_url=server.url, trust_env=False, timeout=DEADLINE, verify=False)

    def create(self, scenario: str = "", body: Any = None, **headers: str) -> httpx.Response:
        """Send a creation that asks for `scenario` in the header."""
        asked = {"Understudy-Scenario": scenario} if scenario else {}
        path = f"/{self.provider}{self.creator.behaviour.key.path}"
        return self._http.post(path, json=body or SIMPLE[self.provider], headers=self.headers | asked | headers)

    def created(self, scenario: str = "", body: Any = None) -> str:
        """Send a creation that is accepted, and return the task's id."""
        response = self.create(scenario, body)
        assert response.is_success, response.text
        return str(read(self.creator.behaviour.reads, response.json())["id"])

    def poll(self, task: str, scenario: str = "") -> httpx.Response:
        """Ask for a task."""
        asked = {"Understudy-Scenario": scenario} if scenario else {}
        return self._http.get(f"/{self.provider}{url_of(self.asker, task)}", headers=self.headers | asked)

    def facts(self, task: str) -> dict[str, Any]:
        """Return what the answer to a poll says."""
        return read(self.asker.behaviour.reads, self.poll(task).json())

    def status(self, task: str) -> Any:
        """Return the provider's word for where a task stands."""
        return self.facts(task).get("status")

    def refusal(self, response: httpx.Response) -> tuple[str, str]:
        """Return code and message of a refusal."""
        from understudy.openapi.reads import compile_reads  # noqa: PLC0415

        refusal = self.behaviour.refusal
        reads = compile_reads({"code": list(refusal.code), "message": list(refusal.message)})
        facts = read(reads, response.json())
        return str(facts["code"]), facts["message"]

    def finish(self, task: str) -> list[str]:
        """Let a task end, and return the links to its results."""
        self.account.clock.advance(hours=1)
        return list(self.facts(task).get("outputs", []))

    def fetch(self, url: str, scenario: str = "") -> httpx.Response:
        """Fetch a result."""
        return self._http.get(url, headers={"Understudy-Scenario": scenario} if scenario else {})

    def tasks(self) -> list[dict[str, Any]]:
        """Return the account's tasks."""
        return self.account.tasks()

    def last(self) -> dict[str, Any]:
        """Return the last exchange."""
        return self.account.exchanges(limit=1)[0]

    def raw_creation(self, scenario: str) -> bytes:
        """Return the bytes of a creation that asks for `scenario`."""
        body = as_json(SIMPLE[self.provider])
        sent = {
            **self.headers, "Host": "127.0.0.1", "Content-Type": "application/json",
            "Content-Length": str(len(body)), "Understudy-Scenario": scenario,
        }  # fmt: skip
        lines = [f"POST /{self.provider}{self.creator.behaviour.key.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class Line:
    """A plain connection to a server: sends bytes, and keeps what comes in the slices that it came in."""

    def __init__(self, server: MockServer) -> None:
        host, port = server.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self.slices: list[bytes] = []

    def say(self, data: bytes) -> bytes:
        """Send `data`; return everything that comes back until the peer closes."""
        self.socket.sendall(data)
        while received := self.socket.recv(65536):
            self.slices.append(received)
        return b"".join(self.slices)

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()
