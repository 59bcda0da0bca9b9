"""Steering a server from Python: accounts, their clocks, rules and journals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import understudy.mockserver
from understudy.mockserver import ControlClient, ControlRefused, MockServer, Settings, VerificationFailed, create_app
from understudy.mockserver.handle import Account
from understudy.openapi.provider import load_provider

from .bench import Bench, steered
from .stage import ACME, SIMPLE


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """Two providers on a real socket."""
    with MockServer(["kie", str(ACME)], Settings(limits=False)) as running:
        yield running


@pytest.fixture
def bench(server: MockServer, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An account of its own with kie."""
    control = steered(server)
    made = Bench(server, control, "kie", request.node.name)
    yield made
    made.close()
    control.close()


def codes(bench: Bench, count: int) -> list[int]:
    """Return the codes that so many creations are answered with."""
    return [bench.create().json()["code"] for _ in range(count)]


def test_a_play_is_for_the_next_request_that_it_is_for(bench: Bench) -> None:
    account = bench.account
    account.play("server-error")
    assert codes(bench, 2) == [500, 200]
    account.play("maintenance", rule_times=2)
    assert codes(bench, 3) == [455, 455, 200]
    account.play("rate-limited", times=2)
    assert codes(bench, 3) == [429, 429, 200]
    account.play("fail", after="0s", code=501)
    assert [bench.facts(bench.created()).get("error_code") for _ in range(2)] == ["501", ""]


def test_a_play_may_be_for_polls_results_and_chosen_requests(bench: Bench) -> None:
    account = bench.account
    task = bench.created()
    account.play("poll-error", times=2)
    assert [bench.poll(task).json()["code"] for _ in range(3)] == [500, 500, 200]
    account.play("server-error", on="result", times=2)
    url, other = (bench.finish(bench.created())[0] for _ in range(2))
    assert [bench.fetch(url).status_code for _ in range(3)] == [500, 500, 200]
    assert bench.fetch(other).status_code == 200
    account.play("maintenance", when={"operation": "credit"})

    def credit() -> Any:
        return httpx.get(f"{account.base_url}/api/v1/chat/credit", headers=bench.headers, verify=False).json()["code"]

    assert (codes(bench, 1), credit(), credit()) == ([200], 455, 200)


def test_a_drift_lasts_and_rules_can_be_forgotten(bench: Bench) -> None:
    task = bench.created()
    bench.account.play("extra-field")
    assert ["understudyExtra" in bench.poll(task).json() for _ in range(3)] == [True] * 3
    bench.account.forget_rules()
    assert "understudyExtra" not in bench.poll(task).json()
    bench.account.play("extra-field", times=1)
    assert ["understudyExtra" in bench.poll(task).json() for _ in range(2)] == [True, False]


def test_a_parameter_that_is_a_word_of_python_is_written_with_an_underscore(bench: Bench) -> None:
    bench.account.play("not-found-at-first", for_="5s")
    task = bench.created()
    assert bench.poll(task).json()["code"] == 422
    bench.account.clock.advance(seconds=5)
    assert bench.poll(task).json()["code"] == 200


def test_a_mistake_is_told_in_the_servers_words(bench: Bench) -> None:
    with pytest.raises(ControlRefused, match=r"^no scenario 'fial' \(did you mean 'fail'\?\); known: success"):
        bench.account.play("fial")
    with pytest.raises(ControlRefused, match="takes no 'cod'"):
        bench.account.play("fail", cod=1)
    with pytest.raises(ControlRefused, match="is no duration"):
        bench.account.clock.advance(minutes=-2)
    with pytest.raises(ControlRefused, match="lies before this clock's now"):
        bench.account.clock.set("2020-01-01T00:00:00Z")


def test_a_clock_is_in_the_accounts_hands(bench: Bench) -> None:
    clock = bench.account.clock
    assert clock.freeze() == clock.now()
    assert clock.set("2030-01-01T00:00:00Z") == "2030-01-01T00:00:00.000Z"
    assert clock.advance(hours=1, minutes=2, seconds=3, milliseconds=4) == "2030-01-01T01:02:03.004Z"
    assert clock.now() == "2030-01-01T01:02:03.004Z"
    clock.run_at(100)
    assert clock.resume() >= "2030-01-01T01:02:03.004Z"


def test_an_account_may_run_faster_from_the_start(server: MockServer) -> None:
    control = steered(server)
    account = Account(control, "kie", "fast", speed=100)
    assert control.ask("GET", "/clock", namespace="fast")["clocks"][0]["speed"] == 100
    assert repr(account) == "Account('kie')"
    control.close()


def test_a_verification_that_fails_shows_what_came_nearest(bench: Bench) -> None:
    bench.created()
    bench.account.verify("createTask", times=1)
    bench.account.verify(body={"/input/prompt": {"contains": "light"}})
    bench.account.verify("recordInfo", at_most=0)
    with pytest.raises(VerificationFailed) as caught:
        bench.account.verify("createTask", times=2, model="google/nano-banana")
    told = str(caught.value)
    assert "was asked 0 times; expected exactly 2" in told
    assert "nearest: POST /api/v1/jobs/createTask" in told
    assert "model: 'nano-banana-pro', expected 'google/nano-banana'" in told
    assert issubclass(VerificationFailed, AssertionError)


def test_the_journal_in_short_has_a_line_for_each_exchange(bench: Bench) -> None:
    task = bench.created("fail; code=501")
    first, *_ = bench.account.journal().splitlines()
    assert first.endswith(f"POST /api/v1/jobs/createTask → 200 {task} fail; code=501")
    assert bench.account.report()["creations"] == 1
    assert [each["id"] for each in bench.account.tasks()] == [task]
    bench.account.reset()
    assert bench.account.journal() == ""


def test_an_application_whose_key_is_fixed_has_an_account_by_its_url(bench: Bench) -> None:
    url = f"{bench.account.keyless_url}/api/v1/jobs/createTask"
    response = httpx.post(url, json=SIMPLE["kie"], headers={"Authorization": "Bearer hard-coded"}, verify=False)
    assert [each["id"] for each in bench.account.tasks()] == [response.json()["data"]["taskId"]]


def test_a_server_gives_accounts_that_nobody_else_has(server: MockServer) -> None:
    one, two, named = server.account("kie"), server.account("kie"), server.account("kie", "mine", speed=2)
    assert len({one.api_key, two.api_key, named.api_key}) == 3
    assert named.api_key == "mine"
    with MockServer(["kie"]) as other:
        other.account("kie").play("fail")
    other.__exit__(None, None, None)


def test_a_server_with_a_token_is_steered_with_it() -> None:
    with MockServer(["kie"], Settings(control_token="s3cret")) as server:
        server.account("kie").play("fail")
        without = ControlClient(server.url)
        with pytest.raises(ControlRefused, match="is not the token of --control-token"):
            without.ask("GET", "/tasks")
        without.close()


def test_what_is_no_control_api_is_told_by_its_status(httpserver_url: str) -> None:
    control = ControlClient(httpserver_url)
    with pytest.raises(ControlRefused, match="GET /nothing: HTTP 404"):
        control.ask("GET", "/nothing")
    control.close()


@pytest.fixture
def httpserver_url() -> Iterator[str]:
    """A web server that is none of ours."""
    import threading  # noqa: PLC0415
    from http.server import BaseHTTPRequestHandler, HTTPServer  # noqa: PLC0415

    class Quiet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Quiet) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_who_needs_no_socket_has_an_application() -> None:
    async def walk() -> list[Any]:
        app = create_app(["kie", load_provider(ACME)], Settings(frozen=True))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:4020") as client:
            headers = {"Authorization": "Bearer test"}
            url = "/kie/api/v1/jobs/createTask"
            created = await client.post(url, json=SIMPLE["kie"], headers=headers)
            reset = await client.post(url, json=SIMPLE["kie"], headers=headers | {"Understudy-Scenario": "reset"})
            tasks = await client.get("/_understudy/tasks")
            return [created.json()["code"], reset.status_code, reset.json()["error"], tasks.json()["total"]]

    assert asyncio.run(walk()) == [
        200, 400, "understudy: reset needs a real connection; this application is called in process", 1,
    ]  # fmt: skip
    assert sorted(create_app().emulator.providers) == ["apikley", "crun", "kie", "mulerouter"]


def test_the_room_has_what_it_says_and_nothing_else() -> None:
    for name in understudy.mockserver.__all__:
        assert getattr(understudy.mockserver, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'MockSever'"):
        _ = understudy.mockserver.MockSever
