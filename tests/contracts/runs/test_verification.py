"""A whole verification: in process, over sockets, with and without a clock that can be turned."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from understudy.contracts.checks.exchange import Exchange
from understudy.contracts.runs.report import REPORTS, Verified
from understudy.contracts.runs.target import Target, UnreachableError
from understudy.contracts.runs.verification import Verification, VerifySettings, verify
from understudy.mockserver import MockServer, Settings, create_app
from understudy.openapi.provider import Provider, load_provider

from .strangers import ACME as FOLDER
from .strangers import impatient

KIE, ACME = load_provider("kie"), load_provider(FOLDER)
URL = "http://127.0.0.1:4020"


def verified(app: Any, provider: Provider = KIE, **settings: Any) -> Verification:
    with Target(f"{URL}/{provider.name}", app=app) as target:
        return verify(provider, target, VerifySettings(**{"key": "acme-1", "max_examples": 3, **settings}))


def started(provider: Provider, **settings: Any) -> MockServer:
    return MockServer([provider], settings=Settings(callback_timeout=0.2, **settings))


@pytest.fixture(scope="module")
def clean() -> Verification:
    return verified(create_app([KIE], Settings(callback_timeout=0.2)))


def test_the_emulator_is_clean(clean: Verification) -> None:
    assert clean.tally.findings == []
    assert not clean.failed
    assert clean.notes == []
    assert clean.exchanges > 300
    assert clean.callbacks > 20


def test_a_provider_with_cancellations_lists_and_safe_repetitions_is_watched_in_all_of_them() -> None:
    result = verified(create_app([ACME]), ACME)
    assert result.tally.findings == []
    reached = {each for each, count in result.tally.judged.items() if count}
    assert reached >= {"cancel-sticks", "cancel-late", "same-key-same-task", "own-tasks-only", "retry-after"}


def test_no_key_is_told_but_by_the_name_of_a_variable(clean: Verification) -> None:
    assert set(clean.keys.values()) == {"KEY", "OTHER_KEY"}
    assert "acme-1" not in repr(clean)


class Faulty:
    """An emulator that fails creations of a certain kind."""

    def __init__(self) -> None:
        self.app = create_app([KIE])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        message = await receive()
        if b'"output_format":"jpg"' in message.get("body", b""):
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"teapot"})
            return

        async def again() -> Any:
            return message

        await self.app(scope, again, send)


def test_what_shows_a_finding_is_made_as_small_as_it_still_shows_it() -> None:
    result = verified(Faulty(), max_examples=25)
    found = next(each for each in result.tally.findings if each.check == "status-documented")
    assert result.failed
    assert result.tally.counts[found.signature] > 1
    (evidence,) = found.evidence
    assert isinstance(evidence, Exchange)
    shown = orjson.loads(evidence.body)
    assert shown == {"model": "nano-banana-pro", "input": {"prompt": shown["input"]["prompt"], "output_format": "jpg"}}
    assert len(shown["input"]["prompt"]) <= 1


def test_an_emulator_at_a_url_is_steered_like_one_in_process() -> None:
    with started(ACME) as server, Target(f"{server.url}/acme") as target:
        result = verify(ACME, target, VerifySettings("acme-1", max_examples=1))
        kept = target.run(target.fetch("GET", "/_understudy/tasks")).json()
    assert result.tally.findings == []
    assert result.notes == []
    assert kept["total"] == 0


def test_where_derived_keys_are_refused_the_given_one_does_and_it_is_said() -> None:
    app = create_app([ACME], Settings(keys=frozenset({"acme-1"})))
    result = verified(app, ACME, max_examples=1)
    assert result.tally.findings == []
    assert result.notes == [
        "a second account was left out: the target takes no key derived from the first (--other-key)",
        "everything was done with the given key, and what the emulator held of it was forgotten",
    ]


def test_without_a_clock_to_turn_what_can_not_be_reached_is_said(tmp_path: Path) -> None:
    eager = impatient(tmp_path)
    with started(eager, control=False, speed=200, limits=False) as server, Target(f"{server.url}/kie") as target:
        result = verify(eager, target, VerifySettings("sk-1", max_examples=1, max_wait=2_000))
    assert result.tally.findings == []
    assert any(note.startswith("failing tasks, cancellations") for note in result.notes)
    assert any(note.startswith("callbacks of failures") for note in result.notes)
    assert result.tally.judged["ended-stays-readable"] > 0
    assert result.callbacks > 0


def test_a_target_that_goes_away_ends_the_run_with_one_line() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(started(KIE))
        target = stack.enter_context(Target(f"{server.url}/kie"))
        with pytest.raises(UnreachableError, match=r"answers no more|steered no more"):
            verify(
                KIE, target, VerifySettings("sk-1", max_examples=3),
                said=lambda sentence: server.__exit__(None, None, None) if "drawn" in sentence else None,
            )  # fmt: skip


class Odd:
    """An emulator, every second answer of which has a value in it that nobody expects there."""

    VALUES: tuple[Any, ...] = (
        None,
        True,
        -1,
        1e308,
        "",
        [],
        {},
        [[]],
        10**30,
        "2020-13-99T00:00:00Z",
        "\x00",
        "http://[",
        "../%00",
    )

    def __init__(self, seed: int) -> None:
        self.app = create_app([ACME])
        self.random = Random(seed)

    def changed(self, data: Any) -> Any:
        if isinstance(data, dict) and data and self.random.random() < 0.8:
            name = self.random.choice(list(data))
            return {**data, name: self.changed(data[name])}
        return self.random.choice(self.VALUES)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        told: list[Any] = []

        async def keep(message: Any) -> None:
            told.append(message)

        await self.app(scope, receive, keep)
        start, body = told
        if not scope["path"].startswith("/_understudy") and self.random.random() < 0.5:
            body["body"] = json.dumps(self.changed(json.loads(body["body"]))).encode()
            start["status"] = self.random.choice([start["status"]] * 9 + [204, 301, 418, 500])
        await send(start)
        await send(body)


@pytest.mark.untraced
def test_whatever_is_answered_is_judged_and_told() -> None:
    result = verified(Odd(4), ACME, max_examples=1, shrink=False, parts=("requests", "lives", "refusals"))
    assert len(result.tally.findings) > 20
    for report in REPORTS.values():
        assert report(Verified("acme", "odd", URL, result))


class Recorded:
    """An emulator that keeps the creations it is sent."""

    def __init__(self) -> None:
        self.app = create_app([ACME])
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        message = await receive()
        if scope["path"].endswith("/v2/pictures"):
            self.bodies.append(message["body"])

        async def again() -> Any:
            return message

        await self.app(scope, again, send)


def test_the_same_seed_asks_the_same() -> None:
    one, other, third = Recorded(), Recorded(), Recorded()
    for app, seed in ((one, 7), (other, 7), (third, 8)):
        verified(app, ACME, max_examples=10, seed=seed, parts=("requests",))
    assert one.bodies == other.bodies != third.bodies


def test_another_key_that_is_refused_is_told_at_once() -> None:
    provider = load_provider("crun")
    app = create_app([provider])
    settings = VerifySettings(key="ak_right", other_key="ak_invalid", max_examples=1)
    with Target(f"{URL}/crun", app=app) as target, pytest.raises(UnreachableError, match="refuses the other key"):
        verify(provider, target, settings)


def test_what_showed_something_is_asked_first_by_the_next_run_however_little_it_draws(tmp_path: Path) -> None:
    little: dict[str, Any] = {"max_examples": 1, "parts": ("requests",)}
    assert not verified(Faulty(), **little).failed
    assert verified(Faulty(), max_examples=25, parts=("requests",), examples=tmp_path).failed
    assert verified(Faulty(), **little, examples=tmp_path).failed
