"""Callbacks of all namespaces: what is due when, and one loop that starts what fell due.

A delivery waits in its namespace's heap, ordered by due time; ten thousand of them cost a heap. Whoever schedules one
wakes the loop, which sleeps until the next is due by some namespace's clock. What is started runs beside the loop, at
most eight at a time for one receiver, so that a slow one holds up no other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import orjson

from ..openapi.behaviour import Failure, Phase
from ..openapi.callbacks import Callbacks
from ..openapi.errors import shorten
from ..openapi.signing import SecretError
from ..openapi.times import MAX_TIME
from .allowance import BlockedError, Target, receiver_of
from .answer import render_headers
from .chance import draw, uuid_from
from .clock import real_milliseconds
from .delivery import Attempt, Delivery, jitter_of, next_due, request_of
from .faulty_sender import Message
from .plan import State, transitions
from .scenario import Play, ScenarioError
from .sender import Sender
from .task import Task, TaskView
from .variation import vary

if TYPE_CHECKING:
    from .emulator import Emulator
    from .namespace import Namespace

CONNECTIONS_PER_RECEIVER = 8
_LONGEST_SLEEP = 3600.0


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

    def plan(self, namespace: Namespace, provider: str, task: Task) -> list[Delivery]:
        """Schedule the callbacks that a new `task` has ahead of it by its plan."""
        return self._plan_from(namespace, provider, task, task.created, new=True)

    def plan_moved(self, namespace: Namespace, provider: str, task: Task, now: int) -> None:
        """Schedule what a task has ahead of it that was moved at `now`, in place of what it had before."""
        for each in task.staging.deliveries if task.staging else ():
            if each.state == "pending" and not each.attempts and each.moment > now:
                each.end("cancelled", "the task was moved before it was due")
        self._plan_from(namespace, provider, task, now)

    def _plan_from(
        self, namespace: Namespace, provider: str, task: Task, since: int, *, new: bool = False
    ) -> list[Delivery]:
        """Schedule a callback for each phase that is to be told and that begins at `since` or later."""
        callbacks = self._callbacks(provider)
        if callbacks is None or not self.url_of(namespace, provider, task):
            return []
        planned, before = [], None
        for state in transitions(task.plan, task.created, task.interventions, MAX_TIME):
            phase = task.operation.phase_of(state.status)
            if phase in callbacks.on and phase is not before and state.since >= since:
                planned.append(self._scheduled(namespace, provider, task, phase, state.since, new=new))
            before = phase
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

    def url_of(self, namespace: Namespace, provider: str, task: Task) -> str | None:
        """Return where callbacks about `task` go, or None where there are none."""
        callbacks = self._callbacks(provider)
        if callbacks is None:
            return None
        if callbacks.setting is not None:
            return self.setting(namespace, provider, callbacks.setting)
        return task.staging.callback_url if task.staging else None

    def setting(self, namespace: Namespace | None, provider: str, name: str) -> str | None:
        """Return an account's setting: the namespace's own, or the one that the server was started with."""
        own = namespace.settings.get((provider, name)) if namespace else None
        return own if own is not None else self._emulator.providers[provider].provider.settings.get(name)

    def _callbacks(self, provider: str) -> Callbacks | None:
        return self._emulator.providers[provider].behaviour.callbacks

    def _scheduled(
        self, namespace: Namespace, provider: str, task: Task, phase: Phase, moment: int, *, new: bool = False
    ) -> Delivery:
        """Schedule one callback, with the faults that the task laid up for it; only a `new` task's can be early."""
        plays = task.staging.take("callback") if task.staging is not None and phase.terminal else ()
        delivery = self._made(namespace, provider, task, phase, moment)
        delivery.plays = tuple(play for play in plays if new or play.does.get("callback") != "early")
        late, duplicate = delivery.fault("late"), delivery.fault("duplicate")
        if late is not None:
            delivery.due += late.values["after"]
        if duplicate is not None:
            delivery.copies = duplicate.values["n"] - 1
        if delivery.fault("lost"):
            delivery.end("cancelled", "played: callback-lost")
        elif delivery.fault("early"):
            delivery.due = task.created
        else:
            self._wait(namespace, delivery)
        return delivery

    def _made(self, namespace: Namespace, provider: str, task: Task, phase: Phase, moment: int) -> Delivery:
        callbacks, url = self._callbacks(provider), self.url_of(namespace, provider, task)
        assert callbacks is not None  # noqa: S101 - the caller asked
        outbox = namespace.outbox
        outbox.count += 1
        random = draw(self._emulator.settings.seed, namespace.id, outbox.count, "delivery")
        id_, event = uuid_from(random), callbacks.on.get(phase)
        delivery = Delivery(id_, outbox.count, provider, task, url or "", phase, event, moment, moment)
        outbox.keep(delivery)
        task.stage().deliveries.append(delivery)
        return delivery

    def _wait(self, namespace: Namespace, delivery: Delivery) -> None:
        namespace.outbox.push(delivery)
        self.wake()

    # Rendering

    def _render(self, namespace: Namespace, delivery: Delivery, now: int) -> bytes:
        callbacks, task = self._callbacks(delivery.provider), delivery.task
        assert callbacks is not None  # noqa: S101 - there would be no delivery
        state = self._state_told(delivery, max(now, delivery.moment) if delivery.phase.terminal else delivery.moment)
        phase = task.operation.phase_of(state.status)
        delivery.event = callbacks.on.get(phase, delivery.event)
        context = {
            "task": TaskView(task, state, phase, self._emulator.result_links(namespace, delivery.provider, task)),
            "event": delivery.event, "delivery_id": delivery.id, "now": delivery.moment,
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
            told = [each.name for each in statuses if each.phase is delivery.phase and not each.phase.terminal]
            return State((told or passing or [state.status])[-1], task.created, None)
        if not delivery.phase.terminal and task.operation.phase_of(state.status) is not delivery.phase:
            # Of what happened at one moment, as on a clock that stands still, the state is what happened last.
            name = next(each.name for each in statuses if each.phase is delivery.phase)
            return State(name, delivery.moment, None)
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
                if self._runs(namespace):
                    for delivery in namespace.outbox.pop_due(namespace.clock.now()):
                        started = self._start(namespace, delivery)
                        namespace.outbox.under_way.add(started)
                        started.add_done_callback(namespace.outbox.under_way.discard)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_seconds()):  # `wait_for` may swallow a cancellation
                    await wake.wait()

    def _is_paused(self, namespace: Namespace) -> bool:
        return self.paused or namespace.outbox.paused

    def _runs(self, namespace: Namespace) -> bool:
        """Tell whether what falls due in `namespace` is sent as its time comes."""
        return not (namespace.clock.frozen or namespace.outbox.advances or self._is_paused(namespace))

    def _sleep_seconds(self) -> float:
        """Return the real seconds until the next delivery is due by some running clock."""
        waits = [
            (due - namespace.clock.now()) / 1000 / namespace.clock.speed
            for namespace in self._emulator.namespaces
            if self._runs(namespace) and (due := namespace.outbox.next_due()) is not None
        ]
        return max(0.0, min([*waits, _LONGEST_SLEEP]))

    def _start(self, namespace: Namespace, delivery: Delivery) -> asyncio.Future[None]:
        """Queue an attempt for its receiver; return what is done when the attempt has ended."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        receiver = receiver_of(delivery.url)
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
                    self._said(f"callback to {shorten(delivery.url, 200)} could not be sent: {error!r}")
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
        outbox.advances += 1
        try:
            # What is out may fail, and its next attempt fall due before `target` as well.
            await asyncio.gather(*outbox.under_way)
            while (due := outbox.next_due()) is not None and due <= target and not self._is_paused(namespace):
                if due > clock.now():
                    clock.set(due)
                started = [self._start(namespace, each) for each in outbox.pop_due(clock.now())]
                await asyncio.gather(*started)
        finally:
            outbox.advances -= 1
            self.wake()
        if target > clock.now():
            clock.set(target)

    async def early(self, namespace: Namespace, task: Task) -> None:
        """Send at once what is to come before the creation's own answer."""
        mine = task.staging.deliveries if task.staging else ()
        early = [each for each in mine if each.fault("early") and each.state == "pending" and not each.attempts]
        await asyncio.gather(*(self._start(namespace, each) for each in early))

    async def _attempt(self, namespace: Namespace, delivery: Delivery) -> None:
        if delivery.state != "pending":
            return
        if self._is_paused(namespace):
            namespace.outbox.push(delivery)
            return
        if not self._still_true(namespace, delivery):
            delivery.end("cancelled", "the task is in another state by now")
            return
        callbacks = self._callbacks(delivery.provider)
        assert callbacks is not None  # noqa: S101 - there would be no delivery
        now = namespace.clock.now()
        if not delivery.body:
            delivery.body = self._render(namespace, delivery, now)
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds(callbacks)
        try:
            async with asyncio.timeout_at(ends):
                place = await self.sender.checked(delivery.url)
        except BlockedError as error:
            delivery.end("blocked", str(error))
            self._said(f"callback to {shorten(delivery.url, 200)} blocked: {error}")
        except OSError as error:  # a TimeoutError is one
            problem = f"its host can't be resolved: {error}".rstrip(": ")
            delivery.attempts.append(Attempt(now, real_milliseconds(), {}, delivery.body, error=problem))
            self._failed(namespace, delivery, callbacks, problem)
        else:
            await self._sent(namespace, delivery, callbacks, place, ends - loop.time())

    def _seconds(self, callbacks: Callbacks) -> float:
        """Return the real seconds that an attempt may take."""
        cap = self._emulator.settings.callback_timeout
        return callbacks.timeout / 1000 if cap is None else min(cap, callbacks.timeout / 1000)

    def _still_true(self, namespace: Namespace, delivery: Delivery) -> bool:
        """Tell whether the task is still in the phase that the callback tells of, or is meant to lie about it."""
        if delivery.attempts or not delivery.phase.terminal or delivery.fault("early"):
            return True
        state = delivery.task.state(namespace.clock.now())
        return delivery.task.operation.phase_of(state.status) is delivery.phase

    async def _sent(
        self, namespace: Namespace, delivery: Delivery, callbacks: Callbacks, place: tuple[Target, list[str]],
        seconds: float,
    ) -> None:  # fmt: skip
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
        outcome = await self.sender.send(message, seconds, delivery.wire_fault())
        attempt.status, attempt.response, attempt.error = outcome.status, outcome.response, outcome.error
        attempt.milliseconds = outcome.milliseconds
        if outcome.status in callbacks.received and not outcome.error:
            self._received(namespace, delivery)
        else:
            problem = outcome.error or f"answered {outcome.status}"
            attempt.error = attempt.error or problem
            self._failed(namespace, delivery, callbacks, problem)

    def _received(self, namespace: Namespace, delivery: Delivery) -> None:
        pending = delivery.state == "pending"
        if pending and delivery.copies > 0:
            delivery.copies -= 1
            self._again(namespace, delivery, namespace.clock.now())
            return
        delivery.end("delivered")
        if pending and delivery.fault("out-of-order"):
            self._tell_the_past(namespace, delivery)

    def _tell_the_past(self, namespace: Namespace, delivery: Delivery) -> None:
        """Schedule a callback that the task is at work, now that it was told to have ended."""
        callbacks = self._callbacks(delivery.provider)
        told = [phase for phase in (callbacks.on if callbacks else ()) if not phase.terminal] or [delivery.phase]
        now = namespace.clock.now()
        later = self._made(namespace, delivery.provider, delivery.task, told[-1], now)
        later.url = delivery.url
        if told[-1] is not delivery.phase:
            later.moment = delivery.task.created
        later.plays = tuple(
            Play(play.name, play.kind, {"callback": "backwards"}, {}, "callback", text=play.text)
            for play in delivery.plays
        )
        self._wait(namespace, later)

    def _failed(self, namespace: Namespace, delivery: Delivery, callbacks: Callbacks, problem: str) -> None:
        if delivery.state != "pending":
            return  # cancelled while the attempt was out
        random = jitter_of(self._emulator.settings.seed, namespace.id, delivery)
        due = next_due(callbacks, len(delivery.attempts), namespace.clock.now(), random)
        if due is None:
            delivery.end("given-up", f"after {len(delivery.attempts)} attempts: {problem}")
        else:
            self._again(namespace, delivery, due)

    def _again(self, namespace: Namespace, delivery: Delivery, due: int) -> None:
        delivery.due = due
        self._wait(namespace, delivery)

    # Steering

    def redeliver(self, namespace: Namespace, delivery: Delivery) -> None:
        """Send `delivery` once more, whatever became of it; one whose task is not so far yet goes out when it is."""
        delivery.state, delivery.reason, delivery.copies = "pending", "", 0
        now = namespace.clock.now()
        self._again(namespace, delivery, now if self._still_true(namespace, delivery) else max(now, delivery.moment))

    def cancel(self, delivery: Delivery) -> None:
        """Send `delivery` no more."""
        delivery.end("cancelled", "by hand")

    def pause(self, namespace: Namespace | None = None) -> None:
        """Send nothing of `namespace`, or of all, until `resume`."""
        if namespace is None:
            self.paused = True
        else:
            namespace.outbox.paused = True

    def resume(self, namespace: Namespace | None = None) -> None:
        """Send again what is due in `namespace`, or in all."""
        if namespace is None:
            self.paused = False
        for each in self._emulator.namespaces if namespace is None else [namespace]:
            each.outbox.paused = False
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
        tasks = [*self._running, *([] if self._loop_task is None else [self._loop_task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sender.close()


def _extra(callbacks: Callbacks, delivery: Delivery) -> Mapping[str, str]:
    if callbacks.headers is None:
        return {}
    names = dict.fromkeys(("task", "now", "base", "balance"))
    context = {**names, "event": delivery.event, "delivery_id": delivery.id}
    return {name.decode(): value.decode("latin-1") for name, value in render_headers(callbacks.headers, context)}
