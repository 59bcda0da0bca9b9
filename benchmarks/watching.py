"""What `understudy watch` adds to a request: over loopback, connections kept alive, each side a process of its own."""

from __future__ import annotations

import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

COMMAND = str(Path(sys.executable).with_name("understudy"))
_WARM, _MEASURED, _ROUNDS = 200, 2_000, 3


@contextmanager
def _running(*arguments: str) -> Iterator[str]:
    """Run the command; yield the address that it says."""
    with subprocess.Popen([COMMAND, *arguments, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            found = None
            while found is None and (line := process.stdout.readline() if process.stdout else ""):
                found = re.search(r"http://[^/ ]+:\d+", line)
            if found is None:
                raise SystemExit(f"understudy {arguments[0]} did not start")
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)


def _milliseconds(url: str) -> list[float]:
    """Return how long each poll of a task took."""
    with httpx.Client(base_url=url, trust_env=False, headers={"authorization": "Bearer bench"}) as http:
        body = {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}}
        task = http.post("/api/v1/jobs/createTask", json=body).raise_for_status().json()["data"]["taskId"]
        taken = []
        for _ in range(_WARM + _MEASURED):
            began = time.perf_counter()
            http.get("/api/v1/jobs/recordInfo", params={"taskId": task}).raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
    return taken[_WARM:]


def main() -> None:
    """Print the medians with and without a watcher, the rounds taking turns."""
    with _running("serve", "--provider", "kie", "--no-limits", "--quiet") as server:
        upstream = f"{server}/kie"
        with _running("watch", "kie", "--upstream", upstream) as watched:
            rounds = [(_milliseconds(upstream), _milliseconds(watched)) for _ in range(_ROUNDS)]
    for name, number in (("direct", 0), ("watched", 1)):
        taken = [each for both in rounds for each in both[number]]
        cut = statistics.quantiles(taken, n=100)
        print(f"{name:8} median {cut[49]:.2f} ms, p95 {cut[94]:.2f} ms, p99 {cut[98]:.2f} ms")
    added = [statistics.median(both[1]) - statistics.median(both[0]) for both in rounds]
    print(f"added at the median: {', '.join(f'{each:.2f}' for each in added)} ms")


if __name__ == "__main__":
    main()
