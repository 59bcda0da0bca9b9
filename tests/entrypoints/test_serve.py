"""`understudy serve`: what its flags decide, from the command line and from the environment."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result
from understudy.entrypoints import serve as module
from understudy.entrypoints.cli import main
from understudy.mockserver.app import App
from understudy.openapi.provider import built_in_names

from ..processes import COMMAND, Running

ACME = Path(__file__).parent.parent / "providers" / "acme"
START = 1_765_178_625_768

FLAGS: dict[str, tuple[str, str, Any]] = {
    "--seed": ("seed", "7", 7),
    "--clock": ("start", "2025-12-08T07:23:45.768Z", START),
    "--frozen": ("frozen", "", True),
    "--speed": ("speed", "20", 20.0),
    "--instant": ("instant", "", True),
    "--keys": ("keys", "one, two", frozenset({"one", "two"})),
    "--credits": ("credits", "5", 5.0),
    "--no-limits": ("limits", "", False),
    "--max-tasks": ("max_tasks", "3", 3),
    "--public-url": ("public_url", "https://example.com/under/", "https://example.com/under"),
}
"""Flags that become a setting: the setting, a value, and what it becomes."""


class Stage:
    """What `serve` would have served, and what it printed."""

    app: App
    ready: Callable[[], None]

    def serve(self, app: App, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Stand in for serving: say that it is ready, and end."""
        self.app = app
        self.address = listener.getsockname()
        ready()
        listener.close()

    def run(self, *arguments: str, **environment: str) -> Result:
        """Run `understudy serve` on a free port, unless the environment says which."""
        free = [] if "UNDERSTUDY_PORT" in environment else ["--port", "0"]
        result = CliRunner().invoke(main, ["serve", *free, *arguments], env=environment)
        assert result.exit_code == 0, result.stderr
        return result


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which nothing is served."""
    stage = Stage()
    monkeypatch.setattr(module, "serve_app", stage.serve)
    return stage


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_decides_a_setting(stage: Stage, flag: str) -> None:
    name, value, expected = FLAGS[flag]
    stage.run(flag, *([value] if value else []))
    assert getattr(stage.app.emulator.settings, name) == expected


@pytest.mark.parametrize("flag", FLAGS)
def test_the_environment_decides_the_same_setting(stage: Stage, flag: str) -> None:
    name, value, expected = FLAGS[flag]
    stage.run(**{"UNDERSTUDY_" + flag[2:].replace("-", "_").upper(): value or "1"})
    assert getattr(stage.app.emulator.settings, name) == expected


def test_every_flag_has_a_variable_that_is_shown() -> None:
    options = [each for each in module.serve.params if isinstance(each, click.Option)]
    named = {each.opts[0]: each.envvar for each in options}
    assert named == {flag: "UNDERSTUDY_" + flag[2:].replace("-", "_").upper() for flag in named}
    text = CliRunner().invoke(main, ["serve", "--help"]).output
    assert [variable for variable in named.values() if str(variable) not in text] == []


def test_the_command_line_outranks_the_environment(stage: Stage) -> None:
    stage.run("--seed", "8", UNDERSTUDY_SEED="7")
    assert stage.app.emulator.settings.seed == 8


def test_host_and_port_come_from_the_environment_too(stage: Stage) -> None:
    stage.run(UNDERSTUDY_PORT="0", UNDERSTUDY_HOST="localhost")
    assert stage.address[0] == "127.0.0.1"


def test_several_values_stand_in_one_variable_with_spaces_between_them(stage: Stage) -> None:
    stage.run(UNDERSTUDY_PROVIDER=f"kie {ACME}", UNDERSTUDY_SET="kie.errors=http kie.unknown-id=404")
    assert list(stage.app.emulator.providers) == ["kie", "acme"]
    assert stage.app.emulator.providers["kie"].provider.options["errors"] == "http"
    assert stage.app.emulator.providers["kie"].provider.options["unknown-id"] == "404"


def test_the_port_that_was_taken_is_printed(stage: Stage) -> None:
    lines = stage.run().output.splitlines()
    port = stage.address[1]
    assert lines[0] == "understudy 0.1.0, seed 0"
    assert lines[1:] == [
        f"  apikley     http://127.0.0.1:{port}/apikley     Authorization: Bearer <any key>",
        f"  crun        http://127.0.0.1:{port}/crun        x-api-key: <any key>",
        f"  kie         http://127.0.0.1:{port}/kie         Authorization: Bearer <any key>",
        f"  mulerouter  http://127.0.0.1:{port}/mulerouter  Authorization: Bearer <any key>",
    ]


def test_a_provider_at_the_root_is_greeted_there(stage: Stage) -> None:
    lines = stage.run("--root", "kie", "--provider", "kie", "--keys", "a").output.splitlines()
    assert lines[1].split() == [
        "kie", f"http://127.0.0.1:{stage.address[1]}", "Authorization:", "Bearer", "<one", "of", "--keys>",
    ]  # fmt: skip


def test_links_begin_with_the_address_that_is_listened_on(stage: Stage) -> None:
    stage.run()
    assert stage.app.emulator.settings.public_url == f"http://127.0.0.1:{stage.address[1]}"


def test_a_provider_is_named_by_its_folder_wherever_one_stands(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ACME)
    stage.run("--provider", ".", "--provider", "kie")
    assert list(stage.app.emulator.providers) == ["acme", "kie"]


def test_all_built_in_providers_are_served_where_none_is_named(stage: Stage) -> None:
    stage.run()
    assert list(stage.app.emulator.providers) == built_in_names()


def test_what_the_emulator_has_to_say_goes_to_stderr(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run("--max-tasks", "1")
    stage.app.emulator.tasks._said("something is gone")
    assert "understudy: something is gone" in capsys.readouterr().err


# --- scenarios ----------------------------------------------------------------------------------------------

MINE = "scenarios:\n  paintless: { like: fail, with: { code: '3009', after: 0s } }\n"


def failure(url: str, scenario: str) -> str:
    """Return the code that a creation fails with, or the refusal of the creation."""
    headers = {"Authorization": "Bearer test", "Understudy-Scenario": scenario}
    jobs, body = f"{url}/kie/api/v1/jobs", {"model": "nano-banana-pro", "input": {"prompt": "x"}}
    with httpx.Client(trust_env=False, verify=False, headers=headers) as client:
        created = client.post(f"{jobs}/createTask", json=body).json()
        if "error" in created:
            return str(created["error"])
        polled = client.get(
            f"{jobs}/recordInfo?taskId={created['data']['taskId']}", headers={"Understudy-Scenario": "success"}
        )
        return str(polled.json()["data"]["failCode"])


def test_a_scenario_file_is_read_again_when_it_changes_and_a_bad_edit_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    with Running([COMMAND, "serve", "--port", "0", "--quiet", "--scenarios", str(path)]) as server:
        assert failure(server.url, "paintless") == "3009"
        path.write_text(MINE.replace("3009", "30010"))
        assert failure(server.url, "paintless") == "30010"
        path.write_text(MINE.replace("fail", "fial"))
        assert failure(server.url, "paintless") == "30010"
        server.until(lambda: len(server.err) >= 2)
        said, bad = server.err[:2]
        assert said == f"understudy: {path} was read again"
        assert bad.startswith(
            f"understudy: {path}:2: /scenarios/paintless/like: no scenario 'fial' (did you mean 'fail'?)"
        )
        assert bad.endswith("; the scenarios read before are kept")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--scenario", "fial"], "no scenario 'fial' (did you mean 'fail'?); known: success"),
        (["--scenario", "fail; cod=1"], "fail takes no 'cod' (did you mean 'code'?)"),
        (["--scenario", "fail code=1"], "is malformed at 'code=1'"),
        (["--scenario", "partial", "--provider", "kie"], "partial can't be played: the provider makes one result"),
    ],
)
def test_a_default_that_cannot_be_played_ends_the_start_in_one_line(flags: list[str], message: str) -> None:
    with Running([COMMAND, "serve", "--port", "0", *flags]) as server:
        assert server.ended() == 2
        (line,) = server.err
        assert line.startswith("understudy: ")
        assert message in line


def test_a_broken_scenario_file_ends_the_start_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE.replace("like", "lik"))
    with Running([COMMAND, "serve", "--port", "0", "--scenarios", str(path)]) as server:
        assert server.ended() == 2
        (line,) = server.err
        assert line.startswith(f"understudy: {path}:2: /scenarios/paintless/lik: is not known; expected one of about")
