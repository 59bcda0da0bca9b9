"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """All built-in providers on a real socket, with clocks a hundred thousand times faster than real time."""
    with MockServer(settings=Settings(speed=100_000, limits=False)) as running:
        yield running


@pytest.fixture
def http(server: MockServer) -> Iterator[httpx.Client]:
    """A client of the session's server."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client
