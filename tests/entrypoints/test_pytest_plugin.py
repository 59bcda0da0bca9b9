"""The fixture `understudy`, used as a reader of the README would."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
import pytest
from understudy.mockserver import MockServer, Settings


class MyApp:
    """An application under test: starts a generation and tells how it went."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._jobs = f"{base_url}/api/v1/jobs"
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def start(self, prompt: str) -> str:
        body = {"model": "nano-banana-pro", "input": {"prompt": prompt}}
        response = httpx.post(f"{self._jobs}/createTask", json=body, headers=self._headers)
        return str(response.json()["data"]["taskId"])

    def status(self, job: str) -> str:
        response = httpx.get(f"{self._jobs}/recordInfo", params={"taskId": job}, headers=self._headers)
        return {"success": "done", "fail": "failed"}.get(response.json()["data"]["state"], "running")


def test_my_app_survives_a_failed_generation(understudy: Any) -> None:
    kie = understudy.account("kie")
    kie.play("fail", code=501)
    job = MyApp(base_url=kie.base_url, api_key=kie.api_key).start("a lighthouse")
    kie.clock.advance(minutes=2)
    assert MyApp(base_url=kie.base_url, api_key=kie.api_key).status(job) == "failed"
    kie.verify("createTask", times=1)


# --- the plugin from outside --------------------------------------------------------------------------------

APP = """
import httpx

def create(account, code=200):
    url = f"{account.base_url}/api/v1/jobs/createTask"
    body = {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}}
    response = httpx.post(url, json=body, headers={"Authorization": f"Bearer {account.api_key}"}, verify=False)
    assert response.json()["code"] == code
    return response.json()["data"]
"""


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """Run a test file in a process of its own: inside this one, its modules and ours would meet."""
    pytester.makepyfile(app=APP, test_it=text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)


def test_the_example_takes_less_than_a_second(understudy: Any) -> None:
    began = time.perf_counter()
    test_my_app_survives_a_failed_generation(understudy)
    assert time.perf_counter() - began < 1


def test_the_journal_is_part_of_the_report_of_a_test_that_fails(pytester: pytest.Pytester) -> None:
    result = ran(
        pytester,
        """
        from app import create

        def test_fails(understudy):
            kie, crun = understudy.account("kie"), understudy.account("crun")
            kie.play("fail", code=501)
            create(kie)
            assert False

        def test_passes(understudy):
            create(understudy.account("kie"))
        """,
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([
        "*- understudy: kie -*",
        "* POST /api/v1/jobs/createTask → 200 task_nano-banana-pro_* fail; code=501",
        "*- understudy: crun -*",
        "nothing was asked",
    ])  # fmt: skip
    assert result.stdout.str().count("createTask →") == 1


def test_a_verification_that_fails_is_a_failed_assertion(pytester: pytest.Pytester) -> None:
    result = ran(pytester, 'def test_it(understudy):\n    understudy.account("kie").verify("createTask", times=1)\n')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*VerificationFailed: * was asked 0 times; expected exactly 1"])


def test_a_server_that_died_does_not_break_the_report(pytester: pytest.Pytester) -> None:
    result = ran(
        pytester,
        """
        def test_it(understudy, understudy_server, request):
            understudy.account("kie")._control._http.base_url = "http://127.0.0.1:9"
            assert False
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the journal can't be had: *"])


KEYS = """
import pytest

def keys(understudy):
    return [understudy.account(each).api_key for each in ("kie", "kie", "crun")]

@pytest.mark.parametrize("n", [1, 2])
def test_one(understudy, n, record_property):
    print("KEYS", *keys(understudy))

def test_two(understudy):
    print("KEYS", *keys(understudy))
"""


def keys_of(result: pytest.RunResult) -> list[str]:
    """Return the keys that tests printed."""
    result.assert_outcomes(passed=3)
    return [key for line in result.outlines if "KEYS" in line for key in line.partition("KEYS ")[2].split()]


def test_keys_are_the_same_in_every_run_and_differ_from_test_to_test(pytester: pytest.Pytester) -> None:
    first, again = (keys_of(ran(pytester, KEYS, "-s")) for _ in range(2))
    assert first == again
    assert len(set(first)) == len(first) == 9
    assert all(key.startswith("ak_") for key in first)


def test_an_account_is_fresh_however_often_its_test_is_run(pytester: pytest.Pytester) -> None:
    with MockServer(["kie"], Settings(control_token="s3cret")) as server:
        text = """
        from app import create

        def test_it(understudy):
            kie = understudy.account("kie", speed=1000)
            assert kie.tasks() == []
            create(kie)
            assert kie.clock._control.ask("GET", "/clock", namespace=kie.api_key)["clocks"][0]["speed"] == 1000
            assert understudy.url == "URL"
        """.replace("URL", server.url)
        for _ in range(2):
            options = ("--understudy-url", server.url, "--understudy-token", "s3cret")
            ran(pytester, text, *options).assert_outcomes(passed=1)
        assert len(server.emulator.tasks) == 1


def test_a_provider_of_ones_own_is_played_too(pytester: pytest.Pytester) -> None:
    folder = Path(__file__).parent.parent / "providers" / "acme"
    text = 'def test_it(understudy):\n    assert understudy.account("acme").base_url.endswith("/acme")\n'
    ran(pytester, text, f"--understudy-provider={folder}").assert_outcomes(passed=1)


def test_tests_on_several_workers_do_not_meet(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    text = """
    import pytest
    from app import create

    @pytest.mark.parametrize("n", range(8))
    def test_it(understudy, n):
        kie = understudy.account("kie")
        kie.play("server-error") if n % 2 else None
        create(kie, 500 if n % 2 else 200)
        assert len(kie.tasks()) == 1 - n % 2
    """
    with MockServer(["kie"]) as server:
        ran(pytester, text, "-n2", "--understudy-url", server.url).assert_outcomes(passed=8)


UNUSED = """
import sys, time
import pytest
loaded = set(sys.modules)
began = time.process_time()  # another process may be busy
import understudy.entrypoints.pytest_plugin
took = time.process_time() - began
heavy = {each.partition(".")[0] for each in set(sys.modules) - loaded}
rooms = {each for each in sys.modules if each.startswith("understudy.")}
assert not heavy & {"httpx", "starlette", "jinja2", "uvicorn", "orjson", "jsonschema", "yaml", "click"}, heavy
assert rooms <= {"understudy.entrypoints", "understudy.entrypoints.pytest_plugin"}, rooms
assert took < 0.05, took
"""


def test_where_no_test_uses_it_the_plugin_costs_next_to_nothing() -> None:
    subprocess.run([sys.executable, "-c", UNUSED], check=True, timeout=60)


def test_no_test_that_does_not_ask_for_it_starts_a_server(pytester: pytest.Pytester) -> None:
    text = """
    import sys

    def test_it():
        heavy = {"httpx", "starlette", "jinja2", "uvicorn", "understudy.mockserver"} & set(sys.modules)
        assert not heavy, heavy
    """
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest").assert_outcomes(passed=1)


def test_a_users_own_modules_stay_theirs(pytester: pytest.Pytester) -> None:
    code = """
import importlib.util, sys
sys.path = [each for each in sys.path if each]
rooms = ("client", "contracts", "mockserver", "openapi", "entrypoints")
print([each for each in rooms if importlib.util.find_spec(each)])
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, cwd=pytester.path, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
    pytester.makepyfile(client="MINE = True")
    ran(pytester, "import client\n\ndef test_it(understudy):\n    assert client.MINE\n").assert_outcomes(passed=1)


# --- its parts, in this process -----------------------------------------------------------------------------


@pytest.fixture
def plugin() -> Any:
    """A second copy of the plugin: the first was imported before anything could be watched."""
    spec = importlib.util.find_spec("understudy.entrypoints.pytest_plugin")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unwrapped(fixture: Any) -> Any:
    """Return the function that a fixture is made of."""
    return fixture._get_wrapped_function()


def asked(**options: Any) -> Any:
    """Return what a fixture is handed, of a session with these options."""
    known = {"--understudy-url": None, "--understudy-token": None, "--understudy-provider": []} | options
    return SimpleNamespace(
        config=SimpleNamespace(getoption=known.__getitem__),
        node=SimpleNamespace(stash={}, nodeid="test_it.py::test_it"),
    )


def test_a_failed_call_is_reported_with_its_accounts_and_nothing_else_is(plugin: Any) -> None:
    request = asked()
    server = unwrapped(plugin.understudy_server)(request)
    fixture = unwrapped(plugin.understudy)(next(server), request)
    kie, again = fixture.account("kie"), fixture.account("kie", speed=50)
    assert kie.api_key != again.api_key
    assert httpx.get(
        f"{kie.base_url}/api/v1/chat/credit", headers={"Authorization": f"Bearer {kie.api_key}"}
    ).is_success

    def reported(when: str, *, failed: bool) -> list[tuple[str, str]]:
        report = SimpleNamespace(failed=failed, sections=[])
        hook = plugin.pytest_runtest_makereport(request.node, SimpleNamespace(when=when))
        next(hook)
        with pytest.raises(StopIteration):
            hook.send(report)
        return list(report.sections)

    assert reported("call", failed=False) == reported("setup", failed=True) == []
    (name, told), (_, nothing) = reported("call", failed=True)
    assert (name, nothing) == ("understudy: kie", "nothing was asked")
    assert told.endswith("GET /api/v1/chat/credit → 200")
    assert next(server, None) is None
    assert reported("call", failed=True)[0][1].startswith("the journal can't be had: ")


def test_a_server_elsewhere_is_used_and_left_running(plugin: Any) -> None:
    with MockServer(["kie"], Settings(control_token="s3cret")) as elsewhere:
        options = {"--understudy-url": elsewhere.url + "/", "--understudy-token": "s3cret"}
        server = unwrapped(plugin.understudy_server)(asked(**options))
        control = next(server)
        assert (control.url, control.ask("GET", "/tasks")["total"]) == (elsewhere.url, 0)
        assert next(server, None) is None
        assert httpx.get(f"{elsewhere.url}/_understudy/health").is_success


def test_the_options_are_in_a_group_of_their_own(plugin: Any) -> None:
    parser = mock.Mock()
    plugin.pytest_addoption(parser)
    added = [call.args[0] for call in parser.getgroup.return_value.addoption.call_args_list]
    assert added == ["--understudy-url", "--understudy-token", "--understudy-provider", "--understudy-profile"]
