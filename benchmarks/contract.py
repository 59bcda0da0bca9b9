"""How many cases of the contract kit per second: kit and emulator in one process, on one core.

`python -m benchmarks.contract` verifies one provider once and prints what it took.
"""

from __future__ import annotations

import json
import subprocess
import sys

from .figures import OURS, Results
from .machine import pinned
from .servers import ROOT

_PROVIDER = "kie"
_URL = "http://127.0.0.1:4020"
_DEADLINE = 600.0


class ContractError(Exception):
    """The kit could not be run, or found the emulator wrong: its speed says nothing then."""


def measure(results: Results, core: int, runs: int) -> None:
    """Measure the cases that are drawn, asked, answered and judged per second."""
    rates = []
    for _ in range(runs):
        with pinned(core):
            command = [sys.executable, "-m", "benchmarks.contract"]
            ended = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_DEADLINE
            )  # fmt: skip
        if ended.returncode:
            raise ContractError(f"the contract kit: {(ended.stderr or ended.stdout).strip()[-300:]}")
        told = json.loads(ended.stdout)
        if told["failed"]:
            raise ContractError(f"the contract kit finds the emulator wrong: {told['findings']}")
        rates.append(told["exchanges"] / told["seconds"])
    results.add("contract", "rate", OURS, 0, rates)


def main() -> None:
    """Verify the emulator, and print the exchanges, the seconds and what was found as JSON."""
    # Only the process that is measured needs all of this.
    from understudy.contracts.runs.target import Target  # noqa: PLC0415
    from understudy.contracts.runs.verification import VerifySettings, verify  # noqa: PLC0415
    from understudy.mockserver.app import App  # noqa: PLC0415
    from understudy.mockserver.emulator import Emulator  # noqa: PLC0415
    from understudy.mockserver.settings import Settings  # noqa: PLC0415
    from understudy.openapi.provider import load_provider  # noqa: PLC0415

    provider = load_provider(_PROVIDER)
    app = App(Emulator([provider], Settings(limits=False, public_url=_URL)), None)
    with Target(f"{_URL}/{_PROVIDER}", app=app) as target:
        done = verify(provider, target, VerifySettings(key="benchmark"))
    findings = [each.check for each in done.tally.findings]
    told = {"exchanges": done.exchanges, "seconds": done.seconds, "failed": done.failed, "findings": findings}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
