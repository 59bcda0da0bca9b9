"""How long from the command to the first answer, beside a bare uvicorn application.

    uv run python benchmarks/startup.py --runs 15

The two are started in turn, so that whatever else the machine does falls on both. Each is timed twice: with
compiled bytecode, as after an install that compiles (pip's does, and this project's uv settings do), and without
any, as the very first start after one that does not.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

BARE = """
import socket, uvicorn
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("http://127.0.0.1:%d/" % listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None)
uvicorn.Server(config).run(sockets=[listener])
"""
CREATION = b'{"model":"nano-banana-pro","input":{"prompt":"a lighthouse"}}'
HEADERS = {"Authorization": "Bearer test", "Content-Type": "application/json"}

Times = dict[str, float]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="starts of each, after one that is not counted")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as cache:
        compiled = _environment(PYTHONPYCACHEPREFIX=cache)
        measured = {"with bytecode": _measure(compiled, runs)}
    with tempfile.TemporaryDirectory() as empty:
        source = _environment(PYTHONPYCACHEPREFIX=empty, PYTHONDONTWRITEBYTECODE="1")
        measured["without"] = _measure(source, max(runs // 3, 1))
    _print(measured)


def _environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UNDERSTUDY"))}
    return kept | changes


def _measure(environment: Mapping[str, str], runs: int) -> dict[str, list[float]]:
    """Return the seconds to each kind of answer, of `runs` starts after the first."""
    found: dict[str, list[float]] = {}
    for run in range(runs + 1):
        for name, seconds in (_start_understudy(environment) | _start_bare(environment)).items():
            found.setdefault(name, [])
            if run:
                found[name].append(seconds)
    return found


def _start_understudy(environment: Mapping[str, str]) -> Times:
    command = [str(Path(sys.executable).with_name("understudy")), "serve", "--port", "0", "--quiet"]
    requests = {
        "understudy, health": ("GET", "/_understudy/health", b""),
        "understudy, health and a creation": ("POST", "/kie/api/v1/jobs/createTask", CREATION),
    }
    return _times(command, requests, environment)


def _start_bare(environment: Mapping[str, str]) -> Times:
    return _times([sys.executable, "-c", BARE], {"bare uvicorn": ("GET", "/", b"")}, environment)


def _times(
    command: Sequence[str], requests: Mapping[str, tuple[str, str, bytes]], environment: Mapping[str, str]
) -> Times:
    """Start `command` and return the seconds from then to the end of each of its answers, asked for in turn."""
    began = time.perf_counter()
    times = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", _port(process))) as connection:
                for name, (method, path, body) in requests.items():
                    connection.request(method, path, body, HEADERS)
                    answer = connection.getresponse().read()
                    times[name] = time.perf_counter() - began
                    if path.endswith("createTask") and b"taskId" not in answer:
                        raise SystemExit(f"no task was created: {answer!r}")
        finally:
            process.terminate()
    return times


def _port(process: subprocess.Popen[str]) -> int:
    for line in process.stdout or ():
        if "http://" in line:
            return int(line.partition("http://")[2].partition(":")[2].partition("/")[0])
    raise SystemExit("the server printed no address")


def _print(measured: Mapping[str, Mapping[str, list[float]]]) -> None:
    names = list(next(iter(measured.values())))
    print(f"{'median seconds (fastest to slowest)':36}" + "".join(f"{title:>24}" for title in measured))
    for name in names:
        cells = [
            f"{statistics.median(times[name]):.3f} ({min(times[name]):.3f}..{max(times[name]):.3f})"
            for times in measured.values()
        ]
        print(f"{name:36}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
