"""Checks of what a client asks: right requests, at the right time, and no more of them than are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ...openapi.polling import Polling
from ..checks.finding import Problem, check
from ..checks.oracle import Oracle
from .performance import Asked, Performance

_FEWEST_HOT = 3
_SLACK = 0.8
"""The share of the advised pause that is still taken for it: real clocks are not exact at these speeds."""
_HOT = 0.5
"""The share of the shortest pause that is ever advised below which there is none to speak of."""


@check(
    "requests-shown-key", "error", "performance", "client", "A client asks where it was told to, with the key it got."
)
def requests_shown_key(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge whether anything came."""
    if seen.said.kind != "hung" or seen.asked:
        yield None if seen.asked else Problem("nothing was asked with the key that the client was given")


@check("requests-conform", "error", "performance", "client", "A client's requests are as documented.")
def requests_conform(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge each request by the stored contract."""
    for each in seen.asked:
        exchange = each.seen.exchange
        if each.seen.operation is None:
            told = f"{exchange.method} {exchange.path} is no documented operation"
            yield Problem(told, "", "", (exchange,))
            continue
        problems = each.seen.request_problems
        if problems == []:
            yield None
        for problem in problems or ():
            yield Problem(f"{each.seen.name}: {problem}", each.seen.name, problem.pointer, (exchange,))


@dataclass(frozen=True, slots=True)
class _Gap:
    """The provider's milliseconds between two polls of a task, and the least that it advises."""

    lasted: float
    least: int
    polls: tuple[Asked, Asked]


def _gaps(oracle: Oracle, seen: Performance) -> Iterator[list[_Gap]]:
    """Yield the pauses between the polls of each task, but for those that a callback cut short.

    A millisecond is what two times are rounded by.
    """
    advice: Polling = oracle.behaviour.polling
    born = next((each.seen.exchange.began for each in seen.asked if each.seen.does == "create"), 0)
    for polls in seen.polls().values():
        yield [
            _Gap(
                (second.moment - first.moment + 1) * seen.speed,
                advice.pause(first.seen.exchange.began - born)[0],
                (first, second),
            )
            for first, second in pairwise(polls)
            if not any(first.moment <= each.callback.came <= second.moment for each in seen.taken)
        ]


@check("no-hot-loop", "error", "performance", "client", "A client pauses between polls.")
def no_hot_loop(oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge whether most pauses are less than half of the shortest that is advised, for tasks of any age."""
    shortest_advised = min(each.least for each in oracle.behaviour.polling.steps)
    for gaps in _gaps(oracle, seen):
        hot = [each for each in gaps if each.lasted < shortest_advised * _HOT]
        if len(hot) < max(_FEWEST_HOT, len(gaps) / 2):
            yield None
            continue
        shortest = min(hot, key=lambda gap: gap.lasted)
        told = (
            f"polled {len(gaps) + 1} times, mostly with hardly a pause: after {_seconds(shortest.lasted)} by the "
            f"provider's clock, where it advises {_seconds(shortest_advised)} or more"
        )
        yield _about(told, shortest)


@check("polls-as-advised", "warning", "performance", "client", "A client polls no sooner than is advised.")
def polls_as_advised(oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge each pause by the provider's advice for a task of that age, but for a last look before giving up."""
    for each in _gaps(oracle, seen):
        gaps = each[:-1] if seen.said.kind == "reported" else each
        soon = [gap for gap in gaps if gap.lasted < gap.least * _SLACK]
        if not soon:
            yield None
            continue
        worst = min(soon, key=lambda gap: gap.lasted / gap.least)
        told = (
            f"{len(soon)} of {len(gaps)} pauses between polls were shorter than advised: {_seconds(worst.lasted)} by "
            f"the provider's clock instead of {_seconds(worst.least)}"
        )
        yield _about(told, worst)


def _about(told: str, gap: _Gap) -> Problem:
    first, second = gap.polls
    return Problem(told, second.seen.name, "", (first.seen.exchange, second.seen.exchange))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2g} s"


@check("retry-after-kept", "warning", "performance", "client", "A client comes back no sooner than Retry-After says.")
def retry_after_kept(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge what the emulator calls hurried."""
    waits = [each for each in seen.asked if any(name == "retry-after" for name, _ in each.seen.exchange.answer_headers)]
    hurried = seen.report.get("hurried", [])
    if waits and not hurried:
        yield None
    for each in hurried:
        told = f"came back {each['milliseconds_early']} ms before the wait was over that an answer asked for"
        yield Problem(told, "", "", seen.numbered(each["asked_by"], each["exchange"]))


@check("no-poll-after-end", "error", "performance", "client", "A client does not poll a task that it knows has ended.")
def no_poll_after_end(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge the polls of each task."""
    for each in seen.report.get("tasks", []):
        late = each["polls_after_end"]
        if not late:
            yield None
            continue
        polls = seen.polls().get(each["task"], [])
        told = f"polled {late} time{'s' * (late > 1)} more after it had been told that the task had ended"
        yield Problem(told, polls[-1].seen.name if polls else "", "", tuple(one.seen.exchange for one in polls[-3:]))


@check("creation-once", "error", "performance", "client", "A client creates no second task for one that it knows of.")
def creation_once(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge creations that were accepted once more although the first had been answered."""
    if seen.report.get("creations"):
        yield from _doubled(seen, "created the same again although the first creation had been answered", lost=False)


@check(
    "lost-creation-not-repeated", "warning", "performance", "client",
    "A client does not pay twice: where an answer was lost, the task may exist.",
)  # fmt: skip
def lost_creation_not_repeated(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge creations that were accepted once more after the answer to the first was lost."""
    if any(each.fault and each.seen.does == "create" for each in seen.asked):
        told = "created the same again after the answer was lost on the wire: both tasks exist, and are paid"
        yield from _doubled(seen, told, lost=True)


def _doubled(seen: Performance, told: str, *, lost: bool) -> Iterator[Problem | None]:
    found = [each for each in seen.report.get("repeated_creations", []) if each["answer_lost"] is lost and each["task"]]
    found = [each for each in found if len(seen.tasks) > 1]  # an idempotent creation gives the same task again
    if not found:
        yield None
    for each in found:
        evidence = seen.numbered(each["first"], each["exchange"])
        yield Problem(told, next((one.seen.name for one in seen.asked if one.seen.does == "create"), ""), "", evidence)


@check("results-fetched-once", "warning", "performance", "client", "A client fetches a result once.")
def results_fetched_once(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge the downloads that went well, where nothing was wrong with any."""
    if "results" in seen.situation.needs:
        return
    twice = seen.report.get("fetched_twice", {})
    if seen.contents and not twice:
        yield None
    for path, count in twice.items():
        yield Problem(f"fetched {path} {count} times, whole each time")


@check("connections-closed", "error", "performance", "client", "A client that is closed leaves no connection open.")
def connections_closed(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge what is open after `close`."""
    if seen.left_open is not None:
        many = seen.left_open
        yield Problem(f"{many} connection{'s' * (many > 1)} to the provider stayed open") if many else None


CHECKS = (
    requests_shown_key, requests_conform, no_hot_loop, polls_as_advised, retry_after_kept, no_poll_after_end,
    creation_once, lost_creation_not_repeated, results_fetched_once, connections_closed,
)  # fmt: skip
