"""The consoles of the documentation: every command in them is run, and what is shown is what comes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from PIL import Image

from ..processes import COMMAND, Running

ROOT = Path(__file__).parent.parent.parent
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = "http://127.0.0.1:4020"
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
        self.server: Running | None = None

    def run(self, step: Step) -> str:
        """Run a step and return what it prints, as the documentation would show it."""
        if step.command.startswith("understudy serve"):
            return self._serve(step)
        command = step.command if self.server is None else step.command.replace(SHOWN, self.server.url)
        path = f"{Path(COMMAND).parent}:/usr/bin:/bin"
        with Running(["bash", "-c", command], {**STILL, "PATH": path}, self.folder) as process:
            assert process.ended() == 0, process.err
        return self._as_shown("\n".join(process.out))

    def _serve(self, step: Step) -> str:
        self.close()
        command = [COMMAND, *shlex.split(step.command)[1:], "--port", "0"]
        self.server = Running(command, STILL, self.folder)
        lines = max(step.shown.count("\n") + 1, 1)
        self.server.until(lambda: len(self.server.out) >= lines or self.server.process.poll() is not None)  # type: ignore[union-attr]
        if self.server.process.poll() is not None:
            self.server.ended()
        return self._as_shown("\n".join(self.server.out[:lines] or self.server.err))

    def _as_shown(self, text: str) -> str:
        return re.sub(r"http://127\.0\.0\.1:\d+", SHOWN, text)

    def close(self) -> None:
        """End the server."""
        if self.server is not None:
            self.server.__exit__(None, None, None)
            self.server = None


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console in an empty folder."""
    opened = Console(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_console_shows_what_comes(console: Console, path: Path) -> None:
    text = path.read_text()
    make_folders(text, console.folder)
    assert list(steps(text)) or "$ " not in text
    for step in steps(text):
        came = console.run(step)
        assert fits(step.shown, came) or not step.shown, f"{step.command}\nshown: {step.shown}\ncame:  {came}"


def test_the_log_line_is_the_one_that_is_shown(console: Console) -> None:
    text = (ROOT / "docs" / "serving.md").read_text()
    line = blocks(text, "json")[0].strip()
    console.run(Step("understudy serve --log-format json", ""))
    console.run(Step(f"curl -s {SHOWN}/kie/api/v1/chat/credit -H 'Authorization: Bearer sk-0123456789'", ""))
    assert console.server is not None
    console.server.until(lambda: console.server and console.server.err)
    shown, came = orjson.loads(line), orjson.loads(console.server.err[0])
    assert came | {"ms": shown["ms"], "time": shown["time"]} == shown


def test_the_picture_of_the_readme_is_what_is_fetched(console: Console) -> None:
    for step in steps((ROOT / "README.md").read_text()):
        console.run(step)
    fetched, shown = (Image.open(each / "picture.png") for each in (console.folder, ROOT / "docs"))
    with fetched, shown:
        assert (fetched.format, fetched.tobytes()) == (shown.format, shown.tobytes())


def test_an_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    assert fits("a…c", "abc")
    assert fits("a…c", "ac")
    assert not fits("a…c", "abd")
    assert not fits("a.c", "abc")
