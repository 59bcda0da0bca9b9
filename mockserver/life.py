"""What a scenario makes of a task's life: its plan, and what goes beyond the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ..openapi.behaviour import Behaviour, Failure, Phase, Status
from .chance import between
from .picture import inspect
from .plan import Plan, instant_plan, path_to, starts_of
from .scenario import Play, ScenarioError
from .task import Staging

MAX_FILE_BYTES = 50_000_000


def plan_of(play: Play, behaviour: Behaviour, random: bytes, *, instant: bool) -> Plan:
    """Return the plan that `play` makes with a provider's statuses."""
    ends = play.does["ends"]
    failure = _failure(play, behaviour) if ends == Phase.FAILED else None
    path = _path(play, behaviour)
    progress = play.values.get("progress", "time")
    if ends != "never" and (progress == "instant" or (instant and progress == "time" and "after" not in play.values)):
        return instant_plan(path, failure)
    names = tuple(status.name for status in path)
    plan = Plan(names, starts_of(_lasts(play, path, random)), failure)
    if progress != "time":
        plan = plan._replace(progress=progress, polls_per_status=play.values.get("n", 1))
    if failure is None and all(name in play.values for name in names[:-1]):  # nothing of it was drawn
        return _shared(plan)
    return plan


@lru_cache(maxsize=64)
def _shared(plan: Plan) -> Plan:
    """Return the one plan that all tasks share whose plans are equal to `plan`: a million of them may be alive."""
    return plan


def _path(play: Play, behaviour: Behaviour) -> tuple[Status, ...]:
    if play.does["ends"] == "never":
        return tuple(status for status in behaviour.statuses.values() if not status.phase.terminal)
    path = path_to(behaviour.statuses, Phase(play.does["ends"]))
    return (path[0], path[-1]) if play.does.get("skips") and len(path) > 1 else path


def _lasts(play: Play, path: Sequence[Status], random: bytes) -> list[int]:
    """Return the milliseconds that each status but the last one lasts."""
    longer = play.values.get("times_longer", 1)
    drawn = between([status.lasts for status in path[:-1]], random)
    lasts = [play.values.get(status.name, round(each * longer)) for status, each in zip(path[:-1], drawn, strict=True)]
    after = play.values.get("after")
    if after is None:
        return lasts
    # The end is given: the statuses before it share the time as they would have without it.
    whole = sum(lasts) or 1
    scaled = [last * after // whole for last in lasts]
    return [*scaled[:-1], after - sum(scaled[:-1])] if scaled else []


def _failure(play: Play, behaviour: Behaviour) -> Failure:
    return failure_with(behaviour.failures[play.does.get("failure", "failed")], play.values)


def failure_with(documented: Failure, given: Mapping[str, Any]) -> Failure:
    """Return `documented` with the code and message that are `given`; the code is of the documented one's type."""
    code = given.get("code", documented.code)
    if isinstance(documented.code, int) and str(code).removeprefix("-").isdecimal():
        code = int(code)
    elif isinstance(documented.code, str):
        code = str(code)
    return Failure(code, given.get("message", documented.message), documented.facts)


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
                if play.does.get("fewer"):
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
    if of != asked:
        raise ScenarioError(f"{play.name}: the request asks for {asked} results, not for {of}")
    if results >= of:
        raise ScenarioError(f"{play.name}: {results} of {of} results are not fewer; ask for more, or give a smaller n")
    return int(results)


def _file(play: Play) -> tuple[bytes, str] | None:
    """Read the picture that a play answers with; only pictures are read, so that no other file can be told."""
    name = play.values.get("file")
    if name is None:
        return None
    try:
        status = Path(name).stat()
        if not S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:  # a pipe would never end
            raise ScenarioError(f"{play.name}, file: {name!r} is no file of at most {MAX_FILE_BYTES:,} bytes")
        picture = _picture(name, status.st_mtime_ns)
    except OSError as error:
        raise ScenarioError(f"{play.name}, file: can't read {name!r}: {error.strerror}") from None
    except ValueError as error:
        raise ScenarioError(f"{play.name}, file: {name!r}: {error}") from None
    if picture is None:
        raise ScenarioError(f"{play.name}, file: {name!r} is no picture")
    return picture


@lru_cache(maxsize=8)
def _picture(name: str, _changed: int) -> tuple[bytes, str] | None:
    """Return the bytes of a file that did not change since, and their media type; None where it is no picture."""
    content = Path(name).read_bytes()
    known = inspect(content)
    return None if known is None else (content, known.media_type)
