"""The page on clients under test: its client passes, and its script runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .test_examples import ROOT, blocks

CLIENT, TEST, SCRIPT = blocks((ROOT / "docs" / "client-contract.md").read_text(), "python")


def test_some_tests_of_the_page_pass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLIENT + TEST)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "instant or moderated or reset")
    assert result.parseoutcomes()["passed"] >= 4
    assert set(result.parseoutcomes()) == {"passed", "skipped", "deselected"}


@pytest.mark.nightly
def test_every_test_of_the_page_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLIENT + TEST)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert result.parseoutcomes()["passed"] > 60
    assert set(result.parseoutcomes()) == {"passed", "skipped"}


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, cwd=tmp_path, timeout=60)
