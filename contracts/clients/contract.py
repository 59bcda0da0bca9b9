"""Judging a client: every situation played, or some; a report for programs and people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...openapi.errors import nearest
from ...openapi.provider import Provider, load_provider
from ..checks.exchange import Exchange
from ..checks.finding import Check, Finding
from ..checks.oracle import Oracle
from ..checks.tally import Tally
from . import answers, requests
from .adapter import Factory
from .emulator import ClientStage
from .situations import SITUATIONS, Need, Situation, situations_for
from .stage import NotPlayed, Player

CLIENT_CHECKS: tuple[Check, ...] = (*answers.CHECKS, *requests.CHECKS)
SPEED = 200.0
DEADLINE_SECONDS = 10.0
_BODY_SHOWN = 120
_rehearsed: set[tuple[str, str]] = set()
"""Where the first client has been before: an emulator that does something for the first time takes longer for it."""


@dataclass
class ClientReport:
    """What came of playing with a client.

    Attributes:
        provider: whose clients these are.
        tally: how much each check has judged, and each cause that was found, once.
        found: what was found in each situation that was played, by its id.
        not_played: why the others were not.
    """

    provider: str
    tally: Tally = field(default_factory=lambda: Tally(CLIENT_CHECKS))
    found: dict[str, list[Finding]] = field(default_factory=dict)
    not_played: dict[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """Each cause once, in the order in which they were found."""
        return self.tally.findings

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning."""
        return all(each.severity == "info" for each in self.findings)

    def __str__(self) -> str:
        """Return the report as text."""
        played = f"{len(self.found)} situations played with a client of {self.provider}"
        lines = [f"{played}, {len(self.not_played)} not; {len(self.findings)} findings"]
        for situation, findings in self.found.items():
            lines += [f"\n{situation}\n{told(findings)}"] if findings else []
        unseen = len(self.found) - self.tally.judged["connections-closed"]
        if unseen:
            lines.append(f"\nin {unseen} situations it can't be told whether every connection was closed")
        if self.not_played:
            lines.append("\nnot played")
            lines += [f"  {situation}: {reason}" for situation, reason in self.not_played.items()]
        return "\n".join(lines)


def told(findings: Iterable[Finding]) -> str:
    """Return findings as text, each with what shows it."""
    lines = []
    for finding in findings:
        lines.append(f"  {finding.severity} {finding.check}: {finding.sentence}")
        lines += [f"    {_shown(each)}" for each in finding.evidence if isinstance(each, Exchange)]
    return "\n".join(lines)


def _shown(exchange: Exchange) -> str:
    query = f"?{exchange.query}" if exchange.query else ""
    body = f" {_short(exchange.body)}" if exchange.body else ""
    answer = exchange.error or f"{exchange.status} {_short(exchange.answer)}"
    return f"{exchange.method} {exchange.path}{query}{body} → {answer}"


def _short(body: bytes) -> str:
    text = body[: _BODY_SHOWN * 4].decode(errors="replace")
    return text if len(text) <= _BODY_SHOWN else text[:_BODY_SHOWN] + "…"


def check_client(  # noqa: PLR0913 - settings that people have opinions on
    factory: Factory, *, provider: str | Path | Provider, emulator: Any, only: Sequence[str] | None = None,
    speed: float = SPEED, deadline: float = DEADLINE_SECONDS, token: str | None = None,
    said: Callable[[str], None] = lambda _: None,
) -> ClientReport:  # fmt: skip
    """Play situations to a client and return what was found.

    Args:
        factory: makes an adapter of base URL and key; see `Adapter`.
        provider: whose client it is: a name, a folder, or a loaded provider. The emulator must play it.
        emulator: where it runs: a URL, or anything with a `url`, such as a `MockServer` or the fixture `understudy`.
        only: the ids of the situations to play; all by default.
        speed: how many times faster than real time the provider's clock runs. The client's pauses between polls are
            expected to be so many times shorter.
        deadline: the real seconds within which the client must have ended in every situation.
        token: the emulator's control token, if it wants one.
        said: is told the id of each situation before it is played.

    Raises:
        NoEmulatorError: there is no emulator at the URL.
        ControlError: the emulator does not play the provider, or refused something else.
        LoadError: the provider can't be loaded.
        ValueError: `only` names no situation, or `speed` or `deadline` is not above 0.
    """
    loaded = loaded_provider(provider)
    report = ClientReport(loaded.name)
    with opened(emulator, token) as stage:
        player = make_player(stage, Oracle(loaded), factory, speed, deadline)
        chosen = choose([*situations_for(loaded.behaviour), *_added(stage, loaded.name)], only)
        for situation in chosen:
            said(situation.id)
            try:
                performance = player.perform(situation)
            except NotPlayed as reason:
                report.not_played[situation.id] = str(reason)
            else:
                report.found[situation.id] = report.tally.judge_performance(player.oracle, performance)
    return report


def loaded_provider(provider: str | Path | Provider) -> Provider:
    """Return the provider.

    Raises:
        LoadError: it can't be loaded.
    """
    return provider if isinstance(provider, Provider) else load_provider(provider)


def choose(situations: Iterable[Situation], only: Sequence[str] | None) -> list[Situation]:
    """Return those of `situations` that have the ids `only`; all of them for None.

    Raises:
        ValueError: one is not among them.
    """
    known = {each.id: each for each in situations}
    for name in only or ():
        if name not in known:
            raise ValueError(f"no situation {name!r}{nearest(name, known)}; known: {', '.join(known)}")
    return list(known.values()) if only is None else [known[name] for name in only]


def _added(stage: ClientStage, provider: str) -> Iterable[Situation]:
    """Yield a situation for each scenario that the emulator has beside the known ones."""
    known = {each.play for each in SITUATIONS}
    for each in stage.ask("GET", "/scenarios")["scenarios"]:
        if each["name"] not in known and each["providers"][provider] is True:
            drifts = each["kind"] == "drift"
            needs: frozenset[Need] = frozenset({"callbacks"}) if each["kind"] == "callback" else frozenset()
            yield Situation(each["name"], times=None if drifts else 1, needs=needs)


def opened(emulator: Any, token: str | None) -> ClientStage:
    """Return the emulator that was handed in as a URL or as something that has one.

    Raises:
        NoEmulatorError: it is none.
    """
    url = emulator if isinstance(emulator, str) else getattr(emulator, "url", None)
    if not isinstance(url, str):
        raise TypeError(f"emulator is {emulator!r:.80}; expected a URL, or something with a url")
    return ClientStage(url, token if token is not None else getattr(emulator, "token", None))


def make_player(stage: ClientStage, oracle: Oracle, factory: Factory, speed: float, deadline: float) -> Player:
    """Return a player, once its settings are known to make sense.

    Raises:
        ValueError: `speed` or `deadline` is not above 0.
        ControlError: the emulator does not play the provider.
    """
    for name, value in (("speed", speed), ("deadline", deadline)):
        if not value > 0:
            raise ValueError(f"{name} is {value!r}; expected a number above 0")
    stage.check_plays(oracle.provider.name)
    player = Player(stage, oracle, factory, speed=speed, deadline=deadline)
    if (stage.url, oracle.provider.name) not in _rehearsed:
        _rehearsed.add((stage.url, oracle.provider.name))
        player.rehearse()
    return player
