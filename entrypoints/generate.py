"""`understudy generate`: one task, from a prompt to files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
import orjson

from ..client import Client, ConfigurationError, InvalidRequest, Task, UnderstudyError
from .ending import fail

_INTERRUPTED = 130


@click.command()
@click.argument("prompt")
@click.option("--provider", required=True, metavar="NAME|FOLDER", help="Provider to ask.")
@click.option("--model", required=True, help="Model that is to generate.")
@click.option("--operation", help="Which of several creating operations, such as edit.")
@click.option("--set", "chosen", multiple=True, metavar="FIELD=VALUE", help="Give a field of the input.")
@click.option("--image", "images", multiple=True, metavar="FILE|URL", help="Input picture; a file is uploaded first.")
@click.option("--out", default=".", show_default=True, type=click.Path(file_okay=False), help="Folder for the results.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="When to give up.")
@click.option("--poll-every", type=click.FloatRange(min=0), metavar="SECONDS", help="Pause between two polls.")
@click.option("--api-key", metavar="KEY", help="Key; better in the environment, as UNDERSTUDY_<PROVIDER>_API_KEY.")
@click.option("--base-url", metavar="URL", help="Where the provider is; also UNDERSTUDY_<PROVIDER>_BASE_URL.")
@click.option("--no-validate", is_flag=True, help="Send input that the stored schema refuses.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What is printed on standard output.")  # fmt: skip
def generate(  # noqa: PLR0913 - one argument for each option of the command line
    *, prompt: str, provider: str, model: str, operation: str | None, chosen: tuple[str, ...],
    images: tuple[str, ...], out: str, timeout: float | None, poll_every: float | None, api_key: str | None,
    base_url: str | None, no_validate: bool, format_: str,
) -> None:  # fmt: skip
    """Create a task from PROMPT, wait for it, and fetch its results.

    Paths of the results are printed on standard output, the progress on standard error. The exit status is 0 when all
    went well, 1 when the provider refused or failed, 2 when what was asked can't work.
    """
    progress = _Progress(sys.stderr)
    reached: list[Task] = []
    try:
        with Client(
            provider, api_key=api_key, base_url=base_url, validate=not no_validate, sleep=progress.sleep
        ) as client:
            fields = client.read_input(model, _pairs(chosen), operation=operation)
            if images:
                fields["images"] = [_link(client, image) for image in images]
            progress.show("creating")
            reached.append(client.create(model, operation=operation, fields={"prompt": prompt, **fields}))
            progress.see(reached[0])
            done = client.wait(reached[0], timeout, poll_every=poll_every, on_poll=progress.see)
            files = client.download(done, out)
    except UnderstudyError as error:
        progress.end()
        _fail(error, reached, format_)
    except OSError as error:
        progress.end()
        fail(f"{error.filename or out}: {error.strerror or error}")
    except KeyboardInterrupt:
        progress.end()
        _leave(reached)
    progress.end()
    _print(done, files, format_)


def _pairs(chosen: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in chosen:
        name, equals, value = text.partition("=")
        if not (name and equals):
            fail(f"--set {text}: expected FIELD=VALUE")
        pairs[name] = value
    return pairs


def _link(client: Client, image: str) -> str:
    return image if image.startswith(("http://", "https://")) else client.upload(image)


def _print(done: Task, files: list[Path], format_: str) -> None:
    if format_ == "json":
        click.echo(orjson.dumps({"task": _facts(done), "files": list(map(str, files))}).decode())
    else:
        click.echo("\n".join(map(str, files)))


def _fail(error: UnderstudyError, reached: list[Task], format_: str) -> None:
    here = isinstance(error, ConfigurationError) or (isinstance(error, InvalidRequest) and error.problems)
    task = getattr(error, "task", None) or (reached[0] if reached else None)
    if format_ == "json":
        told = {"kind": type(error).__name__, "message": str(error), "code": getattr(error, "code", None)}
        click.echo(orjson.dumps({"task": _facts(task) if task else None, "files": [], "error": told}).decode())
    else:
        known = f" (task {task.id})" if task and task.id not in str(error) else ""
        click.echo(f"understudy: {error}{known}", err=True)
    sys.exit(2 if here else 1)


def _leave(reached: list[Task]) -> None:
    created = f"; task {reached[0].id} goes on" if reached else ""
    click.echo(f"understudy: interrupted{created}", err=True)
    sys.exit(_INTERRUPTED)


def _facts(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "provider": task.provider,
        "model": task.model,
        "status": task.status,
        "phase": task.phase.value,
        "created": _iso(task.created),
        "updated": _iso(task.updated),
        "outputs": list(task.outputs),
        "progress": task.progress,
        "credits": task.credits,
        "error": {"code": task.error.code, "message": task.error.message} if task.error else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


class _Progress:
    """Shows where a task stands: one line that changes on a terminal, a line for each change elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._began = time.monotonic()
        self._shown = ""
        self._status = ""

    def see(self, task: Task) -> None:
        """Show where `task` stands."""
        percent = "" if task.progress is None else f" {task.progress:g} %"
        self.show(f"{task.status or task.phase.value}{percent}")

    def show(self, status: str) -> None:
        """Show `status` and the time since the start."""
        changed, self._status = status != self._status, status
        line = f"{status}, {time.monotonic() - self._began:.0f} s"
        if self._terminal:
            self._stream.write(f"\r{line:{len(self._shown)}}")
            self._stream.flush()
            self._shown = line
        elif changed:
            self._stream.write(line + "\n")
            self._stream.flush()

    def sleep(self, seconds: float) -> None:
        """Sleep, while the time shown goes on."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 1.0) if self._terminal else left)
            if self._terminal:
                self.show(self._status)

    def end(self) -> None:
        """Leave the line."""
        if self._terminal and self._shown:
            self._stream.write("\n")
            self._shown = ""
