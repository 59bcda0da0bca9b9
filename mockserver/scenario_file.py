"""A user's scenario file: read when the server starts, and again whenever it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..openapi.errors import LoadError
from .scenario import Repertoire, built_in_scenarios, read_scenarios


class ScenarioFile:
    """Keeps a repertoire up to date with a file; an edit that can't be loaded leaves the last good one."""

    def __init__(self, path: Path, said: Callable[[str], None]) -> None:
        """Read the file.

        Raises:
            LoadError: it is missing or broken.
        """
        self._path = path
        self._said = said
        self._stamp = self._current_stamp()
        self.repertoire = Repertoire(read_scenarios(path, built_in_scenarios()))

    def refresh(self) -> None:
        """Read the file again if it has changed since."""
        stamp = self._current_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.repertoire.replace(read_scenarios(self._path, built_in_scenarios()))
        except LoadError as error:
            self._said(f"{error}; the scenarios read before are kept")
        else:
            self._said(f"{self._path} was read again")

    def _current_stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
