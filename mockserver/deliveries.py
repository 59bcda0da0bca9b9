"""Callbacks of all namespaces: what is due when, and one loop that starts what fell due.

A delivery waits in its namespace's heap, ordered by due time; ten thousand of them cost a heap. Whoever schedules one
wakes the loop, which sleeps until the next is due by some namespace's clock. What is started runs beside the loop, at
most eight at a time for one receiver, so that a slow one holds up no other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from ..openapi.behaviour import Failure, Phase
from ..openapi.callbacks import Callbacks
from ..openapi.pointer import MISSING, resolve
from ..openapi.signing import SecretError
from .allowance import BlockedError, Target
from .answer import render_headers
from .chance import draw, uuid_from
from .clock import real_milliseconds
from .delivery import Attempt, Delivery, jitter_of, next_due, request_of
from .faulty_sender import Message
from .plan import State
from .scenario import Play, ScenarioError
from .sender import Sender
from .task import Task, TaskView
from .variation import vary

if TYPE_CHECKING:
    from .emulator import Emulator
    from .namespace import Namespace

CONNECTIONS_PER_RECEIVER = 8
MAX_KEPT = 10_000
"""Deliveries kept of a namespace; the oldest that have ended go first."""
_LONGEST_SLEEP = 3600.0


class Outbox:
    """The deliveries of one namespace."""

    def __init__(self) -> None:
        self.all: dict[str, Delivery] = {}
        self.due: list[tuple[int, int, Delivery]] = []
        self.count = 0
        self.advancing = False

    def pending(self) -> int:
        """Return how many have not ended."""
        return sum(1 for each in self.all.values() if each.state == "pending")

    def push(self, delivery: Delivery) -> None:
        """Let `delivery` wait until it is due."""
        heappush(self.due, (delivery.due, delivery.number, delivery))

    def pop_due(self, now: int) -> list[Delivery]:
        """Return what is due at `now`, in order of due time, and let it wait no more."""
        found = []
        while self.due and self.due[0][0] <= now:
            due, _, delivery = heappop(self.due)
            if delivery.state == "pending" and delivery.due == due:
                found.append(delivery)
        return found

    def next_due(self) -> int | None:
        """Return when the next one is due, or None."""
        while self.due and (self.due[0][2].state != "pending" or self.due[0][2].due != self.due[0][0]):
            heappop(self.due)
        return self.due[0][0] if self.due else None

    def keep(self, delivery: Delivery) -> None:
        """Keep `delivery` for who asks, and let go of the oldest that has ended where there are too many."""
        self.all[delivery.id] = delivery
        if len(self.all) > MAX_KEPT:
            ended = next((key for key, each in self.all.items() if each.state != "pending"), None)
            if ended is not None:
                del self.all[ended]


class Deliveries:
    """Plans, sends and repeats callbacks."""

    def __init__(self, emulator: Emulator, sender: Sender, said: Callable[[str], None]) -> None:
        self._emulator = emulator
        self.sender = sender
        self._said = said
        self._queues: dict[str, deque[tuple[Namespace, Delivery, asyncio.Future[None]]]] = {}
        self._workers: dict[str, int] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self.paused = False

    # Planning

    def plan(self, namespace: Namespace, provider: str, task: Task, url: str | None) -> list[Delivery]:
        """Schedule the callbacks that `task` has ahead of it by its plan; `url` is where they go."""
        callbacks = self._callbacks(provider)
        if callbacks is None or not url:
            return []
        planned = []
        first = task.operation.phase_of(task.plan.statuses[0])
        if Phase.PENDING in callbacks.on and first is Phase.PENDING:
            planned.append(self._scheduled(namespace, provider, task, url, Phase.PENDING, task.created))
        last = task.operation.phase_of(task.plan.statuses[-1])
        if last.terminal and last in callbacks.on and task.plan.progress == "time":
            planned.append(self._scheduled(namespace, provider, task, url, last, task.ends()))
        return planned

    def check_plays(self, namespace: Namespace, provider: str, plays: Iterable[Play]) -> None:
        """Refuse faults of signatures where the account has no secret to sign with.

        Raises:
            ScenarioError: there is one.
        """
        callbacks = self._callbacks(provider)
        for play in plays:
            if not play.does.get("signed") or callbacks is None or callbacks.signature is None:
                continue
            name = callbacks.signature.secret
            if not self.setting(namespace, provider, name):
                raise ScenarioError(f"{play.name} needs a signature; set {provider}.{name} first")

    def plan_moved(self, namespace: Namespace, provider: str, task: Task, phase: Phase, now: int) -> None:
        """Schedule the callback of a task that was moved to `phase`, in place of those of its plan."""
        callbacks = self._callbacks(provider)
        url = self.url_of(namespace, provider, task)
        for each in list(namespace.outbox.all.values()):
            if each.task is task and each.state == "pending" and not each.attempts and each.phase is not Phase.PENDING:
                each.end("cancelled", "the task was moved before it was due")
        if callbacks is not None and url and phase in callbacks.on and phase.terminal:
            self._scheduled(namespace, provider, task, url, phase, now)

    def url_of(self, namespace: Namespace, provider: str, task: Task) -> str | None:
        """Return where callbacks about `task` go, or None where there are none."""
        callbacks = self._callbacks(provider)
        if callbacks is None:
            return None
        if callbacks.setting is not None:
            return self.setting(namespace, provider, callbacks.setting)
        found = _body_value(callbacks.url or "", task)
        return found if isinstance(found, str) else None

    def setting(self, namespace: Namespace, provider: str, name: str) -> str | None:
        """Return an account's setting: the namespace's own, or the one that the server was started with."""
        own = namespace.settings.get((provider, name))
        return own if own is not None else self._emulator.providers[provider].provider.settings.get(name)

    def _callbacks(self, provider: str) -> Callbacks | None:
        return self._emulator.providers[provider].behaviour.callbacks

    def _scheduled(self, namespace: Namespace, provider: str, task: Task, url: str, phase: Phase, due: int) -> Delivery:
        callbacks = self._callbacks(provider)
        assert callbacks is not None  # noqa: S101 - the caller asked
        outbox = namespace.outbox
        outbox.count += 1
        random = draw(self._emulator.settings.seed, namespace.id, outbox.count, "delivery")
        delivery = Delivery(uuid_from(random), outbox.count, provider, task, url, phase, callbacks.on[phase], due)
        if task.staging is not None and phase.terminal:
            delivery.plays = tuple(task.staging.take("callback"))
        self._play(namespace, delivery)
        outbox.keep(delivery)
        task.stage().deliveries.append(delivery)
        if delivery.state == "pending" and not delivery.fault("early"):
            outbox.push(delivery)
            self.wake()
        return delivery

    def _play(self, namespace: Namespace, delivery: Delivery) -> None:
        """Apply the faults that concern when and how often it is sent."""
        late, duplicate = delivery.fault("late"), delivery.fault("duplicate")
        if late is not None:
            delivery.due += late.values["after"]
        if duplicate is not None:
            delivery.copies = duplicate.values["n"] - 1
        if delivery.fault("lost"):
            delivery.end("cancelled", "played: callback-lost")
        if delivery.fault("early"):
            delivery.shown_at = delivery.task.ends()
            delivery.due = delivery.task.created

    # Rendering

    def _render(self, namespace: Namespace, delivery: Delivery, now: int) -> bytes:
        callbacks = self._callbacks(delivery.provider)
        assert callbacks is not None  # noqa: S101 - there would be no delivery
        shown_at = max(now, delivery.shown_at or 0)
        state = self._state_told(delivery, shown_at)
        view = TaskView(
            delivery.task,
            state,
            delivery.task.operation.phase_of(state.status),
            self._emulator.result_links(namespace, delivery.provider, delivery.task),
        )
        context = {
            "task": view, "event": delivery.event, "delivery_id": delivery.id, "now": shown_at,
            "base": f"{self._emulator.settings.public_url}/{delivery.provider}",
            "balance": namespace.account(delivery.provider).balance(self._emulator.settings.credits, now),
        }  # fmt: skip
        data = callbacks.body(context)
        for play in delivery.plays:
            if play.kind == "drift":
                data = vary(play, data, callbacks.reads)
        return orjson.dumps(data)

    def _state_told(self, delivery: Delivery, shown_at: int) -> State:
        """Return the state of the task that the callback tells: the true one, unless a fault has it lie."""
        task = delivery.task
        state = task.state(shown_at)
        statuses = self._emulator.providers[delivery.provider].behaviour.statuses.values()
        if delivery.fault("contradicts"):
            completed = task.operation.phase_of(state.status) is Phase.COMPLETED
            wanted = Phase.FAILED if completed else Phase.COMPLETED
            other = next((each.name for each in statuses if each.phase is wanted), state.status)
            return State(other, state.since, self._default_failure(delivery) if completed else None)
        if delivery.fault("backwards"):
            passing = [each.name for each in statuses if not each.phase.terminal]
            return State(passing[-1], task.created, None) if passing else state
        if delivery.phase is Phase.PENDING:
            return task.state(task.created)
        return state

    def _default_failure(self, delivery: Delivery) -> Failure:
        return self._emulator.providers[delivery.provider].behaviour.failures["failed"]

    # Sending

    def wake(self) -> None:
        """Let the loop look at what is due; start it where it does not run yet."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # outside a loop nothing can be sent; advancing the clock sends it
        if self._loop_task is None or self._loop_task.done() or self._loop_task.get_loop() is not loop:
            self._wake = asyncio.Event()
            self._loop_task = loop.create_task(self._run(self._wake))
        if self._wake is not None:
            self._wake.set()

    async def _run(self, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            for namespace in list(self._emulator.namespaces):
                if not (self.paused or namespace.outbox.advancing or namespace.clock.frozen):
                    for delivery in namespace.outbox.pop_due(namespace.clock.now()):
                        self._start(namespace, delivery)
            try:
                await asyncio.wait_for(wake.wait(), self._sleep_seconds())
            except TimeoutError:
                continue

    def _sleep_seconds(self) -> float:
        """Return the real seconds until the next delivery is due by some running clock."""
        waits = [
            (due - namespace.clock.now()) / 1000 / namespace.clock.speed
            for namespace in self._emulator.namespaces
            if not (namespace.clock.frozen or self.paused) and (due := namespace.outbox.next_due()) is not None
        ]
        return max(0.0, min([*waits, _LONGEST_SLEEP]))

    def _start(self, namespace: Namespace, delivery: Delivery) -> asyncio.Future[None]:
        """Queue an attempt for its receiver; return what is done when the attempt has ended."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        receiver = urlsplit(delivery.url).netloc
        self._queues.setdefault(receiver, deque()).append((namespace, delivery, done))
        if self._workers.get(receiver, 0) < CONNECTIONS_PER_RECEIVER:
            self._workers[receiver] = self._workers.get(receiver, 0) + 1
            worker = loop.create_task(self._work(receiver))
            self._running.add(worker)
            worker.add_done_callback(self._running.discard)
        return done

    async def _work(self, receiver: str) -> None:
        """Make the attempts that wait for `receiver`, one after the other, until none waits."""
        queue = self._queues[receiver]
        try:
            while queue:
                namespace, delivery, done = queue.popleft()
                try:
                    await self._attempt(namespace, delivery)
                except Exception as error:
                    delivery.end("given-up", f"it could not be sent: {error!r}")
                    self._said(f"callback to {delivery.url} could not be sent: {error!r}")
                finally:
                    if not done.done():
                        done.set_result(None)
        finally:
            self._workers[receiver] -= 1
            if not self._workers[receiver] and not queue:
                del self._workers[receiver], self._queues[receiver]

    async def advance(self, namespace: Namespace, target: int) -> None:
        """Step the namespace's clock from due time to due time up to `target`; return when all of it is done."""
        outbox, clock = namespace.outbox, namespace.clock
        outbox.advancing = True
        try:
            while (due := outbox.next_due()) is not None and due <= target and not self.paused:
                clock.set(max(due, clock.now()))
                started = [self._start(namespace, each) for each in outbox.pop_due(clock.now())]
                await asyncio.gather(*started)
        finally:
            outbox.advancing = False
        clock.set(max(target, clock.now()))

    async def early(self, namespace: Namespace, task: Task) -> None:
        """Send at once what is to come before the creation's own answer."""
        for delivery in task.staging.deliveries if task.staging else ():
            if delivery.fault("early") and delivery.state == "pending" and not delivery.attempts:
                await self._attempt(namespace, delivery)

    async def _attempt(self, namespace: Namespace, delivery: Delivery) -> None:
        if not self._still_true(namespace, delivery):
            delivery.end("cancelled", "the task is in another state by now")
            return
        callbacks = self._callbacks(delivery.provider)
        assert callbacks is not None  # noqa: S101 - there would be no delivery
        now = namespace.clock.now()
        if not delivery.body:
            delivery.body = self._render(namespace, delivery, now)
        try:
            async with asyncio.timeout(self._seconds(callbacks)):
                place = await self.sender.checked(delivery.url)
        except BlockedError as error:
            delivery.end("blocked", str(error))
            self._said(f"callback to {delivery.url} blocked: {error}")
        except OSError as error:  # a TimeoutError is one
            problem = f"its host can't be resolved: {error}".rstrip(": ")
            delivery.attempts.append(Attempt(now, real_milliseconds(), {}, delivery.body, error=problem))
            self._failed(namespace, delivery, callbacks, problem)
        else:
            await self._sent(namespace, delivery, callbacks, place)

    def _seconds(self, callbacks: Callbacks) -> float:
        """Return the real seconds that an attempt may take."""
        cap = self._emulator.settings.callback_timeout
        return callbacks.timeout / 1000 if cap is None else min(cap, callbacks.timeout / 1000)

    def _still_true(self, namespace: Namespace, delivery: Delivery) -> bool:
        """Tell whether the task is still in the phase that the callback tells of, or is meant to lie about it."""
        if delivery.attempts or not delivery.phase.terminal or delivery.shown_at is not None:
            return True
        state = delivery.task.state(namespace.clock.now())
        return delivery.task.operation.phase_of(state.status) is delivery.phase

    async def _sent(
        self, namespace: Namespace, delivery: Delivery, callbacks: Callbacks, place: tuple[Target, list[str]]
    ) -> None:
        real = real_milliseconds()
        signed_at = namespace.clock.now() if self._emulator.settings.virtual_signatures else real
        signature = callbacks.signature
        secret = None if signature is None else self.setting(namespace, delivery.provider, signature.secret)
        try:
            headers, body = request_of(callbacks, delivery, secret, signed_at, _extra(callbacks, delivery))
        except SecretError as error:
            delivery.end("given-up", str(error))
            return
        attempt = Attempt(namespace.clock.now(), real, headers, body)
        delivery.attempts.append(attempt)
        message = Message(delivery.url, place[0], place[1], headers, body)
        outcome = await self.sender.send(message, self._seconds(callbacks), delivery.wire_fault())
        attempt.status, attempt.response, attempt.error = outcome.status, outcome.response, outcome.error
        attempt.milliseconds = outcome.milliseconds
        if outcome.status in callbacks.received:
            self._received(namespace, delivery)
        else:
            problem = outcome.error or f"answered {outcome.status}"
            attempt.error = attempt.error or problem
            self._failed(namespace, delivery, callbacks, problem)

    def _received(self, namespace: Namespace, delivery: Delivery) -> None:
        if delivery.copies > 0:
            delivery.copies -= 1
            self._again(namespace, delivery, namespace.clock.now())
            return
        delivery.end("delivered")
        if delivery.fault("out-of-order"):
            later = self._scheduled(
                namespace, delivery.provider, delivery.task, delivery.url, delivery.phase, namespace.clock.now()
            )
            later.plays = tuple(
                play.__class__(play.name, play.kind, {"callback": "backwards"}, {}, "callback", text=play.text)
                for play in delivery.plays
            )

    def _failed(self, namespace: Namespace, delivery: Delivery, callbacks: Callbacks, problem: str) -> None:
        random = jitter_of(self._emulator.settings.seed, namespace.id, delivery)
        due = next_due(callbacks, len(delivery.attempts), namespace.clock.now(), random)
        if due is None or delivery.state != "pending":
            delivery.end("given-up", f"after {len(delivery.attempts)} attempts: {problem}")
        else:
            self._again(namespace, delivery, due)

    def _again(self, namespace: Namespace, delivery: Delivery, due: int) -> None:
        delivery.due = due
        namespace.outbox.push(delivery)
        self.wake()

    # Steering

    def redeliver(self, namespace: Namespace, delivery: Delivery) -> None:
        """Send `delivery` once more, whatever became of it."""
        delivery.state, delivery.reason, delivery.copies = "pending", "", 0
        self._again(namespace, delivery, namespace.clock.now())

    def cancel(self, delivery: Delivery) -> None:
        """Send `delivery` no more."""
        delivery.end("cancelled", "by hand")

    def resume(self) -> None:
        """Send again what is due."""
        self.paused = False
        self.wake()

    def pending(self) -> int:
        """Return how many deliveries have not ended."""
        return sum(namespace.outbox.pending() for namespace in self._emulator.namespaces)

    def forget(self, namespaces: Iterable[Namespace]) -> None:
        """Send nothing more of `namespaces`."""
        for namespace in namespaces:
            for delivery in namespace.outbox.all.values():
                if delivery.state == "pending":
                    delivery.end("cancelled", "its namespace was reset")

    async def close(self) -> None:
        """Stop, and close every connection."""
        if self._loop_task is not None:
            self._loop_task.cancel()
        for task in list(self._running):
            task.cancel()
        await self.sender.close()


def _extra(callbacks: Callbacks, delivery: Delivery) -> Mapping[str, str]:
    if callbacks.headers is None:
        return {}
    names = dict.fromkeys(("task", "now", "base", "balance"))
    context = {**names, "event": delivery.event, "delivery_id": delivery.id}
    return {name.decode(): value.decode("latin-1") for name, value in render_headers(callbacks.headers, context)}


def _body_value(expression: str, task: Task) -> Any:
    _, _, pointer = expression.partition("#")
    return resolve(orjson.loads(task.body), pointer) if pointer else MISSING
