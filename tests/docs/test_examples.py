"""The consoles of the documentation: every command in them is run, and what is shown is what comes."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from PIL import Image

from ..processes import COMMAND, Running

ROOT = Path(__file__).parent.parent.parent
README, WATCH = ROOT / "README.md", ROOT / "docs" / "watch.md"
FILES = [README, *sorted((ROOT / "docs").glob("*.md"))]
LOOKED_AT_CLOSER = {README, WATCH}
"""What is run by tests of its own, which look for more than the consoles show."""
SHOWN = "http://127.0.0.1:4020"
SERVING = {"serve": SHOWN, "watch": "http://127.0.0.1:4021"}
"""The commands that go on until they are stopped, and where the documentation shows them."""
STILL = {"UNDERSTUDY_CLOCK": "2025-12-08T07:23:45.768Z", "UNDERSTUDY_FROZEN": "1", "UNDERSTUDY_INSTANT": "1"}
"""The documentation's transcripts were taken at this time, of tasks that had ended."""


@dataclass(frozen=True)
class Step:
    """A command of a console, and what is shown below it."""

    command: str
    shown: str


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def steps(text: str) -> Iterator[Step]:
    """Yield the steps of every console in `text`."""
    for block in blocks(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = re.sub(r"\\\n\s*", "", part).partition("\n")
            yield Step(command.removeprefix("uv run "), shown.strip("\n"))


def fits(shown: str, came: str) -> bool:
    """Tell whether `came` is what is `shown`, where an ellipsis stands for anything."""
    return re.fullmatch(".*?".join(map(re.escape, shown.split("…"))), came, re.DOTALL) is not None


def make_folders(text: str, folder: Path) -> None:
    """Write the files whose text is given: a YAML block after a name such as `acme/openapi.yaml`."""
    for name, content in re.findall(r"`(\w+/\w+\.yaml)`:\n\n```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)


class Console:
    """Runs steps in order. A server that one of them starts serves the next ones, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: dict[str, Running] = {}

    @property
    def server(self) -> Running | None:
        """The emulator that runs, None where none does."""
        return self.servers.get(SHOWN)

    def run(self, step: Step) -> str:
        """Run a step and return what it prints, as the documentation would show it."""
        word = step.command.partition(" ")[2].partition(" ")[0]
        if step.command.startswith("understudy ") and word in SERVING:
            return self._serve(step, SERVING[word])
        command = self._as_run(step.command)
        path = f"{Path(COMMAND).parent}:/usr/bin:/bin"
        with Running(["bash", "-c", command], {**STILL, "PATH": path}, self.folder) as process:
            assert process.ended() == 0, process.err
        return self.as_shown("\n".join(process.out))

    def _serve(self, step: Step, shown: str) -> str:
        if shown == SHOWN:
            self.close()
        command = [COMMAND, *shlex.split(self._as_run(step.command))[1:], "--port", "0"]
        server = self.servers[shown] = Running(command, STILL, self.folder)
        lines = max(step.shown.count("\n") + 1, 1)
        server.until(lambda: len(server.out) >= lines or server.process.poll() is not None)
        if server.process.poll() is not None:
            server.ended()
        return self.as_shown("\n".join(server.out[:lines] or server.err))

    def _as_run(self, command: str) -> str:
        for shown, server in self.servers.items():
            command = command.replace(shown, server.url)
        return command

    def as_shown(self, text: str) -> str:
        """Return `text` with the addresses that the documentation shows."""
        known = {server.url: shown for shown, server in self.servers.items() if server.process.poll() is None}
        return re.sub(r"http://127\.0\.0\.1:\d+", lambda found: known.get(found[0], SHOWN), text)

    def close(self) -> None:
        """End the servers."""
        for server in self.servers.values():
            server.__exit__(None, None, None)
        self.servers.clear()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console in an empty folder."""
    opened = Console(tmp_path)
    yield opened
    opened.close()


def run_all(console: Console, path: Path) -> None:
    """Run the consoles of `path`, and check what each step shows."""
    text = path.read_text()
    make_folders(text, console.folder)
    assert list(steps(text)) or "$ " not in text
    for step in steps(text):
        came = console.run(step)
        assert fits(step.shown, came) or not step.shown, f"{step.command}\nshown: {step.shown}\ncame:  {came}"


@pytest.mark.parametrize("path", [each for each in FILES if each not in LOOKED_AT_CLOSER], ids=lambda path: path.name)
def test_every_console_shows_what_comes(console: Console, path: Path) -> None:
    run_all(console, path)


def test_every_console_shows_what_comes_and_watch_says_what_is_shown(console: Console) -> None:
    run_all(console, WATCH)
    watch = console.servers[SERVING["watch"]]
    watch.until(lambda: any("undocumented-field" in line for line in watch.out))
    assert watch.stop(signal.SIGINT) == 0
    came = console.as_shown("\n".join(watch.out[3:]))
    assert fits(blocks(WATCH.read_text(), "text")[0].rstrip(), came), came


def test_the_log_line_is_the_one_that_is_shown(console: Console) -> None:
    text = (ROOT / "docs" / "serving.md").read_text()
    line = blocks(text, "json")[0].strip()
    console.run(Step("understudy serve --log-format json", ""))
    console.run(Step(f"curl -s {SHOWN}/kie/api/v1/chat/credit -H 'Authorization: Bearer sk-0123456789'", ""))
    assert console.server is not None
    console.server.until(lambda: console.server and console.server.err)
    shown, came = orjson.loads(line), orjson.loads(console.server.err[0])
    assert came | {"ms": shown["ms"], "time": shown["time"]} == shown


def test_every_console_of_the_readme_shows_what_comes_and_its_picture_is_what_is_fetched(console: Console) -> None:
    run_all(console, README)
    fetched, shown = (Image.open(each / "picture.png") for each in (console.folder, ROOT / "docs"))
    with fetched, shown:
        assert (fetched.format, fetched.tobytes()) == (shown.format, shown.tobytes())


def test_an_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    assert fits("a…c", "abc")
    assert fits("a…c", "ac")
    assert not fits("a…c", "abd")
    assert not fits("a.c", "abc")
