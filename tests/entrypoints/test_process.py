"""The command as a process: how it starts, how it ends, what it writes."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from ..processes import COMMAND, Running, serving

KEY = {"Authorization": "Bearer sk-0123456789abcdef"}
CREATION = {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}}


def create(url: str) -> httpx.Response:
    """Create a task."""
    return httpx.post(f"{url}/kie/api/v1/jobs/createTask", json=CREATION, headers=KEY, trust_env=False)


@contextmanager
def connected(url: str, sent: bytes) -> Iterator[socket.socket]:
    """Open a connection, send something, and keep it open."""
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname or "", parts.port or 0), 10)) as connection:
        connection.sendall(sent)
        yield connection


def kept_open(connection: socket.socket) -> None:
    """Ask for something on a connection and read the answer, which leaves it open."""
    connection.sendall(b"GET /_understudy/health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def half_sent(connection: socket.socket) -> None:
    """Send the head of a request and some of its body."""
    connection.sendall(
        b"POST /kie/api/v1/jobs/createTask HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )


def nothing_sent(_: socket.socket) -> None:
    """Send nothing."""


def half_a_head(connection: socket.socket) -> None:
    """Send some of a request's head."""
    connection.sendall(b"GET /_understudy/hea")


def test_it_answers_at_the_port_that_it_prints() -> None:
    with serving() as server:
        health = httpx.get(f"{server.url}/_understudy/health", trust_env=False)
        assert health.json()["status"] == "ok"
        assert create(server.url).json()["code"] == 200


_TOLD_AT_THE_END = """
import atexit, gc, sys
atexit.register(lambda: print("collector", gc.get_threshold()[0], gc.get_freeze_count() > 0, flush=True))
from understudy.entrypoints.cli import main
main()
"""


def test_the_cyclic_collector_is_kept_off_what_stays_and_looks_seldom() -> None:
    with Running([sys.executable, "-c", _TOLD_AT_THE_END, "serve", "--port", "0"]) as server:
        assert create(server.url).json()["code"] == 200
        assert server.stop(signal.SIGTERM) == 0
        assert server.out[-1] == "collector 200000 True"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_0_and_without_a_word(number: int) -> None:
    with serving("--quiet") as server:
        assert create(server.url).status_code == 200
        assert server.stop(number) == 0
        assert server.err == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("does", [kept_open, half_sent, half_a_head, nothing_sent], ids=lambda does: does.__name__)
def test_a_signal_ends_it_at_once_whatever_a_client_holds_open(
    number: int, does: Callable[[socket.socket], None]
) -> None:
    with serving("--quiet") as server, connected(server.url, b"") as connection:
        does(connection)
        # The answer to this request shows that what came before it has reached the server.
        assert create(server.url).status_code == 200
        assert server.stop(number) == 0
        assert server.err == []


def test_a_signal_ends_it_while_an_answer_hangs() -> None:
    asked = b"GET /kie/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving("--quiet") as server, connected(server.url, b"") as connection:
        # A client that asks again and again and never reads: the server's answers fill every buffer there is.
        connection.setblocking(False)
        with suppress(BlockingIOError):
            for _ in range(500_000):
                connection.sendall(asked)
        assert server.stop(signal.SIGTERM) == 0


def test_a_taken_port_is_one_line_and_2() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Running([COMMAND, "serve", "--port", str(port)]) as server:
            assert server.ended() == 2
            assert server.err == [f"understudy: can't listen on 127.0.0.1:{port}: Address already in use"]
            assert server.out == []


def test_a_host_that_is_not_this_machines_is_one_line_and_2() -> None:
    with Running([COMMAND, "serve", "--host", "192.0.2.1", "--port", "0", "--no-control"]) as server:
        assert server.ended() == 2
        assert len(server.err) == 1
        assert "can't listen on 192.0.2.1:0" in server.err[0]


def test_a_line_of_the_log_tells_of_an_exchange_and_masks_the_key() -> None:
    with serving() as server:
        task = create(server.url).json()["data"]["taskId"]
        server.until(lambda: server.err)
        assert re.fullmatch(
            rf"\d\d:\d\d:\d\d\.\d{{3}} 200 +\d+\.\d ms  sk-0… kie createTask {re.escape(task)}", server.err[0]
        )


def test_a_refusal_is_logged_with_the_error_that_was_played() -> None:
    with serving() as server:
        httpx.get(f"{server.url}/kie/api/v1/jobs/recordInfo", headers=KEY, trust_env=False)
        server.until(lambda: server.err)
        assert server.err[0].endswith("kie recordInfo id-required")


def test_the_log_can_be_read_by_programs() -> None:
    with serving("--log-format", "json") as server:
        task = create(server.url).json()["data"]["taskId"]
        server.until(lambda: server.err)
        logged = orjson.loads(server.err[0])
        assert (logged["provider"], logged["operation"], logged["task"]) == ("kie", "createTask", task)
        assert (logged["status"], logged["key"]) == (200, "sk-0…")


def test_no_log_line_holds_a_key() -> None:
    with serving("--log-format", "json", "--keys", "sk-0123456789abcdef") as server:
        create(server.url)
        httpx.get(f"{server.url}/kie/nowhere", headers={"Authorization": "Bearer secret-secret"}, trust_env=False)
        httpx.get(f"{server.url}/crun/api/v1/client/job/Models", headers={"x-api-key": "secret-x"}, trust_env=False)
        server.until(lambda: len(server.err) == 3)
        assert [line for line in server.out + server.err if "0123456789" in line or "secret-" in line] == []


def test_quiet_logs_no_exchanges() -> None:
    with serving("--quiet") as server:
        assert create(server.url).status_code == 200
        assert server.stop(signal.SIGTERM) == 0
        assert server.err == []


def test_two_runs_with_the_same_seed_clock_and_requests_give_the_same_bytes() -> None:
    told = []
    for _ in range(2):
        with serving("--seed", "3", "--clock", "2026-01-01T12:00:00Z", "--frozen") as server:
            told.append([create(server.url).content for _ in range(3)])
    assert told[0] == told[1]


def test_it_serves_from_a_folder_that_it_was_not_installed_in(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server:
        assert create(server.url).json()["code"] == 200
        assert list(tmp_path.iterdir()) == []
