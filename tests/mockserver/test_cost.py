"""What a creation, a poll and a refusal cost, counted and never timed: calls of our functions, memory that stays.

The figures stand in ``cost.json``. Who makes a request dearer or cheaper sees it here, and accepts it with
``UNDERSTUDY_ACCEPT_COST=1 pytest tests/mockserver/test_cost.py``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import understudy.mockserver.app
from understudy.mockserver.headers import Headers
from understudy.mockserver.request import Request

from .stage import SIMPLE, Stage, as_json

STORED = Path(__file__).parent / "cost.json"
ACCEPT = "UNDERSTUDY_ACCEPT_COST"
ROUNDS = 50
ROOT = Path(understudy.mockserver.app.__file__).parent.parent
ROOMS = (str(ROOT / "mockserver"), str(ROOT / "openapi"))
TOLERANCE = {"calls": 0.04, "blocks": 0.15}
"""Calls are the same on every Python; how many blocks of memory a value takes is not quite."""
HEADERS = Headers(
    [(b"host", b"127.0.0.1:4020"), (b"authorization", b"Bearer test"), (b"content-type", b"application/json")]
)


class Asker:
    """Sends one provider's creations and polls to an application, as the protocol class does."""

    _refused = 0

    def __init__(self) -> None:
        self.stage = Stage("kie", limits=False, frozen=True)
        operations = self.stage.emulator.providers["kie"].operations
        self._create = "/kie" + operations["createTask"].behaviour.key.path
        self._poll = "/kie" + operations["recordInfo"].behaviour.key.path
        self._body = as_json(SIMPLE["kie"])
        self._task = json.loads(self.creation())["data"]["taskId"].encode()

    def creation(self) -> bytes:
        """Create a task; return the answer."""
        return self._ask("POST", self._create, b"", self._body)

    def poll(self) -> bytes:
        """Ask for a task that was asked for before."""
        return self._ask("GET", self._poll, b"taskId=" + self._task, b"")

    def refusal(self) -> bytes:
        """Ask for a creation that is refused, each time for another reason."""
        self._refused += 1
        wrong = {**SIMPLE["kie"], "input": {"prompt": "a lighthouse", "resolution": f"{self._refused}K8"}}
        return self._ask("POST", self._create, b"", as_json(wrong), 422)

    def _ask(self, method: str, path: str, query: bytes, body: bytes, code: int = 200) -> bytes:
        exchange = self.stage.app.begin(Request(method, path, query, HEADERS, body, on_socket=True))
        assert exchange is not None
        self.stage.app.finished(exchange)
        answer = exchange.answer
        assert (answer.status, json.loads(answer.body)["code"]) == (200, code)
        return answer.body


def calls_of(ask: Callable[[], Any]) -> int:
    """Return how many of our own functions are called; comprehensions, which are none on newer Pythons, aside."""
    seen: list[str] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        is_function = not code.co_name.startswith("<") or code.co_name == "<lambda>"
        if event == "call" and is_function and code.co_filename.startswith(ROOMS):
            seen.append(code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        ask()
    finally:
        sys.setprofile(before)
    return len(seen)


def blocks_of(ask: Callable[[], Any]) -> float:
    """Return how many blocks of memory stay: the task, where there is one, and the exchange in the journal."""
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        for _ in range(ROUNDS):
            ask()
        return (sys.getallocatedblocks() - before) / ROUNDS
    finally:
        gc.enable()


def measured() -> dict[str, dict[str, float]]:
    """Return what each costs, once everything they need was compiled."""
    asker = Asker()
    found = {}
    for name, ask in (("creation", asker.creation), ("poll", asker.poll), ("refusal", asker.refusal)):
        for _ in range(ROUNDS):
            ask()
        found[name] = {"calls": calls_of(ask), "blocks": round(blocks_of(ask), 1)}
    return found


@pytest.mark.parametrize("request_", ["creation", "poll", "refusal"])
def test_a_request_leaves_nothing_to_the_cyclic_collector(request_: str) -> None:
    ask = getattr(Asker(), request_)
    ask()
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            ask()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.fixture(scope="module")
def cost() -> dict[str, dict[str, float]]:
    """What is measured now; stored as well, where that is asked for."""
    found = measured()
    if os.environ.get(ACCEPT):
        STORED.write_text(json.dumps(found, indent=2) + "\n")
    return found


@pytest.mark.parametrize("what", ["calls", "blocks"])
@pytest.mark.parametrize("request_", ["creation", "poll", "refusal"])
def test_a_request_costs_what_it_did(cost: dict[str, dict[str, float]], request_: str, what: str) -> None:
    stored, now = json.loads(STORED.read_text())[request_][what], cost[request_][what]
    allowed = TOLERANCE[what]
    assert abs(now - stored) <= allowed * stored, (
        f"one {request_} takes {now:g} {what}, not {stored:g} (within {allowed:.0%}); "
        f"if that is meant, {ACCEPT}=1 pytest {Path(__file__).name} stores it"
    )
