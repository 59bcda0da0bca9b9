"""Rules: when a request matches, play a scenario, so many times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..openapi.errors import shorten
from .chance import draw
from .compiled import CompiledOperation, CompiledProvider
from .condition import Condition, ConditionError, check_fields, operations_meant, parse_condition, why_unreachable
from .request import Request
from .rule_index import RuleIndex
from .scenario import Play, Repertoire, ScenarioError, as_text

FIELDS = ("when", "play", "with", "times", "probability")


@dataclass(slots=True)
class Rule:
    """A rule and how often it was played.

    Attributes:
        id: its name in the control API.
        data: the rule as it was given.
        when: which requests it is for.
        times: how many requests it is played for; None is all of them.
        probability: how likely a request that matches is played for.
        matched: how many requests matched, played for or not.
        played: how many requests it was played for.
        plays: its play with each provider, bound when first needed.
        version: the version of the repertoire that `plays` came from.
    """

    id: str
    data: Mapping[str, Any]
    when: Condition
    play: str
    given: Mapping[str, str]
    times: int | None
    probability: float
    matched: int = 0
    played: int = 0
    plays: dict[str, Play | None] = field(default_factory=dict)
    version: int = 0

    def used_up(self, play: Play, does: str) -> bool:
        """Tell whether it was played as often as it may be: as its own `times` says, or else that of its play."""
        most = self.times
        if most is None and play.chosen_times and play.immediate and (play.on == does or not play.chosen_on):
            most = play.times
        return most is not None and self.played >= most

    def shown(self) -> dict[str, Any]:
        """Return the rule as the control API shows it."""
        return {"id": self.id, **self.data, "matched": self.matched, "played": self.played}

    def play_for(self, operation: CompiledOperation, repertoire: Repertoire) -> Play | None:
        """Return the play for requests to `operation`, or None where the rule is not for them."""
        if self.version != repertoire.version:
            self.version = repertoire.version
            self.plays.clear()
        provider = operation.owner
        if provider.name not in self.plays:
            self.plays[provider.name] = self._bound(provider, repertoire)
        play = self.plays[provider.name]
        if play is None or self.when.operation not in {None, operation.name}:
            return None
        if not self._happens_to(play, operation) or why_unreachable(self.when, operation):
            return None
        return play

    def _happens_to(self, play: Play, operation: CompiledOperation) -> bool:
        """Tell whether `play` happens to requests for `operation`, or to the task that they create."""
        does = operation.behaviour.does
        if self.when.operation is not None:
            return does == "create" or (play.immediate and (play.on == does or not play.chosen_on))
        if play.immediate and play.on == "poll":
            # Polls tell neither model nor body: who asks for these means the polls of the tasks that are so created.
            return does == ("create" if self.when.body or self.when.model else "poll")
        return does == "create"

    def _bound(self, provider: CompiledProvider, repertoire: Repertoire) -> Play | None:
        try:
            return repertoire.bind(self.play, self.given, provider.behaviour)
        except ScenarioError:
            return None  # a rule for all providers passes over those that can't express it


def parse_rule(data: Any, id: str, providers: Mapping[str, CompiledProvider], repertoire: Repertoire) -> Rule:  # noqa: A002
    """Return the rule that `data` describes.

    Raises:
        ConditionError: a field is unknown or malformed, or the rule can never match.
        ScenarioError: none of the providers it is for can play its scenario.
    """
    if not isinstance(data, dict):
        raise ConditionError(f"{shorten(data)} is no rule; expected an object with play")
    check_fields("a rule", data, FIELDS)
    if not isinstance(data.get("play"), str):
        raise ConditionError(f"play is {shorten(data.get('play'))}; expected the name of a scenario")
    given = data.get("with", {})
    if not isinstance(given, dict):
        raise ConditionError(f"with is {shorten(given)}; expected parameters by name")
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            raise ConditionError(f"with, {name}: {shorten(value)}; expected text, a number, true or false")
    rule = Rule(
        id=id,
        data=data,
        when=parse_condition(data.get("when", {}), providers),
        play=data["play"],
        given={name: as_text(value) for name, value in given.items()},
        times=_times(data.get("times")),
        probability=_probability(data.get("probability", 1)),
    )
    _check_playable(rule, operations_meant(rule.when, providers), repertoire)
    return rule


def _times(times: Any) -> int | None:
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise ConditionError(f"times is {shorten(times)}; expected a whole number from 1")
    return times


def _probability(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ConditionError(f"probability is {shorten(value)}; expected a number above 0, at most 1")
    return float(value)


def _check_playable(rule: Rule, operations: list[CompiledOperation], repertoire: Repertoire) -> None:
    """Refuse a rule whose scenario nobody it is for can play, or that none of their requests leads to."""
    errors = []
    providers = {each.owner.name: each.owner for each in operations}
    for provider in providers.values():
        try:
            repertoire.bind(rule.play, rule.given, provider.behaviour)
        except ScenarioError as error:
            errors.append(error)
    if len(errors) == len(providers):
        raise errors[0]
    if not any(rule.play_for(each, repertoire) for each in operations):
        meant = rule.when.operation or "what its when names"
        raise ConditionError(f"no request can match: {rule.play} does not happen to {meant}")


class RuleBook:
    """Rules in order: of those that match a request, the first that is not used up is played."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._made = 0
        self._indexes: dict[str, RuleIndex] = {}
        self._version = 0

    def add(self, data: Any, prefix: str, providers: Mapping[str, CompiledProvider], repertoire: Repertoire) -> Rule:
        """Add the rule that `data` describes, behind the others.

        Raises:
            ConditionError: see `parse_rule`.
            ScenarioError: see `parse_rule`.
        """
        rule = parse_rule(data, f"{prefix}{self._made + 1}", providers, repertoire)
        self._made += 1
        self.rules.append(rule)
        for index in self._indexes.values():
            _file(index, len(self.rules) - 1, rule, repertoire)
        return rule

    def remove(self, id: str) -> bool:  # noqa: A002 - it is the word
        """Remove the rule called `id`; tell whether there was one."""
        kept = [rule for rule in self.rules if rule.id != id]
        found = len(kept) < len(self.rules)
        self.rules = kept
        self._indexes.clear()
        return found

    def clear(self) -> None:
        """Remove every rule."""
        self.rules = []
        self._indexes.clear()

    def choose(
        self, operation: CompiledOperation, request: Request, repertoire: Repertoire, seed: int, namespace: str
    ) -> tuple[Rule, Play] | None:
        """Return the rule to play for `request`, counted as played, and its play; None where none matches."""
        index = self._index(operation, repertoire)
        for place in index.matching(request):
            rule, play = self.rules[index.numbers[place]], index.plays[place]
            if rule.used_up(play, operation.behaviour.does):
                index.retire(place)
                continue
            rule.matched += 1
            if rule.probability == 1 or _fraction(seed, namespace, rule) < rule.probability:
                rule.played += 1
                return rule, play
        return None

    def _index(self, operation: CompiledOperation, repertoire: Repertoire) -> RuleIndex:
        """Return the index of the rules for `operation`, made when it is first needed."""
        if self._version != repertoire.version:
            self._version = repertoire.version
            self._indexes.clear()
        key = f"{operation.owner.name} {operation.name}"
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = RuleIndex(operation)
            for number, rule in enumerate(self.rules):
                _file(index, number, rule, repertoire)
        return index


def _file(index: RuleIndex, number: int, rule: Rule, repertoire: Repertoire) -> None:
    play = rule.play_for(index.operation, repertoire)
    if play is not None:
        index.add(number, rule.when, play)


def _fraction(seed: int, namespace: str, rule: Rule) -> float:
    """Return a number from 0 to 1, the same for the same match of the same rule."""
    return int.from_bytes(draw(seed, namespace, rule.matched, f"rule {rule.id}")[:7], "big") / (1 << 56)
