"""What a client is put through: every scenario, and what must become of a client in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...openapi.behaviour import Behaviour

Need = Literal["callbacks", "signature", "results"]
Claim = Literal["success-told", "passing-failure-survived", "drift-survived", "callbacks-harmless", ""]


@dataclass(frozen=True)
class Situation:
    """A scenario that is played to a client.

    Attributes:
        play: the scenario's name.
        values: its parameters.
        claim: the check that says so where the client ends without results; "" where it may.
        times: for how many requests it is played; None for all of them.
        needs: what the situation is about; without that it is not played: a client that takes callbacks, one that
            verifies them, one that fetches results itself.
    """

    play: str
    values: Mapping[str, Any] = field(default_factory=dict)
    claim: Claim = ""
    times: int | None = 1
    needs: frozenset[Need] = frozenset()

    @property
    def id(self) -> str:
        """The scenario as a request's header has it: ``fail; code=501``."""
        return "; ".join([self.play, *(f"{name}={value}" for name, value in self.values.items())])

    def __str__(self) -> str:
        """Return the id."""
        return self.id


def _on(what: str, *plays: str, needs: frozenset[Need] = frozenset()) -> Iterator[Situation]:
    """Yield faults that happen once to polls or to results, and pass."""
    for play in plays:
        # `times` counts requests for results of one task: the rule for it is its creation's.
        yield Situation(play, {"on": what, "times": 1}, "passing-failure-survived", needs=needs)


_BROKEN = ("reset", "empty-reply", "truncated-body", "garbage", "malformed-json", "html-502", "hang")
_RESULTS: frozenset[Need] = frozenset({"results"})
_CALLBACKS: frozenset[Need] = frozenset({"callbacks"})
_SIGNED: frozenset[Need] = frozenset({"callbacks", "signature"})
FORGED = ("callback-bad-signature", "callback-stale-timestamp", "callback-unsigned", "callback-altered-body")
"""Scenarios whose callbacks a verifier must reject, as far as the signature covers what is wrong."""
UNREADABLE = ("callback-malformed",)

SITUATIONS: tuple[Situation, ...] = (
    Situation("success", claim="success-told"),
    Situation("success", {"progress": "instant"}, "success-told"),
    Situation("slow", {"times_longer": 3}, "success-told"),
    Situation("status-skips", claim="success-told"),
    Situation("partial", {"n": 1, "of": 3}, "success-told"),
    Situation("stuck"),
    Situation("fail"),
    Situation("fail", {"code": "e77", "message": "the brush was dry"}),
    Situation("moderated"),
    Situation("cancelled"),
    Situation("poll-error", {"times": 3}, "passing-failure-survived", times=3),
    Situation("poll-error", {"code": "429", "times": 1, "retry_after": 1}),
    Situation("poll-error", {"code": "401", "times": 1}),
    Situation("not-found-at-first", claim="passing-failure-survived"),
    Situation("not-found-at-first", {"for": "1m"}),
    Situation("result-expired", needs=_RESULTS),
    Situation("result-403", needs=_RESULTS),
    Situation("result-truncated", needs=_RESULTS),
    *(Situation(play) for play in _BROKEN),
    *(Situation(play, {"accepted": "false"}) for play in ("reset", "empty-reply", "hang")),
    Situation("html-502", {"accepted": "true"}),
    Situation("delay", {"fixed": "20ms"}, "success-told"),
    Situation("dribble", {"bytes_per_second": 5000}, "success-told"),
    *_on("poll", *_BROKEN),
    Situation("delay", {"on": "poll", "times": 1, "fixed": "100ms"}, "passing-failure-survived"),
    Situation("dribble", {"on": "poll", "times": 1, "bytes_per_second": 5000}, "passing-failure-survived"),
    *_on("result", *_BROKEN, needs=_RESULTS),
    Situation("extra-field", claim="drift-survived", times=None),
    Situation("extra-field", {"on": "create"}, "drift-survived", times=None),
    Situation("unknown-status", {"times": 2}, "drift-survived", times=2),
    Situation("unknown-status", times=None),
    *(Situation(play, times=None) for play in ("missing-field", "type-changed", "renamed-field")),
    *(Situation(play, {"on": "create"}, times=None) for play in ("missing-field", "type-changed", "renamed-field")),
    Situation("missing-field", {"times": 2}, "passing-failure-survived", times=2),
    *(Situation(play, {"on": "callback"}, "callbacks-harmless", needs=_CALLBACKS)
      for play in ("extra-field", "unknown-status", "missing-field", "type-changed", "renamed-field")),
    *(Situation(play, claim="callbacks-harmless", needs=_CALLBACKS)
      for play in ("callback-late", "callback-duplicate", "callback-early", "callback-out-of-order")),
    *(Situation(play, claim="passing-failure-survived", needs=_CALLBACKS)
      for play in ("callback-lost", "callback-malformed", "callback-wrong-content-type")),
    Situation("callback-contradicts", needs=_CALLBACKS),
    *(Situation(play, claim="passing-failure-survived", needs=_SIGNED) for play in FORGED),
)  # fmt: skip


def situations_for(behaviour: Behaviour) -> list[Situation]:
    """Return what clients of a provider are put through, as far as its behaviour file tells.

    That is every scenario, and a creation refused with each entry of its error catalogue. The provider may be unable
    to play some; the emulator says so then.
    """
    callbacks = behaviour.callbacks
    phases = {each.phase.value for each in behaviour.statuses.values()}
    counted = any(each.input.count for each in behaviour.operations.values())
    found = []
    for each in SITUATIONS:
        unable = ("callbacks" in each.needs and callbacks is None) or (
            "signature" in each.needs and (callbacks is None or callbacks.signature is None)
        )
        if each.play == "cancelled":
            unable = "cancelled" not in phases
        if each.play == "partial":
            unable = not counted
        if not unable:
            found.append(each)
    return [*found, *(Situation(name) for name in behaviour.errors)]
