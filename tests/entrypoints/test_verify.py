"""`understudy verify`, run as a user would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from click.testing import CliRunner, Result
from understudy.entrypoints.cli import main
from understudy.mockserver import MockServer, Settings
from understudy.openapi.provider import load_provider

from ..contracts.runs.strangers import ACME, answering, closed_port, impatient, speaking_tls
from ..processes import COMMAND, Running, serving

QUICK = ("--max-examples", "1")


def run(*arguments: str, **environment: str) -> Result:
    clean = {"UNDERSTUDY_KIE_API_KEY": None, "UNDERSTUDY_KIE_OTHER_API_KEY": None}
    return CliRunner().invoke(main, ["verify", *arguments], env={**clean, **environment})


@pytest.fixture(scope="module")
def acme() -> Iterator[str]:
    with MockServer([load_provider(ACME)]) as server:
        yield f"{server.url}/acme"


def test_the_emulator_of_a_provider_is_verified_where_no_url_is_given() -> None:
    with Running([COMMAND, "verify", str(ACME), *QUICK]) as process:
        assert process.ended() == 0, (process.out, process.err)
    assert process.err == []
    assert process.out[-1].startswith("acme at its emulator in process: no findings; ")


def test_a_server_is_verified_at_its_url() -> None:
    with (
        serving("--provider", str(ACME)) as server,
        Running([COMMAND, "verify", str(ACME), "--url", f"{server.url}/acme", *QUICK]) as process,
    ):
        assert process.ended() == 0, (process.out, process.err)
    assert f"acme at {server.url}/acme: no findings" in process.out[-1]


@pytest.mark.parametrize("shape", ["json", "junit", "github"])
def test_machines_get_a_report_alone_on_standard_output(shape: str) -> None:
    ended = run(str(ACME), "--format", shape, *QUICK)
    assert ended.exit_code == 0, ended.output
    if shape == "json":
        assert json.loads(ended.stdout)["counts"] == {"error": 0, "warning": 0, "info": 0}
    elif shape == "junit":
        assert ET.fromstring(ended.stdout).get("name") == "acme at its emulator in process"
    else:
        assert ended.stdout.splitlines()[-1].startswith("acme at its emulator in process: no findings")


def test_a_finding_ends_it_with_status_1_and_a_command_that_shows_it(tmp_path: Path, recorded: bytes) -> None:
    assert b"success" in recorded
    (tmp_path / "odd.har").write_bytes(recorded.replace(rb"\"state\":\"success\"", rb"\"state\":\"sucess\""))
    ended = run("kie", "--har", str(tmp_path / "odd.har"))
    assert ended.exit_code == 1
    assert "error: recordInfo: " in ended.stdout
    assert "  curl -sS -X GET 'https://api.kie.ai/api/v1/jobs/recordInfo?taskId=" in ended.stdout
    assert "Bearer $KEY" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody",), "nobody: is no folder and no built-in provider"),
        (("kie", "--url", "ftp://127.0.0.1"), "expected http://HOST… or https://HOST…"),
        (("kie", "--url", "http://127.0.0.1:x"), "--url http://127.0.0.1:x: "),
        (("kie", "--url", "http://user:pw@127.0.0.1"), "expected no user, query or fragment"),
        (("kie", "--url", "https://api.kie.ai/"), "is the real kie.ai: verify it with --live"),
        (("kie", "--seed", "-1"), "--seed"),
        (("kie", "--max-wait", "nan"), "--max-wait"),
        (("kie", "--callback-listen", "there"), "expected HOST:PORT"),
        (("kie", "--live"), "no key for the real kie.ai: set UNDERSTUDY_KIE_API_KEY"),
        (("kie", "--live", "--key", "sk-1"), "--key can be read by others: with --live set UNDERSTUDY_KIE_API_KEY"),
        (("kie", "--har", "nothing.har"), "nothing.har"),
        (("kie", "--har", ""), "--har is empty"),
        (("kie", "--key", ""), "--key is empty"),
        (("kie", "--key", "pw-\u043a\u043b\u044e\u0447"), "--key holds what no header can"),
        (("kie", "--key", "pw\nx"), "--key holds what no header can"),
        (("kie", "--key", "a", "--other-key", "pw "), "--other-key holds what no header can"),
        (("kie", "--key", "pw1", "--other-key", "pw1"), "--other-key is the same as --key"),
        (("kie", "--callback-url", "there"), "--callback-url there: expected http://HOST"),
        (("kie", "--url", "http://127.0.0.1:1/~tests/kie"), "below /~tests every key is the same account"),
        (("kie", "--har", "x.har", "--live"), "--har and --live exclude each other"),
    ],
)
def test_what_can_not_work_is_told_in_one_line(arguments: tuple[str, ...], told: str) -> None:
    ended = run(*arguments)
    assert ended.exit_code == 2, ended.output
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "pw" not in ended.stderr


def test_who_is_not_the_provider_is_told_in_one_line(acme: str) -> None:
    with speaking_tls() as tls, answering(302, b"", "text/plain", Location="/login") as moved:
        urls = {
            f"http://127.0.0.1:{closed_port()}": "can't be reached",
            tls: "speaks TLS; try https://",
            moved: "redirects to /login",
            acme: "is another provider than kie.ai",
        }
        for url, told in urls.items():
            ended = run("kie", "--url", url)
            assert (ended.exit_code, ended.stderr.count("\n"), ended.stdout) == (2, 1, "")
            assert told in ended.stderr


def test_a_wrong_key_is_told_in_one_line_and_not_shown() -> None:
    with MockServer(["kie"], settings=Settings(keys=frozenset({"sk-right"}))) as server:
        ended = run("kie", "--url", f"{server.url}/kie", "--key", "sk-wrong-wrong")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert "refuses the key" in ended.stderr
    assert "sk-wrong" not in ended.stderr


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A provider as it might be in earnest: no control API, and keys that have to be right."""
    folder = tmp_path_factory.mktemp("real")
    settings = Settings(control=False, speed=200, keys=frozenset({"sk-real", "sk-other"}))
    with MockServer([impatient(folder)], settings=settings) as server:
        yield str(folder / "kie"), f"{server.url}/kie"


def live(real: tuple[str, str], *arguments: str, **environment: str) -> Any:
    keys = {"UNDERSTUDY_KIE_API_KEY": "sk-real", "UNDERSTUDY_KIE_OTHER_API_KEY": "sk-other", **environment}
    return run(real[0], "--live", "--url", real[1], *arguments, **keys)


def test_keys_that_can_not_be_meant_are_not_sent_anywhere(real: tuple[str, str]) -> None:
    for key, other, told in (
        ("sk-re\nal", "", "UNDERSTUDY_KIE_API_KEY holds what no header can"),
        ("sk-real", "sk-\u00e4", "UNDERSTUDY_KIE_OTHER_API_KEY holds what no header can"),
        ("sk-real", "sk-real", "is the same as UNDERSTUDY_KIE_API_KEY"),
    ):
        ended = live(real, "--yes", UNDERSTUDY_KIE_API_KEY=key, UNDERSTUDY_KIE_OTHER_API_KEY=other)
        assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
        assert told in ended.stderr
        assert "sk-" not in ended.stderr


def balance(real: tuple[str, str]) -> float:
    answer = httpx.get(f"{real[1]}/api/v1/chat/credit", headers={"Authorization": "Bearer sk-real"}, trust_env=False)
    return float(answer.json()["data"])


def test_nothing_is_sent_to_the_real_provider_before_the_plan_is_accepted(real: tuple[str, str]) -> None:
    ended = live((real[0], f"http://127.0.0.1:{closed_port()}"))
    assert ended.exit_code == 2
    assert "At most 2 tasks and about 22 credits (prices are assumed)." in ended.stderr
    assert ended.stderr.endswith("understudy: nothing was sent: accept the plan with --yes\n")


def test_the_real_provider_is_verified_within_its_budget(real: tuple[str, str]) -> None:
    before = balance(real)
    ended = live(real, "--yes", "--max-tasks", "1", "--format", "json")
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert told["counts"]["error"] == 0
    assert "left out: createTask of google/nano-banana: beyond --max-tasks 1" in told["notes"]
    assert before - balance(real) == 18
    assert "sk-real" not in ended.output


@pytest.fixture(scope="module")
def recorded() -> bytes:
    """The journal of an emulator that was asked for one task, as HAR."""
    with (
        MockServer(["kie"], settings=Settings(instant=True)) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": "Bearer sk-1"}, trust_env=False) as http,
    ):
        body = {"model": "google/nano-banana", "input": {"prompt": "a heron"}}
        task = http.post("/kie/api/v1/jobs/createTask", json=body).json()["data"]["taskId"]
        http.get("/kie/api/v1/jobs/recordInfo", params={"taskId": task})
        return http.get("/_understudy/exchanges.har").content


def test_a_recording_is_judged_without_asking_anything(tmp_path: Path, recorded: bytes) -> None:
    (tmp_path / "one.har").write_bytes(recorded)
    ended = run("kie", "--har", str(tmp_path / "one.har"))
    assert ended.exit_code == 0, ended.output
    assert "one.har: no findings; 2 exchanges" in ended.stdout


def test_what_is_no_recording_of_the_provider_is_told_in_one_line(tmp_path: Path, recorded: bytes) -> None:
    (tmp_path / "broken.har").write_bytes(recorded[:-30])
    (tmp_path / "one.har").write_bytes(recorded)
    for name, file, told in (("kie", "broken.har", "breaks off"), ("mulerouter", "one.har", "nothing of MuleRouter")):
        ended = run(name, "--har", str(tmp_path / file))
        assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
        assert told in ended.stderr
