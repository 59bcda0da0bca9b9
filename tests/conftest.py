"""Fixtures that every room's tests may use."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
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
        config.option.keyword or config.option.markexpr != "not nightly" or config.option.lf
    )
    coverage = config.pluginmanager.getplugin("_cov")
    if coverage is not None and not whole:
        coverage.options.cov_fail_under = 0
        coverage.options.cov_report = {}


def pytest_collection_finish() -> None:
    """Tell the garbage collector that the modules and tests that are there now stay."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Leave what is done hundreds of times out of coverage, which makes it take twice as long.

    That is the tests marked `untraced` and those that Hypothesis draws for: coverage is earned by the others.
    """
    if pyfuncitem.get_closest_marker("untraced") or is_hypothesis_test(pyfuncitem.obj):
        with _untraced():
            return (yield)
    return (yield)


@contextmanager
def _untraced() -> Iterator[None]:
    """Trace neither this thread nor those that it starts; threads that run already stay as they are."""
    here, started = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(started)
        sys.settrace(here)


@pytest.fixture(scope="session", autouse=True)
def _bytecode(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Let the processes that tests start share their bytecode, also where the machine wants none written."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """All built-in providers on a real socket, with clocks a hundred thousand times faster than real time."""
    with MockServer(settings=Settings(speed=100_000, limits=False)) as running:
        yield running


@pytest.fixture
def http(server: MockServer) -> Iterator[httpx.Client]:
    """A client of the session's server."""
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:  # it is plain HTTP
        yield client
