"""What goes over the wire in one operation, compared: parameters, bodies, answers and headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .changes import Change
from .compare import Changes, Comparison
from .document import Side, mapping
from .exchange import Exchange, Polarity
from .findings import Claim, Finding
from .media import Paired, is_json, is_raw, pair_media
from .parameters import ParameterRules
from .sentences import sentence
from .severity import Direction, severity_of

__all__ = ["Exchange", "Messages", "Polarity"]


class Messages:
    """Compares what is sent and received in the operations of two sides."""

    def __init__(self, base: Side, revision: Side, comparison: Comparison) -> None:
        self.base = base
        self.revision = revision
        self.comparison = comparison
        self._parameters = ParameterRules(self)

    def compare(self, exchange: Exchange) -> list[Finding]:
        """Return what changed in the messages of `exchange`."""
        return [*self._parameters.compare(exchange), *self._body(exchange), *self._responses(exchange)]

    def changes(  # noqa: PLR0913, PLR0917 - what is compared, where, and what was found
        self, exchange: Exchange, what: str, where: str, direction: Direction, one: Any, other: Any, found: Changes
    ) -> Iterator[Finding]:
        """Yield a finding for each of the changes `found` from the schema `one` to `other`."""
        for change in found:
            severity = severity_of(change, direction)
            told = sentence(change, where)
            claim = Claim(one, other, change, direction) if change.effect != "noted" else None
            places = self._places(change, one, other)
            yield exchange.finding(f"{exchange.word(what)}-{change.what}", severity, direction, told, *places, claim)

    def _places(self, change: Change, one: Any, other: Any) -> tuple[Any, Any]:
        base = self.base.place(change.base, change.keyword) or self.base.place(one)
        revision = self.revision.place(change.revision, change.keyword) or self.revision.place(other)
        return base, revision

    def _body(self, exchange: Exchange) -> Iterator[Finding]:
        one, other = exchange.base.operation, exchange.revision.operation
        before, after = self.base.follow(one.get("requestBody")), self.revision.follow(other.get("requestBody"))
        places = self.base.place(one, "requestBody"), self.revision.place(other, "requestBody")
        direction, word = exchange.asked, exchange.word("request-body")
        if not before and not after:
            return
        if not before or not after:
            yield self._body_came_or_went(exchange, before, after, places)
            return
        required = before.get("required") is True, after.get("required") is True
        if required[0] != required[1]:
            severity = exchange.judge(required[1], direction)
            state = "required" if required[1] else "optional"
            yield exchange.finding(f"{word}-became-{state}", severity, direction, f"the body is {state} now", *places)
        yield from self._content(exchange, "request-body", "the request body", direction, (before, after), places)

    def _body_came_or_went(
        self, exchange: Exchange, before: Mapping[str, Any], after: Mapping[str, Any], places: tuple[Any, Any]
    ) -> Finding:
        word, direction = exchange.word("request-body"), exchange.asked
        if before:
            severity = "breaking" if direction == "sent" or before.get("required") is True else "warning"
            return exchange.finding(f"{word}-removed", severity, direction, "there is no body any more", *places)  # type: ignore[arg-type]
        required = after.get("required") is True
        kind = "required" if required else "optional"
        severity = exchange.judge(True, direction) if required else "info"  # noqa: FBT003
        return exchange.finding(
            f"{word}-added-{kind}", severity, direction, f"there is a body now, and it is {kind}", *places
        )

    def _content(
        self, exchange: Exchange, what: str, where: str, direction: Direction, holders: tuple[Any, Any],
        places: tuple[Any, Any],
    ) -> Iterator[Finding]:  # fmt: skip
        before, after = mapping(holders[0].get("content")), mapping(holders[1].get("content"))
        for pair in pair_media(before, after):
            if pair.base is not None and pair.revision is not None:
                media = mapping(before[pair.base]), mapping(after[pair.revision])
                yield from self._renamed(exchange, what, where, direction, pair, media)
                yield from self._media(exchange, what, where, direction, pair, media)
            elif pair.base is not None:  # who asked for this type gets another
                told, word = f"the type {pair.base} of {where} is gone", f"{exchange.word(what)}-media-type-removed"
                at = self.base.place(before[pair.base]), places[1]
                yield exchange.finding(word, "breaking", direction, told, *at)
            elif pair.revision is not None:
                told, word = f"the type {pair.revision} of {where} is new", f"{exchange.word(what)}-media-type-added"
                at = places[0], self.revision.place(after[pair.revision])
                yield exchange.finding(word, "info", direction, told, *at)

    def _renamed(
        self, exchange: Exchange, what: str, where: str, direction: Direction, pair: Paired, media: tuple[Any, Any]
    ) -> Iterator[Finding]:
        if pair.effect == "same":
            return
        severity = exchange.judge(pair.effect == "narrowed", direction) if pair.effect != "changed" else "info"
        told = f"the type of {where} was {pair.base} and is {pair.revision} now"
        places = self.base.place(media[0]), self.revision.place(media[1])
        yield exchange.finding(f"{exchange.word(what)}-media-type-changed", severity, direction, told, *places)

    def _media(
        self, exchange: Exchange, what: str, where: str, direction: Direction, pair: Paired, media: tuple[Any, Any]
    ) -> Iterator[Finding]:
        one, other = media[0].get("schema", True), media[1].get("schema", True)
        found = self.comparison.schemas(one, other, text="" if is_json(pair.base or "") else "body")
        if is_raw(pair.base or ""):
            found = self._raw(found, one, other)
        bases = one if one is not True else media[0], other if other is not True else media[1]
        yield from self.changes(exchange, what, where, direction, *bases, self._placed(found, *bases))
        encodings = media[0].get("encoding") or {}, media[1].get("encoding") or {}
        if encodings[0] != encodings[1]:
            told = f"how the fields of {where} are encoded has changed"
            severity = "warning" if direction == "sent" else "info"
            places = self.base.place(media[0], "encoding"), self.revision.place(media[1], "encoding")
            yield exchange.finding(f"{exchange.word(what)}-encoding-changed", severity, direction, told, *places)  # type: ignore[arg-type]

    def _placed(self, found: Changes, one: Any, other: Any) -> Changes:
        """Give changes of a schema that is not written down the media type as their place."""
        from dataclasses import replace  # noqa: PLC0415

        return tuple(
            replace(
                each,
                base=one if each.base is True else each.base,
                revision=other if each.revision is True else each.revision,
            )
            for each in found
        )

    def _raw(self, found: Changes, one: Any, other: Any) -> Changes:
        """Leave out what can't be told apart where the whole body is text: a string may be anything."""
        flats = self.base.flatten(one), self.revision.flatten(other)
        free = [flat.types == {"string"} and not flat.words for flat in flats]
        if not any(free):
            return found
        if all(free):
            return tuple(change for change in found if change.effect == "noted")
        effect = "widened" if free[1] else "narrowed"
        return tuple(change.with_effect(effect) if change.what == "type-changed" else change for change in found  # type: ignore[arg-type]
                     if change.effect != "noted" or not change.path)  # fmt: skip

    def _responses(self, exchange: Exchange) -> Iterator[Finding]:
        one, other = exchange.base.operation, exchange.revision.operation
        before, after = mapping(one.get("responses")), mapping(other.get("responses"))
        holders = self.base.place(one, "responses"), self.revision.place(other, "responses")
        for status in _statuses(before, after):
            match = _covering(status, before), _covering(status, after)
            if match[0] is None or match[1] is None:
                gone = match[1] is None
                yield self._status(exchange, status, gone=gone, holders=holders)
            else:
                pair = self.base.follow(before[match[0]]), self.revision.follow(after[match[1]])
                yield from self._response(exchange, status, pair)

    def _status(self, exchange: Exchange, status: str, *, gone: bool, holders: tuple[Any, Any]) -> Finding:
        direction = exchange.answered
        success = status.startswith("2")
        if direction == "received":
            severity = "breaking" if gone and success else "info"
        else:  # what the client answers to a callback is no longer known to be understood
            severity = "warning" if gone and success else "info"
        kind = "success" if success else "non-success"
        told = f"the answer {status} {'is no longer documented' if gone else 'is documented now'}"
        side, node = (self.base, exchange.base) if gone else (self.revision, exchange.revision)
        responses = mapping(node.operation.get("responses"))
        place = side.place(side.follow(responses.get(status))) or (holders[0] if gone else holders[1])
        places = (place, holders[1]) if gone else (holders[0], place)
        identity = f"{exchange.word('response')}-{kind}-status-{'removed' if gone else 'added'}"
        return exchange.finding(identity, severity, direction, told, *places)  # type: ignore[arg-type]

    def _response(self, exchange: Exchange, status: str, pair: tuple[Any, Any]) -> Iterator[Finding]:
        places = self.base.place(pair[0]), self.revision.place(pair[1])
        where = f"the answer {status}"
        yield from self._content(exchange, "response-body", where, exchange.answered, pair, places)
        yield from self._parameters.headers(exchange, status, pair, places)


def _statuses(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the statuses to compare: a range stands back where the other side tells its statuses one by one."""
    found = []
    for status in dict.fromkeys((*before, *after)):
        if status.startswith("x-"):
            continue
        here, there = (before, after) if status in before else (after, before)
        covered = status[1:].upper() == "XX" and status not in there
        if covered and any(each[:1] == status[:1] and each not in here for each in there):
            continue
        found.append(status)
    return found


def _covering(status: str, responses: Mapping[str, Any]) -> str | None:
    """Return the key of `responses` that speaks of `status`: itself, or its range."""
    if status in responses:
        return status
    return next((key for key in responses if key.upper() == f"{status[:1]}XX" and status[:1].isdigit()), None)
