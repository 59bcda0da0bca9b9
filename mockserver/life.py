"""What a scenario makes of a task's life: its plan, and what goes beyond the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..openapi.behaviour import Behaviour, Failure, Phase, Status
from .chance import between
from .picture import inspect
from .plan import Plan, instant_plan, make_plan, path_to, starts_of
from .scenario import Play, ScenarioError
from .task import Staging

MAX_FILE_BYTES = 50_000_000


def plan_of(play: Play | None, behaviour: Behaviour, random: bytes, *, instant: bool) -> Plan:
    """Return the plan that `play` makes with a provider's statuses; without a play, the documented success."""
    if play is None:
        path = path_to(behaviour.statuses, Phase.COMPLETED)
        return instant_plan(path) if instant else make_plan(path, random)
    ends = play.does["ends"]
    failure = _failure(play, behaviour) if ends == Phase.FAILED else None
    path = _path(play, behaviour)
    progress = play.values.get("progress", "time")
    if ends != "never" and (progress == "instant" or (instant and progress == "time" and "after" not in play.values)):
        return instant_plan(path, failure)
    names = tuple(status.name for status in path)
    plan = Plan(names, starts_of(_lasts(play, path, random)), failure)
    if progress == "time":
        return plan
    return replace(plan, progress=progress, polls_per_status=play.values.get("n", 1))


def _path(play: Play, behaviour: Behaviour) -> tuple[Status, ...]:
    if play.does["ends"] == "never":
        return tuple(status for status in behaviour.statuses.values() if not status.phase.terminal)
    path = path_to(behaviour.statuses, Phase(play.does["ends"]))
    return (path[0], path[-1]) if play.does.get("skips") and len(path) > 1 else path


def _lasts(play: Play, path: Sequence[Status], random: bytes) -> list[int]:
    """Return the milliseconds that each status but the last one lasts."""
    longer = play.values.get("times_longer", 1)
    lasts = [
        play.values.get(status.name, round(between(*status.lasts, random, nth) * longer))
        for nth, status in enumerate(path[:-1])
    ]
    after = play.values.get("after")
    if after is None:
        return lasts
    # The end is given: the statuses before it share the time as they would have without it.
    whole = sum(lasts) or 1
    scaled = [last * after // whole for last in lasts]
    return [*scaled[:-1], after - sum(scaled[:-1])] if scaled else []


def _failure(play: Play, behaviour: Behaviour) -> Failure:
    default = behaviour.failures[play.does.get("failure", "failed")]
    code = play.values.get("code", default.code)
    if isinstance(default.code, int) and isinstance(code, str) and code.lstrip("-").isdigit():
        code = int(code)
    return Failure(code, play.values.get("message", default.message), default.facts)


def staging_of(plays: Sequence[Play], created: int, asked: int) -> Staging | None:
    """Return what `plays` make of a task beyond its plan; `asked` is the number of results it was asked for.

    Raises:
        ScenarioError: a play can't be expressed by this task.
    """
    staging = Staging()
    for play in plays:
        match play.kind:
            case "life":
                staging.file = _file(play) or staging.file
                if "of" in play.values or play.name == "partial":
                    staging.results = _results(play, asked)
            case "poll":
                staging.hidden_until = created + play.values["for"]
            case "result":
                staging.result_status = play.does.get("status", 0)
                staging.truncated = bool(play.does.get("truncated"))
            case _:
                staging.pending.append((play, play.times))
    return staging if staging != Staging() else None


def _results(play: Play, asked: int) -> int:
    results, of = play.values.get("n", 1), play.values.get("of", asked)
    if results >= of:
        raise ScenarioError(f"{play.name}: {results} of {of} results are not fewer; ask for more, or give a smaller n")
    return int(results)


def _file(play: Play) -> tuple[bytes, str] | None:
    """Read the picture that a play answers with; only pictures are read, so that no other file can be told."""
    name = play.values.get("file")
    if name is None:
        return None
    try:
        with Path(name).open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ScenarioError(f"{play.name}, file: can't read {name!r}: {error.strerror}") from None
    known = inspect(content)
    if known is None:
        raise ScenarioError(f"{play.name}, file: {name!r} is no picture")
    return content, known.media_type
