"""Proposing an overlay that makes the contract tell what was seen, for a person to review."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from ...openapi.pointer import MISSING
from ...openapi.source import Source
from ...openapi.times import iso
from ..checks.exchange import Callback, Exchange
from ..checks.trace import ReceivedCallback
from .deviation import Deviation, Remedy
from .documents import Documents, Spot
from .infer import infer
from .judge import Judge
from .widening import Edit, widen

MAX_ROUNDS = 24
"""How often what was proposed is judged again: what is wrong inside shows when what is around it is right."""
_MAX_VALUES = 500
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = ("status", "content", "optional", "keyword", "parameter", "property")


@dataclass
class Need:
    """What several deviations ask of one place."""

    remedy: Remedy
    deviation: Deviation
    first: int
    last: int
    count: int = 0
    values: list[Any] = field(default_factory=list)

    def why(self) -> str:
        """Return a sentence that says what was seen, where, how often and when."""
        one, place = self.deviation, f"`{self.deviation.pointer}` in " if self.deviation.pointer else ""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        when = iso(self.first) if self.first == self.last else f"{iso(self.first)} to {iso(self.last)}"
        return f"Seen {times}, {when}, at {one.operation}: {place}the {one.where} {_kept(one)}."


def _kept(deviation: Deviation) -> str:
    """Return what was seen without the value, which an overlay has no need of."""
    told = {
        "required": "is missing", "field": "is not documented", "additionalProperties": "is not documented",
        "enum": "has a word that is not documented", "const": "has a word that is not documented",
        "type": "is of a type that is not documented",
    }  # fmt: skip
    if deviation.kind in {"status", "content-type", "body", "header"}:
        return deviation.sentence
    return told.get(deviation.kind, f"does not fit `{deviation.kind}`")


@dataclass
class Proposal:
    """An overlay, and what it can't tell.

    Attributes:
        actions: of the overlay; none where the contract tells everything that was seen, or can't.
        left: deviations that no document can tell.
    """

    actions: list[dict[str, Any]]
    left: list[Deviation]


def propose(documents: Documents, exchanges: Iterable[Exchange], callbacks: Iterable[Callback]) -> Proposal:
    """Return an overlay with which the exchanges and callbacks are as documented, but for what can't be documented."""
    everything: list[Exchange | Callback] = [*exchanges, *callbacks]
    actions: list[dict[str, Any]] = []
    wrong, whole = everything, True
    left: list[Deviation] = []
    for _ in range(MAX_ROUNDS):
        judge = Judge(documents)
        found = [(each, _judged(judge, each)) for each in wrong]
        edits = _edits(documents, _needs(found))
        left = [one for _, deviations in found for one in deviations]
        if not edits and whole:
            break
        # What has become right is judged once more in the end, since a wider branch may overlap another.
        whole = not edits
        wrong = everything if whole else [each for each, deviations in found if deviations]
        actions += edits
        documents = documents.with_overlay(_source(edits)) if edits else documents
    return Proposal(actions, left)


def _judged(judge: Judge, seen: Exchange | Callback) -> list[Deviation]:
    if isinstance(seen, Exchange):
        return judge.exchange(judge.oracle.observe(seen))
    return judge.callback(ReceivedCallback(judge.oracle, seen))


def _needs(found: Iterable[tuple[Exchange | Callback, list[Deviation]]]) -> list[Need]:
    needs: dict[tuple[str, Spot, str], Need] = {}
    for seen, deviations in found:
        when = seen.began if isinstance(seen, Exchange) else seen.came
        for each in deviations:
            remedy = each.remedy
            if remedy is None:
                continue
            need = needs.setdefault((remedy.kind, remedy.spot, remedy.name), Need(remedy, each, when, when))
            need.count += 1
            need.first, need.last = min(need.first, when), max(need.last, when)
            if len(need.values) < _MAX_VALUES:
                need.values.append(remedy.value)
    # From the outside in: what is inside something that changes waits for the next round.
    return sorted(needs.values(), key=lambda need: (len(need.remedy.spot.tokens), _KINDS.index(need.remedy.kind)))


def _edits(documents: Documents, needs: Sequence[Need]) -> list[dict[str, Any]]:
    """Return the actions that `needs` ask for, but for those that would get in each other's way."""
    actions: list[dict[str, Any]] = []
    changed: list[Spot] = []
    retyped: set[Spot] = {need.remedy.spot for need in needs if need.remedy.name == "type"}
    for need in needs:
        remedy = need.remedy
        waits = remedy.kind == "keyword" and remedy.name != "type" and remedy.spot in retyped
        if waits or any(_is_inside(remedy.spot, spot) for spot in changed):
            continue
        edits = _answer(documents, need)
        changed += [edit.spot for edit in edits if edit.update is MISSING and edit.item is MISSING]
        actions += [_action(edit, need.why()) for edit in edits]
    return actions


def _is_inside(spot: Spot, other: Spot) -> bool:
    return spot.file == other.file and spot.tokens[: len(other.tokens)] == other.tokens


def _answer(documents: Documents, need: Need) -> list[Edit]:
    remedy, old = need.remedy, documents.is_old(need.remedy.spot)
    spot = remedy.spot
    match remedy.kind:
        case "keyword":
            return widen(documents, spot, remedy.name, need.values)
        case "property":
            return [Edit(spot, {"properties": {remedy.name: infer(need.values, old=old)}})]
        case "optional":
            return [Edit(spot, {"required": False})]
        case "parameter":
            schema: dict[str, Any] = {"type": "string"}
            return [Edit(spot, {"parameters": [{"name": remedy.name, "in": "query", "schema": schema}]})]
        case "content":
            return [Edit(spot, {"content": {remedy.name: _media(need.values, old=old)}})]
        case "status":
            types = dict.fromkeys(sent for sent, _ in need.values if "/" in sent)
            content = {name: _media([body for sent, body in need.values if sent == name], old=old) for name in types}
            response = {"description": "Seen, and not documented.", **({"content": content} if content else {})}
            return [Edit(spot, {"responses": {remedy.name: response}})]


def _media(bodies: Sequence[Any], *, old: bool) -> dict[str, Any]:
    known = [body for body in bodies if body is not MISSING]
    return {"schema": infer(known, old=old)} if known else {}


def _action(edit: Edit, why: str) -> dict[str, Any]:
    target = path_of(edit.spot.tokens)
    if edit.item is not MISSING:
        target += f"[?@ == {_quoted(str(edit.item))}]"
    made = {"target": target, "x-document": edit.spot.file, "description": why, "x-provenance": "observed"}
    return made | ({"remove": True} if edit.update is MISSING else {"update": edit.update})


def path_of(tokens: Iterable[str | int]) -> str:
    """Return the JSONPath (RFC 9535) of one place."""
    parts = []
    for token in tokens:
        if isinstance(token, int):
            parts.append(f"[{token}]")
        else:
            parts.append(f".{token}" if _WORD.fullmatch(token) else f"[{_quoted(token)}]")
    return "$" + "".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(char if char >= " " else f"\\u{ord(char):04x}" for char in escaped) + "'"


def _source(actions: list[dict[str, Any]]) -> Source:
    data = {"overlay": "1.0.0", "info": {"title": "Proposed", "version": "1"}, "actions": actions}
    return Source("the proposed overlay", "", data)


def as_overlay(proposal: Proposal, provider: str, recorded: str) -> str:
    """Return the text of the overlay: YAML, with what a reviewer has to know in comments."""
    head = [
        f"# Proposed of what was seen of {provider} in {recorded}: review each action before you keep it.",
        "# An action says that something was seen, not that it is meant; take out what is a defect of the provider's.",
        *(f"# No document can tell: {each.operation}, {each.where} {each.sentence}" for each in _once(proposal.left)),
    ]  # fmt: skip
    data = {
        "overlay": "1.0.0",
        "info": {"title": f"What was seen of {provider}", "version": "1.0.0"},
        "actions": proposal.actions,
    }
    body = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return "\n".join([*head, body])


def _once(left: Iterable[Deviation]) -> list[Deviation]:
    bare = (replace(each, value=None, remedy=None, pointer="") for each in left)
    return list({(each.operation, each.where, each.sentence): each for each in bare}.values())


class _Dumper(yaml.SafeDumper):
    """Writes a value that stands at several places in full at each of them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Write text that is more than letters in quotes: YAML takes some characters for the ends of lines."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _written)
