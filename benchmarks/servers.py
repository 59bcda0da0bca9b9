"""Starting what is measured: a process on its own core, that answers, and that is ended again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from .jobs import CREATION, once
from .load import Ask, LoadError, Outcome, Script, load
from .machine import free_port, pinned, resident, spent

ROOT = Path(__file__).parent.parent
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_PATH = re.compile(r"(?<![\w/])/(?:[^\s/'\"]+/)+")

Command = Callable[[int], Sequence[str]]
"""Makes the command that starts a server on a port."""


class StartError(Exception):
    """A server did not start, or ended by itself."""


class Running:
    """A server in a process of its own, pinned to a core; `port` is where it answers."""

    def __init__(self, command: Command, core: int, *, ready: Ask = CREATION, bytecode: bool = True) -> None:
        self._command = command
        self._core = core
        self._ready = ready
        self._bytecode = bytecode
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it ends
        self.port = 0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        """Start it; return when it has answered `ready` rightly, which took `seconds`."""
        self.port = free_port()
        began = time.perf_counter()
        with pinned(self._core):
            self.process = subprocess.Popen(
                self._command(self.port), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=ROOT,
                env=_environment(bytecode=self._bytecode),
            )  # fmt: skip
        try:
            self._wait(began + _START_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.seconds = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    def _wait(self, end: float) -> None:
        while True:
            with suppress(OSError, LoadError):
                if load(self.port, lambda: once(self._ready), 1).waits:
                    return
            if self.process.poll() is not None:
                raise StartError(f"ended with {self.process.returncode}: {self.said()}")
            if time.perf_counter() > end:
                raise StartError(f"no right answer within {_START_SECONDS:g} s: {self.said()}")
            time.sleep(0.001)

    def said(self) -> str:
        """Return the last line that it has printed, without this machine's paths."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines() or ["nothing was printed"]
        return _PATH.sub("…/", lines[-1])[:200]

    def under(self, script: Callable[[], Script], connections: int, seconds: float) -> Outcome:
        """Put it under load for so long, and return what came of it, with the processor time it took."""
        before = spent(self.process.pid)
        outcome = load(self.port, script, connections, seconds=seconds)
        outcome.spent = spent(self.process.pid) - before
        return outcome

    def memory(self) -> float:
        """Return the MiB that it holds."""
        return resident(self.process.pid)

    def stop(self) -> None:
        """End it, by force where it does not do so by itself."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


def _environment(*, bytecode: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UNDERSTUDY"))}
    # A folder that holds none, and that none is written to, stands for the very first start.
    return kept if bytecode else kept | {"PYTHONPYCACHEPREFIX": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}


def understudy(*flags: str) -> Command:
    """Return what starts this project's server, limits and log off, as for a load test."""
    program = str(Path(sys.executable).with_name("understudy"))
    return lambda port: [program, "serve", "--port", str(port), "--quiet", "--no-limits", *flags]


def bare(name: str, folder: Path, polls: int) -> Command:
    """Return what starts one of the bare applications."""
    return lambda port: [sys.executable, "-m", "benchmarks.bare", name, str(port), str(folder), str(polls)]
