"""Traffic with emulators in this process, as their journals record it."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import orjson
from understudy.contracts.checks.oracle import Oracle
from understudy.contracts.recordings.recording import Recording, read_recording
from understudy.mockserver.asgi import create_app
from understudy.mockserver.settings import Settings
from understudy.openapi.provider import Provider, built_in_names, load_provider
from understudy.openapi.reads import read

ACME = Path(__file__).parents[1] / "providers" / "acme"
NAMES = (*built_in_names(), "acme")
URL = "http://127.0.0.1:4020"
KEY = "sk-0123456789abcdef"
START = 1_765_178_600_000


@lru_cache
def provider_of(name: str) -> Provider:
    """Return the provider `name`: one that is built in, or acme."""
    return load_provider(ACME if name == "acme" else name)


@lru_cache
def oracle_of(name: str) -> Oracle:
    """Return the oracle of the provider `name`."""
    return Oracle(provider_of(name))


async def _played(name: str, scenarios: tuple[str, ...]) -> tuple[bytes, bytes]:
    app = create_app([provider_of(name)], Settings(start=START, frozen=True, limits=False))
    oracle = oracle_of(name)
    create = oracle.doing("create")[0]
    polls = [each for each in oracle.doing("poll") if create.name in (each.behaviour.creates or (create.name,))]
    asked: dict[str, Any] = {
        "kie": {"model": "nano-banana-pro", "callBackUrl": f"{URL}/_understudy/inbox/a", "input": {"prompt": "a fox"}},
    }
    headers = {oracle.key_places[0][0]: f"{oracle.key_places[0][1]}{KEY}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, headers=headers) as http:
        for scenario in scenarios:
            body = asked.get(name) or _example(create)
            more = {"Understudy-Scenario": scenario} if scenario else {}
            path = create.behaviour.key.path
            made = await http.post(f"/{name}{path}", json=body, headers=more)
            if b"can't be played" in made.content:
                continue
            assert made.status_code < 300, made.text
            task = read_id(oracle, create.name, made.content)
            for _ in range(2):
                await http.get(**_poll(name, polls[0], task))
                await http.post("/_understudy/clock", json={"advance": 600_000})
        har = await http.get("/_understudy/exchanges.har")
        journal = await http.get("/_understudy/exchanges")
    return har.content, journal.content


def read_id(oracle: Oracle, operation: str, answer: bytes) -> str:
    """Return the id of the task that an answer tells of."""
    return str(read(oracle.behaviour.operations[operation].reads, orjson.loads(answer))["id"])


def _poll(name: str, poll: Any, task: str) -> dict[str, Any]:
    place, _, parameter = poll.behaviour.task_id.removeprefix("$request.").partition(".")
    path = f"/{name}{poll.behaviour.key.path}"
    if place == "path":
        return {"url": path.replace(f"{{{parameter}}}", task)}
    return {"url": path, "params": {parameter: task}}


def _example(operation: Any) -> Any:
    body = operation.contract.resolve(operation.operation.effective["requestBody"])
    media = body["content"]["application/json"]
    if "example" in media:
        return media["example"]
    return operation.contract.resolve(next(iter(media["examples"].values())))["value"]


@lru_cache
def played(name: str, *scenarios: str) -> tuple[bytes, bytes]:
    """Return the HAR and the journal of an emulator that played `scenarios`, one creation each; "" for a success."""
    return asyncio.run(_played(name, scenarios))


def recorded(name: str, *scenarios: str) -> Recording:
    """Return the same as a recording."""
    return read_recording(played(name, *scenarios)[1], "the journal", oracle_of(name))
