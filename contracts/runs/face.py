"""The contract of a provider as pytest shows it: one test for each check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from ...openapi.errors import nearest
from ...openapi.provider import Provider, load_provider
from ..checks.catalogue import CHECKS
from ..checks.finding import Check
from .report import Verified, told
from .target import Target, UnreachableError
from .verification import VerifySettings, verify

IN_PROCESS = "http://127.0.0.1:4020"
_KEY = "provider-contract"
_DATABASE = Path(".hypothesis/examples")


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is drawn, and what decides it.

    Attributes:
        max_examples: how many requests are drawn for each schema.
        random: whether each run draws something else; if not, all runs are the same.
        keeps: whether the smallest requests that showed a finding are kept, and asked first by the next run.
    """

    max_examples: int
    random: bool
    keeps: bool


PROFILES = {"ci": Profile(25, random=False, keeps=False), "nightly": Profile(400, random=True, keeps=True)}
"""`ci` is the same every time and leaves nothing behind; `nightly` draws anew and remembers."""


def provider_contract(  # noqa: PLR0913 - settings that people have opinions on
    provider: str | Path | Provider, *, app: Any = None, url: str | None = None, key: str | None = None,
    other_key: str = "", profile: str | None = None, seed: int | None = None, max_examples: int | None = None,
    allow: Sequence[str] = (),
) -> Callable[..., None]:  # fmt: skip
    """Return a test of a provider, parametrised with every check; assign it to a name that begins with ``test``.

    ``test_my_stand_in = provider_contract("acme", url="http://127.0.0.1:8000")``

    Everything is asked once, when the first of the tests runs; each then tells what its check found, and is skipped
    where the check was never reached.

    Args:
        provider: whose contract it is: a name, a folder, or a loaded provider.
        app: an ASGI application that is asked in this process, at the path ``/<name of the provider>``.
        url: what the provider's URLs begin with, where it is served; the emulator of the pytest plugin by default.
        key: the key of the account that everything is done with.
        other_key: the key of a second account; derived from the first by default.
        profile: ``ci`` or ``nightly``; by default what ``--understudy-profile`` says.
        seed: decides what is drawn, in place of the profile's choice.
        max_examples: how many requests are drawn for each schema, in place of the profile's choice.
        allow: the ids of checks whose findings fail no test.

    Raises:
        LoadError: the provider can't be loaded.
        ValueError: there is no such profile, or `allow` names no check, or both `app` and `url` are given.
    """
    loaded = provider if isinstance(provider, Provider) else load_provider(provider)
    _check_known("profile", [profile] if profile else [], PROFILES)
    _check_known("check", allow, [each.id for each in CHECKS])
    if app is not None and url is not None:
        raise ValueError("either app or url says what is asked, not both")

    settings = partial(_settings, loaded, key, other_key, seed, max_examples)
    return _tests(loaded, app, url, profile, settings, allow)


def _tests(
    loaded: Provider, app: Any, url: str | None, profile: str | None, settings: Callable[[Profile], VerifySettings],
    allow: Sequence[str],
) -> Callable[..., None]:  # fmt: skip
    @lru_cache(maxsize=1)
    def verified(where: str, chosen: str) -> Verified | str:
        held = settings(PROFILES[chosen])
        try:
            with Target(where, app=app) as target:
                return Verified(loaded.name, where, where, verify(loaded, target, held), held.seed)
        except UnreachableError as error:
            return str(error)

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
    def test(check: Check, request: pytest.FixtureRequest) -> None:
        where = url or f"{_root(app, request)}/{loaded.name}"
        found = verified(where, profile or request.config.getoption("--understudy-profile"))
        if isinstance(found, str):
            pytest.fail(found, pytrace=False)
        wrong = [each for each in found.findings if each.check == check.id and each.severity != "info"]
        if wrong and check.id not in allow:
            shown = "\n\n".join(told(found, each) for each in wrong)
            pytest.fail(f"{check.sentence}\n\n{shown}\n\nseed {found.seed}", pytrace=False)
        if not found.result.tally.judged[check.id]:
            pytest.skip("never reached: nothing that was asked was of this kind")

    return test


def _root(app: Any, request: pytest.FixtureRequest) -> str:
    return IN_PROCESS if app is not None else str(request.getfixturevalue("understudy_server").url)


def _check_known(what: str, names: Sequence[str], known: Any) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"no {what} {name!r}{nearest(name, known)}; known: {', '.join(known)}")


def _settings(
    provider: Provider, key: str | None, other_key: str, seed: int | None, max_examples: int | None, profile: Profile
) -> VerifySettings:  # fmt: skip
    drawn = SystemRandom().randrange(1 << 32) if profile.random else 0
    return VerifySettings(
        key=key or provider.behaviour.key_prefix + _KEY,
        other_key=other_key,
        seed=drawn if seed is None else seed,
        max_examples=max_examples or profile.max_examples,
        examples=_DATABASE if profile.keeps else None,
    )
