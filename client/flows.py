"""What the client does, as flows: every decision about a provider, and not one byte of I/O but the files asked for.

Theory of operation. Reads may be repeated, so they are: after 408, 429, 5xx and broken connections, with back-off.
A creation costs money, so it is repeated only where it can't have been accepted: the connection was never made, the
provider said 429, or a 503 came with nothing in it. Waiting is a loop of single polls, each of which may be lost; what
ends it is a terminal status, a refusal that asking again won't change, or the deadline.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..openapi.behaviour import OperationBehaviour
from .answers import read_number, read_task, retry_after, understand
from .downloads import Download, Incomplete
from .errors import (
    ConfigurationError,
    NotFound,
    ProtocolViolation,
    RateLimited,
    Refused,
    TaskFailed,
    TransportFailed,
    Unavailable,
    UnderstudyError,
    WaitTimedOut,
)
from .inputs import Inputs
from .pacing import LONGEST_WAIT, Pace, Uniform, back_off, poll_pause
from .steps import Answer, Ask, Exchange, Flow, Memory, Pause
from .target import Parts, Target
from .task import Phase, Task
from .uploads import PreparedUpload, prepare_upload
from .urls import checked_url

MAX_REMEMBERED = 10_000
_MAX_GARBLED = 3
"""Polls in a row that may be answered with garbage: one is a glitch, three are another protocol."""
_LAST_POLL_BEFORE = 1.0
"""Seconds before the deadline at which a wait polls for the last time."""
_SHORTEST_PAUSE = 0.01
"""Seconds between two polls where no limit is known and the caller wants none: still no hot loop."""

OnPoll = Callable[[Task], None]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a task comes from: the operation and the model that made it, and when, by the client's clock."""

    operation: str
    model: str
    at: float


class Flows:
    """The flows of one client."""

    def __init__(
        self,
        target: Target,
        *,
        timeout: float,
        retries: int,
        validate: bool,
        now: Callable[[], float],
        uniform: Uniform = random.uniform,
    ) -> None:
        self.target = target
        self.inputs = Inputs(target)
        self._timeout = timeout
        self._retries = retries
        self._validate = validate
        self._now = now
        self._uniform = uniform
        polled = {each.name for each in target.doing("poll")}
        limits = [limit for limit in target.behaviour.limits if polled.intersection(limit.operations)]
        self._pace = Pace(limits, now)
        self._origins: OrderedDict[str, _Origin] = OrderedDict()

    def read_input(self, model: str, texts: Mapping[str, str], operation: str | None) -> dict[str, Any]:
        """Return input that was given as text, with the types that the stored schema names."""
        creation = self.inputs.creation(model, operation, validate=self._validate)
        return {name: self.inputs.from_text(creation, model, name, text) for name, text in texts.items()}

    def create(
        self,
        model: str,
        fields: Mapping[str, Any],
        *,
        operation: str | None,
        callback_url: str | None,
        allow_duplicate: bool,
        validate: bool | None,
    ) -> Flow[Task]:
        """Create a task."""
        checked = self._validate if validate is None else validate
        creation = self.inputs.creation(model, operation, validate=checked)
        parts = self.inputs.parts(creation, model, fields, callback_url=callback_url, validate=checked)
        ask = self.target.ask(creation, parts)
        began = self._now()
        data = yield from self._asked(creation, ask, repeatable=allow_duplicate)
        task = read_task(
            self.target.provider, creation.reads, data, model=model, operation=creation.name, status_needed=False
        )
        self._remember(task.id, _Origin(creation.name, model, began))
        return task

    def get(self, task: Task | str, *, model: str | None, operation: str | None) -> Flow[Task]:
        """Poll once."""
        known = self._known(task, model, operation)
        poller = self._asker("poll", known)
        yield from self._paced(poller)
        data = yield from self._asked(poller, self._ask_about(poller, known.id), repeatable=True)
        return self._task_of(poller, data, known)

    def cancel(self, task: Task | str, *, model: str | None, operation: str | None) -> Flow[Task]:
        """Cancel a task."""
        known = self._known(task, model, operation)
        canceller = self._asker("cancel", known)
        data = yield from self._asked(canceller, self._ask_about(canceller, known.id), repeatable=False)
        return self._task_of(canceller, data, known)

    def credits(self) -> Flow[float]:
        """Ask for the balance."""
        operation = self._only("balance", "tells the balance")
        data = yield from self._asked(operation, self.target.ask(operation, Parts()), repeatable=True)
        return read_number(operation, data, "balance")

    def upload(self, path: Path) -> Flow[str]:
        """Upload a file."""
        upload: PreparedUpload = prepare_upload(self.target, path)
        data = yield from self._asked(upload.operation, upload.ask, repeatable=True)
        url, second = upload.read(data)
        if second is not None:
            # Where the bytes go is told by a link; there the key is nobody's business.
            yield from self._fetched(second, Memory, self._now() + self._timeout)
        return url

    def wait(
        self,
        task: Task | str,
        *,
        timeout: float | None,
        poll_every: float | None,
        on_poll: OnPoll | None,
    ) -> Flow[Task]:
        """Poll until the task has ended."""
        last = self._known(task, None, None)
        watch = _Watch(self, last, timeout, poll_every, new=isinstance(task, Task) or last.id in self._origins)
        # The answer to a creation may tell that all is done, and hold no results: these are asked for at once.
        untold = last.phase is Phase.COMPLETED and not last.outputs
        pause, final = 0.0, False
        while untold or not last.phase.terminal:
            if not untold or watch.lost is not None:
                pause, final = watch.next_pause()
            if pause > 0:
                yield Pause(pause)
            last = yield from watch.poll(last)
            untold = untold and watch.lost is not None
            if on_poll is not None:
                on_poll(last)
            if final and (untold or not last.phase.terminal):
                raise WaitTimedOut(last, watch.timeout) from watch.lost
        if last.phase is Phase.COMPLETED:
            return last
        raise TaskFailed(last)

    def download(self, task: Task, folder: Path, *, timeout: float) -> Flow[list[Path]]:
        """Fetch the results of a task."""
        if task.phase in {Phase.FAILED, Phase.CANCELLED}:
            raise TaskFailed(task)
        if task.phase is not Phase.COMPLETED:
            raise ConfigurationError(
                f"task {task.id} has no results yet: its status is {task.status}; wait for it first"
            )
        paths = []
        for number, output in enumerate(task.outputs, 1):
            download = Download(folder, f"{task.id}-{number}")
            try:
                paths.append((yield from self._downloaded(checked_url(output), download, self._now() + timeout)))
            finally:
                download.close()
        return paths

    def _downloaded(self, url: str, download: Download, deadline: float) -> Flow[Path]:
        for attempt in self._attempts():
            yield from self._fetched(Ask("GET", url), lambda: download, deadline)
            try:
                return download.finish()
            except Incomplete as incomplete:
                error = ProtocolViolation("", "a whole file", f"cut short: {incomplete}")
            yield Pause(self._pause_before(attempt, error, again=self._now() < deadline))
        raise AssertionError  # pragma: no cover - the last attempt raises

    def _fetched(self, ask: Ask, sink: Callable[[], Any], deadline: float) -> Flow[Answer]:
        """Exchange `ask` with a host that knows nothing of the provider's protocol but HTTP."""
        for attempt in self._attempts():
            taking = sink()
            asked = replace(ask, headers={**ask.headers, **taking.headers()}) if isinstance(taking, Download) else ask
            try:
                remaining = max(0.001, deadline - self._now())
                silence = min(remaining, self._timeout)
                answer = yield Exchange(asked, taking, remaining, silence, follow=ask.method == "GET")
            except TransportFailed as failed:
                error: UnderstudyError = failed
            else:
                if 200 <= answer.status <= 299:
                    return answer
                error = _refused_fetch(answer)
            in_time = self._now() < deadline
            yield Pause(self._pause_before(attempt, error, again=in_time and _may_pass(error)))
        raise AssertionError  # pragma: no cover - the last attempt raises

    def _asked(self, operation: OperationBehaviour, ask: Ask, *, repeatable: bool) -> Flow[Any]:
        """Exchange `ask`, again where that may help, and return the data of the answer."""
        for attempt in self._attempts():
            empty_503 = False
            try:
                answer = yield Exchange(ask, Memory(), self._timeout, self._timeout)
                empty_503 = answer.status == 503 and not answer.body
                return understand(self.target.behaviour, operation, answer, self.target.hide)
            except (Unavailable, RateLimited, TransportFailed) as failed:
                error = failed
            not_accepted = empty_503 or isinstance(error, RateLimited) or not getattr(error, "sent", True)
            yield Pause(self._pause_before(attempt, error, again=repeatable or not_accepted))
        raise AssertionError  # pragma: no cover - the last attempt raises

    def _attempts(self) -> Iterator[int]:
        return iter(range(self._retries + 1))

    def _pause_before(self, attempt: int, error: UnderstudyError, *, again: bool) -> float:
        """Return the seconds before the next attempt.

        Raises:
            UnderstudyError: `error`, where there is to be none.
        """
        wait = getattr(error, "retry_after", None)
        if not again or attempt >= self._retries or (wait is not None and wait > LONGEST_WAIT):
            raise error
        return back_off(attempt, self._uniform, wait)

    def poll_once(self, task: Task, timeout: float) -> Flow[Task]:
        """Poll with a single attempt that takes at most `timeout` seconds."""
        poller = self._asker("poll", task)
        yield from self._paced(poller)
        seconds = min(timeout, self._timeout)
        answer = yield Exchange(self._ask_about(poller, task.id), Memory(), seconds, seconds)
        data = understand(self.target.behaviour, poller, answer, self.target.hide)
        return self._task_of(poller, data, task)

    def now(self) -> float:
        """Return the client's time, in seconds."""
        return self._now()

    def pause(self, age: float, every: float | None) -> float:
        """Return the seconds until the next poll of a task that is `age` seconds old."""
        return poll_pause(self.target.behaviour.polling, age, every, self._uniform)

    def least_pause(self) -> float:
        """Return the seconds between two polls of one task that the provider's limits leave, and at least a moment."""
        names = {each.name for each in self.target.doing("poll")}
        limits = [each for each in self.target.behaviour.limits if names.intersection(each.operations)]
        return max([_SHORTEST_PAUSE, *(each.per / each.count / 1000 for each in limits)])

    def origin(self, task_id: str) -> _Origin | None:
        """Return where a task comes from, if this client made it not too many tasks ago."""
        return self._origins.get(task_id)

    def _paced(self, operation: OperationBehaviour) -> Flow[None]:
        delay = self._pace.reserve(operation.name)
        if delay > 0:
            yield Pause(delay)

    def _task_of(self, operation: OperationBehaviour, data: Any, known: Task) -> Task:
        return read_task(
            self.target.provider, operation.reads, data, task_id=known.id, model=known.model, operation=known.operation
        )

    def _ask_about(self, operation: OperationBehaviour, task_id: str) -> Ask:
        parts = Parts()
        parts.put(operation.task_id or "", task_id)
        return self.target.ask(operation, parts)

    def _remember(self, task_id: str, origin: _Origin) -> None:
        self._origins[task_id] = origin
        if len(self._origins) > MAX_REMEMBERED:
            self._origins.popitem(last=False)

    def _known(self, task: Task | str, model: str | None, operation: str | None) -> Task:
        """Return `task`, or what is known of the task with that id."""
        known = task if isinstance(task, Task) else Task(task, self.target.provider.name)
        if known.provider != self.target.provider.name:
            raise ConfigurationError(
                f"task {known.id} is {known.provider}'s, and this client {self.target.provider.name}'s"
            )
        origin = self._origins.get(known.id)
        named = model or known.model or (origin.model if origin else "")
        creation = known.operation or (origin.operation if origin else "")
        if operation is not None:
            exact = operation in {each.name for each in self.target.doing("create")}
            creation = operation if exact else self.inputs.creation(named, operation, validate=self._validate).name
        return replace(known, model=named, operation=creation)

    def _asker(self, does: str, task: Task) -> OperationBehaviour:
        """Return the operation that does something about `task`: some are for tasks of some creations only."""
        found = self.target.doing(does)
        if not found:
            what = {"poll": "looks up a task", "cancel": "cancels a task"}[does]
            raise ConfigurationError(f"{self.target.provider.name} has no operation that {what}")
        fitting = [each for each in found if not each.creates or not task.operation or task.operation in each.creates]
        if len(fitting) > 1 and task.model and not task.operation:
            makers = {each.name for each in self.target.doing("create") if task.model in self.inputs.models(each)}
            fitting = [each for each in fitting if makers.intersection(each.creates)]
        if len(fitting) == 1:
            return fitting[0]
        raise ConfigurationError(
            f"{self.target.provider.name} looks up task {task.id} according to what created it: "
            "pass the Task itself, or model= and operation="
        )

    def _only(self, does: str, what: str) -> OperationBehaviour:
        found = self.target.doing(does)
        if not found:
            raise ConfigurationError(f"{self.target.provider.name} has no operation that {what}")
        return found[0]


class _Watch:
    """What a wait keeps in mind between its polls."""

    def __init__(self, flows: Flows, task: Task, timeout: float | None, every: float | None, *, new: bool) -> None:
        polling = flows.target.behaviour.polling
        origin = flows.origin(task.id)
        self.timeout = polling.give_up / 1000 if timeout is None else timeout
        self.lost: UnderstudyError | None = None
        self._flows = flows
        self._every = None if every is None else max(every, flows.least_pause())
        self._started = flows.now()
        self._born = origin.at if origin else self._started
        self._grace = polling.grace / 1000 if new else 0.0
        self._first = task.status is None and origin is None
        self._garbled = 0

    def next_pause(self) -> tuple[float, bool]:
        """Return the seconds until the next poll, and whether it is the last one."""
        now = self._flows.now()
        remaining = self._started + self.timeout - now
        first, self._first = self._first, False
        pause = 0.0 if first else self._flows.pause(now - self._born, self._every)
        wanted = getattr(self.lost, "retry_after", None)
        pause = max(pause, wanted or 0.0)
        spare = min(_LAST_POLL_BEFORE, self.timeout / 10)
        if pause + spare < remaining:
            return pause, False
        return max(0.0 if first else self._flows.least_pause(), remaining - spare), True

    def poll(self, last: Task) -> Flow[Task]:
        """Poll once; return the task as it was where the poll was lost.

        Raises:
            UnderstudyError: asking again would not help.
        """
        remaining = max(0.05, self._started + self.timeout - self._flows.now())
        self.lost = None
        try:
            task = yield from self._flows.poll_once(last, remaining)
        except (Unavailable, RateLimited) as error:
            if error.retry_after is not None and error.retry_after > LONGEST_WAIT:
                raise
            self.lost = error
        except TransportFailed as error:
            self.lost = error
        except NotFound as error:
            if self._flows.now() - self._born >= self._grace:
                raise
            self.lost = error
        except ProtocolViolation as error:
            self._garbled += 1
            if error.ended or self._garbled >= _MAX_GARBLED:
                raise
            self.lost = error
        else:
            self._grace, self._garbled = 0.0, 0
            return task
        return last


def _may_pass(error: UnderstudyError) -> bool:
    """Tell whether a fetch that failed with `error` may go well the next time; after 416 nothing is resumed."""
    passing = isinstance(error, Unavailable | RateLimited | TransportFailed)
    return passing or (isinstance(error, Refused) and error.http_status == 416)


def _refused_fetch(answer: Answer) -> Refused:
    """Return what an HTTP status says of a link that needs no key: 403 is how storages say that it has expired."""
    kinds: dict[int, type[Refused]] = {403: NotFound, 404: NotFound, 410: NotFound, 408: Unavailable, 429: RateLimited}
    kind = kinds.get(answer.status, Unavailable if answer.status >= 500 else Refused)
    message = "the link is not, or no longer, good" if kind is NotFound else ""
    return kind(code=answer.status, message=message, http_status=answer.status, retry_after=retry_after(answer))
