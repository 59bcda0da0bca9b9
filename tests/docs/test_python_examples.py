"""The Python of the documentation, run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .test_examples import ROOT, blocks

PYTEST = (ROOT / "docs" / "pytest.md").read_text()
CALLBACKS = (ROOT / "docs" / "callbacks.md").read_text()
VERIFY = (ROOT / "docs" / "verify.md").read_text()
TESTS = [each for text in (PYTEST, CALLBACKS) for each in blocks(text, "python") if "def test_" in each]
PLAIN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
SCRIPTS = [each for each in blocks(PYTEST, "python") if "def test_" not in each]


def test_the_tests_of_the_documentation_pass(pytester: pytest.Pytester) -> None:
    for number, text in enumerate(TESTS):
        (pytester.path / f"test_{number}.py").write_text(text)
    result = pytester.runpytest_subprocess(*PLAIN)
    result.assert_outcomes(passed=len(TESTS))


@pytest.mark.parametrize("text", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_script_of_the_documentation_runs_outside_pytest(text: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", text], check=True, cwd=tmp_path, timeout=60)


def test_the_readmes_test_is_one_of_them_and_passes_in_less_than_a_second(pytester: pytest.Pytester) -> None:
    (text,) = [each for each in blocks((ROOT / "README.md").read_text(), "python") if "def test_" in each]
    (app,) = re.findall(r"^class MyApp:\n.*?(?=^\S)", PYTEST, re.DOTALL | re.MULTILINE)
    pytester.makepyfile(f"import httpx\n\n\n{app}\n\n{text}")
    result = pytester.runpytest_subprocess(*PLAIN, "--durations=0", "--durations-min=0.9")
    result.assert_outcomes(passed=1)
    assert not re.search(r"s call ", result.stdout.str())


def test_the_contract_of_a_provider_is_tested_as_the_documentation_shows_it(pytester: pytest.Pytester) -> None:
    (text,) = blocks(VERIFY, "python")
    pytester.makepyfile(text)
    outcomes = pytester.runpytest_subprocess(*PLAIN).parseoutcomes()
    assert outcomes["passed"] > 40
    assert "failed" not in outcomes
