"""The pytest plugin: a fixture `understudy` that gives each test accounts of its own.

Nothing heavy is imported before a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..mockserver.handle import Account, ControlClient

_ACCOUNTS = pytest.StashKey["list[Account]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("understudy", "a stand-in for providers of asynchronous generation APIs")
    group.addoption("--understudy-url", metavar="URL", help="Use the server at URL instead of starting one.")
    group.addoption("--understudy-token", metavar="TOKEN", help="The control token of the server at --understudy-url.")
    group.addoption(
        "--understudy-provider", action="append", default=[], metavar="FOLDER",
        help="Serve the provider in FOLDER as well; may be repeated.",
    )  # fmt: skip
    group.addoption(
        "--understudy-profile", choices=("ci", "nightly"), default="ci",
        help="How much `provider_contract` draws: ci, the same every time, or nightly, at random and remembered.",
    )  # fmt: skip


class Understudy:
    """What the fixture `understudy` is: gives accounts, each with a key that derives from the test's id."""

    def __init__(self, control: ControlClient, test_id: str, opened: list[Account]) -> None:
        self._control = control
        self._test_id = test_id
        self._opened = opened
        self.url = control.url
        self.token = control.token

    def account(self, provider: str, *, speed: float | None = None) -> Account:
        """Return an account with `provider`, fresh: nothing of an earlier run is left of it.

        `speed` lets its clock run so many times faster than real time.
        """
        from hashlib import blake2b  # noqa: PLC0415

        from ..mockserver.handle import Account  # noqa: PLC0415

        number = sum(1 for each in self._opened if each.provider == provider)
        text = f"{self._test_id}/{provider}/{number}"
        key = "ak_" + blake2b(text.encode(), digest_size=16).hexdigest()
        account = Account(self._control, provider, key)
        account.reset()
        if speed is not None:
            account.clock.run_at(speed)
        self._opened.append(account)
        return account


@pytest.fixture(scope="session")
def understudy_server(request: pytest.FixtureRequest) -> Iterator[ControlClient]:
    """The server of the session: the one at --understudy-url, or one of its own on a free port."""
    from ..mockserver.handle import ControlClient  # noqa: PLC0415

    url = request.config.getoption("--understudy-url")
    if url:
        control = ControlClient(url, request.config.getoption("--understudy-token"))
        yield control
        control.close()
        return
    from ..mockserver.server import MockServer  # noqa: PLC0415
    from ..mockserver.settings import Settings  # noqa: PLC0415
    from ..openapi.provider import built_in_names  # noqa: PLC0415

    folders = request.config.getoption("--understudy-provider")
    with MockServer([*built_in_names(), *folders], Settings(callback_timeout=2)) as server:
        control = ControlClient(server.url)
        yield control
        control.close()


@pytest.fixture
def understudy(understudy_server: ControlClient, request: pytest.FixtureRequest) -> Understudy:
    """Accounts with providers that are played, for this test alone."""
    opened: list[Account] = []
    request.node.stash[_ACCOUNTS] = opened
    return Understudy(understudy_server, request.node.nodeid, opened)


def _journal_of(account: Account) -> str:
    from httpx import HTTPError  # noqa: PLC0415

    try:
        return account.journal() or "nothing was asked"
    except (RuntimeError, HTTPError) as error:  # refused, closed, gone: a report about a failure must not fail itself
        return f"the journal can't be had: {error}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test's accounts were asked and answered."""
    report = yield
    if report.failed and call.when == "call":
        for account in item.stash.get(_ACCOUNTS, []):
            report.sections.append((f"understudy: {account.provider}", _journal_of(account)))
    return report
