"""The command as its users run it: a process of its own, watched line by line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

COMMAND = str(Path(sys.executable).with_name("understudy"))
DEADLINE = 20
_ADDRESS = re.compile(r"http://[^/ ]+:\d+")


def clean_environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without understudy's variables, and with `changes`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")} | changes


class Running:
    """A process whose lines are read as they come; `out` and `err` hold those that came so far."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            env=clean_environment(**(environment or {})), cwd=cwd,
        )  # fmt: skip
        streams = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self._readers = [threading.Thread(target=self._read, args=each, daemon=True) for each in streams]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        """Return this process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.ended()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; it is asked again with each line and when a stream ends."""
        with self._changed:
            held = self._changed.wait_for(condition, DEADLINE)
        assert held, f"waited {DEADLINE} s in vain; out: {self.out}; err: {self.err}"

    @property
    def url(self) -> str:
        """Where it answers, once it has said so."""
        self.until(lambda: self.out or self.process.poll() is not None)
        found = _ADDRESS.search("\n".join(self.out))
        assert found, f"no address; out: {self.out}; err: {self.err}"
        return found[0]

    def stop(self, signal: int) -> int:
        """Send `signal` and return the status that the process ends with."""
        self.process.send_signal(signal)
        return self.ended()

    def ended(self) -> int:
        """Return the status that the process ends with, once it does."""
        status = self.process.wait(DEADLINE)
        for reader in self._readers:
            reader.join()
        return status

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                self._say(lines, line.rstrip("\n"))
        self.process.wait()  # a process has closed its streams a moment before it has ended
        with self._changed:
            self._changed.notify_all()

    def _say(self, lines: list[str], line: str) -> None:
        with self._changed:
            lines.append(line)
            self._changed.notify_all()


def serving(*arguments: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Running:
    """Start `understudy serve` on a free port."""
    return Running([COMMAND, "serve", "--port", "0", *arguments], environment, cwd)
