"""Fixtures of the client's tests: both clients, a time in the test's hands, and servers to speak to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from understudy.mockserver import MockServer
from understudy.mockserver.handle import Account
from understudy.mockserver.settings import Settings

from .faulty import FaultyServer
from .speakers import KINDS, MODELS, Connect, FakeTime, connecting, loaded

NewAccount = Callable[[str], Account]


@pytest.fixture
def time() -> FakeTime:
    """Return a clock that only sleeping moves."""
    return FakeTime()


@pytest.fixture(params=KINDS)
def connect(request: pytest.FixtureRequest, time: FakeTime) -> Iterator[Connect]:
    """Return a function that opens a client: the one that waits, and the one that is awaited."""
    yield from connecting(request.param, time)


@pytest.fixture
def connect_sync(time: FakeTime) -> Iterator[Connect]:
    """Return a function that opens a client, for what is the same in both."""
    yield from connecting("sync", time)


@pytest.fixture
def connect_async(time: FakeTime) -> Iterator[Connect]:
    """Return a function that opens an awaited client, for what is special to it."""
    yield from connecting("async", time)


@pytest.fixture(scope="session")
def emulator() -> Iterator[MockServer]:
    """All providers on a real socket, the fifth one too, at a hundred thousand times real time."""
    with MockServer([loaded(name) for name in MODELS], Settings(speed=100_000)) as server:
        yield server


@pytest.fixture
def account(emulator: MockServer) -> NewAccount:
    """Return a function that opens an account of the test's own with a provider."""
    return emulator.account


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A server that answers by script."""
    with FaultyServer() as server:
        yield server
