"""Which scenarios a request is answered with: the first of its channels that says anything decides.

The channels, in order: the header ``Understudy-Scenario``; ``Prefer: code=…``; a token in the prompt; what an
earlier request laid up for this one; a rule; the server's default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pictures import asked
from .refusal import Refused
from .scenario import Play, ScenarioError, error_with_code, parse_header, parse_prefer, parse_prompt
from .task import Task

if TYPE_CHECKING:
    from .call import Call

SCENARIO_HEADER = b"understudy-scenario"
SOCKET_FAULTS = frozenset({"reset", "empty-reply", "truncated-body", "garbage", "dribble", "hang"})
"""Faults that only a real connection can show."""


@dataclass(frozen=True, slots=True)
class Direction:
    """What happens to a request: `now` to its answer, `later` to the task that it creates."""

    now: tuple[Play, ...] = ()
    later: tuple[Play, ...] = ()


NOTHING = Direction()


def direct(call: Call) -> Direction:
    """Return what happens to the call.

    Raises:
        ScenarioError: a channel asks for what is not known or can't be played.
    """
    role = call.operation.behaviour.does
    asked_for = _from_headers(call)
    if asked_for is None and role == "create":
        asked_for = _from_prompt(call)
    if asked_for is not None:
        return _sorted(call, asked_for, role, here=role != "create")
    laid_up = _laid_up(call, role)
    if laid_up:
        return Direction(now=tuple(laid_up))
    ruled = call.emulator.rule_for(call)
    if ruled is not None:
        rule, play = ruled
        return _sorted(call, [play], role, here=rule.when.operation is not None)
    default = call.emulator.default_plays(call.provider) if role == "create" else ()
    return _sorted(call, default, role, here=False) if default else NOTHING


def _from_headers(call: Call) -> list[Play] | None:
    repertoire, behaviour = call.emulator.repertoire, call.provider.behaviour
    header = call.request.header(SCENARIO_HEADER)
    if header is not None:
        return [repertoire.bind(name, given, behaviour) for name, given in parse_header(header)]
    prefer = call.request.header(b"prefer")
    code = None if prefer is None else parse_prefer(prefer)
    if code is None or code.startswith("2"):
        return None
    name = error_with_code(code, behaviour)
    # Where no error has that code, the scenario that takes any code says so.
    return [repertoire.bind(name, {}, behaviour) if name else repertoire.bind("poll-error", {"code": code}, behaviour)]


def _from_prompt(call: Call) -> list[Play] | None:
    if b"[understudy" not in call.request.body:
        return None
    try:
        prompt = asked(call.operation, call.request.json, "prompt")
    except Refused:
        return None
    found = parse_prompt(prompt) if isinstance(prompt, str) else []
    plays = [call.emulator.repertoire.bind(name, given, call.provider.behaviour) for name, given in found]
    return plays or None


def _laid_up(call: Call, role: str) -> list[Play]:
    """Return the plays that the creation of the task in question laid up for its polls."""
    if role != "poll":
        return []
    task = task_in_question(call)
    return [] if task is None or task.staging is None else task.staging.take("poll")


def task_in_question(call: Call) -> Task | None:
    """Return the task that the call asks for, if there is one, without refusing anything."""
    try:
        found = call.request.find(call.operation.behaviour.task_id or "$request.query.")
    except Refused:
        return None
    return call.account.tasks.get(found) if isinstance(found, str) else None


def _sorted(call: Call, plays: Iterable[Play], role: str, *, here: bool) -> Direction:
    """Sort `plays` into what happens to this request and what the task it creates has ahead of it.

    `here` says that a play is meant for this very request unless it asks for others.
    """
    now, later = [], []
    for play in plays:
        if play.kind == "wire" and play.does["fault"] in SOCKET_FAULTS and not call.request.on_socket:
            raise ScenarioError(f"{play.name} needs a real connection; this application is called in process")
        if play.immediate and (play.on == role or (here and not play.chosen_on)):
            now.append(play)
        elif role == "create":
            later.append(play)
    return Direction(tuple(now), tuple(later))
