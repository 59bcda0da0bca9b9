"""Starts an installed understudy, creates a task with every provider, and stops it as a service manager would.

python smoke.py COMMAND
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
from contextlib import closing

DEADLINE = 60
JSON = {"Content-Type": "application/json"}
BEARER = {"Authorization": "Bearer test", **JSON}
CREATIONS = {
    "/apikley/api/v1/jobs/createTask": (BEARER, {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}}),
    "/crun/api/v1/client/job/CreateTask": (
        {"x-api-key": "ak_" + 32 * "0", **JSON},
        {"model": "google/nano-banana", "input": {"prompt": "a lighthouse"}},
    ),
    "/kie/api/v1/jobs/createTask": (BEARER, {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}}),
    "/mulerouter/vendors/google/v1/nano-banana-pro/generation": (BEARER, {"prompt": "a lighthouse"}),
}


def main() -> None:
    """Play the part; end with a message where something is not as it should be."""
    with subprocess.Popen([sys.argv[1], "serve", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        timer = threading.Timer(DEADLINE, process.kill)
        timer.start()
        try:
            port = _port(process)
            _ask(port, "GET", "/_understudy/health", {}, None)
            for path, (headers, body) in CREATIONS.items():
                print(path.split("/")[1], _ask(port, "POST", path, headers, body))
            process.send_signal(signal.SIGTERM)
            ended = process.wait()
        finally:
            timer.cancel()
            process.kill()
    if ended != 0:
        raise SystemExit(f"SIGTERM ended it with {ended}; expected 0")
    print("SIGTERM ended it with 0")


def _port(process: subprocess.Popen[str]) -> int:
    for line in process.stdout or ():
        if "http://" in line:
            return int(line.partition("http://")[2].partition(":")[2].partition("/")[0])
    raise SystemExit("it ended before it printed an address")


def _ask(port: int, method: str, path: str, headers: dict[str, str], body: object) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read().decode()
    if response.status >= 300 or json.loads(answer).get("code", 200) != 200:
        raise SystemExit(f"{method} {path}: {response.status} {answer}")
    return answer


if __name__ == "__main__":
    main()
