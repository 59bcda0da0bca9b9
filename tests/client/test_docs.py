"""docs/client.md: its programs run, its tables are those that are tested, its drawing is the module's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from understudy import client
from understudy.client import Phase, errors

from .conftest import NewAccount
from .test_scenarios import CALLBACKS, OUTCOMES, SECRETS, UNPLAYABLE, Case

PAGE = Path(__file__).parent.parent.parent / "docs" / "client.md"
TEXT = PAGE.read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def told(case: Case) -> str:
    """Return a case's outcome in words."""
    return case.outcome.value if isinstance(case.outcome, Phase) else f"`{case.outcome.__name__}`"


def outcomes() -> str:
    """Return the table of outcomes."""
    lines = ["| scenario | outcome |", "| --- | --- |"]
    lines += [f"| `{case}` | {told(case)} |" for case in OUTCOMES]
    lines += ["", "| scenario | signs the id | signs the body | signs nothing |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{play}` | {' | '.join('n/a' if each is UNPLAYABLE else ', '.join(each) or 'none' for each in rows)} |"
        for play, rows in CALLBACKS.items()
    ]
    return "\n".join(lines)


def test_the_tables_of_outcomes_are_the_tested_ones() -> None:
    _, _, shown = TEXT.partition("happens once.\n\n")
    assert shown.strip() == outcomes()


def test_the_drawing_is_the_modules() -> None:
    pattern = re.compile(r"^ *([│├└ ─]*[A-Z]\w+)", re.MULTILINE)
    (drawn,) = re.findall(r"^```\n(UnderstudyError.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    module = (errors.__doc__ or "").partition("::")[2].partition("Errors carry")[0]
    assert pattern.findall(drawn) == pattern.findall(module)


def test_everything_public_is_told() -> None:
    assert [name for name in client.__all__ if not re.search(rf"\b{name}\b", TEXT)] == []


def test_the_first_program_runs(
    account: NewAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = account("kie")
    monkeypatch.setenv("UNDERSTUDY_KIE_BASE_URL", mine.base_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("understudy.client.flows.poll_pause", lambda *_: 0.01)
    exec(compile(PROGRAMS[0].replace("sk-…", mine.api_key), str(PAGE), "exec"), {})
    (path,) = capsys.readouterr().out.split()
    assert (tmp_path / path).stat().st_size > 1000


def answers(messages: Iterable[dict[str, Any]]) -> list[int]:
    """Return how the page's receiver answers callbacks."""
    names: dict[str, Any] = {}
    exec(compile(PROGRAMS[1].replace("the webhook key", SECRETS["kie"][1]), str(PAGE), "exec"), names)
    statuses: list[int] = []

    async def call(message: dict[str, Any]) -> None:
        body = message["body"].encode()
        parts = [{"body": body[:10], "more_body": True}, {"body": body[10:]}]
        headers = [(name.encode(), value.encode()) for name, value in message["headers"].items()]

        async def receive() -> Any:
            return {"type": "http.request", **parts.pop(0)}

        async def send(event: Any) -> None:
            statuses.extend([event["status"]] if "status" in event else [])

        await names["receiver"]({"type": "http", "headers": headers}, receive, send)

    for each in messages:
        asyncio.run(call(each))
    return statuses


@pytest.mark.parametrize(
    ("play", "statuses", "printed"),
    [
        ("success", [200], 1),
        ("callback-duplicate", [200, 200], 1),
        ("callback-out-of-order", [200, 200], 1),
        ("callback-bad-signature", [400], 0),
        ("callback-stale-timestamp", [400], 0),
        ("callback-unsigned", [400], 0),
        ("callback-malformed", [400], 0),
    ],
)
def test_the_receiver_copes(
    play: str, statuses: list[int], printed: int, account: NewAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = account("kie")
    mine.clock.freeze()
    mine.set(**dict([SECRETS["kie"]]))
    mine.play(play)
    with client.Client("kie", api_key=mine.api_key, base_url=mine.base_url) as asking:
        asking.create("nano-banana-pro", prompt="x", callback_url=mine.inbox.url)
    mine.clock.advance(minutes=1)
    assert sorted(answers(mine.inbox.messages()[: len(statuses)])) == statuses
    assert capsys.readouterr().out.count("completed") == printed
