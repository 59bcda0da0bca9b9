"""Playing one situation to a client, and looking at what it did."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ...openapi.behaviour import Phase
from ...openapi.errors import shorten
from ...openapi.times import parse_time
from ..checks.exchange import Callback
from ..checks.oracle import Oracle
from ..runs.ask import ask_for_task, poll_of
from ..runs.control import ControlError
from .actor import Actor, any_stuck
from .adapter import Factory, Said, results_of
from .emulator import ClientStage, exchange_of
from .performance import Asked, EndedTask, Performance, Taken
from .receiver import CallbackReceiver
from .situations import Situation
from .sockets import connections_to

PROMPT = "a lighthouse"
_SETTLE_SECONDS = 0.05
"""How long a client that said it was done may give itself away by asking on."""
_CLOSE_SECONDS = 0.5
_DELIVERY_SECONDS = 3.0
_STEP_SECONDS = 0.01
_numbers = itertools.count(1)


class NotPlayed(Exception):  # noqa: N818 - no failure: there is nothing to play
    """The situation can't be played with this provider or this client; the message says why."""


class Player:
    """Plays situations to clients of one provider on an emulator.

    Args:
        stage: the emulator.
        oracle: the provider's.
        factory: makes the adapter.
        speed: how many times faster than real time the provider's clock runs.
        deadline: the real seconds within which every call of the adapter must end.

    Attributes:
        oracle: the provider's.
    """

    def __init__(self, stage: ClientStage, oracle: Oracle, factory: Factory, *, speed: float, deadline: float) -> None:
        self._stage = stage
        self.oracle = oracle
        self._name = oracle.provider.name
        self._factory = factory
        self._speed = speed
        self._deadline = deadline

    def rehearse(self) -> None:
        """Play something easy that nobody judges: a client in a hurry should meet an emulator that is warm.

        Raises:
            ControlError: the emulator refused.
        """
        with suppress(NotPlayed):
            self.perform(Situation("success", {"progress": "instant"}))

    def perform(self, situation: Situation) -> Performance:
        """Play `situation` and return what happened.

        Raises:
            NotPlayed: the provider can't play it, or the client has nothing to do with it.
            ControlError: the emulator refused something else.
        """
        key = self._new_key()
        self._stage.reset(key)
        self._stage.ask("POST", "/clock", {"speed": self._speed}, namespace=key)
        try:
            return self._performed(situation, key)
        finally:
            self._stage.reset(key)

    def _new_key(self) -> str:
        """Return a key that no other situation has; a client that never ends does no harm to later ones."""
        text = f"client/{self._name}/{next(_numbers)}"
        return self.oracle.behaviour.key_prefix + blake2b(text.encode(), digest_size=16).hexdigest()

    def _performed(self, situation: Situation, key: str) -> Performance:
        self._play(situation, key)
        before = connections_to(*self._stage.address)
        actor = Actor(self._factory, f"{self._stage.url}/{self._name}", key, self._deadline)
        try:
            if actor.made.kind != "completed":
                return Performance(situation, self._speed, actor.made)
            taken: list[Taken] = []
            if "callbacks" in situation.needs:
                said = self._with_callbacks(situation, key, actor, taken)
            else:
                said = _checked(actor.generate(PROMPT))
            time.sleep(_SETTLE_SECONDS if said.kind == "completed" else 0)
            exchanges, report = self._stage.exchanges(key, self._name), self._stage.report(key)
            _check_meant(situation, said)
            contents = _contents(said)
            closed = actor.close()
            if closed is None:
                actor.forget()
            left = None if actor.hung or any_stuck() else self._left_open(before)
        except NotPlayed:
            actor.close()
            raise
        finally:
            actor.release()
        return self._told(situation, key, said, closed, taken, contents, exchanges, report, left)

    def _play(self, situation: Situation, key: str) -> None:
        rule: dict[str, Any] = {"play": situation.play, "when": {"provider": self._name}}
        if situation.values:
            rule["with"] = dict(situation.values)
        if situation.times is not None:
            rule["times"] = situation.times
        try:
            self._stage.ask("POST", "/rules", rule, namespace=key)
        except ControlError as error:
            raise NotPlayed(str(error).partition(": ")[2]) from None

    def _with_callbacks(self, situation: Situation, key: str, actor: Actor, taken: list[Taken]) -> Said:
        """Let the client generate while a receiver hands it what comes."""
        callbacks = self.oracle.behaviour.callbacks
        if getattr(actor.adapter, "callback", None) is None:
            raise NotPlayed("the adapter has no callback()")
        secret = getattr(actor.adapter, "secret", None)
        if callbacks is None or ("signature" in situation.needs and secret is None):
            raise NotPlayed("the adapter has no secret")
        with CallbackReceiver(lambda headers, body: _handed(actor, headers, body)) as receiver:
            if secret is not None and callbacks.signature is not None:
                self._stage.set(key, self._name, **{callbacks.signature.secret: secret})
            if callbacks.setting is not None:
                self._stage.set(key, self._name, **{callbacks.setting: receiver.url})
            url = None if callbacks.setting is not None else receiver.url
            said = _checked(actor.generate(PROMPT, callback_url=url))
            self._await_deliveries(key)
            taken += receiver.taken
        return said

    def _await_deliveries(self, key: str) -> None:
        """Wait until what is still to be sent was sent, but not for ever: rejected ones are repeated for days."""
        wait_until(lambda: all(map(_is_over, self._stage.deliveries(key))), _DELIVERY_SECONDS)

    def _left_open(self, before: Any) -> int | None:
        """Return how many connections the client left, giving those on their way out a moment to go."""
        address = self._stage.address
        if before is None or connections_to(*address) is None:
            return None
        wait_until(lambda: not (connections_to(*address) or frozenset()) - before, _CLOSE_SECONDS)
        return len((connections_to(*address) or frozenset()) - before)

    def _told(  # noqa: PLR0913, PLR0917 - what was seen, part by part
        self, situation: Situation, key: str, said: Said, closed: Said | None, taken: list[Taken],
        contents: tuple[bytes | None, ...], exchanges: list[dict[str, Any]], report: dict[str, Any], left: int | None,
    ) -> Performance:  # fmt: skip
        asked = [self._asked(each) for each in exchanges if each["operation"] != "file"]
        tasks = self._tasks(key)
        links, whole = {}, {}
        if said.kind == "completed":
            handed = [each for each in results_of(said.value) if isinstance(each, str)]
            # Once is enough: elsewhere it is judged whether the links are those that the provider told.
            links = {each: self._stage.fetch(each)[0] for each in handed if situation.id == "success"}
            if contents:
                told = [link for task in tasks for link in task.outputs]
                whole = {link: self._stage.fetch(link)[1] for link in told}
        return Performance(
            situation, self._speed, said, closed, asked, report, tasks, taken, links, contents, whole, left
        )  # fmt: skip

    def _asked(self, shown: dict[str, Any]) -> Asked:
        seen = self.oracle.observe(exchange_of(shown, self._name))
        return Asked(seen, shown["id"], parse_time(shown["real_time"]), shown["fault"] or "")

    def _tasks(self, key: str) -> list[EndedTask]:
        """Return the tasks of `key`, asked for with nothing played any more."""
        self._stage.forget_rules(key)
        return [self._task(key, each) for each in self._stage.tasks(key, self._name)]

    def _task(self, key: str, shown: dict[str, Any]) -> EndedTask:
        phase = Phase(shown["phase"])
        poll = poll_of(self.oracle, shown["operation"])
        if phase is not Phase.COMPLETED or poll is None:
            return EndedTask(shown["id"], phase)
        exchange = self._stage.send(self._name, ask_for_task(poll, key, shown["id"]))
        outputs = self.oracle.observe(exchange).facts.get("outputs", ())
        return EndedTask(shown["id"], phase, tuple(each for each in outputs if isinstance(each, str)))


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Return whether `holds` came true within `seconds`."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def _is_over(delivery: dict[str, Any]) -> bool:
    tried = [each for each in delivery["attempts"] if each["status"] or each["error"]]
    return delivery["state"] != "pending" or len(tried) > 1


def _checked(said: Said) -> Said:
    """Return what the client said, as a crash where it returned what is no result."""
    if said.kind != "completed":
        return said
    try:
        results_of(said.value)
    except TypeError as error:
        return Said("crashed", None, str(error), said.seconds)
    return said


def _check_meant(situation: Situation, said: Said) -> None:
    if "results" in situation.needs and not _fetches(said):
        raise NotPlayed("the client fetches no results: it hands out links")


def _fetches(said: Said) -> bool:
    """Tell whether the client fetches results itself; one that got none may."""
    if said.kind != "completed":
        return True
    return any(isinstance(each, bytes | Path) for each in results_of(said.value))


def _contents(said: Said) -> tuple[bytes | None, ...]:
    """Return the results that the client fetched; None for a file that can't be read."""
    if said.kind != "completed":
        return ()
    return tuple(_content(each) for each in results_of(said.value) if isinstance(each, bytes | Path))


def _content(result: bytes | Path) -> bytes | None:
    try:
        return result if isinstance(result, bytes) else result.read_bytes()
    except OSError:
        return None


def _handed(actor: Actor, headers: dict[str, str], body: bytes) -> tuple[int, Taken]:
    """Hand a callback to the client; return the HTTP status that answers it, and what came of it."""
    moment = time.time_ns() // 1_000_000
    said = actor.callback(headers, body)
    value = said.value
    if said.kind == "completed":
        status = 200
        if value is False:
            status = 400
        elif isinstance(value, int) and not isinstance(value, bool):
            status = value if 100 <= value <= 599 else 500
        verdict = "accepted" if status < 400 else "rejected" if status < 500 else "crashed"
        error = "" if status < 400 else f"answered {shorten(value)}"
    else:
        status, error = (400 if said.kind == "reported" else 500), said.error
        verdict = {"reported": "rejected"}.get(said.kind, said.kind)
    return status, Taken(Callback(tuple(headers.items()), body, moment, moment, status), verdict, error)  # type: ignore[arg-type]
