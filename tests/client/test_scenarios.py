"""Every scenario that comes with the emulator, and what a client makes of it: a right answer, or the right error.

The client's sleep advances the account's frozen clock, so client and provider live through the same time, and no test
waits for any of it. What is real is the wire, and a fraction of a second where a server hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from understudy.client import (
    CallbackRejected,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Phase,
    ProtocolViolation,
    RateLimited,
    Refused,
    Task,
    TaskFailed,
    TransportFailed,
    Unauthorized,
    Unavailable,
    UnderstudyError,
    WaitTimedOut,
    parse_callback,
    verify_callback,
)
from understudy.mockserver import MockServer
from understudy.mockserver.handle import Account, ControlRefused
from understudy.mockserver.settings import Settings
from understudy.openapi.meanings import meaning_of

from .conftest import NewAccount
from .speakers import MODELS, Connect, FakeTime, connecting, loaded_once

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

ALL = tuple(MODELS)
SOME = ("crun", "mulerouter", "acme")
"""One provider of each style."""
WIRE = ("acme", "crun")
"""Where the wire matters and the provider does not: one that tells refusals by HTTP, one that does not."""
DONE = Phase.COMPLETED


@dataclass(frozen=True)
class Case:
    """A scenario, and what comes of creating a task, waiting for it and fetching its results.

    Attributes:
        play: the scenario's name.
        outcome: the phase that the task ends in, or the error.
        values: the scenario's parameters.
        names: the providers that it is tried with.
        unable: the providers that can't play it, and say so.
        note: what the error's text holds.
        timeout: seconds that the wait may take.
    """

    play: str
    outcome: Phase | type[UnderstudyError]
    values: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ALL
    unable: tuple[str, ...] = ()
    note: str | None = None
    timeout: float = 120

    def __str__(self) -> str:
        """Return the case as a header of a request would have it."""
        return " ".join([self.play, *(f"{name}={value}" for name, value in self.values.items())])


def on(what: str, *plays: str) -> list[Case]:
    """Return cases of scenarios that happen once to polls, or to results, and are got over."""
    return [Case(play, DONE, {"on": what, "times": 1}, WIRE) for play in plays]


BROKEN = ("reset", "empty-reply", "truncated-body", "garbage")
OUTCOMES = [
    # Life
    Case("success", DONE),
    Case("slow", DONE, timeout=1200),
    Case("stuck", WaitTimedOut, note="had not ended after 120 s"),
    Case("fail", TaskFailed),
    Case("fail", TaskFailed, {"code": "e77", "message": "the brush was dry"}, note="e77 the brush was dry"),
    Case("moderated", TaskFailed),
    Case("partial", DONE, {"n": 1, "of": 3}, unable=tuple(name for name in ALL if name != "acme")),
    Case("status-skips", DONE),
    Case("cancelled", TaskFailed, unable=tuple(name for name in ALL if name != "acme")),
    # Polls that are refused
    Case("poll-error", DONE, {"times": 3}),
    Case("poll-error", DONE, {"code": 429, "times": 1, "retry_after": 7}, SOME),
    Case("poll-error", RateLimited, {"code": 429, "times": 1, "retry_after": 31}, SOME),
    Case("poll-error", Unauthorized, {"code": 401, "times": 1}, SOME),
    Case("not-found-at-first", DONE),
    Case("not-found-at-first", NotFound, {"for": "1m"}),
    # Results that can't be had
    Case("result-expired", NotFound, names=SOME),
    Case("result-403", NotFound, names=SOME),
    Case("result-truncated", ProtocolViolation, names=SOME, note="ends early"),
    # The wire, while a task is created: nothing is paid twice
    *(Case(play, TransportFailed, names=WIRE, note="may have been received") for play in BROKEN),
    *(Case(play, TransportFailed, {"accepted": "false"}, WIRE) for play in ("reset", "empty-reply")),
    Case("hang", TransportFailed, names=WIRE, note="took longer than"),
    Case("malformed-json", ProtocolViolation, names=WIRE, note="expected JSON"),
    Case("html-502", Unavailable, names=WIRE, note="502"),
    Case("html-502", Unavailable, {"accepted": "true"}, WIRE, note="502"),
    Case("delay", DONE, {"fixed": "20ms"}, WIRE),
    Case("dribble", DONE, {"bytes_per_second": 5000}, WIRE),
    # The wire, while it is polled or fetched: asked again
    *on("poll", *BROKEN, "malformed-json", "html-502", "hang"),
    *on("result", *BROKEN, "malformed-json", "html-502"),
    Case("hang", DONE, {"on": "result", "times": 1}, ("acme",)),
    # Tomorrow's provider
    Case("extra-field", DONE),
    Case("extra-field", DONE, {"on": "create"}, SOME),
    Case("unknown-status", DONE, {"times": 2}),
    Case("unknown-status", WaitTimedOut, note="its status was 'archived'"),
    Case("missing-field", ProtocolViolation, note="text, the status of the task"),
    Case("missing-field", DONE, {"times": 2}, SOME),
    Case("missing-field", ProtocolViolation, {"on": "create"}, ("kie", "apikley", "crun"), note="the id of the task"),
    Case("type-changed", ProtocolViolation, names=SOME, note="text, the status of the task"),
    Case("renamed-field", ProtocolViolation, names=SOME, note="text, the status of the task"),
    Case("missing-field", ProtocolViolation, {"path": "/images"}, ("mulerouter",), note="a list of links"),
    Case("missing-field", DONE, {"path": "/data/createTime"}, ("kie",)),
    Case("type-changed", ProtocolViolation, {"path": "/data/resultJson"}, ("kie",), note="a list of links"),
    Case("type-changed", DONE, {"path": "/data/costTime"}, ("kie",)),
    Case("renamed-field", DONE, {"path": "/task_info/updated_at"}, ("mulerouter",)),
]  # fmt: skip


class SharedTime(FakeTime):
    """A clock that an account of the emulator shares: what the client sleeps, the provider lives through."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account
        account.clock.freeze()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass for both."""
        super().sleep(seconds)
        self._account.clock.advance(milliseconds=seconds * 1000 + 1)

    async def sleep_async(self, seconds: float) -> None:
        """Let `seconds` pass for both, and others do something."""
        self.sleep(seconds)
        await asyncio.sleep(0)


Live = Callable[..., tuple[Any, Account]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[MockServer]:
    """All providers, with clocks that run no faster than real time."""
    with MockServer([loaded_once(name) for name in MODELS], Settings()) as server:
        yield server


@pytest.fixture
def live(account: NewAccount) -> Iterator[Live]:
    """Return a function that opens a client of an account whose time both share."""
    opened: list[Iterator[Connect]] = []

    def open_client(name: str, kind: str = "sync", timeout: float = 30) -> tuple[Any, Account]:
        mine = account(name)
        opened.append(connecting(kind, SharedTime(mine)))
        connect = next(opened[-1])
        return connect(loaded_once(name), api_key=mine.api_key, base_url=mine.base_url, timeout=timeout), mine

    yield open_client
    for each in opened:
        assert next(each, None) is None


def walk(client: Any, name: str, case: Case, folder: Path) -> Task:
    """Create a task, wait for it, and fetch its results."""
    small: dict[str, Any] = {"resolution": "1K"} if name in {"kie", "apikley", "mulerouter"} else {}
    if name == "acme":
        small = {"resolution": "sketch", "count": 3}
    task = client.create(MODELS[name], prompt="a lighthouse", fields=small)
    done: Task = client.wait(task, timeout=case.timeout, poll_every=5)
    if case.play == "success" or case.play.startswith("result") or case.values.get("on") == "result":
        assert client.download(done, folder)
    return done


TRIED = [
    *((case, name, "sync") for case in OUTCOMES for name in case.names),
    *((case, case.names[0], "async") for case in OUTCOMES),
]


@pytest.mark.parametrize(("case", "name", "kind"), TRIED, ids=str)
def test_the_outcome_is_what_the_table_says(case: Case, name: str, kind: str, live: Live, tmp_path: Path) -> None:
    client, mine = live(name, kind, timeout=0.5 if case.play == "hang" else 30)
    if name in case.unable:
        with pytest.raises(ControlRefused):
            mine.play(case.play, **case.values)
        return
    mine.play(case.play, **case.values)
    if isinstance(case.outcome, Phase):
        assert walk(client, name, case, tmp_path).phase is case.outcome
    else:
        with pytest.raises(case.outcome, match=case.note):
            walk(client, name, case, tmp_path)
    report = mine.report()
    assert (report["creations"], report["repeated_creations"]) == (1, [])
    assert not any(each["polls_after_end"] for each in report["tasks"])
    assert len(mine.exchanges(limit=100)) < 60


@pytest.mark.parametrize("name", ALL)
def test_every_refusal_at_creation_is_the_error_that_its_entry_means(name: str, live: Live) -> None:
    client, mine = live(name)
    kinds = {
        "unauthorized": Unauthorized, "insufficient-credits": InsufficientCredits, "not-found": NotFound,
        "rate-limited": RateLimited, "unavailable": Unavailable, "invalid-request": InvalidRequest, "refused": Refused,
    }  # fmt: skip
    errors = loaded_once(name).behaviour.errors
    for error in errors.values():
        mine.play(error.name, rule_times=3)
        with pytest.raises(UnderstudyError) as caught:
            client.create(MODELS[name], prompt="x")
        assert isinstance(caught.value, Refused | InvalidRequest)
        meanings = {meaning_of(each) for each in errors.values() if each.code == error.code}
        assert type(caught.value) in {kinds[each] for each in meanings}, error.name
        assert str(caught.value.code) == str(error.code)
        mine.forget_rules()
    assert mine.tasks() == []


SECRETS = {
    "kie": ("webhook_key", "a webhook key"),
    "mulerouter": ("webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
}
UNPLAYABLE: list[str] = ["can't be played"]
# What came of each callback that was received, in order: the phase that it told, or why it was rejected. Of the three
# providers the first signs a task's id, the second signs the body and tells of the beginning too, the third signs
# nothing.
CALLBACKS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "success": (["completed"], ["pending", "completed"], ["completed"]),
    "fail": (["failed"], ["pending", "failed"], ["failed"]),
    "callback-lost": ([], ["pending"], []),
    "callback-late": (["completed"], ["pending", "completed"], ["completed"]),
    "callback-duplicate": (["completed"] * 2, ["pending", "completed", "completed"], ["completed"] * 2),
    "callback-early": (["completed"], ["completed", "pending"], ["completed"]),
    "callback-out-of-order": (
        ["completed", "processing"], ["pending", "completed", "pending"], ["completed", "processing"]
    ),
    "callback-contradicts": (["failed"], ["pending", "failed"], ["failed"]),
    "callback-bad-signature": (["wrong"], ["pending", "wrong"], UNPLAYABLE),
    "callback-stale-timestamp": (["stale"], ["pending", "stale"], UNPLAYABLE),
    "callback-altered-body": (["completed"], ["pending", "wrong"], UNPLAYABLE),
    "callback-unsigned": (["missing"], ["pending", "missing"], UNPLAYABLE),
    "callback-malformed": (["malformed"], ["pending", "malformed"], ["malformed"]),
    "callback-wrong-content-type": (["malformed"], ["pending", "malformed"], ["malformed"]),
}  # fmt: skip


def verdict(name: str, message: Mapping[str, Any]) -> str:
    """Return what a receiver makes of a callback."""
    headers, body = message["headers"], message["body"].encode()
    try:
        if name in SECRETS:
            verify_callback(loaded_once(name), headers, body, SECRETS[name][1])
        return parse_callback(loaded_once(name), headers, body).phase.value
    except CallbackRejected as error:
        return error.reason


@pytest.mark.parametrize("name", ["kie", "mulerouter", "crun", "apikley"])
@pytest.mark.parametrize("play", CALLBACKS)
def test_what_comes_of_callbacks_is_what_the_table_says(play: str, name: str, live: Live) -> None:
    client, mine = live(name)
    expected = CALLBACKS[play][{"kie": 0, "mulerouter": 1}.get(name, 2)]
    if name in SECRETS:
        mine.set(**dict([SECRETS[name]]))
    if name == "mulerouter":
        mine.set(webhook_url=mine.inbox.url)
    if expected is UNPLAYABLE:
        with pytest.raises(ControlRefused, match="can't be played"):
            mine.play(play)
        return
    mine.play(play)
    task = client.create(MODELS[name], prompt="x", callback_url=None if name == "mulerouter" else mine.inbox.url)
    mine.clock.advance(hours=1)
    assert [verdict(name, each) for each in mine.inbox.messages()] == expected
    assert client.get(task).phase is (Phase.FAILED if play == "fail" else Phase.COMPLETED)


def test_the_tables_hold_every_scenario(account: NewAccount) -> None:
    listed = {each["name"] for each in account("acme")._control.ask("GET", "/scenarios")["scenarios"]}
    assert {case.play for case in OUTCOMES} | set(CALLBACKS) >= listed


def test_a_callback_tells_the_same_task_as_a_poll(live: Live) -> None:
    for name in ("kie", "crun", "apikley", "mulerouter"):
        client, mine = live(name)
        if name == "mulerouter":
            mine.set(webhook_url=mine.inbox.url)
        task = client.create(MODELS[name], prompt="x", callback_url=None if name == "mulerouter" else mine.inbox.url)
        mine.clock.advance(hours=1)
        message = mine.inbox.messages()[-1]
        told = parse_callback(loaded_once(name), message["headers"], message["body"].encode())
        polled = client.get(task)
        assert replace(told, operation=polled.operation) == polled
