"""A tiny piece of a run, with the real servers."""

from __future__ import annotations

import pytest

from benchmarks.figures import LIMIT, OURS, Results
from benchmarks.machine import cores
from benchmarks.report import tables
from benchmarks.throughput import BELIEVER, CHECKER, Pace, measure

SERVERS = [OURS, LIMIT, BELIEVER, CHECKER]


@pytest.fixture(scope="module")
def results() -> Results:
    """Measure lives: creations, polls and downloads."""
    measured = Results({}, "", "")
    measure(measured, ["life"], [], cores()[0], Pace(2, 0.05, 0.02, 0))
    return measured


def test_every_server_is_measured_and_none_answers_wrongly(results: Results) -> None:
    assert results.servers("life") == SERVERS
    for server in SERVERS:
        for connections in (1, 32):
            assert results.find("life", "errors", server, connections) == 0
            assert (results.find("life", "rate", server, connections) or 0) > 0
            p50, p99 = (results.find("life", each, server, connections) or 0 for each in ("p50", "p99"))
            assert 0 < p50 <= p99
    assert {len(each.runs) for each in results.figures} == {2}


def test_it_is_shown_as_a_table_of_ratios(results: Results) -> None:
    table = tables(results)["ratios"]
    assert [row[0] for row in table.rows] == SERVERS
    assert table.rows[1][4].endswith("(1.00 x)")
    assert [row[1] for row in table.rows] == ["-"] * 4
