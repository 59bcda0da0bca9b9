"""The command line: what it knows, and how it tells that it does not know something."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from understudy.entrypoints import show
from understudy.entrypoints.cli import main
from understudy.entrypoints.version import VERSION


def run(*arguments: str, **environment: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments, env=environment, prog_name="understudy")


def test_help_lists_the_subcommands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert [f"\n  {name} " in result.output for name in ("serve", "providers", "show")] == [True] * 3


def test_no_subcommand_shows_the_help() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_the_version_is_told() -> None:
    assert run("--version").output == f"understudy, version {VERSION}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serv"], "no command 'serv' (did you mean 'serve'?); known: serve, providers, show"),
        (["zzz"], "no command 'zzz'; known: serve"),
        (["--verson"], "No such option '--verson'. Did you mean '--version'? (see understudy --help)"),
        (["serve", "--instnat"], "No such option '--instnat'. Did you mean '--instant'?"),
        (["serve", "now"], "unexpected extra argument (now) (see understudy serve --help)"),
        (["serve", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["serve", "--port", "http"], "'http' is not a valid integer"),
        (["serve", "--speed", "0"], "0.0 is not in the range x>0"),
        (["serve", "--speed", "inf"], "inf is no finite number"),
        (["serve", "--speed", "fast"], "'fast' is not a valid float"),
        (["serve", "--credits", "nan"], "nan is no finite number"),
        (["serve", "--credits", "-1"], "-1.0 is not in the range x>=0"),
        (["serve", "--max-tasks", "0"], "0 is not in the range x>=1"),
        (["serve", "--seed", "1.5"], "'1.5' is not a valid integer"),
        (["serve", "--clock", "never"], "'never' is no time; expected one such as 2026-01-01T12:00:00Z"),
        (["serve", "--log-format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["serve", "--keys", ","], "--keys names no key; expected K1,K2"),
        (["serve", "--public-url", "example.com"], "--public-url example.com: expected an http or https URL"),
        (["serve", "--provider", "kei"], "kei: is no folder and no built-in provider (did you mean 'kie'?)"),
        (["serve", "--provider", "kie", "--provider", "kie"], "two providers have the same name: kie"),
        (["serve", "--root", "kei"], "--root kei: no such provider is served (did you mean 'kie'?); served: apikley,"),
        (["serve", "--set", "kie"], "--set kie: expected PROVIDER.OPTION=VALUE"),
        (["serve", "--set", "kie.errors"], "--set kie.errors: expected PROVIDER.OPTION=VALUE"),
        (["serve", "--set", "kei.errors=http"], "no provider 'kei' is served (did you mean 'kie'?); served: apikley,"),
        (
            ["serve", "--set", "kie.erors=http"],
            "--set kie.…: no option 'erors' (did you mean 'errors'?); known: errors,",
        ),
        (["serve", "--set", "kie.errors=htp"], "errors has no value 'htp' (did you mean 'http'?); known: body, http"),
        (["serve", "--set", "clock.signatures=x"], "--set clock.signatures=x: expected clock.signatures=real or"),
        (["serve", "--host", "0.0.0.0", "--port", "0"], "is open to others: give --control-token TOKEN, or --no-"),
        (["serve", "--port", "0", "--scenario", "nope"], "nope"),
        (["serve", "--port", "0", "--scenarios", "nowhere.yaml"], "nowhere.yaml"),
        (["serve", "--callback-allow", "a:b", "--port", "0"], "--callback-allow "),
        (["show"], "Missing argument 'NAME|FOLDER' (see understudy show --help)"),
        (["show", "kei"], "kei: is no folder and no built-in provider (did you mean 'kie'?)"),
        (["show", "kie", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["show", "kie", "--set", "kie.erors=http"], "no option 'erors' (did you mean 'errors'?)"),
        (["show", "kie", "--set", "kei.errors=http"], "no provider 'kei' is served (did you mean 'kie'?)"),
    ],
)
def test_incorrect_usage_is_one_line_that_names_what_is_nearest(arguments: list[str], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.startswith("understudy: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_value_of_the_environment_is_checked_like_one_of_the_command_line() -> None:
    result = run("serve", UNDERSTUDY_PORT="http")
    assert result.exit_code == 2
    assert "UNDERSTUDY_PORT" in result.stderr


def test_a_folder_without_a_behaviour_file_is_told(tmp_path: Path) -> None:
    result = run("show", str(tmp_path))
    assert result.exit_code == 2
    assert "behaviour.yaml" in result.stderr


@click.command("broken")
def broken() -> None:
    raise ZeroDivisionError("two\nlines")


@pytest.fixture
def breaking_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `understudy show` end in an error that nobody foresaw."""
    monkeypatch.setattr(show, "show", broken)


@pytest.mark.usefixtures("breaking_down")
def test_what_nobody_foresaw_is_one_line_and_2() -> None:
    result = run("show")
    assert result.exit_code == 2
    assert result.stderr == (
        "understudy: internal error: ZeroDivisionError: two lines (set UNDERSTUDY_TRACEBACK=1 to see where)\n"
    )


@pytest.mark.usefixtures("breaking_down")
def test_where_it_happened_is_shown_when_asked_for() -> None:
    result = run("show", UNDERSTUDY_TRACEBACK="1")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "in broken" in result.stderr
