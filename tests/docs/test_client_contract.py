"""The page on clients under test: its client passes, and its script runs."""

from __future__ import annotations

import pytest

from .test_examples import ROOT, blocks

CLIENT, TEST, SCRIPT = blocks((ROOT / "docs" / "client-contract.md").read_text(), "python")


def test_some_tests_of_the_page_pass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLIENT + TEST)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "instant or moderated or invalid-request")
    result.assert_outcomes(passed=3, deselected=88)


@pytest.mark.nightly
def test_every_test_of_the_page_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLIENT + TEST)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.parseoutcomes()["passed"] > 60
    assert set(result.parseoutcomes()) == {"passed", "skipped"}


def test_the_script_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(SCRIPT, "client-contract.md", "exec"), {})
    assert capsys.readouterr().out.startswith("2 situations played with a client of crun, 0 not; ")
