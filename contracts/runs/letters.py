"""Callbacks: to a receiver that takes them, to one that does not at first, and to one that never does."""

from __future__ import annotations

import base64
from dataclasses import replace
from hashlib import sha256

import orjson

from ...openapi.callbacks import Callbacks
from ...openapi.pointer import split
from ..checks.oracle import Observation
from .ask import Ask, ask_for_task, poll_of
from .control import ControlError
from .drafts import Form
from .explore import forms_of
from .lives import after_the_end, draft_of, played, until_the_end
from .run import Run, put

_DAY = 86_400_000
_MOMENT = 1_000
_MORE = 3
_BAD_ANSWERS: tuple[int | str, ...] = (500, "reset", "hang")


def letters(run: Run) -> None:
    """Have tasks told by callbacks, and judge what comes."""
    callbacks, receiver = run.oracle.behaviour.callbacks, run.receiver
    if callbacks is None:
        return
    if receiver is None:
        run.note("callbacks were left out: the target can't reach this machine (--callback-url)")
        return
    if callbacks.setting is not None and run.control is None:
        run.note(f"callbacks were left out: they go where the account's setting {callbacks.setting} says")
        return
    forms = [each for operation in run.oracle.doing("create") for each in forms_of(run, operation)]
    for form in forms:
        _life(run, form, callbacks, "success")
    secret = secret_of(run) if callbacks.signature is not None else ""
    for form in forms[:1] if run.steers else ():
        _life(run, form, callbacks, "fail")
        for scenario in ("success", "fail") if secret else ():
            _life(run, form, callbacks, scenario, secret=secret)
        _life(run, form, callbacks, "success", again=True)
        for answer in _BAD_ANSWERS:
            _life(run, form, callbacks, "success", (answer,))
        _life(run, form, callbacks, "fail", tuple([500] * _refusals(callbacks)), secret=secret)
    if forms and not run.steers:
        run.note("callbacks of failures, receivers that misbehave and signatures were left out: they need an emulator")


def _refusals(callbacks: Callbacks) -> int:
    """Return how many answers are more than all attempts to tell everything of a task."""
    return (len(callbacks.retries) + 1) * len(callbacks.on) + _MORE


def secret_of(run: Run) -> str:
    """Return a secret for the run's accounts, in a form that every signature scheme takes."""
    made = sha256(f"secret of {run.settings.seed}".encode()).digest()[:24]
    return "whsec_" + base64.b64encode(made).decode()


def _life(  # noqa: PLR0913 - what a life may be made of
    run: Run, form: Form, callbacks: Callbacks, scenario: str, answers: tuple[int | str, ...] = (), *, secret: str = "",
    again: bool = False,
) -> None:  # fmt: skip
    """Create a task whose callbacks are answered with `answers` and then with 200, and wait for all of them.

    With a `secret` they are signed; `again` has them sent once more by hand.
    """
    receiver = run.receiver
    draft = draft_of(run, form)
    assert receiver is not None  # noqa: S101 - the caller saw to it
    if draft is None:
        return
    told = f", answered {', '.join(map(str, dict.fromkeys(answers)))}" if answers else ", signed" if secret else ""
    with run.part(f"{form.name}: the callbacks of a task ({scenario}{told})"):
        if not (set_up(run, callbacks, secret) and played(run, form, scenario)):
            return
        receiver.answers.extend(answers)
        ask = form.ask(draft, run.key)
        created = run.ask(called_back(run, callbacks, ask))
        if created.task_id is None:
            return
        until_the_end(run, form, created)
        _arrived(run)
        if answers:
            _attempts(run, form, callbacks, created)
        if again:
            _redelivered(run, created.task_id)
        after_the_end(run, form, created)


def _arrived(run: Run) -> None:
    """Wait for a moment in which callbacks may come; in real time no longer than until one has."""
    if run.steers or run.receiver is None:
        run.wait(_MOMENT)
        return
    for _ in range(10):
        if run.came:
            return
        run.wait(_MOMENT // 10)


def _redelivered(run: Run, task_id: str) -> None:
    """Have every callback of a task sent once more."""
    if run.control is None:
        return
    run.circumstances = replace(run.circumstances, redelivered=run.circumstances.redelivered | {task_id})
    for delivery in run.control.deliveries(run.key, task_id):
        run.control.redeliver(run.key, delivery["id"])
    run.wait(_MOMENT)


def set_up(run: Run, callbacks: Callbacks, secret: str) -> bool:
    """Change the account's settings as the part needs them; tell whether that went well."""
    wanted: dict[str, str | None] = {}
    if callbacks.setting is not None:
        wanted[callbacks.setting] = run.callback_url
        run.circumstances = replace(run.circumstances, callback_url=run.callback_url)
    if secret and callbacks.signature is not None:
        wanted[callbacks.signature.secret] = secret
        run.circumstances = replace(run.circumstances, secret=secret)
    if wanted and run.control is not None:
        run.circumstances = replace(run.circumstances, accounts=frozenset({run.key}))
        try:
            run.control.set(run.key, run.oracle.provider.name, **wanted)
        except ControlError as error:
            run.note(f"callbacks were left out: {error}")
            return False
    return True


def called_back(run: Run, callbacks: Callbacks, ask: Ask) -> Ask:
    """Return the creation `ask` with the receiver's URL, where creations say where callbacks go."""
    if not run.callback_url or callbacks.url is None or not callbacks.url.startswith("$request.body#"):
        return ask
    body = put(orjson.loads(ask.body), split(callbacks.url.partition("#")[2]), run.callback_url)
    return replace(ask, body=orjson.dumps(body))


def _attempts(run: Run, form: Form, callbacks: Callbacks, created: Observation) -> None:
    """Let the time pass in which failed attempts are repeated, and then some in which no more should come."""
    for pause in callbacks.retries:
        run.wait(round(pause * (1 + callbacks.jitter)) + 1_000)
    poll = poll_of(run.oracle, form.operation.name)
    if poll is not None and created.task_id is not None:
        run.ask(ask_for_task(poll, run.key, created.task_id))
    if run.receiver is not None and run.receiver.answers:
        run.wait(2 * _DAY)
