"""From answers to facts and errors: what is understood, and that nothing but documented errors comes of the rest."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.client import (
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Phase,
    ProtocolViolation,
    RateLimited,
    Refused,
    Task,
    TransportFailed,
    Unauthorized,
    Unavailable,
    UnderstudyError,
)
from understudy.client.answers import phase_of, read_task, understand
from understudy.client.downloads import Download
from understudy.client.flows import Flows
from understudy.client.steps import Answer, Exchange, Flow, Pause
from understudy.client.target import find_target
from understudy.openapi.meanings import MEANINGS, meaning_of

from ..strategies import JSON
from .mutation import mutated
from .speakers import MODELS, URL, FakeTime, loaded_once

CREATED = {
    "kie": {"code": 200, "msg": "success", "data": {"taskId": "t1"}},
    "apikley": {"code": 200, "msg": "success", "data": {"taskId": "t1"}},
    "crun": {"code": 200, "message": "success", "data": {"task_id": "t1"}},
    "mulerouter": {"task_info": {"id": "t1", "status": "pending", "created_at": "2025-09-21T00:00:00.000Z",
                                 "updated_at": "2025-09-21T00:00:00.000Z"}},
    "acme": {"id": "t1", "poll_url": "https://a.example/t1", "status": "queued",
             "created_at": "2026-03-01T10:00:00.000Z"},
}  # fmt: skip
DONE: dict[str, dict[str, Any]] = {
    "kie": {"code": 200, "msg": "success", "data": {
        "taskId": "t1", "model": "nano-banana-pro", "state": "success", "param": "{}", "failCode": "", "failMsg": "",
        "resultJson": '{"resultUrls":["https://a.example/b.png"]}', "costTime": 15000, "completeTime": 1698765432000,
        "createTime": 1698765400000, "updateTime": 1698765432000, "creditsConsumed": 18, "progress": 100}},
    "crun": {"code": 200, "message": "success", "data": {
        "task_id": "t1", "provider": "Google", "model_version": "nano-banana", "status": "success",
        "param": {"model": "google/nano-banana", "input": {}}, "create_at": 1768900378, "duration_s": 12.5,
        "result": {"code": 200, "message": "ok", "media_urls": ["https://a.example/b.png"]}, "complete_at": 1768900390,
        "source": "api", "credits": 4}},
    "mulerouter": {"task_info": {"id": "t1", "status": "completed", "created_at": "2025-09-21T00:00:00.000Z",
                                 "updated_at": "2025-09-21T00:00:21.000Z"}, "images": ["https://a.example/b.png"]},
    "acme": {"id": "t1", "poll_url": "https://a.example/t1", "status": "done", "created_at": "2026-03-01T10:00:00.000Z",
             "ended_at": "2026-03-01T10:00:12.345Z", "seconds": 12.345, "coins": 2, "files": ["https://a.example/b.png"]},
}  # fmt: skip
DONE["apikley"] = DONE["kie"]
NAMES = tuple(MODELS)
NAMES_OF_REFUSALS = (
    "problem", "price", "balance", "field", "missing", "retry_after", "new_id", "request", "now", "base"
)  # fmt: skip


def operation(name: str, does: str) -> Any:
    """Return the first operation of a provider that does something."""
    behaviour = loaded_once(name).behaviour
    return next(each for each in behaviour.operations.values() if each.does == does)


def raised(name: str, does: str, status: int, body: Any, **headers: str) -> UnderstudyError:
    """Return the error that an answer means."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(UnderstudyError) as caught:
        understand(loaded_once(name).behaviour, operation(name, does), Answer(status, headers, content))
    return caught.value


def done(name: str, data: Any = None) -> Task:
    """Return the task that a poll's answer tells of."""
    return read_task(
        loaded_once(name), operation(name, "poll").reads, DONE[name] if data is None else data, task_id="t1"
    )


def changed(name: str, way: str, value: Any) -> Any:
    """Return the valid answer with another value at a dotted way."""
    data = orjson.loads(orjson.dumps(DONE[name]))
    *holders, last = way.split(".")
    held = data
    for each in holders:
        held = held[each]
    if value is ...:
        del held[last]
    else:
        held[last] = value
    return data


@pytest.mark.parametrize("name", NAMES)
def test_an_ended_task_is_read_whole(name: str) -> None:
    task = done(name)
    assert (task.id, task.phase, task.outputs, task.error) == (
        "t1", Phase.COMPLETED, ("https://a.example/b.png",), None
    )  # fmt: skip
    assert task.created is not None
    assert task.created.tzinfo is UTC
    assert task.raw == DONE[name]


def test_times_credits_and_progress_are_in_one_unit_for_all() -> None:
    assert done("kie").updated == datetime(2023, 10, 31, 15, 17, 12, tzinfo=UTC)
    assert (done("kie").credits, done("kie").progress, done("acme").credits) == (18, 100, 2)
    assert done("crun").created == datetime(2026, 1, 20, 9, 12, 58, tzinfo=UTC)
    assert done("acme").created == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "status", "body", "kind", "code"),
    [
        ("kie", 200, {"code": 401, "msg": "no"}, Unauthorized, 401),
        ("kie", 401, {"code": 401, "msg": "no"}, Unauthorized, 401),
        ("kie", 401, b"", Unauthorized, 401),
        ("kie", 200, {"code": 402, "msg": "no"}, InsufficientCredits, 402),
        ("kie", 200, {"code": 422, "msg": "no"}, InvalidRequest, 422),
        ("kie", 422, {"code": 422, "msg": "no"}, InvalidRequest, 422),
        ("kie", 200, {"code": 429, "msg": "no"}, RateLimited, 429),
        ("kie", 200, {"code": 455, "msg": "no"}, Unavailable, 455),
        ("kie", 200, {"code": 500, "msg": "no"}, Unavailable, 500),
        ("kie", 200, {"code": 501, "msg": "no"}, Refused, 501),
        ("kie", 200, {"code": 505, "msg": "no"}, Refused, 505),
        ("kie", 200, {"code": 433, "msg": "no"}, Refused, 433),
        ("kie", 200, {"code": 599, "msg": "no"}, Unavailable, 599),
        ("kie", 200, {"code": -1, "msg": "no"}, Refused, "-1"),
        ("kie", 200, {"code": "E_LIMIT", "msg": "no"}, Refused, "E_LIMIT"),
        ("kie", 200, {"code": 429.0, "msg": "no"}, RateLimited, 429),
        ("kie", 503, {"code": 200, "msg": "success"}, Unavailable, 503),
        ("kie", 500, {"code": [], "msg": 7}, Unavailable, 500),
        ("crun", 200, {"code": 422, "message": "no"}, InvalidRequest, 422),
        ("mulerouter", 400, {"task_info": {"error": {"code": 2001, "detail": "no"}}}, InvalidRequest, 2001),
        ("mulerouter", 402, {"error": {"code": 1002, "detail": "no"}}, InsufficientCredits, 1002),
        ("mulerouter", 403, {"error": {"code": 1003, "detail": "no"}}, Unauthorized, 1003),
        ("mulerouter", 423, b"", Refused, 423),
        ("mulerouter", 429, b"<html>", RateLimited, 429),
        ("mulerouter", 404, {"error": {"code": 99999, "detail": "no"}}, NotFound, 99999),
        ("acme", 402, {"type": "https://acme.example/problems/no-coins"}, InsufficientCredits,
         "https://acme.example/problems/no-coins"),
        ("acme", 422, {"type": "about:blank"}, InvalidRequest, "about:blank"),
        ("acme", 502, b"<html>Bad Gateway</html>", Unavailable, 502),
        ("acme", 999, b"", Refused, 999),
    ],
)  # fmt: skip
def test_a_refused_creation_is_told_by_kind_whatever_carries_it(
    name: str, status: int, body: Any, kind: type[Any], code: str | int
) -> None:
    error = raised(name, "create", status, body)
    assert type(error) is kind
    assert (error.code, error.http_status) == (code, status)  # type: ignore[attr-defined]


def test_one_code_means_another_thing_to_who_asks_for_a_task() -> None:
    assert type(raised("kie", "poll", 200, {"code": 422, "msg": "recordInfo is null"})) is NotFound
    assert type(raised("kie", "poll", 404, {"code": 404, "msg": "Task not found"})) is NotFound
    assert type(raised("kie", "poll", 200, {"code": 400, "msg": "taskId parameter is required"})) is InvalidRequest
    assert type(raised("crun", "poll", 200, {"code": 422, "message": "Task not found"})) is NotFound


def test_the_name_in_the_catalogue_is_told() -> None:
    error = raised("kie", "poll", 200, {"code": 422, "msg": "recordInfo is null"})
    assert isinstance(error, Refused)
    assert (error.name, error.message) == ("record-is-null", "recordInfo is null")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by_status", [False, True])
def test_every_entry_of_the_catalogue_is_understood_as_what_it_means(name: str, by_status: bool) -> None:
    behaviour = loaded_once(name).behaviour
    kinds = {
        "unauthorized": Unauthorized, "insufficient-credits": InsufficientCredits, "not-found": NotFound,
        "rate-limited": RateLimited, "unavailable": Unavailable, "invalid-request": InvalidRequest, "refused": Refused,
    }  # fmt: skip
    assert set(kinds) == set(MEANINGS)
    for error in behaviour.errors.values():
        context: dict[str, Any] = dict.fromkeys(NAMES_OF_REFUSALS, "x")
        refusal = operation(name, "create").refusal
        shown = {"code": error.code, "status": error.status, "name": error.name, **error.facts, "message": "no"}
        body = (error.body or refusal.body)({**context, "error": shown, "task": {}})
        status = error.status or (int(error.code) if by_status or not refusal.accepted else 200)
        found = raised(name, "create", status, body)
        same_code = [each for each in behaviour.errors.values() if each.code == error.code]
        assert type(found) in {kinds[meaning_of(each)] for each in same_code}, error.name


@pytest.mark.parametrize(
    ("body", "pointer", "expected", "found"),
    [
        (b"", "", "JSON", "empty"),
        (b"<html>", "", "JSON", "6 bytes that are none (text/html)"),
        ({"code": [1], "data": {}}, "/code", "a number or text", "[1]"),
        ({"code": True, "data": {}}, "/code", "a number or text", "true"),
    ],
)
def test_an_answer_that_is_none_tells_where_and_what_was_expected(
    body: Any, pointer: str, expected: str, found: str
) -> None:
    headers = {"content-type": "text/html"}
    error = raised("kie", "create", 200, body, **headers)
    assert isinstance(error, ProtocolViolation)
    assert (error.pointer, error.expected, error.found) == (pointer, expected, found)


@pytest.mark.parametrize(
    ("name", "way", "value", "pointer", "expected", "found"),
    [
        ("kie", "data.state", ..., "/data/state", "text, the status of the task", "missing"),
        ("kie", "data.state", 7, "/data/state", "text, the status of the task", "7"),
        ("kie", "data", None, "/data/state", "text, the status of the task", "missing"),
        ("kie", "data.taskId", "t2", "/data/taskId", "'t1', the id that was asked for", "'t2'"),
        ("kie", "data.resultJson", "", "/data/resultJson#/resultUrls", "a list of links", "missing"),
        ("kie", "data.resultJson", "{", "/data/resultJson#/resultUrls", "a list of links", "missing"),
        ("kie", "data.resultJson", '{"resultUrls":{}}', "/data/resultJson#/resultUrls", "a list of links", "{}"),
        ("kie", "data.resultJson", '{"resultUrls":[7]}', "/data/resultJson#/resultUrls/0", "a link", "7"),
        ("acme", "files", ..., "/files", "a list of links", "missing"),
    ],
)
def test_what_a_task_must_tell_is_missed_by_its_place(
    name: str, way: str, value: Any, pointer: str, expected: str, found: str
) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        done(name, changed(name, way, value))
    assert (caught.value.pointer, caught.value.expected, caught.value.found) == (pointer, expected, found)


@pytest.mark.parametrize(
    ("way", "value"),
    [("created_at", ...), ("created_at", 7), ("created_at", "soon"), ("coins", "many"), ("coins", True),
     ("seconds", {}), ("id", ...), ("extra", {"a": 1}), ("poll_url", None),
     ("created_at", "9999-12-31T23:59:59-23:59")],
)  # fmt: skip
def test_what_a_task_need_not_tell_is_done_without(way: str, value: Any) -> None:
    data = {**DONE["acme"], way: value}
    if value is ...:
        del data[way]
    task = done("acme", data)
    assert (task.id, task.phase) == ("t1", Phase.COMPLETED)


def test_one_link_alone_is_a_list_of_one() -> None:
    assert done("acme", changed("acme", "files", "https://a.example/b.png")).outputs == ("https://a.example/b.png",)


def test_the_code_of_a_failure_may_be_a_number_text_or_nothing() -> None:
    for code, expected in ((3001, 3001), ("x", "x"), ("", None), (True, None), ([], None), (None, None)):
        problem: dict[str, Any] = {"type": code, "detail": "dry" if code else 7}
        task = done("acme", {**DONE["acme"], "status": "broken", "problem": problem})
        assert task.error is not None
        assert (task.error.code, task.error.message) == (expected, "dry" if code else "")
    cancelled = {**DONE["acme"], "status": "cancelled"}
    assert done("acme", cancelled).error is None
    assert done("acme", {**cancelled, "problem": {"detail": "by you"}}).error is not None


def test_a_creation_that_tells_no_id_is_no_answer() -> None:
    answered: list[Any] = [{}, {"id": ""}, {"id": 7}, [], None, "t1"]
    for data in answered:
        with pytest.raises(ProtocolViolation, match="expected text, the id of the task"):
            read_task(loaded_once("acme"), operation("acme", "create").reads, data, status_needed=False)


def test_status_words_of_options_that_were_not_chosen_are_known() -> None:
    assert phase_of(loaded_once("mulerouter"), "succeeded") is Phase.COMPLETED
    assert phase_of(loaded_once("mulerouter"), "completed") is Phase.COMPLETED
    assert phase_of(loaded_once("mulerouter"), "archived") is Phase.UNKNOWN


def test_phases_say_which_of_them_stay() -> None:
    assert [each for each in Phase if each.terminal] == [Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED]


def flows_of(name: str) -> tuple[Flows, FakeTime]:
    """Return the flows of a new client, whose randomness is fixed."""
    time = FakeTime()
    target = find_target(loaded_once(name), "key-of-mine", URL, {})
    uniform = random.Random(0).uniform
    return Flows(target, timeout=30, retries=2, validate=True, now=time.now, uniform=uniform), time


def create(flows: Flows, name: str) -> Flow[Any]:
    """Return the flow of a creation."""
    return flows.create(
        MODELS[name], {"prompt": "x"}, operation=None, callback_url=None, allow_duplicate=False, validate=None
    )


def task_of(flows: Flows, name: str) -> Task:
    """Return a task of this client's."""
    return Task("t1", name, MODELS[name], operation=flows.target.doing("create")[0].name)


FLOWS: Mapping[str, Callable[[Flows, str], Flow[Any]]] = {
    "create": create,
    "get": lambda flows, name: flows.get(task_of(flows, name), model=None, operation=None),
    "wait": lambda flows, name: flows.wait(task_of(flows, name), timeout=30, poll_every=None, on_poll=None),
    "credits": lambda flows, _: flows.credits(),
    "upload": lambda flows, _: flows.upload(Path(__file__)),
    "cancel": lambda flows, name: flows.cancel(task_of(flows, name), model=None, operation=None),
}

REPLIES = st.sampled_from([200, 201, 202, 204, 206, 302, 400, 401, 402, 404, 408, 409, 416, 422, 429, 500, 502, 503])


@st.composite
def answers(draw: st.DrawFn, name: str) -> Answer | UnderstudyError:
    """Draw an answer: arbitrary bytes, arbitrary JSON, or a valid one with changes; now and then none at all."""
    if draw(st.integers(0, 9)) == 0:
        return TransportFailed("it broke", sent=draw(st.booleans()))
    valid = st.sampled_from([CREATED[name], DONE[name]])
    whole = valid | valid.flatmap(mutated) | JSON
    body = draw(st.binary(max_size=60) | whole.map(orjson.dumps))
    headers = draw(st.fixed_dictionaries({}, optional={
        "content-type": st.sampled_from(["application/json", "text/html", "image/png", ""]),
        "retry-after": st.text(max_size=12) | st.integers(0, 99).map(str),
        "date": st.text(max_size=12), "content-length": st.text(max_size=5), "content-range": st.text(max_size=12),
    }))  # fmt: skip
    return Answer(draw(REPLIES), headers, body)


def drive(flow: Flow[Any], time: FakeTime, replies: Callable[[], Answer | UnderstudyError]) -> Any:
    """Run a flow with answers that came from nowhere, and return what it returns."""
    try:
        step = next(flow)
        for _ in range(200):
            if isinstance(step, Pause):
                assert step.seconds >= 0
                time.sleep(step.seconds)
                step = next(flow)
                continue
            reply = replies()
            step = flow.throw(reply) if isinstance(reply, UnderstudyError) else flow.send(_sunk(step, reply))
        raise AssertionError("the flow does not come to an end")
    except StopIteration as stop:
        return stop.value


def _sunk(step: Exchange, reply: Answer) -> Answer:
    if isinstance(step.sink, Download):
        step.sink.begin(reply.status, reply.headers)
        step.sink.feed(reply.body)
        return step.sink.end()
    return reply


@given(name=st.sampled_from(NAMES), what=st.sampled_from(sorted(FLOWS)), data=st.data())
@settings(max_examples=400)
def test_only_documented_errors_come_of_whatever_is_answered(name: str, what: str, data: st.DataObject) -> None:
    flows, time = flows_of(name)
    began, problem = time.moment, ""
    try:
        result = drive(FLOWS[what](flows, name), time, lambda: data.draw(answers(name)))
        assert isinstance(result, Task | int | float | str)
    except UnderstudyError as error:
        problem = str(error)
    assert len(problem) < 700
    assert "key-of-mine" not in problem
    if what == "wait":
        assert time.moment - began <= 30


@given(data=st.data())
def test_only_documented_errors_come_of_whatever_is_downloaded(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    flows, time = flows_of("acme")
    link = data.draw(st.sampled_from(["http://127.0.0.1/0.png", "https://a.example/0"]) | st.text())
    task = Task("t1", "acme", phase=Phase.COMPLETED, outputs=(link,))
    folder, problem = tmp_path_factory.getbasetemp() / "downloads", ""
    try:
        drive(flows.download(task, folder, timeout=300), time, lambda: data.draw(answers("acme")))
    except UnderstudyError as error:
        problem = str(error)
    assert len(problem) < 700
