"""`understudy providers` and `understudy show`: what they tell, and that it is what is played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main
from understudy.entrypoints.tables import print_provider
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.headers import Headers
from understudy.mockserver.request import Request
from understudy.mockserver.settings import Settings
from understudy.openapi.conditions import CONDITIONS
from understudy.openapi.provider import built_in_names, load_provider

ACME = Path(__file__).parent.parent / "providers" / "acme"
NAMES = [*built_in_names(), str(ACME)]


def text_of(*arguments: str, **environment: str) -> str:
    """Return what a command prints."""
    result = CliRunner().invoke(main, arguments, env=environment)
    assert result.exit_code == 0, result.stderr
    return result.output


def facts_of(name: str, *arguments: str) -> Any:
    """Return what `show --format json` prints."""
    return orjson.loads(text_of("show", name, "--format", "json", *arguments))


def named(facts: Any, part: str, name: str) -> Any:
    """Return the entry of that name."""
    return next(each for each in facts[part] if each["name"] == name)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_fits_a_terminal_and_ends_without_blanks(name: str) -> None:
    lines = text_of("show", name).splitlines()
    assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []


def test_a_table_without_a_terminal_is_plain_and_as_wide_whatever_the_environment_says() -> None:
    plain = text_of("show", "kie")
    assert "\x1b" not in plain
    assert text_of("show", "kie", COLUMNS="200") == plain
    assert text_of("show", "kie", COLUMNS="20") == plain


def test_a_terminal_gets_its_whole_width_and_headings_in_bold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = facts_of("kie")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_, **__: False)
    print_provider(facts)
    printed = capsys.readouterr().out
    assert "\x1b[1mOperations\x1b[0m" in printed
    assert "an uploaded input picture is gone, too large or no picture" in printed


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_json_tells_stands_in_the_tables(name: str) -> None:
    facts, table = facts_of(name), " ".join(text_of("show", name).split())
    for part in ("operations", "models", "statuses", "failures", "errors", "options"):
        assert [each["name"] for each in facts[part] if each["name"] not in table] == []
    assert [each["path"] for each in facts["operations"] if f"{each['method']} {each['path']}" not in table] == []


@pytest.mark.parametrize("name", NAMES)
def test_provenance_is_told_of_every_statement(name: str) -> None:
    facts = facts_of(name)
    parts = ("operations", "models", "statuses", "failures", "errors", "options", "limits")
    told = {each["provenance"] for part in parts for each in facts[part]} | {facts["id"]["provenance"]}
    assert told <= {"documented", "observed", "assumed"}


def test_provenance_is_the_behaviour_files() -> None:
    facts = facts_of("crun")
    assert facts["key"] == {"header": "x-api-key", "scheme": "", "prefix": "ak_", "provenance": "observed"}
    assert named(facts, "models", "google/nano-banana")["provenance"] == "assumed"
    assert named(facts, "failures", "moderated")["provenance"] == "assumed"
    assert named(facts, "operations", "putFile")["provenance"] == "assumed"
    assert facts_of("apikley")["limits"][0]["provenance"] == "assumed"
    assert facts_of("apikley")["retention"]["provenance"] == "assumed"


def test_statuses_are_told_with_phase_and_duration() -> None:
    statuses = facts_of("kie")["statuses"]
    assert [(each["name"], each["phase"], each["lasts"]) for each in statuses] == [
        ("waiting", "pending", "1s..3s"),
        ("queuing", "pending", "1s..4s"),
        ("generating", "processing", "8s..25s"),
        ("success", "completed", None),
        ("fail", "failed", None),
    ]


def test_a_model_is_told_with_its_price_and_who_creates_it() -> None:
    model = named(facts_of("kie"), "models", "nano-banana-pro")
    assert model["created_by"] == ["createTask"]
    assert model["credits"] == "{{ 24 if input.input.resolution == '4K' else 18 }}"
    assert "24 if input.input.resolution == '4K'  createTask  assumed" in text_of("show", "kie")
    assert named(facts_of("crun"), "models", "google/nano-banana-v2")["fixed"] == {"format": "png", "resolution": "1K"}
    assert model["provenance"] == "assumed"


def test_an_error_is_told_with_what_raises_it_and_with_which_status() -> None:
    unauthorized = named(facts_of("kie"), "errors", "unauthorized")
    assert [(each["condition"], each["http_status"]) for each in unauthorized["raised"]] == [
        ("key-missing", 200), ("key-missing", 401), ("key-refused", 200), ("key-refused", 401),
    ]  # fmt: skip
    assert unauthorized["raised"][1]["operations"] == ["uploadBase64", "uploadUrl", "uploadStream"]
    assert "401   no key was sent (uploadBase64," in text_of("show", "kie")


def test_an_error_that_nothing_raises_says_so() -> None:
    assert named(facts_of("kie"), "errors", "maintenance")["raised"] == []
    assert "maintenance           455         nothing by itself" in text_of("show", "kie")


def test_options_show_what_is_chosen() -> None:
    text = text_of("show", "kie", "--set", "kie.errors=http")
    assert "HTTP status 200, and the code in the body (default)" in " ".join(text.split())
    assert "The HTTP status follows the code (chosen)" in " ".join(text.split())
    assert named(facts_of("kie", "--set", "kie.errors=http"), "options", "kie.errors")["chosen"] == "http"


def test_options_change_what_is_shown() -> None:
    raised = named(facts_of("kie", "--set", "kie.errors=http"), "errors", "unauthorized")["raised"]
    assert {each["http_status"] for each in raised} == {401}
    guide = facts_of("mulerouter", "--set", "mulerouter.statuses=guide")
    assert [each["name"] for each in guide["statuses"]] == ["failed", "queued", "running", "succeeded"]


def test_options_of_other_providers_in_the_environment_are_no_matter() -> None:
    text = text_of("show", "kie", UNDERSTUDY_SET="mulerouter.statuses=guide kie.errors=http")
    assert "(chosen)" in text


def test_a_folder_is_shown_like_a_built_in_provider() -> None:
    facts = facts_of(str(ACME))
    assert facts["name"] == "acme"
    cancel_late = next(each for each in facts["errors"] if any(r["condition"] == "cancel-late" for r in each["raised"]))
    assert cancel_late["raised"][0]["operations"] == ["cancelPictures"]
    assert facts["limits"] == [
        {"operations": ["createPictures"], "count": 30, "per": "1m", "provenance": "documented"}
    ]  # fmt: skip


@pytest.mark.parametrize("name", built_in_names())
def test_what_is_told_of_keys_is_what_is_played(name: str) -> None:
    emulator = Emulator([load_provider(name)], Settings())
    facts = facts_of(name)
    raised = [r for each in facts["errors"] for r in each["raised"] if r["condition"] == "key-missing"]
    told = {operation: each["http_status"] for each in raised for operation in each["operations"]}
    for operation in facts["operations"]:
        if operation["name"] in told:
            path = f"/{name}{operation['path']}".replace("{", "").replace("}", "")
            exchange = emulator.handle(Request(operation["method"], path, b"", Headers(), b""))
            assert exchange.answer.status == told[operation["name"]], operation["name"]


def test_only_known_conditions_are_told() -> None:
    for name in NAMES:
        for error in facts_of(name)["errors"]:
            assert {each["condition"] for each in error["raised"]} <= set(CONDITIONS)


def test_providers_are_listed() -> None:
    text = text_of("providers")
    assert [line.split()[0] for line in text.splitlines() if not line.startswith(" ")] == ["name", *built_in_names()]
    assert "https://api.kie.ai" in text
    assert max(map(len, text.splitlines())) <= 80
    listed = orjson.loads(text_of("providers", "--format", "json"))["providers"]
    assert [each["name"] for each in listed] == built_in_names()


def test_a_broken_document_is_told_by_show(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    for path in ACME.iterdir():
        (folder / path.name).write_text(path.read_text())
    (folder / "pictures.yaml").write_text("openapi: 2.0.0\n")
    result = CliRunner().invoke(main, ["show", str(folder)])
    assert result.exit_code == 2
    assert "pictures.yaml:1: /openapi: is '2.0.0'; expected an OpenAPI version" in result.stderr
