"""One line per exchange, for a person or for a program."""

from __future__ import annotations

import io
import signal
import socket
from typing import Any

import httpx
import orjson
import pytest
from understudy.mockserver.log import json_log, text_log

from ..processes import serving
from .stage import SIMPLE, Stage


def text_of(act: Any, *providers: str) -> str:
    """Return what is logged while `act` plays on a stage."""
    stream = io.StringIO()
    act(Stage(*providers, log=text_log(stream)))
    return stream.getvalue()


def test_a_line_tells_time_status_key_provider_operation_and_task() -> None:
    stream, key = io.StringIO(), "a-secret-key"
    stage = Stage("kie", log=text_log(stream))
    task = stage.created("kie", SIMPLE["kie"], key=key)
    line = stream.getvalue()
    assert line.endswith(f"kie createTask {task}\n")
    assert " 200 " in line
    assert " ms  a-se… kie" in line
    assert key not in line


def test_a_refusal_tells_what_was_played_and_an_unknown_path_what_was_asked() -> None:
    assert text_of(lambda stage: stage.create("kie", {}), "kie").endswith("kie createTask invalid-request\n")
    assert text_of(lambda stage: stage.ask("PUT", "/kie/nothing"), "kie").endswith("kie PUT /nothing not-found\n")


@pytest.mark.parametrize(
    "path", ["/kie/%0A12:00:00.000 200 forged", "/kie/%1B[2J", "/kie/\u2603", "/kie/%FF", "/kie/%0D%0A", "/\u202e"]
)
def test_a_line_stays_one_line_that_any_terminal_takes(path: str) -> None:
    line = text_of(lambda stage: stage.ask("GET", path), "kie")
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


def test_a_long_path_is_told_in_part() -> None:
    assert len(text_of(lambda stage: stage.ask("GET", "/kie/" + "a" * 10_000), "kie")) < 400


def test_for_a_program_it_is_json_with_a_name_for_each_fact() -> None:
    stream = io.StringIO()
    stage = Stage("kie", log=json_log(stream))
    task = stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", "/kie/%0A\u2603", None)
    stage.ask("GET", "/nothing", None)
    first, second, third = map(orjson.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first.pop("ms") >= 0
    assert first == {
        "key": "…", "provider": "kie", "operation": "createTask", "method": "POST", "path": "/api/v1/jobs/createTask",
        "task": task, "played": "", "status": 200,
    }  # fmt: skip
    assert (second["path"], second["status"], second["played"]) == ("/\n\u2603", 404, "not-found")
    assert (third["key"], third["provider"]) == ("", "")


def test_a_file_fetched_is_a_line_too() -> None:
    stream = io.StringIO()
    stage = Stage("acme", log=text_log(stream), instant=True)
    (link,) = stage.facts("acme", stage.created("acme", SIMPLE["acme"]))["outputs"]
    stage.ask("GET", link)
    assert " 200 " in stream.getvalue().splitlines()[-1]
    assert "acme file" in stream.getvalue().splitlines()[-1]


def test_what_a_client_does_wrong_puts_no_line_of_another_kind_into_the_log() -> None:
    with serving("--log-format", "json", "--provider", "kie") as process:
        host, port = process.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"no HTTP\r\n\r\n")
            assert b"400" in connection.recv(1000)
        headers = {"authorization": "Bearer test", "content-type": "multipart/form-data"}
        upload = f"{process.url}/kie/api/file-stream-upload"
        assert httpx.post(upload, content=b"x", headers=headers, trust_env=False).status_code == 400
        process.stop(signal.SIGTERM)
        assert [orjson.loads(line)["operation"] for line in process.err] == ["uploadStream"]
