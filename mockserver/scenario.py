"""Scenarios: named ways to play a provider, with parameters, read from data.

A scenario by itself does nothing. Bound to a provider and to the values of its parameters it is a `Play`, which
says what happens (`kind`, `does`), to which requests (`on`) and how often (`times`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ..openapi.behaviour import Behaviour, Phase
from ..openapi.errors import nearest, shorten
from ..openapi.pointer import join
from ..openapi.source import Source, read_source
from ..openapi.times import parse_duration

BUILT_IN = Path(__file__).parent / "scenarios.yaml"
_SHAPE = BUILT_IN.with_suffix(".schema.yaml")
Kind = Literal["life", "refusal", "poll", "result", "wire", "drift", "callback"]
ANY_STATUS = "*"
_MOST_DIGITS = 10


class ScenarioError(ValueError):
    """A scenario is not known, can't be played by the provider, or was given parameters that it does not take."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a scenario: how its text is read, what it is without one, and what it is for.

    `of_status` says that it is the duration of the status of its name, where a provider has one.
    """

    name: str
    type: str
    default: Any = None
    about: str = ""
    words: tuple[str, ...] = ()
    of_status: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as its file tells it."""

    name: str
    about: str
    kind: Kind
    does: Mapping[str, Any]
    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class Play:
    """A scenario with its parameters, ready to happen.

    Attributes:
        name: the scenario's name.
        kind: what it plays.
        does: the scenario's own words for it.
        values: its parameters' values; durations in milliseconds.
        on: the requests it happens to: create, poll, result or callback.
        chosen_on: whether `on` was asked for.
        times: how many requests it happens to; None is all of them.
        chosen_times: whether `times` was asked for.
        text: the scenario as it would be asked for.
    """

    name: str
    kind: Kind
    does: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    on: str = "create"
    chosen_on: bool = False
    times: int | None = None
    text: str = ""
    chosen_times: bool = False

    @property
    def immediate(self) -> bool:
        """Whether it happens to an answer rather than to a task."""
        return self.kind in {"refusal", "wire", "drift"}


REFUSAL_PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("on", "word", "create", "What is refused", ("create", "poll", "result")),
        Parameter("times", "count", 1, "How many requests"),
        Parameter("retry_after", "seconds", None, "The wait that the refusal tells"),
        Parameter("message", "text", None, "The provider's sentence"),
    )
}
"""What every entry of an error catalogue takes when it is played as a scenario."""


def read_scenarios(path: Path, base: Mapping[str, Scenario] | None = None) -> dict[str, Scenario]:
    """Return the scenarios of the file at `path`, laid over those of `base`.

    Raises:
        LoadError: the file is broken; the message names line, place and what was expected.
    """
    source = read_source(path)
    if path != BUILT_IN:  # the tests check our own: the start of a server need not
        _check_shape(source)
    known = dict(base or {})
    for name, data in source.data["scenarios"].items():
        known[name] = _preset(source, name, data, known) if "like" in data else _scenario(source, name, data)
    return known


def _check_shape(source: Source) -> None:
    from ..openapi.validation import first_problem  # noqa: PLC0415 - who has no file of their own needs none of it

    problem = first_problem(read_source(_SHAPE).data, source.data)
    if problem is not None:
        raise source.error(problem.pointer, problem.sentence, problem.expected)


@lru_cache(maxsize=1)
def built_in_scenarios() -> dict[str, Scenario]:
    """Return the scenarios that come with understudy, read once."""
    return read_scenarios(BUILT_IN)


_NEEDS = {
    ("fault", "delay"): "fixed", ("fault", "dribble"): "bytes_per_second", ("change", "unknown-status"): "status",
    ("hidden", True): "for", ("callback", "late"): "after", ("callback", "duplicate"): "n",
}  # fmt: skip
"""The parameter, by what a scenario does, without whose value it can't be played."""


def _scenario(source: Source, name: str, data: Mapping[str, Any]) -> Scenario:
    place = join("scenarios", name, "parameters")
    parameters = {
        each: _parameter(source, place + join(each), each, settings)
        for each, settings in data.get("parameters", {}).items()
    }
    does = data["does"]
    for word in does.items():
        needed = _NEEDS.get(word)
        if needed is not None and (needed not in parameters or parameters[needed].default is None):
            raise source.error(join("scenarios", name), f"has no parameter {needed!r} with a default", "one")
    return Scenario(name, data.get("about", ""), data["plays"], does, parameters)


def _preset(source: Source, name: str, data: Mapping[str, Any], known: Mapping[str, Scenario]) -> Scenario:
    """Return a scenario that is another one with some parameters' values of its own."""
    place = join("scenarios", name)
    model = known.get(data["like"])
    if model is None:
        hint = nearest(data["like"], known)
        raise source.error(f"{place}/like", f"no scenario {data['like']!r}{hint}", "one of those above or built in")
    parameters = dict(model.parameters)
    for each, value in data.get("with", {}).items():
        parameter = parameters.get(each) or model.parameters.get(ANY_STATUS)
        if parameter is None or each == ANY_STATUS:
            hint = nearest(each, model.parameters)
            taken = ", ".join(model.parameters) or "no parameters"
            raise source.error(place + join("with", each), f"{model.name} takes no {each!r}{hint}", taken)
        settings = {"type": parameter.type, "default": value, "about": parameter.about, "words": parameter.words}
        made = _parameter(source, place + join("with", each), each, settings)
        parameters[each] = replace(made, of_status=parameter.of_status or parameter.name == ANY_STATUS)
    return Scenario(name, data.get("about", model.about), model.kind, model.does, parameters)


def _parameter(source: Source, place: str, name: str, data: Mapping[str, Any]) -> Parameter:
    made = Parameter(name, data["type"], data.get("default"), data.get("about", ""), tuple(data.get("words", ())))
    try:
        if made.default is not None:
            read_value(made, as_text(made.default))
    except ValueError as error:
        raise source.error(place, str(error)) from None
    return made


def _read_count(text: str) -> int:
    if not _is_whole(text) or int(text) < 1:
        raise ValueError(f"{shorten(text)} is no count; expected a whole number from 1")
    return int(text)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 < number < 1e9:
        raise ValueError(f"{shorten(text)} is no number above 0")
    return number


def _read_flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"{shorten(text)} is neither true nor false")
    return text == "true"


def _read_seconds(text: str) -> int:
    if _is_whole(text):
        return int(text)
    return -(-parse_duration(text) // 1000)


def _read_range(text: str) -> tuple[int, int]:
    least, dots, most = text.partition("..")
    if not dots or parse_duration(least) > parse_duration(most):
        raise ValueError(f"{shorten(text)} is no range of durations; expected one such as 100ms..2s")
    return parse_duration(least), parse_duration(most)


def _read_pointer(text: str) -> str:
    return text if text.startswith("/") else "/" + text.replace(".", "/")


_READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "word": str,
    "count": _read_count,
    "number": _read_number,
    "flag": _read_flag,
    "duration": parse_duration,
    "range": _read_range,
    "seconds": _read_seconds,
    "pointer": _read_pointer,
    "file": str,
}


def as_text(value: Any) -> str:
    """Return `value`, which came out of JSON or YAML, as a person would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value(parameter: Parameter, text: str) -> Any:
    """Return what `text` means for `parameter`.

    Raises:
        ValueError: it means nothing.
    """
    if parameter.words and text not in parameter.words:
        raise ValueError(f"{shorten(text)}{nearest(text, parameter.words)} is none of {', '.join(parameter.words)}")
    return _READERS[parameter.type](text)


class Repertoire:
    """The scenarios that can be played: those of the files, and the entries of each provider's error catalogue."""

    def __init__(self, scenarios: Mapping[str, Scenario]) -> None:
        self.scenarios = dict(scenarios)
        self.version = 0

    def replace(self, scenarios: Mapping[str, Scenario]) -> None:
        """Play `scenarios` from now on; what was bound before is of an earlier `version`."""
        self.scenarios = dict(scenarios)
        self.version += 1

    def names(self, behaviours: Iterable[Behaviour]) -> list[str]:
        """Return every name that can be played with one of the providers of `behaviours`."""
        return list(dict.fromkeys([*self.scenarios, *(name for each in behaviours for name in each.errors)]))

    def bind(self, name: str, given: Mapping[str, str], behaviour: Behaviour) -> Play:
        """Return scenario `name` with the parameters `given`, as the provider of `behaviour` plays it.

        Raises:
            ScenarioError: it is not known, the provider can't express it, or a parameter is wrong.
        """
        scenario = self.scenarios.get(name) or _of_catalogue(name, behaviour)
        if scenario is None:
            known = self.names([behaviour])
            raise ScenarioError(f"no scenario {shorten(name)}{nearest(name, known)}; known: {', '.join(known)}")
        values = {
            each: read_value(parameter, as_text(parameter.default))
            for each, parameter in scenario.parameters.items()
            if parameter.default is not None
        }
        values |= {each: _given_value(scenario, each, text, behaviour) for each, text in given.items()}
        reason = why_not(scenario, values, behaviour) or _contradiction(given, values)
        if reason:
            raise ScenarioError(f"{name} can't be played: {reason}")
        text = "; ".join([name, *(f"{each}={value}" for each, value in given.items())])
        on = "callback" if scenario.kind == "callback" else str(values.get("on", "create"))
        return Play(
            name, scenario.kind, scenario.does, values, on, "on" in given, values.get("times"), text, "times" in given
        )


def _contradiction(given: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Return what is given in vain, or ""."""
    if "n" in given and values.get("progress", "polls") != "polls":
        return "n counts polls; give progress=polls as well"
    return ""


def _of_catalogue(name: str, behaviour: Behaviour) -> Scenario | None:
    if name not in behaviour.errors:
        return None
    return Scenario(name, "Refused as documented", "refusal", {"error": name}, REFUSAL_PARAMETERS)


def _given_value(scenario: Scenario, name: str, text: str, behaviour: Behaviour) -> Any:
    parameter = scenario.parameters.get(name)
    passing = _passing(behaviour)
    if parameter is None and ANY_STATUS in scenario.parameters and name in passing:
        parameter = scenario.parameters[ANY_STATUS]
    if parameter is None or name == ANY_STATUS:
        known = [each for each in scenario.parameters if each != ANY_STATUS]
        if ANY_STATUS in scenario.parameters:
            known += passing
        taken = ", ".join(known) or "no parameters"
        raise ScenarioError(f"{scenario.name} takes no {shorten(name)}{nearest(name, known)}; it takes {taken}")
    try:
        return read_value(parameter, text)
    except ValueError as error:
        raise ScenarioError(f"{scenario.name}, {name}: {error}") from None


def _passing(behaviour: Behaviour) -> list[str]:
    """Return the statuses that a task passes on its way to its end."""
    return [status.name for status in behaviour.statuses.values() if not status.phase.terminal]


def why_not(scenario: Scenario, values: Mapping[str, Any], behaviour: Behaviour) -> str:
    """Return why the provider of `behaviour` can't express `scenario`, or ""."""
    does = scenario.does
    phases = {status.phase for status in behaviour.statuses.values()}
    creators = [each for each in behaviour.operations.values() if each.does == "create"]
    ends = does.get("ends")
    if ends in set(Phase) and ends not in phases:
        return f"the provider has no status for {ends} tasks"
    if ends == "never" and not phases & {Phase.PENDING, Phase.PROCESSING}:
        return "the provider has no status for tasks that have not ended"
    if does.get("failure") and does["failure"] not in behaviour.failures:
        return f"the provider has no failure {does['failure']!r}"
    for parameter in scenario.parameters.values():
        if parameter.of_status and parameter.name not in _passing(behaviour):
            return f"no task of the provider passes a status {parameter.name!r}"
    if does.get("fewer") and not any(each.input.count for each in creators):
        return "the provider makes one result for each task"
    if scenario.kind == "refusal" and "error" not in does:
        return no_such_code(str(values.get("code")), behaviour)
    return _why_not_told(scenario, str(values.get("on", "poll")), behaviour)


def _why_not_told(scenario: Scenario, on: str, behaviour: Behaviour) -> str:
    """Return why `scenario` can't happen to what the provider tells on `on`, or ""."""
    callbacks = behaviour.callbacks
    if callbacks is None and "callback" in {on, scenario.kind}:
        return "the provider sends no callbacks"
    if scenario.does.get("signed") and (callbacks is None or callbacks.signature is None):
        return "the provider does not sign its callbacks"
    if scenario.does.get("change") == "unknown-status" and not _tells_status(on, behaviour):
        return f"the provider tells no status on={on}"
    return ""


def _tells_status(on: str, behaviour: Behaviour) -> bool:
    if on == "callback":
        return behaviour.callbacks is not None and "status" in behaviour.callbacks.reads
    return any("status" in each.reads for each in behaviour.operations.values() if each.does == on)


def no_such_code(code: str, behaviour: Behaviour) -> str:
    """Return that no error of the catalogue has `code`, and which codes there are; "" where one has."""
    if error_with_code(code, behaviour):
        return ""
    known = dict.fromkeys(str(error.code) for error in behaviour.errors.values())
    return f"no error has code {shorten(code)}{nearest(code, known)}; known: {', '.join(known)}"


def error_with_code(code: str, behaviour: Behaviour) -> str | None:
    """Return the name of the catalogue's entry with `code`, or with that HTTP status, or None."""
    for error in behaviour.errors.values():
        if str(error.code) == code:
            return error.name
    return next((error.name for error in behaviour.errors.values() if str(error.status) == code), None)


_ITEM = re.compile(r"""\s*([^\s;=,"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?\s*""")


def parse_header(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the scenarios, each with its parameters, of a text such as ``fail; code=501, callback-lost``.

    Raises:
        ScenarioError: it is malformed.
    """
    found: list[tuple[str, dict[str, str]]] = []
    place, first = 0, True
    while place < len(text):
        match = _ITEM.match(text, place)
        if match is None:
            raise _malformed(text, text[place:])
        name, value = match[1], match[2]
        if first and value is None:
            found.append((name, {}))
        elif not first and value is not None:
            found[-1][1][name] = _unquoted(value.strip())
        else:
            raise _malformed(text, match[0].strip())
        place = match.end()
        if place < len(text) and text[place] not in ";,":
            raise _malformed(text, text[place:])
        first = place < len(text) and text[place] == ","
        place += 1
    if not found:
        raise ScenarioError(f"{shorten(text)} names no scenario")
    return found


def _malformed(text: str, rest: str) -> ScenarioError:
    wanted = "expected NAME; PARAMETER=VALUE; …, as in: fail; code=501"
    return ScenarioError(f"{shorten(text)} is malformed at {shorten(rest)}; {wanted}")


def _unquoted(value: str) -> str:
    return (
        re.sub(r"\\(.)", r"\1", value[1:-1])
        if value.startswith('"') and value.endswith('"') and len(value) > 1
        else value
    )


_TOKEN = re.compile(r"""\[understudy(?=[\s\]])((?:"[^"]*"|[^\]"])*)\]?""")
_WORD = re.compile(r"""([^\s=]+)(?:=("[^"]*"|\S*))?""")


def parse_prompt(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the scenarios that tokens such as ``[understudy fail code=501]`` in `text` ask for.

    Raises:
        ScenarioError: a token is malformed.
    """
    found = []
    for token in _TOKEN.finditer(text):
        words = _WORD.findall(token[1])
        if not words or words[0][1] or not token[0].endswith("]"):
            wanted = "something like: [understudy fail code=501]"
            raise ScenarioError(f"{shorten(token[0])} is malformed; expected {wanted}")
        found.append((words[0][0], {name: value.strip('"') for name, value in words[1:]}))
    return found


def parse_prefer(text: str) -> str | None:
    """Return the code that a ``Prefer`` header asks for, or None; other preferences are not ours (RFC 7240)."""
    for preference in text.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "code":
            return value.strip().strip('"')
    return None
