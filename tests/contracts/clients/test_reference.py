"""The reference client under test: it passes in every situation, with every provider, waiting and awaited."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from understudy.contracts.clients.contract import CLIENT_CHECKS, ClientReport, check_client
from understudy.contracts.clients.situations import situations_for
from understudy.mockserver import MockServer
from understudy.mockserver.settings import Settings

from ...client.speakers import MODELS, loaded_once
from .reference import KINDS

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

DEADLINE = 10.0
SOME = {
    "sync": ("truncated-body; on=poll; times=1", "result-truncated", "callback-duplicate"),
    "async": ("unknown-status; times=2", "fail", "callback-early"),
}
"""What is played at the gate: a life, the wire, tomorrow's provider, and callbacks."""
TRIED = [(name, kind) for name in MODELS for kind in KINDS]


@pytest.fixture(scope="module")
def emulator() -> Iterator[MockServer]:
    """All providers, the fifth one too."""
    with MockServer([loaded_once(name) for name in MODELS], Settings(callback_timeout=2)) as server:
        yield server


def played(name: str, kind: str, emulator: MockServer, only: list[str] | None = None) -> ClientReport:
    """Return the report about the reference client."""
    factory = partial(KINDS[kind], name)
    return check_client(factory, provider=loaded_once(name), emulator=emulator, only=only, deadline=DEADLINE)


@pytest.mark.parametrize(("name", "kind"), TRIED)
def test_the_reference_client_passes(name: str, kind: str, emulator: MockServer) -> None:
    known = {each.id for each in situations_for(loaded_once(name).behaviour)}
    report = played(name, kind, emulator, [each for each in SOME[kind] if each in known])
    assert (report.findings, report.not_played) == ([], {}), str(report)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "kind"), TRIED)
def test_the_reference_client_passes_in_every_situation(name: str, kind: str, emulator: MockServer) -> None:
    report = played(name, kind, emulator)
    assert report.findings == [], str(report)
    assert set(report.not_played.values()) <= {"the client fetches no results: it hands out links"}
    if (name, kind) == ("kie", "sync"):
        assert [each.id for each in CLIENT_CHECKS if not report.tally.judged[each.id]] == []


def test_every_scenario_that_comes_with_the_emulator_is_a_situation(emulator: MockServer) -> None:
    listed = emulator.account("acme")._control.ask("GET", "/scenarios")["scenarios"]
    for name in MODELS:
        plays = {each.play for each in situations_for(loaded_once(name).behaviour)}
        assert plays >= {each["name"] for each in listed if each["providers"][name] is True}
        assert not plays & {each["name"] for each in listed if each["providers"][name] is not True}
