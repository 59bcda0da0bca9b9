"""The client contract as pytest shows it: one test for each situation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ...openapi.errors import nearest
from ...openapi.provider import Provider
from ..checks.oracle import Oracle
from ..checks.tally import Tally
from .adapter import Factory
from .contract import (
    CLIENT_CHECKS,
    DEADLINE_SECONDS,
    SPEED,
    choose,
    loaded_provider,
    make_player,
    opened,
    told,
)
from .situations import Situation, situations_for
from .stage import NotPlayed


def client_contract(  # noqa: PLR0913 - settings that people have opinions on
    factory: Factory, *, provider: str | Path | Provider, emulator: Any = None, only: Sequence[str] | None = None,
    allow: Sequence[str] = (), speed: float = SPEED, deadline: float = DEADLINE_SECONDS, token: str | None = None,
) -> Callable[..., None]:  # fmt: skip
    """Return a test of a client, parametrised with every situation; assign it to a name that begins with ``test``.

    ``test_my_client = client_contract(MyAdapter, provider="acme")``

    Args:
        factory: makes an adapter of base URL and key; see `Adapter`.
        provider: whose client it is: a name, a folder, or a loaded provider.
        emulator: where it runs: a URL, or anything with a `url`; the fixture `understudy` by default.
        only: the ids of the situations to play; all by default.
        allow: the ids of checks whose findings fail no test.
        speed: how many times faster than real time the provider's clock runs.
        deadline: the real seconds within which the client must have ended in every situation.
        token: the emulator's control token, if it wants one.

    Raises:
        LoadError: the provider can't be loaded.
        ValueError: `only` names no situation, or `allow` no check.
    """
    oracle = Oracle(loaded_provider(provider))
    known = [each.id for each in CLIENT_CHECKS]
    for name in allow:
        if name not in known:
            raise ValueError(f"no check {name!r}{nearest(name, known)}; known: {', '.join(known)}")

    @pytest.mark.parametrize("situation", choose(situations_for(oracle.provider.behaviour), only), ids=str)
    def test(situation: Situation, request: pytest.FixtureRequest) -> None:
        handed = request.getfixturevalue("understudy") if emulator is None else emulator
        with opened(handed, token) as stage:
            player = make_player(stage, oracle, factory, speed, deadline)
            try:
                performance = player.perform(situation)
            except NotPlayed as reason:
                pytest.skip(str(reason))
        found = Tally(CLIENT_CHECKS).judge_performance(oracle, performance)
        wrong = [each for each in found if each.severity != "info" and each.check not in allow]
        if wrong:
            pytest.fail(f"{situation}\n{told(wrong)}", pytrace=False)

    return test
