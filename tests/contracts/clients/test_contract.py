"""Reports about clients, and settings that can't be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from understudy.contracts import check_client
from understudy.contracts.clients import stage
from understudy.contracts.clients.emulator import NoEmulatorError
from understudy.contracts.runs.control import ControlError
from understudy.mockserver import MockServer
from understudy.mockserver.scenario import built_in_scenarios, read_scenarios
from understudy.mockserver.settings import Settings
from understudy.openapi.errors import LoadError

from ...client.faulty import FaultyServer, answer
from ...client.speakers import loaded_once
from . import small

INSTANT = "success; progress=instant"
TOKEN = "a token"


@pytest.fixture(scope="module")
def emulator() -> Iterator[MockServer]:
    """A server with a control token."""
    with MockServer([loaded_once("kie"), loaded_once("crun")], Settings(control_token=TOKEN)) as server:
        yield server


def check(emulator: Any, factory: Any = small.Good, **settings: Any) -> Any:
    """Return the report of a small client."""
    return check_client(factory, emulator=emulator, **{"provider": "kie", "token": TOKEN, **settings})


def test_a_report_tells_what_was_found_where_and_what_shows_it(emulator: MockServer) -> None:
    said: list[str] = []
    report = check(emulator.url, small.AltersLinks, only=[INSTANT, "fail", "result-403"], said=said.append)
    assert said == [INSTANT, "fail", "result-403"]
    assert (report.ok, [each.check for each in report.findings]) == (False, ["results-right"])
    text = str(report)
    assert text.startswith("2 situations played with a client of kie, 1 not; 1 findings\n\nsuccess; progress=instant\n")
    assert '.png? is none of the task\'s results\n    POST /api/v1/jobs/createTask {"model":"nano-banana-pro",' in text
    assert text.endswith("not played\n  result-403: the client fetches no results: it hands out links")
    assert "\nfail\n" not in text


def test_a_client_that_does_nothing_wrong_has_a_short_report(emulator: MockServer) -> None:
    report = check(emulator, only=[INSTANT])
    assert (report.ok, str(report)) == (True, "1 situations played with a client of kie, 0 not; 0 findings")


def test_information_alone_is_no_reason_to_fail(emulator: MockServer) -> None:
    report = check(emulator, small.TellsNoReason, only=["fail; code=e77; message=the brush was dry"])
    assert (report.ok, [each.check for each in report.findings]) == (True, ["reason-told"])


def test_what_can_not_be_told_of_connections_is_said(emulator: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "connections_to", lambda *_: None)
    assert "in 1 situations it can't be told whether every connection was closed" in str(
        check(emulator, only=[INSTANT])
    )


class Polling:
    """A client that takes no callbacks."""

    errors = small.Good.errors

    def __init__(self, base_url: str, key: str) -> None:
        self.good = small.Good(base_url, key)

    def generate(self, prompt: str) -> Any:
        return self.good.generate(prompt)

    def close(self) -> None:
        self.good.close()


class Unverified(small.Good):
    secret = None  # type: ignore[assignment]


def test_a_situation_that_is_nothing_to_a_client_is_not_played(emulator: MockServer) -> None:
    reasons = check(emulator, Polling, only=["callback-late"]).not_played
    assert reasons == {"callback-late": "the adapter has no callback()"}
    reasons = check(emulator, Unverified, only=["callback-unsigned"]).not_played
    assert reasons == {"callback-unsigned": "the adapter has no secret"}


def test_a_scenario_of_ones_own_is_played_too(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("scenarios:\n  paintless: {about: Dry., like: fail, with: {code: 3009}}\n")
    with MockServer([loaded_once("kie")]) as server:
        server.emulator.repertoire.replace(read_scenarios(tmp_path / "mine.yaml", built_in_scenarios()))
        report = check(server, small.TakesFailureForSuccess, only=["paintless"], token=None)
    assert [each.check for each in report.findings] == ["failure-told"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"only": ["stuk"]}, "no situation 'stuk' (did you mean 'stuck'?); known: success, "),
        ({"speed": 0}, "speed is 0; expected a number above 0"),
        ({"deadline": -1}, "deadline is -1; expected a number above 0"),
    ],
    ids=str,
)
def test_a_setting_that_can_not_be_is_refused(settings: Any, message: str, emulator: MockServer) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        check(emulator, **settings)
    assert str(caught.value).startswith(message)


def test_a_provider_that_is_not_played_or_not_known_is_refused(emulator: MockServer) -> None:
    with pytest.raises(ControlError, match="plays no 'mulerouter'; known: kie, crun"):
        check(emulator, provider="mulerouter")
    with pytest.raises(LoadError, match="kei: is no folder and no built-in provider"):
        check(emulator, provider="kei")


def test_an_emulator_that_is_none_is_refused(faulty: FaultyServer) -> None:
    with pytest.raises(NoEmulatorError, match=r"http://127\.0\.0\.1:9: no emulator answers there \(ConnectError"):
        check("http://127.0.0.1:9")
    faulty.plays(answer(200, {"status": "ok"}))
    with pytest.raises(NoEmulatorError, match="expected a URL of understudy"):
        check(faulty.url)
    faulty.plays(answer(200, raw=b"<html>"))
    with pytest.raises(NoEmulatorError):
        check(faulty.url)
    with pytest.raises(NoEmulatorError):
        check("http://[")
    with pytest.raises(TypeError, match="emulator is 7; expected a URL, or something with a url"):
        check(7)


def test_a_server_brings_its_token_and_a_wrong_one_is_refused(emulator: MockServer) -> None:
    assert check(emulator, only=[INSTANT], token=None).ok
    with pytest.raises(ControlError, match="/_understudy/providers"):
        check(emulator, token="wrong")


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A server that answers by script."""
    with FaultyServer() as server:
        yield server


def test_the_kit_is_cheap_to_import() -> None:
    code = "import sys, understudy.contracts; print({'httpx', 'pytest', 'hypothesis', 'asyncio'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout == "set()\n"


def test_a_name_that_the_kit_has_not_is_said() -> None:
    import understudy.contracts  # noqa: PLC0415

    with pytest.raises(AttributeError, match="has no attribute 'clientcontract'"):
        understudy.contracts.clientcontract  # noqa: B018
