"""Figures, what is read from them, and how they are shown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks import plot
from benchmarks.__main__ import NAMES, main
from benchmarks.figures import LIMIT, OURS, STORED, Results, alternate, stored
from benchmarks.goals import goals
from benchmarks.report import conditions, tables

from ..docs.test_examples import ROOT

MACHINE = {
    "processor": "Some CPU", "cores": 2, "system": "Linux", "python": "3.13.0", "libraries": {"uvicorn": "1"},
    "others": 0.02,
}  # fmt: skip


def made() -> Results:
    """Return figures whose medians and ratios are known."""
    results = Results(MACHINE, "standard", "2026-01-02", left_out={"prism": "npm is not installed"})
    for server, rates, p99 in ((OURS, [900, 16_000, 20_000], 6.0), (LIMIT, [40_000, 30_000, 50_000], 1.0)):
        for job in ("creation", "polling"):
            results.add(job, "rate", server, 32, rates)
            results.add(job, "p50", server, 32, [2.0])
            results.add(job, "p99", server, 32, [p99 if job == "creation" else 7.0])
            results.add(job, "errors", server, 32, [0, 0, 0])
    for at, rate in ((1_000, 1_100), (100_000, 1_000), (1, 4_000)):
        results.add("rules" if at == 1 else "tasks, polling", "rate", OURS, at, [rate])
    results.add("rules", "rate", OURS, 10_000, [1_000])
    results.add("task", "bytes", OURS, 100_000, [1_234])
    results.add("exchanges", "MiB", OURS, 0, [100])
    results.add("exchanges", "MiB", OURS, 1_000_000, [101])
    results.add("callbacks", "rate", OURS, 0, [800])
    for number, rate in ((1, 600), (4, 1_000), (8, 500)):
        results.add("callbacks", "rate", f"httpx, {number} at once", 0, [rate])
    return results


def test_what_is_told_is_the_median_of_all_runs() -> None:
    results = made()
    assert results.find("creation", "rate", OURS, 32) == 16_000
    assert results.ratio("creation", "rate", OURS, LIMIT, 32) == 0.4
    assert results.find("creation", "rate", "prism", 32) is None
    assert results.ratio("creation", "rate", "prism", LIMIT, 32) is None


def test_results_are_the_same_after_they_were_kept() -> None:
    results = made()
    assert Results.from_json(results.to_json()) == results


def test_sides_take_turns_and_none_is_always_first() -> None:
    order: list[str] = []
    alternate(3, ["a", "b"], order.append)
    assert "".join(order) == "abbaab"


@pytest.mark.parametrize(
    ("title", "value", "met"),
    [
        ("creation", 0.4, True),
        ("polling", 0.4, False),
        ("callbacks", 0.8, True),
        ("p99 at 32 connections, creation", 3, True),
        ("p99 at 32 connections, polling", 3.5, False),
        ("memory of a live task", 1.234, False),
        ("memory after 1,000,000 exchanges", 1.01, True),
        ("polling beside 100,000 tasks", 1.1, True),
        ("creation beside 10,000 such", 4, False),
        ("memory, idle", None, False),
    ],
)
def test_goals_are_judged_by_what_was_measured(title: str, value: float | None, met: bool) -> None:
    goal = next(each for each in goals(made()) if each.title == title)
    assert (goal.value, goal.met) == (value if value is None else pytest.approx(value), met)


def test_tables_tell_ratios_wrong_answers_and_goals() -> None:
    results = made()
    results.add("refusal", "rate", OURS, 32, [1_000])
    results.add("refusal", "errors", OURS, 32, [2])
    shown = tables(results)
    assert shown["ratios"].rows[0] == (OURS, "16,000 (0.40 x)", "16,000 (0.40 x)", "-", "-", "1,000, 2 wrong")
    assert shown["goals"].rows[:2] == (
        ("creation", "≥ 0.35 x raw ASGI", "0.40", "met"),
        ("polling", "≥ 0.45 x raw ASGI", "0.40", "missed"),
    )
    assert shown["callbacks"].rows[2] == ("httpx, 4 at once", "1,000", "0.80")
    assert "contract" not in shown
    assert results.errors() == 2


def test_a_table_is_aligned_as_text() -> None:
    lines = tables(made())["callbacks"].text().splitlines()
    assert lines[0] == "Callbacks per second"
    assert {line.index(each) for line, each in zip(lines[2:4], ("800", "600"), strict=True)} == {lines[1].index("per")}


def test_what_was_left_out_is_told() -> None:
    told = conditions(made())
    assert "Left out: prism (npm is not installed)." in told
    assert "Other processes took 2% of the machine" in told


def test_plots_are_svg_and_the_same_every_time() -> None:
    drawn = plot.drawn(made())
    assert drawn == plot.drawn(made())
    for content in drawn.values():
        root = ET.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find(".//{http://www.w3.org/2000/svg}script") is None
        assert b"<!--" not in content  # they would tell the day
    assert b"understudy" in drawn["speed.svg"]
    assert b"0.4" in drawn["speed.svg"]


def test_the_plots_beside_the_stored_run_show_it() -> None:
    drawn = plot.drawn(stored())
    assert {name: (STORED.parent / name).read_bytes() for name in drawn} == drawn, "run python -m benchmarks.plot"


def test_the_stored_run_tells_no_path_of_a_machine() -> None:
    told = json.loads(STORED.read_text())
    assert "/" not in json.dumps([told["machine"], told["left_out"]])


def test_the_page_tells_of_every_option_and_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    with pytest.raises(SystemExit):
        main(["--help"])
    options = {word.strip("[],") for word in capsys.readouterr().out.split() if word.startswith(("--", "[--"))}
    assert {option for option in options - {"--help", "--peers"} if option not in page} == set()
    assert {name for name in NAMES if f"`{name}`" not in page} == set()
