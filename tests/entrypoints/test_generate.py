"""`understudy generate`: from a prompt to files, what it prints, and how it ends."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from understudy.client import Client, Phase, Task
from understudy.entrypoints.cli import main
from understudy.entrypoints.generate import _Progress
from understudy.mockserver import MockServer
from understudy.mockserver.settings import Settings
from understudy.openapi.provider import built_in_names, load_provider

ACME = Path(__file__).parent.parent / "providers" / "acme"


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """All providers, a hundred times faster than real time."""
    with MockServer([*built_in_names(), load_provider(ACME)], Settings(speed=100)) as running:
        yield running


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder for the results."""
    return tmp_path / "pictures"


def run(server: MockServer, out: Path, *arguments: str, name: str = "kie", prompt: str = "a lighthouse") -> Result:
    """Run the command against the server, with key and URL from the environment."""
    provider, model = (str(ACME), "brush-2") if name == "acme" else (name, "nano-banana-pro")
    environment = {f"UNDERSTUDY_{name.upper()}_API_KEY": "key-of-mine-012345",
                   f"UNDERSTUDY_{name.upper()}_BASE_URL": f"{server.url}/{name}"}  # fmt: skip
    fixed = ["generate", prompt, "--provider", provider, "--model", model, "--out", str(out), "--poll-every", "0.02"]
    return CliRunner().invoke(main, [*fixed, *arguments], env=environment)


def failed(result: Result, status: int) -> str:
    """Return what a command said on standard error before it ended with `status`."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["kie", "mulerouter", "acme"])
def test_a_prompt_becomes_a_file(name: str, server: MockServer, out: Path) -> None:
    result = run(server, out, "--set", "aspect_ratio=16:9", name=name)
    assert result.exit_code == 0, result.stderr
    (path,) = map(Path, result.stdout.splitlines())
    assert path.parent == out
    with Image.open(path) as picture:
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.02)
    first, *_, last = result.stderr.splitlines()
    assert first.startswith("creating, ")
    assert last.partition(",")[0] in {"success", "completed", "done"}


def test_json_holds_task_and_files(server: MockServer, out: Path) -> None:
    result = run(server, out, "--format", "json", "--set", "n=2", "--set", "detail=sketch", name="acme")
    told = orjson.loads(result.stdout)
    assert (told["task"]["status"], told["task"]["phase"], told["task"]["provider"]) == ("done", "completed", "acme")
    assert [Path(each).name for each in told["files"]] == [f"{told['task']['id']}-{number}.png" for number in (1, 2)]
    assert told["task"]["created"].endswith("+00:00")
    assert "error" not in told


def test_an_input_picture_is_uploaded_and_a_link_passed_on(server: MockServer, out: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "heron.png")
    link = "https://example.com/b.png"
    result = run(server, out, "--image", str(tmp_path / "heron.png"), "--image", link, "--format", "json")
    assert result.exit_code == 0, result.stderr
    with Client("kie", api_key="key-of-mine-012345", base_url=f"{server.url}/kie") as client:
        asked = orjson.loads(client.get(orjson.loads(result.stdout)["task"]["id"]).raw["data"]["param"])
    first, second = asked["input"]["image_input"]
    assert first.endswith("/uploads/understudy/heron.png")
    assert second == link


def test_a_failed_task_ends_with_1_and_says_why(server: MockServer, out: Path) -> None:
    prompt = "a lighthouse [understudy fail code=501 message=dry]"
    last = failed(run(server, out, prompt=prompt), 1)
    assert last.startswith("understudy: task task_nano-banana-pro_")
    assert last.endswith("ended as 'fail': 501 dry")
    told = orjson.loads(run(server, out, "--format", "json", prompt=prompt).stdout)
    assert (told["error"]["kind"], told["error"]["code"], told["files"]) == ("TaskFailed", "501", [])
    assert told["task"]["error"] == {"code": "501", "message": "dry"}


def test_a_refusal_ends_with_1(server: MockServer, out: Path) -> None:
    last = failed(run(server, out, "--api-key", "invalid-key-0123"), 1)
    assert last == "understudy: the provider answered 401 (HTTP 200): The API key is missing or not valid"
    result = run(server, out, "--format", "json", "--api-key", "invalid-key-0123")
    told = orjson.loads(result.stdout)
    assert (result.exit_code, told["task"], told["error"]["kind"]) == (1, None, "Unauthorized")


def test_time_that_is_up_ends_with_1_and_names_the_task(server: MockServer, out: Path) -> None:
    last = failed(run(server, out, "--timeout", "0.3", prompt="x [understudy stuck]"), 1)
    assert "had not ended after 0.3 s; its status was " in last


def test_a_result_that_is_gone_names_the_task_it_was_of(server: MockServer, out: Path) -> None:
    last = failed(run(server, out, prompt="x [understudy result-expired]"), 1)
    assert "(task task_nano-banana-pro_" in last


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nano-banana-por"], "model is 'nano-banana-por' (did you mean 'nano-banana-pro'?)"),
        (["--set", "aspect_ration=1:1"], "input.aspect_ration is not known (did you mean 'aspect_ratio'?)"),
        (["--set", "aspect_ratio"], "--set aspect_ratio: expected FIELD=VALUE"),
        (["--operation", "edits"], "no operation 'edits' creates a task of nano-banana-pro"),
        (["--provider", "kei"], "kei: is no folder and no built-in provider (did you mean 'kie'?)"),
        (["--base-url", "nowhere"], "the base URL 'nowhere' is none"),
        (["--image", "/nowhere/heron.png"], "/nowhere/heron.png: No such file or directory"),
        (["--provider", "crun"], "no key for crun: pass api_key or set UNDERSTUDY_CRUN_API_KEY"),
    ],
)  # fmt: skip
def test_what_can_not_work_ends_with_2(arguments: list[str], message: str, server: MockServer, out: Path) -> None:
    assert message in failed(run(server, out, *arguments), 2)


def test_a_folder_that_is_a_file_ends_with_2(server: MockServer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert run(server, tmp_path / "taken").exit_code == 2
    assert failed(run(server, tmp_path / "taken" / "below"), 2).startswith("understudy: ")


def test_what_the_stored_schema_refuses_can_be_sent(server: MockServer, out: Path) -> None:
    last = failed(run(server, out, "--no-validate", "--set", "resolution=8K"), 1)
    assert "the provider answered 422 (HTTP 200)" in last
    assert "resolution" in last


def test_ctrl_c_says_which_task_goes_on(server: MockServer, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "wait", interrupted)
    last = failed(run(server, out), 130)
    assert last.startswith("understudy: interrupted; task task_nano-banana-pro_")
    assert last.endswith(" goes on")
    monkeypatch.setattr(Client, "create", interrupted)
    assert failed(run(server, out), 130) == "understudy: interrupted"


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_on_a_terminal_one_line_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr("understudy.entrypoints.generate.time.monotonic", lambda: moment[0])
    monkeypatch.setattr(
        "understudy.entrypoints.generate.time.sleep", lambda seconds: moment.__setitem__(0, moment[0] + seconds)
    )
    stream = Terminal()
    progress = _Progress(stream)
    progress.show("creating")
    progress.see(Task("t1", "acme", status="painting", progress=40))
    progress.sleep(2.5)
    progress.see(Task("t1", "acme", phase=Phase.COMPLETED))
    progress.end()
    progress.end()
    assert stream.getvalue().split("\r") == [
        "", "creating, 0 s", "painting 40 %, 0 s", "painting 40 %, 1 s", "painting 40 %, 2 s", "painting 40 %, 2 s",
        "completed, 2 s    \n",
    ]  # fmt: skip


def test_help_costs_nothing_of_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert "generate   Generate with a provider" in result.output
