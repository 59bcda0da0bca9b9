"""Every scenario of the file, over a real socket; where the wire matters, with a plain one."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from PIL import Image, UnidentifiedImageError
from understudy.mockserver.handle import ControlClient
from understudy.mockserver.scenario import Scenario, built_in_scenarios, error_with_code
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings
from understudy.openapi.behaviour import Phase
from understudy.openapi.pointer import MISSING, resolve

from .bench import Bench, Line, steered
from .stage import NAMES, provider_of

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

SCENARIOS = built_in_scenarios()
NOT_EXPRESSED = {
    **{("partial", each): "one result for each task" for each in ("kie", "apikley", "crun", "mulerouter")},
    **{("cancelled", each): "no status for cancelled tasks" for each in ("kie", "apikley", "crun", "mulerouter")},
}
_numbers = count()


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def either(request: pytest.FixtureRequest) -> Iterator[MockServer]:
    """A server on either kind of loop."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "asyncio":
            patched.setitem(sys.modules, "uvloop", None)
        with MockServer([provider_of(name) for name in NAMES], Settings(limits=False)) as running:
            yield running


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    """A server of all providers."""
    with MockServer([provider_of(name) for name in NAMES], Settings(limits=False)) as server:
        yield server


@pytest.fixture(scope="module")
def control(running: MockServer) -> Iterator[ControlClient]:
    """Its control API, judged by its document."""
    client = steered(running)
    yield client
    client.close()


@pytest.fixture
def bench_of(running: MockServer, control: ControlClient) -> Iterator[Callable[[str], Bench]]:
    """Makes accounts of their own with providers."""
    made: list[Bench] = []

    def make(provider: str) -> Bench:
        made.append(Bench(running, control, provider, f"bench-{next(_numbers)}"))
        return made[-1]

    yield make
    for each in made:
        each.close()


# --- one check for each scenario ----------------------------------------------------------------------------


def passing(bench: Bench) -> list[str]:
    """Return the statuses before the end, in order."""
    return [status.name for status in bench.behaviour.statuses.values() if not status.phase.terminal]


def word_for(bench: Bench, phase: Phase) -> str:
    """Return the provider's status of `phase`."""
    return next(status.name for status in bench.behaviour.statuses.values() if status.phase is phase)


def success(bench: Bench) -> None:
    path = passing(bench)
    task = bench.created("; ".join(["success", *(f"{status}=2s" for status in path)]))
    for status in path:
        assert bench.status(task) == status
        bench.account.clock.advance(milliseconds=1999)
        assert bench.status(task) == status
        bench.account.clock.advance(milliseconds=1)
    assert bench.status(task) == word_for(bench, Phase.COMPLETED)
    (url,) = bench.facts(task)["outputs"]
    assert Image.open(io.BytesIO(bench.fetch(url).content)).size


def slow(bench: Bench) -> None:
    bench.created("slow; times_longer=20")
    (task,) = bench.tasks()
    least = sum(status.lasts[0] for status in bench.behaviour.statuses.values()) * 20
    assert task["plan"][-1]["after"] >= least
    assert task["plan"][-1]["status"] == word_for(bench, Phase.COMPLETED)


def stuck(bench: Bench) -> None:
    task = bench.created("stuck")
    bench.account.clock.advance(hours=24 * 6)
    assert bench.status(task) == passing(bench)[-1]


def fail(bench: Bench) -> None:
    task = bench.created('fail; code=3009; message="Out of paint, sorry"; after=7s')
    bench.account.clock.advance(milliseconds=6999)
    assert bench.status(task) == passing(bench)[-1]
    bench.account.clock.advance(milliseconds=1)
    facts = bench.facts(task)
    assert facts["status"] == word_for(bench, Phase.FAILED)
    assert (str(facts["error_code"]), facts["error_message"]) == ("3009", "Out of paint, sorry")
    assert type(facts["error_code"]) is type(bench.behaviour.failures["failed"].code)


def moderated(bench: Bench) -> None:
    task = bench.created("moderated; after=0s")
    facts = bench.facts(task)
    documented = bench.behaviour.failures["moderated"]
    assert facts["status"] == word_for(bench, Phase.FAILED)
    assert (facts["error_code"], facts["error_message"]) == (documented.code, documented.message)


def partial(bench: Bench) -> None:
    body = {"prompt": "a lighthouse", "n": 4}
    task = bench.created("partial; n=3", body)
    urls = bench.finish(task)
    assert len(urls) == 3
    assert bench.facts(task)["status"] == word_for(bench, Phase.COMPLETED)
    assert bench.fetch(urls[2]).status_code == 200
    assert bench.fetch(urls[2].replace("/2.", "/3.")).status_code == 404
    for given in ("partial; n=4", "partial; n=2; of=3", "partial; n=5; of=4"):
        assert bench.create(given, body).status_code == 400
    assert bench.create("partial").status_code == 400
    assert len(bench.tasks()) == 1


def status_skips(bench: Bench) -> None:
    task = bench.created(f"status-skips; {passing(bench)[0]}=3s")
    bench.account.clock.advance(milliseconds=2999)
    assert bench.status(task) == passing(bench)[0]
    bench.account.clock.advance(milliseconds=1)
    assert bench.status(task) == word_for(bench, Phase.COMPLETED)


def cancelled(bench: Bench) -> None:
    task = bench.created("cancelled; after=4s")
    bench.account.clock.advance(seconds=4)
    assert bench.status(task) == word_for(bench, Phase.CANCELLED)


def poll_error(bench: Bench) -> None:
    task = bench.created("poll-error; times=2")
    name = error_with_code("500", bench.behaviour)
    assert name is not None
    for _ in range(2):
        assert bench.refusal(bench.poll(task))[0] == str(bench.behaviour.errors[name].code)
        assert "poll-error" in bench.last()["played"]
        assert bench.last()["task"] == task
    assert bench.status(task) == passing(bench)[0]


def not_found_at_first(bench: Bench) -> None:
    task = bench.created("not-found-at-first; for=5s")
    unknown = bench.refusal(bench.poll(f"{task[:-1]}0" if task[-1] != "0" else f"{task[:-1]}1"))
    bench.account.clock.advance(milliseconds=4999)
    assert bench.refusal(bench.poll(task))[0] == unknown[0]
    bench.account.clock.advance(milliseconds=1)
    assert bench.facts(task)["id"] == task


def result_expired(bench: Bench) -> None:
    (url,) = bench.finish(bench.created("result-expired"))
    assert bench.fetch(url).status_code == 404
    assert "expired" in bench.fetch(url).text


def result_403(bench: Bench) -> None:
    (url,) = bench.finish(bench.created("result-403"))
    assert bench.fetch(url).status_code == 403


def result_truncated(bench: Bench) -> None:
    (whole,) = bench.finish(bench.created())
    size = len(bench.fetch(whole).content)
    response = bench.fetch(whole, "result-truncated")
    assert len(response.content) == size // 2
    (url,) = bench.finish(bench.created("result-truncated"))
    half = bench.fetch(url)
    assert (half.status_code, half.headers["content-length"]) == (200, str(len(half.content)))
    with pytest.raises((OSError, UnidentifiedImageError)):
        Image.open(io.BytesIO(half.content)).load()


def extra_field(bench: Bench) -> None:
    task = bench.created("extra-field")
    for _ in range(3):
        assert bench.poll(task).json()["understudyExtra"] == {"since": "tomorrow", "values": [1, 2, 3]}


def missing_field(bench: Bench) -> None:
    task = bench.created("missing-field")
    for _ in range(3):
        facts = bench.facts(task)
        assert "status" not in facts
        assert facts["id"] == task
    assert any(each["direction"] == "response" for each in bench.last()["findings"])


def type_changed(bench: Bench) -> None:
    task = bench.created("type-changed; times=1")
    assert bench.status(task) == {"value": passing(bench)[0]}
    assert any(each["direction"] == "response" for each in bench.last()["findings"])
    assert bench.status(task) == passing(bench)[0]
    assert bench.last()["findings"] == []


def renamed_field(bench: Bench) -> None:
    task = bench.created("renamed-field")
    pointer = bench.asker.behaviour.reads["status"].pointers[0]
    body = bench.poll(task).json()
    assert resolve(body, pointer) is MISSING
    assert resolve(body, f"{pointer}_v2") == passing(bench)[0]


def unknown_status(bench: Bench) -> None:
    task = bench.created("unknown-status; status=on-hold")
    assert bench.status(task) == "on-hold"
    bench.account.clock.advance(hours=1)
    assert bench.status(task) == "on-hold"
    assert any(each["direction"] == "response" for each in bench.last()["findings"])


def delay(bench: Bench) -> None:
    for given in ("fixed=60ms", "uniform=50ms..80ms"):
        began = time.perf_counter()
        bench.created(f"delay; {given}")
        assert time.perf_counter() - began > 0.05


def reset(bench: Bench) -> None:
    with pytest.raises(httpx.ReadError):
        bench.create("reset")
    assert len(bench.tasks()) == 1
    with pytest.raises(httpx.ReadError):
        bench.create("reset; accepted=false")
    assert len(bench.tasks()) == 1
    assert bench.last()["fault"] == "reset"


def empty_reply(bench: Bench) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        bench.create("empty-reply")
    assert len(bench.tasks()) == 1


def truncated_body(bench: Bench) -> None:
    for accepted in ("true", "false"):
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            bench.create(f"truncated-body; accepted={accepted}")
        assert len(bench.tasks()) == 1


def garbage(bench: Bench) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        bench.create("garbage")
    assert len(bench.tasks()) == 1


def malformed_json(bench: Bench) -> None:
    for accepted in ("true", "false"):
        response = bench.create(f"malformed-json; accepted={accepted}")
        assert response.text.startswith("{")
        assert "json" in response.headers["content-type"]
        with pytest.raises(ValueError, match="line 1"):
            response.json()
        assert len(bench.tasks()) == 1


def hang(bench: Bench) -> None:
    with pytest.raises(httpx.ReadTimeout):
        bench._http.post(
            f"/{bench.provider}{bench.creator.behaviour.key.path}", content=b"{}", timeout=httpx.Timeout(10, read=0.1),
            headers=bench.headers | {"Understudy-Scenario": "hang"},
        )  # fmt: skip
    assert bench.created()


def html_502(bench: Bench) -> None:
    response = bench.create("html-502")
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")
    assert "<h1>502 Bad Gateway</h1>" in response.text
    assert bench.tasks() == []
    assert bench.create("html-502; accepted=true").status_code == 502
    assert len(bench.tasks()) == 1


def dribble(bench: Bench) -> None:
    began = time.perf_counter()
    task = bench.created("dribble; bytes_per_second=1500")
    assert time.perf_counter() - began > 0.03
    assert bench.facts(task)["id"] == task


CHECKS: dict[str, Callable[[Bench], None]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        success, slow, stuck, fail, moderated, partial, status_skips, cancelled, poll_error, not_found_at_first,
        result_expired, result_403, result_truncated, extra_field, missing_field, type_changed, renamed_field,
        unknown_status, delay, reset, empty_reply, truncated_body, garbage, malformed_json, hang, html_502, dribble,
    )
}  # fmt: skip
OURS = [name for name, scenario in SCENARIOS.items() if scenario.kind != "callback"]
"""Those of callbacks have a receiver, and their tests, elsewhere."""


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("name", OURS)
def test_a_scenario_is_played_as_it_says(bench_of: Callable[[str], Bench], name: str, provider: str) -> None:
    bench = bench_of(provider)
    why = NOT_EXPRESSED.get((name, provider))
    if why is None:
        CHECKS[name](bench)
    else:
        response = bench.create(name)
        assert response.status_code == 400
        assert why in response.json()["error"]
        assert bench.tasks() == []


def test_what_a_provider_cannot_express_is_said_in_the_list(control: ControlClient) -> None:
    listed = control.ask("GET", "/scenarios")["scenarios"]
    said = {(each["name"], name): why for each in listed for name, why in each["providers"].items() if why is not True}
    assert {key for key in said if SCENARIOS[key[0]].kind != "callback"} == set(NOT_EXPRESSED)
    assert all(NOT_EXPRESSED[key] in said[key] for key in NOT_EXPRESSED)


@pytest.mark.parametrize(
    ("provider", "name"), [(each, name) for each in NAMES for name in provider_of(each).behaviour.errors]
)
@pytest.mark.parametrize("on", ["create", "poll", "result"])
def test_every_error_of_a_catalogue_is_a_refusal_by_its_name(
    bench_of: Callable[[str], Bench], provider: str, name: str, on: str
) -> None:
    bench = bench_of(provider)
    error = bench.behaviour.errors[name]
    if on == "create":
        response = bench.create(f"{name}; retry_after=7; message=So it is")
        assert bench.tasks() == []
        assert response.headers["retry-after"] == "7"
        assert bench.refusal(response) == (str(error.code), "So it is")
    elif on == "poll":
        task = bench.created(f"{name}; on=poll; times=2")
        assert [bench.refusal(bench.poll(task))[0] for _ in range(2)] == [str(error.code)] * 2
        assert bench.status(task) == passing(bench)[0]
    else:
        (url,) = bench.finish(bench.created(f"{name}; on=result"))
        assert 400 <= bench.fetch(url).status_code <= 599
        assert bench.last()["played"] == f"{name}; on=result"


# --- the wire -----------------------------------------------------------------------------------------------

WIRE = [name for name, scenario in SCENARIOS.items() if scenario.kind == "wire"]


def spoken(server: MockServer, control: ControlClient, scenario: str) -> tuple[bytes, Line, Bench]:
    """Create with `scenario` over a plain connection, and return all that came."""
    bench, line = Bench(server, control, "acme", f"line-{next(_numbers)}"), Line(server)
    return line.say(bench.raw_creation(scenario)), line, bench


@pytest.fixture
def steer(either: MockServer) -> Iterator[ControlClient]:
    """The control API of a server on either loop."""
    client = steered(either)
    yield client
    client.close()


def test_a_reset_is_seen_as_a_reset(either: MockServer, steer: ControlClient) -> None:
    bench, line = Bench(either, steer, "acme", f"line-{next(_numbers)}"), Line(either)
    with pytest.raises(ConnectionResetError):
        line.say(bench.raw_creation("reset"))
    assert line.slices == []
    assert len(bench.tasks()) == 1
    bench.close()
    line.close()


def test_an_empty_reply_is_an_end_with_no_bytes(either: MockServer, steer: ControlClient) -> None:
    came, line, bench = spoken(either, steer, "empty-reply")
    assert came == b""
    bench.close()
    line.close()


def parts(came: bytes) -> tuple[bytes, int, bytes]:
    """Return the head of an answer, the length that it tells, and the body."""
    head, _, body = came.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head, int(length.partition(b":")[2]), body


def test_a_truncated_body_is_shorter_than_its_length(either: MockServer, steer: ControlClient) -> None:
    came, line, bench = spoken(either, steer, "truncated-body")
    head, length, body = parts(came)
    assert head.startswith(b"HTTP/1.1 201 Created")
    assert 0 < len(body) < length
    assert length - len(body) == length // 2
    bench.close()
    line.close()


def test_garbage_is_no_http(either: MockServer, steer: ControlClient) -> None:
    came, line, bench = spoken(either, steer, "garbage")
    assert came
    assert b"HTTP" not in came
    bench.close()
    line.close()


def test_a_dribble_arrives_in_slices_and_is_whole(either: MockServer, steer: ControlClient) -> None:
    came, line, bench = spoken(either, steer, "dribble; bytes_per_second=2000")
    _, length, body = parts(came)
    assert len(body) == length
    assert len(line.slices) > 2
    assert max(map(len, line.slices)) < len(came) / 2
    bench.close()
    line.close()


def test_a_client_may_leave_in_the_middle_of_a_dribble(either: MockServer, steer: ControlClient) -> None:
    bench, line = Bench(either, steer, "acme", f"line-{next(_numbers)}"), Line(either)
    line.socket.sendall(bench.raw_creation("dribble; bytes_per_second=100"))
    assert line.socket.recv(10)
    line.close()
    assert bench.created()
    bench.close()


def test_a_hanging_request_gets_no_byte_until_the_client_leaves(either: MockServer, steer: ControlClient) -> None:
    bench, line = Bench(either, steer, "acme", f"line-{next(_numbers)}"), Line(either)
    line.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        line.say(bench.raw_creation("hang"))
    assert line.slices == []
    line.close()
    assert len(bench.tasks()) == 1
    bench.close()


def test_malformed_json_is_whole_http(either: MockServer, steer: ControlClient) -> None:
    bench, line = Bench(either, steer, "acme", f"line-{next(_numbers)}"), Line(either)
    line.socket.sendall(bench.raw_creation("malformed-json"))
    head, length, body = parts(line.socket.recv(65536))
    while len(body) < length:
        body += line.socket.recv(65536)
    assert head.startswith(b"HTTP/1.1 201")
    assert len(body) == length
    bench.close()
    line.close()


def broken(bench: Bench, scenario: Scenario, ask: Callable[[], httpx.Response]) -> bool:
    """Tell whether an answer is spoiled as `scenario` says."""
    began = time.perf_counter()
    try:
        response = ask()
    except httpx.TransportError:
        return scenario.name in {"reset", "empty-reply", "truncated-body", "garbage", "hang"}
    if scenario.name == "html-502":
        return response.status_code == 502
    if scenario.name == "malformed-json":
        return not response.content.endswith((b"}", b"IEND\xaeB`\x82"))
    # A busy machine is slow by itself: the journal says whether it was told to be.
    return time.perf_counter() - began > 0.04 and bench.last()["fault"] == scenario.name


@pytest.mark.parametrize("on", ["poll", "result"])
@pytest.mark.parametrize("name", WIRE)
def test_a_fault_can_be_laid_up_for_polls_and_results(bench_of: Callable[[str], Bench], name: str, on: str) -> None:
    bench = bench_of("acme")
    bench._http.timeout = 0.5 if name == "hang" else 10
    body = {"prompt": "x", "detail": "sketch", "shape": "1:1"}
    slowly = {
        "delay": "; fixed=50ms",
        "dribble": "; bytes_per_second=5000" if on == "poll" else "; bytes_per_second=200000",
    }
    task = bench.created(f"{name}; on={on}; times=2{slowly.get(name, '')}", body)
    url = bench.finish(task)[0] if on == "result" else ""
    ask = (lambda: bench.fetch(url)) if on == "result" else (lambda: bench.poll(task))
    assert [broken(bench, SCENARIOS[name], ask) for _ in range(3)] == [True, True, False]
    assert ask().status_code == 200  # type: ignore[no-untyped-call]


def test_an_answer_to_head_is_truncated_in_its_head(bench_of: Callable[[str], Bench], running: MockServer) -> None:
    bench, line = bench_of("acme"), Line(running)
    (url,) = bench.finish(bench.created())
    path = url.removeprefix(running.url)
    came = line.say(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nUnderstudy-Scenario: truncated-body\r\n\r\n".encode())
    assert came.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n" not in came
    line.close()


def test_progress_by_polls_moves_a_task_whose_clock_stands_still(bench_of: Callable[[str], Bench]) -> None:
    bench = bench_of("kie")
    task = bench.created("success; progress=polls; n=2")
    before = bench.account.clock.now()
    seen = [bench.status(task) for _ in range(8)]
    assert seen == ["waiting"] * 2 + ["queuing"] * 2 + ["generating"] * 2 + ["success"] * 2
    assert bench.account.clock.now() == before


def test_progress_by_hand_waits_for_a_hand(bench_of: Callable[[str], Bench]) -> None:
    bench = bench_of("kie")
    task = bench.created("success; progress=hand")
    bench.account.clock.advance(hours=5)
    assert bench.status(task) == "waiting"
    assert bench.account.advance_task(task, "generating")["phase"] == "processing"
    bench.account.clock.advance(hours=5)
    assert bench.status(task) == "generating"
    assert bench.account.advance_task(task, "completed")["status"] == "success"
    assert bench.status(task) == "success"


def test_progress_at_once_is_at_its_end_at_once(bench_of: Callable[[str], Bench]) -> None:
    bench = bench_of("kie")
    assert bench.status(bench.created("success; progress=instant")) == "success"
    assert bench.status(bench.created("fail; progress=instant; code=501")) == "fail"


def test_a_result_may_be_a_picture_of_ones_own(bench_of: Callable[[str], Bench], tmp_path: object) -> None:
    bench = bench_of("kie")
    path = f"{tmp_path}/my.webp"
    Image.new("RGB", (31, 17), "teal").save(path)
    response = bench.fetch(bench.finish(bench.created(f"success; file={path}"))[0])
    assert response.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(response.content)).size == (31, 17)
