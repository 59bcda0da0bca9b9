"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, settings
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings

pytest_plugins = ["pytester"]

# The gate is the same every time, and judges no clock: a busy machine is no defect. `--hypothesis-profile=default`
# draws anew.
settings.register_profile(
    "gate",
    parent=settings.get_profile("default"),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gate")


def pytest_configure(config: pytest.Config) -> None:
    """Judge coverage when the whole suite runs: a part of it covers a part."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (
        config.option.keyword or config.option.markexpr or config.option.lf
    )
    coverage = config.pluginmanager.getplugin("_cov")
    if coverage is not None and not whole:
        coverage.options.cov_fail_under = 0
        coverage.options.cov_report = {}


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
