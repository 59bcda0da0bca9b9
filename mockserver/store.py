"""What lives longer than a request: tasks in the order they came, and uploaded files, both bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from .account import Account, StoredFile
from .task import Task

if TYPE_CHECKING:
    from .namespace import Namespace

MAX_FILE_BYTES = 512 * 1024 * 1024
_RENDERED_KEPT = 20_000


class TaskStore:
    """Bounds the tasks of all accounts together: the oldest finished go first, then the oldest."""

    def __init__(self, max_tasks: int, said: Callable[[str], None]) -> None:
        self._max = max_tasks
        self._said = said
        self._queue: deque[Task] = deque()
        self._unfinished: deque[Task] = deque()
        self._patience = 0
        self._rendered: deque[Task] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue) + len(self._unfinished)

    def add(self, namespace: Namespace, account: Account, task: Task) -> None:
        """Keep `task`, and let go of another one where there are too many."""
        if len(self._queue) + len(self._unfinished) >= self._max:
            self._drop_one()
        if account.home is None:
            account.home = (namespace, account)
        task.home = account.home
        account.tasks[task.id] = task
        self._queue.append(task)

    def forget(self, namespace: Namespace | None) -> None:
        """Let go of the tasks of `namespace`, or of all."""
        for name in ("_queue", "_unfinished"):
            kept: deque[Task] = deque()
            for task in getattr(self, name):
                if namespace is not None and task.home is not None and task.home[0] is not namespace:
                    kept.append(task)
                else:
                    task.home = None  # the account holds its tasks: without this only the collector would find them
            setattr(self, name, kept)

    def remember_answer(self, task: Task, operation: str, status: str, body: bytes) -> None:
        """Keep what `operation` answers of `task` while it has `status`; the oldest answers kept are forgotten."""
        if task.rendered is None:
            self._rendered.append(task)
            if len(self._rendered) > _RENDERED_KEPT:
                self._rendered.popleft().rendered = None
        task.rendered = (operation, status, body)

    def _drop_one(self) -> None:
        task = self._finished_late() or self._finished() or self._unfinished.popleft()
        if task.home is not None:
            task.home[1].tasks.pop(task.id, None)
        if not self.dropped:
            self._said(f"--max-tasks {self._max} reached: the oldest finished tasks go first, from {task.id} on")
        self.dropped += 1

    def _finished_late(self) -> Task | None:
        """Return the oldest task that has finished since it was found unfinished.

        Where there are hundreds and not one has, they are left alone for a while.
        """
        if self._patience:
            self._patience -= 1
            return None
        for number, task in enumerate(self._unfinished):
            if _has_finished(task):
                del self._unfinished[number]
                return task
        self._patience = len(self._unfinished) // 100
        return None

    def _finished(self) -> Task | None:
        while self._queue:
            task = self._queue.popleft()
            if _has_finished(task):
                return task
            self._unfinished.append(task)
        return None


def _has_finished(task: Task) -> bool:
    if task.home is None:
        return True
    return task.operation.phase_of(task.state(task.home[0].clock.now()).status).terminal


class FileStore:
    """Bounds the uploaded files of all accounts together: the oldest go first."""

    def __init__(self, said: Callable[[str], None], max_bytes: int = MAX_FILE_BYTES) -> None:
        self._said = said
        self._max = max_bytes
        self._queue: deque[tuple[Account, StoredFile]] = deque()
        self._bytes = 0

    def add(self, account: Account, file: StoredFile) -> None:
        """Keep `file`, in place of one of the same name."""
        account.files[file.name] = file
        self._queue.append((account, file))
        self._bytes += len(file.content)
        while self._bytes > self._max and len(self._queue) > 1:
            owner, oldest = self._queue.popleft()
            self._bytes -= len(oldest.content)
            if owner.files.get(oldest.name) is oldest:
                del owner.files[oldest.name]
                self._said(f"uploaded files exceed {self._max:,} bytes: {oldest.name} is gone")
