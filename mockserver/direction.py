"""Which scenarios a request is answered with: the first of its channels that says anything decides.

The channels, in order: the header ``Understudy-Scenario``; ``Prefer: code=…``; a token in the prompt; what an
earlier request laid up for this one; a rule; the server's default.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .compiled import CompiledProvider
from .pictures import asked
from .refusal import Refused
from .request import Request
from .scenario import Play, ScenarioError, error_with_code, no_such_code, parse_header, parse_prefer, parse_prompt

if TYPE_CHECKING:
    from .call import Call
    from .emulator import Emulator

SCENARIO_HEADER = b"understudy-scenario"
PREFER = b"prefer"
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
    creates = role == "create"
    asked_for = _from_headers(call.emulator, call.provider, call.request)
    if asked_for is None and creates:
        asked_for = _from_prompt(call)
    if asked_for is not None:
        return _sorted(call, asked_for, role, here=not creates)
    laid_up = _laid_up(call) if role == "poll" else None
    if laid_up:
        return Direction(now=tuple(laid_up))
    ruled = call.emulator.rule_for(call)
    if ruled is not None:
        rule, play = ruled
        return _sorted(call, [play], role, here=rule.when.operation is not None, counted=False)
    default = call.emulator.default_plays(call.provider) if creates else ()
    return _sorted(call, default, role, here=False) if default else NOTHING


def direct_file(emulator: Emulator, provider: CompiledProvider, request: Request) -> list[Play] | None:
    """Return what a request for a result asks to happen to it; None where it asks for nothing.

    Raises:
        ScenarioError: it asks for what is not known or can't be played.
    """
    plays = _from_headers(emulator, provider, request)
    if plays is None:
        return None
    _check_together(plays, request)
    return [
        play
        for play in plays
        if play.kind == "result" or (play.immediate and (play.on == "result" or not play.chosen_on))
    ]


def _from_headers(emulator: Emulator, provider: CompiledProvider, request: Request) -> list[Play] | None:
    repertoire, behaviour = emulator.repertoire, provider.behaviour
    headers = request.headers
    if SCENARIO_HEADER not in headers and PREFER not in headers:
        return None
    header = headers.joined(SCENARIO_HEADER)
    if header is not None:
        return [repertoire.bind(name, given, behaviour) for name, given in parse_header(header)]
    prefer = headers.joined(PREFER)
    code = None if prefer is None else parse_prefer(prefer)
    if code is None:
        return None
    name = error_with_code(code, behaviour)
    if name is not None:
        return [repertoire.bind(name, {}, behaviour)]
    if _SUCCESS.fullmatch(code):
        return None
    raise ScenarioError(f"Prefer, code: {no_such_code(code, behaviour)}")


_SUCCESS = re.compile("2[0-9]{2}")


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


def _laid_up(call: Call) -> list[Play]:
    """Return the plays that the creation of the task in question laid up for its polls."""
    task = call.task()
    return [] if task is None or task.staging is None else task.staging.take("poll")


def _sorted(call: Call, plays: Sequence[Play], role: str, *, here: bool, counted: bool = True) -> Direction:
    """Sort `plays` into what happens to this request and what the task it creates has ahead of it.

    `here` says that a play is meant for this very request unless it asks for others. Where `counted`, a play that
    was asked for with ``times=`` happens to no more requests of the key than that.
    """
    _check_together(plays, call.request)
    now, later = [], []
    for play in plays:
        if play.immediate and (play.on == role or (here and not play.chosen_on)):
            if not (counted and play.chosen_times) or call.namespace.may_play(play):
                now.append(play)
        elif role == "create":
            later.append(play)
    return Direction(tuple(now), tuple(later))


def _check_together(plays: Sequence[Play], request: Request) -> None:
    """Refuse plays that can't be played together, or not on this connection.

    Raises:
        ScenarioError: they can't.
    """
    seen: dict[tuple[str, str], Play] = {}
    for play in plays:
        breaks = play.kind == "wire" and play.does["fault"] in SOCKET_FAULTS
        if breaks and play.on != "callback" and not request.on_socket:  # a callback has a connection of its own
            raise ScenarioError(f"{play.name} needs a real connection; this application is called in process")
        if play.kind in {"life", "wire", "refusal"}:
            place = play.kind, "" if play.kind == "life" else play.on
            if place in seen:
                raise ScenarioError(f"{seen[place].name} and {play.name} can't both happen; give one of them")
            seen[place] = play
