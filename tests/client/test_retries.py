"""What is asked again and what is not: reads may be, a paid creation only where it can't have been accepted."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest
from understudy.client import (
    Client,
    InvalidRequest,
    ProtocolViolation,
    RateLimited,
    Refused,
    TransportFailed,
    Unauthorized,
    Unavailable,
    UnderstudyError,
)

from .faulty import Act, FaultyServer, answer, close, raw, reset
from .speakers import ACME, MODELS, Connect, FakeTime, Speaker

ID = "pic_" + "0" * 32
CREATED = answer(201, {"id": ID, "status": "queued"})
QUEUED = answer(200, {"id": ID, "status": "queued"})
PROBLEM = {"type": "https://acme.example/problems/our-fault", "detail": "Something fell over"}
BUSY = answer(429, {"type": "https://acme.example/problems/too-fast"}, retry_after="3")
SHORT = raw(b'HTTP/1.1 200 OK\r\ncontent-length: 400\r\nconnection: close\r\n\r\n{"id":')
NOT_HTTP = raw(b"\xff\xfe\x00garbage\r\n\r\n")

PASSING: dict[str, tuple[Act, type[UnderstudyError]]] = {
    "408": (answer(408), Unavailable),
    "429": (answer(429), RateLimited),
    "500": (answer(500, PROBLEM), Unavailable),
    "502 with a page": (answer(502, raw=b"<html>", content_type="text/html"), Unavailable),
    "503": (answer(503), Unavailable),
    "504": (answer(504), Unavailable),
    "an empty reply": (close, TransportFailed),
    "a reset": (reset, TransportFailed),
    "a body cut short": (SHORT, TransportFailed),
    "no HTTP": (NOT_HTTP, TransportFailed),
}
"""Answers that may be another the next time, each with what is raised when it never is."""


def speaker(connect: Connect, faulty: FaultyServer, *acts: Act, **settings: Any) -> Speaker:
    """Return a client of a server that plays these acts."""
    faulty.plays(*acts)
    return connect(ACME, base_url=faulty.url, **settings)


@pytest.mark.parametrize("name", PASSING)
def test_a_read_is_repeated(name: str, connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    act, _ = PASSING[name]
    assert speaker(connect, faulty, act, act, QUEUED).get(ID).status == "queued"
    assert len(faulty.received) == 3
    first, second = time.pauses
    assert 0.25 <= first <= 0.5
    assert 0.5 <= second <= 1


@pytest.mark.parametrize("name", PASSING)
def test_a_read_is_given_up_after_two_retries(
    name: str, connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    act, kind = PASSING[name]
    with pytest.raises(kind) as caught:
        speaker(connect, faulty, act).get(ID)
    assert type(caught.value) is kind
    assert len(faulty.received) == 3


def test_retries_can_be_had_or_not(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    with pytest.raises(Unavailable):
        speaker(connect, faulty, answer(500), retries=0).get(ID)
    assert len(faulty.received) == 1
    with pytest.raises(Unavailable):
        speaker(connect, faulty, answer(500), retries=6).get(ID)
    assert len(faulty.received) == 1 + 7
    assert max(time.pauses) <= 8


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 418, 422])
def test_a_refusal_that_stays_is_not_repeated(status: int, connect: Connect, faulty: FaultyServer) -> None:
    with pytest.raises(UnderstudyError) as caught:
        speaker(connect, faulty, answer(status)).get(ID)
    assert isinstance(caught.value, Refused | InvalidRequest)
    assert caught.value.http_status == status
    assert len(faulty.received) == 1


@pytest.mark.parametrize(
    "act", [answer(200, raw=b"{"), answer(200, raw=b""), answer(302, location="http://127.0.0.1:9/"), answer(200, [])]
)
def test_an_answer_that_is_none_is_not_repeated(act: Act, connect: Connect, faulty: FaultyServer) -> None:
    with pytest.raises(ProtocolViolation):
        speaker(connect, faulty, act).get(ID)
    assert len(faulty.received) == 1


@pytest.mark.parametrize("name", PASSING)
def test_a_creation_that_may_have_been_accepted_is_not_repeated(
    name: str, connect: Connect, faulty: FaultyServer
) -> None:
    act, kind = PASSING[name]
    client = speaker(connect, faulty, act)
    with pytest.raises(kind) as caught:
        client.create("brush-2", prompt="x")
    assert len(faulty.received) == (3 if name in {"429", "503"} else 1)
    if isinstance(caught.value, TransportFailed):
        assert caught.value.sent


def test_a_503_with_something_in_it_may_come_of_who_accepted_the_creation(
    connect: Connect, faulty: FaultyServer
) -> None:
    with pytest.raises(Unavailable):
        speaker(connect, faulty, answer(503, PROBLEM)).create("brush-2", prompt="x")
    assert len(faulty.received) == 1


@pytest.mark.parametrize("name", PASSING)
def test_a_creation_is_repeated_where_the_caller_allows_a_duplicate(
    name: str, connect: Connect, faulty: FaultyServer
) -> None:
    act, _ = PASSING[name]
    assert speaker(connect, faulty, act, CREATED).create("brush-2", prompt="x", allow_duplicate=True).id == ID
    first, second = faulty.received
    assert first.json == second.json == {"prompt": "x"}


@pytest.mark.parametrize("act", [BUSY, answer(429), answer(503)])
def test_a_creation_that_was_not_accepted_is_repeated(act: Act, connect: Connect, faulty: FaultyServer) -> None:
    assert speaker(connect, faulty, act, CREATED).create("brush-2", prompt="x").id == ID
    assert len(faulty.received) == 2


def refused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_creation_whose_connection_is_refused_is_repeated_and_was_not_sent(connect: Connect, time: FakeTime) -> None:
    client = connect(ACME, base_url=f"http://127.0.0.1:{refused_port()}")
    with pytest.raises(TransportFailed, match="the request was not received") as caught:
        client.create("brush-2", prompt="x")
    assert not caught.value.sent
    assert len(time.pauses) == 2


def test_retry_after_is_kept_to(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    assert speaker(connect, faulty, BUSY, QUEUED).get(ID).status == "queued"
    assert 3 <= time.pauses[0] <= 3.5


def test_a_retry_after_that_is_a_date_is_measured_by_the_servers_own_clock(
    connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    busy = answer(503, date="Wed, 01 Jan 2025 00:00:00 GMT", retry_after="Wed, 01 Jan 2025 00:00:07 GMT")
    speaker(connect, faulty, busy, QUEUED).get(ID)
    assert 7 <= time.pauses[0] <= 8


@pytest.mark.parametrize("told", ["soon", "-1", "Wed, 01 Jan 2025 00:00:07 GMT", "1e3", "\xb3", ""])
def test_a_retry_after_that_says_nothing_is_as_good_as_none(
    told: str, connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    speaker(connect, faulty, answer(429, retry_after=told), QUEUED).get(ID)
    assert time.pauses[0] <= 0.5


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_asked_to_wait_too_long_is_told_at_once(status: int, connect: Connect, faulty: FaultyServer) -> None:
    with pytest.raises((RateLimited, Unavailable)) as caught:
        speaker(connect, faulty, answer(status, retry_after="31")).get(ID)
    assert caught.value.retry_after == 31
    assert "it wants to be asked again in 31 s" in str(caught.value)
    assert len(faulty.received) == 1


def test_the_code_of_the_body_counts_like_a_status(connect: Connect, faulty: FaultyServer) -> None:
    faulty.plays(answer(200, {"code": 500, "msg": "later"}), answer(200, {"code": 200, "msg": "", "data": 7}))
    assert connect("kie", base_url=faulty.url).credits() == 7
    faulty.plays(answer(200, {"code": 401, "msg": "no"}))
    with pytest.raises(Unauthorized):
        connect("kie", base_url=faulty.url).credits()


@pytest.mark.parametrize("name", PASSING)
def test_no_connection_is_left_open(name: str, faulty: FaultyServer, time: FakeTime) -> None:
    act, kind = PASSING[name]
    faulty.plays(act)
    with httpx.Client(trust_env=False) as http:
        client = Client(ACME, api_key="x", base_url=faulty.url, http=http, sleep=time.sleep)
        with pytest.raises(kind):
            client.get(ID)
        pool = http._transport._pool  # type: ignore[attr-defined]
        assert [each for each in pool.connections if not each.is_closed()] == []


def test_a_server_that_never_answers_is_given_up(connect: Connect, faulty: FaultyServer) -> None:
    with pytest.raises(TransportFailed, match=r"took longer than 0\.1 s") as caught:
        speaker(connect, faulty, faulty.hang, timeout=0.1).create("brush-2", prompt="x")
    assert caught.value.timed_out
    assert caught.value.sent
    assert len(faulty.received) == 1


def test_a_server_that_answers_a_byte_at_a_time_is_given_up(
    connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    def dribble(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n")
        for _each in range(1000):
            connection.sendall(b"x" * 4000)
            time.moment += 0.5

    with pytest.raises(TransportFailed, match="took longer than 30 s") as caught:
        speaker(connect, faulty, dribble, retries=0).get(ID)
    assert caught.value.timed_out


def test_the_awaited_client_bounds_the_head_of_an_answer_too(connect_async: Connect, faulty: FaultyServer) -> None:
    def dribble(connection: socket.socket, _: object) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 100:
            connection.sendall(bytes([byte]))
            faulty.wait(0.02)

    with pytest.raises(TransportFailed, match=r"took longer than 0\.2 s"):
        speaker(connect_async, faulty, dribble, timeout=0.2, retries=0).get(ID)


def test_an_answer_larger_than_any_is_not_kept(connect: Connect, faulty: FaultyServer) -> None:
    huge = answer(200, raw=b"[" + b" " * (33 * 1024 * 1024) + b"]")
    with pytest.raises(ProtocolViolation, match="the answer is larger; expected at most 33,554,432 bytes"):
        speaker(connect, faulty, huge).get(ID)


def test_a_body_that_can_not_be_decompressed_is_no_answer(connect: Connect, faulty: FaultyServer) -> None:
    with pytest.raises(ProtocolViolation, match="an answer that can be decoded"):
        speaker(connect, faulty, answer(200, raw=b"no gzip", content_encoding="gzip")).get(ID)


@pytest.mark.parametrize("name", MODELS)
def test_no_error_and_no_log_holds_the_key(
    name: str, connect: Connect, faulty: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    key = "a-key-that-nobody-must-see"
    caplog.set_level("DEBUG")
    provider = name if name != "acme" else ACME
    echo = answer(400, {"code": key, "msg": f"wrong key {key}", "message": key, "type": key, "detail": key,
                        "error": {"code": key, "detail": key}})  # fmt: skip
    for act in (echo, close, answer(200, raw=key.encode()), answer(500, {"code": 500, "msg": key})):
        faulty.plays(act)
        client = connect(provider, base_url=faulty.url, api_key=key)
        with pytest.raises(UnderstudyError) as caught:
            client.create(MODELS[name], prompt="x")
        assert key not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))
    assert "understudy.client" in {record.name for record in caplog.records}
    assert key not in caplog.text


def test_an_http_client_of_ones_own_is_used(faulty: FaultyServer) -> None:
    faulty.plays(QUEUED)
    with httpx.Client(headers={"X-Of-Mine": "yes"}, trust_env=False) as http:
        Client(ACME, api_key="x", base_url=faulty.url, http=http).get(ID)
    assert faulty.received[0].headers["x-of-mine"] == "yes"
