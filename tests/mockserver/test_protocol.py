"""The protocol class: what is answered where it is read, and what goes through ASGI, look the same."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from understudy.mockserver.protocol import Protocol
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings
from uvicorn.server import ServerState

from .stage import SIMPLE, as_json

BODY = as_json(SIMPLE["kie"])
CREATE = "POST /kie/api/v1/jobs/createTask"
POLL = "GET /kie/api/v1/jobs/recordInfo?taskId=none"
DEADLINE = 10


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """A server on a real socket."""
    with MockServer(["kie"], Settings(limits=False)) as running:
        yield running


def request(line: str, body: bytes = b"", version: str = "1.1", **headers: str) -> bytes:
    """Return the bytes of a request, with a key."""
    sent = {"Host": "127.0.0.1", "Authorization": "Bearer test"}
    if body:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{line} HTTP/{version}", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


LAST = request("GET /kie/api/v1/chat/credit", Connection="close")
"""A request after which the server closes the connection; it goes through ASGI."""


def answers(server: MockServer, *slices: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Send `slices`, one after the other, and return what is answered until the connection is closed."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for each in slices:
            connection.sendall(each)
        received = b""
        while part := connection.recv(65536):
            received += part
    return list(parsed(received))


def parsed(data: bytes) -> Iterator[tuple[int, dict[str, str], bytes]]:
    """Yield status, headers and body of every response in `data`."""
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers.get("content-length", 0))
        yield int(first.split()[1]), headers, data[:size]
        data = data[size:]


def test_an_answer_is_whole_http(server: MockServer) -> None:
    (created, _) = answers(server, request(CREATE, BODY), LAST)
    status, headers, body = created
    assert (status, list(headers)) == (200, ["date", "content-type", "content-length"])
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
    assert json.loads(body)["data"]["taskId"].startswith("task_nano-banana-pro_")


def test_requests_that_come_together_are_answered_in_order(server: MockServer) -> None:
    control = request("GET /_understudy/clock")
    unknown = request("GET /kie/nothing")
    found = answers(server, b"".join([request(POLL), control, unknown, control, request(CREATE, BODY), LAST]))
    kinds = [json.loads(body) for _, _, body in found]
    assert [status for status, _, _ in found] == [200, 200, 404, 200, 200, 200]
    assert ["clocks" in kind for kind in kinds] == [False, True, False, True, False, False]


@pytest.mark.parametrize("size", [1, 7, 50])
def test_a_request_may_come_in_slices(server: MockServer, size: int) -> None:
    data = request(CREATE, BODY) + LAST
    found = answers(server, *(data[at : at + size] for at in range(0, len(data), size)))
    assert [json.loads(body)["code"] for _, _, body in found] == [200, 200]


def chunked(body: bytes) -> bytes:
    """Return a creation whose body comes in chunks."""
    head = request(CREATE, Content_Type="application/json", Transfer_Encoding="chunked")
    half = len(body) // 2
    parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:], b"")]
    return head + b"".join(parts)


LARGE = as_json(
    {**SIMPLE["kie"], "input": {**SIMPLE["kie"]["input"], "image_input": ["https://a.example/" + "x" * 900] * 8}}
)


@pytest.mark.parametrize(
    "creation",
    [
        request(CREATE, BODY),
        request(CREATE, BODY, Connection="close"),
        request(CREATE, BODY, version="1.0"),
        request(CREATE, BODY + b" " * 200_000),
        request(CREATE, LARGE),
        request(CREATE.replace("createTask", "create%54ask"), BODY),
        request(CREATE.replace("/kie", "http://127.0.0.1/kie"), BODY),
        chunked(BODY),
    ],
    ids=["plain", "closed", "old", "large", "larger", "encoded", "absolute", "chunked"],
)
def test_whichever_way_a_creation_takes_it_is_answered_alike(server: MockServer, creation: bytes) -> None:
    closes = b"HTTP/1.0" in creation or b"Connection: close" in creation
    status, headers, body = answers(server, creation, *([] if closes else [LAST]))[0]
    assert (status, headers["content-type"], json.loads(body)["msg"]) == (200, "application/json", "success")


def test_who_expects_to_be_told_to_go_on_is_told_so(server: MockServer) -> None:
    whole = request(CREATE, BODY, Expect="100-continue")
    head, body = whole[: -len(BODY)], BODY
    (going_on, created, _) = answers(server, head, body, LAST)
    assert (going_on[0], created[0]) == (100, 200)


def test_a_head_request_has_no_body(server: MockServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(request("HEAD /kie/api/v1/chat/credit", Connection="close"))
        received = b""
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert (head.split()[1], body) == (b"405", b"")


@pytest.mark.parametrize(
    "data", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_what_is_no_http_is_refused_and_the_connection_closed(server: MockServer, data: bytes) -> None:
    found = answers(server, data)
    assert [status for status, _, _ in found] in ([400], [404])


def test_faults_are_played_on_a_request_that_was_answered_at_once(server: MockServer) -> None:
    played = request(CREATE, BODY, Understudy_Scenario="truncated-body")
    ((status, headers, body),) = answers(server, played)
    assert status == 200
    assert len(body) < int(headers["content-length"])


def test_the_time_an_exchange_took_is_noted_whichever_way_it_went(server: MockServer) -> None:
    answers(server, request(CREATE, BODY), LAST)
    last = list(server.emulator.journal)[-2:]
    assert [each.operation for each in last] == ["createTask", "credit"]
    assert all(each.milliseconds > 0 for each in last)


def connected(server: MockServer) -> socket.socket:
    """Return a connection to `server`."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=DEADLINE)


def asked(connection: socket.socket, sent: bytes) -> int:
    """Send a request over `connection` and return the status that is answered."""
    connection.sendall(sent)
    return int(connection.recv(65536).split()[1])


CONTROL = request("GET /_understudy/clock")
"""A request that goes through ASGI."""


@pytest.mark.parametrize("last", [request(POLL), CONTROL], ids=["at once", "through ASGI"])
def test_a_connection_is_closed_once_nothing_came_for_a_while_and_not_before(last: bytes) -> None:
    with MockServer(["kie"], Settings(limits=False)) as server:
        vars(server)["_server"].config.timeout_keep_alive = 0.15
        connection = connected(server)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert [asked(connection, each) for each in (request(POLL), request(CREATE, BODY), CONTROL, last)] == [
                200
            ] * 4
        assert connection.recv(1) == b""
        assert time.monotonic() >= end + 0.1
        connection.close()


def test_a_request_that_came_before_is_answered_like_the_first(server: MockServer) -> None:
    with connected(server) as connection:
        bodies = []
        for _ in range(3):
            connection.sendall(request(CREATE, BODY))
            bodies.append(connection.recv(65536).partition(b"\r\n\r\n")[2])
    assert len({json.loads(body)["data"]["taskId"] for body in bodies}) == 3


def test_a_fault_is_played_on_a_request_that_came_before(server: MockServer) -> None:
    played = request(CREATE, BODY, Understudy_Scenario="truncated-body")
    for _ in range(2):
        ((_, headers, body),) = answers(server, played)
        assert len(body) < int(headers["content-length"])


def test_each_exchange_is_in_the_journal_once_whichever_way_it_went(server: MockServer) -> None:
    before = len(list(server.emulator.journal))
    told = as_json({**SIMPLE["kie"], "callBackUrl": "http://127.0.0.1:9/"})
    early = request(CREATE, told, Understudy_Scenario="callback-early")
    sent = [request(CREATE, BODY), request(CREATE, BODY), early, early, request(POLL), request(POLL), CONTROL, CONTROL]
    with connected(server) as connection:
        assert {asked(connection, each) for each in sent} == {200}
    assert len(list(server.emulator.journal)) - before == 6


def state_of(server: MockServer) -> ServerState:
    """Return what uvicorn keeps of `server`."""
    found: ServerState = vars(server)["_server"].server_state
    return found


def until(holds: Callable[[], bool]) -> None:
    """Wait until it `holds`."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_connection_whose_reader_is_slow_is_closed_as_well_once_it_is_idle() -> None:
    with MockServer(["kie"], Settings(limits=False)) as server, socket.socket() as connection:
        vars(server)["_server"].config.timeout_keep_alive = 0.1
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE)
        host, port = server.url.removeprefix("http://").split(":")
        connection.connect((host, int(port)))
        until(lambda: bool(state_of(server).connections))
        (protocol,) = state_of(server).connections
        assert isinstance(protocol, Protocol)
        sent = 0
        while not protocol.flow.write_paused:
            connection.sendall(request("GET /kie/openapi.json"))
            sent += 1
            until(lambda: state_of(server).total_requests == sent)  # noqa: B023 - asked at once
        until(lambda: vars(protocol)["_idle_timer"] is None)
        while connection.recv(1 << 20):
            pass


@pytest.mark.parametrize(("sent", "parsed_by"), [(request(POLL), False), (request(POLL, X_Name="\u00e9"), True)])
def test_the_parser_is_asked_about_heads_that_are_not_plain_alone(sent: bytes, parsed_by: bool) -> None:
    with MockServer(["kie"], Settings(limits=False)) as server, connected(server) as connection:
        assert [asked(connection, sent) for _ in range(2)] == [200, 200]
        (protocol,) = state_of(server).connections
        assert isinstance(protocol, Protocol)
        assert (protocol.headers is not None) is parsed_by  # uvicorn has none before its parser begins a message
