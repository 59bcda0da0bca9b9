"""The client contract in pytest, as a user runs it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from understudy.contracts import client_contract

from . import small

SMALL = inspect.getsource(small)
USE = """
from understudy.contracts import client_contract
from small import AltersLinks, Good

ONLY = ["success; progress=instant", "result-403"]
test_good = client_contract(Good, provider="kie", only=ONLY)
test_bad = client_contract(AltersLinks, provider="kie", only=ONLY[:1])
test_allowed = client_contract(AltersLinks, provider="kie", only=ONLY[:1], allow=["results-right", "results-usable"])
"""


def test_a_contract_becomes_a_test_for_each_situation(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(small=SMALL, test_use=USE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-v", "-rs")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "test_use.py::test_good[[]success; progress=instant[]] PASSED*",
            "*  error results-right: http*.png[?] is none of the task's results",
            "*    POST /api/v1/jobs/createTask {*} → 200 {*",
            "SKIPPED*the client fetches no results: it hands out links",
        ]
    )


def test_what_is_not_known_is_refused_when_tests_are_collected() -> None:
    with pytest.raises(ValueError, match="no check 'no-hotloop' \\(did you mean 'no-hot-loop'\\?\\)"):
        client_contract(small.Good, provider="kie", allow=["no-hotloop"])
    with pytest.raises(ValueError, match="no situation 'fial' \\(did you mean 'fail'\\?\\)"):
        client_contract(small.Good, provider="kie", only=["fial"])


def test_a_situation_of_the_contract_has_the_name_of_its_scenario() -> None:
    test = client_contract(small.Good, provider=Path(__file__).parents[2] / "providers" / "acme")
    (mark,) = test.pytestmark  # type: ignore[attr-defined]
    names = [str(each) for each in mark.args[1]]
    assert {"success", "partial; n=1; of=3", "too-fast"} <= set(names)
    assert len(set(names)) == len(names)
