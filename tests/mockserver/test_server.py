"""The server on a real socket: what comes over it, however bad, and how it starts and stops."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import orjson
import pytest
from understudy.mockserver import server as module
from understudy.mockserver.app import App
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.server import MockServer, PortTakenError, address, listen, serve
from understudy.mockserver.settings import Settings

from .stage import NAMES, SIMPLE, provider_of, refused_with

PATHS = {
    "kie": "/kie/api/v1/jobs/createTask",
    "apikley": "/apikley/api/v1/jobs/createTask",
    "crun": "/crun/api/v1/client/job/CreateTask",
    "mulerouter": "/mulerouter/vendors/google/v1/nano-banana-pro/generation",
    "acme": "/acme/v2/pictures",
}
KEYS = {"crun": {"x-api-key": "test"}, "acme": {"X-Acme-Key": "test"}}
BEARER = {"Authorization": "Bearer test"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    """All providers on a real socket, the one of tests among them."""
    with MockServer([provider_of(name) for name in NAMES], Settings(limits=False)) as server:
        yield server


@pytest.fixture
def client(running: MockServer) -> Iterator[httpx.Client]:
    """A client whose server must still be well when the test ends."""
    with httpx.Client(base_url=running.url, trust_env=False, timeout=30) as client:
        yield client
        for provider in NAMES:
            answer = client.post(PATHS[provider], json=SIMPLE[provider], headers=KEYS.get(provider, BEARER))
            assert answer.status_code in {200, 201, 202}


BAD = {
    "no JSON": (b"{", JSON, (400, 400, 422, 2001, "unreadable")),
    "not UTF-8": (b'{"prompt":"\xff"}', JSON, (400, 400, 422, 2001, "unreadable")),
    "not a number": (b'{"prompt":NaN}', JSON, (400, 400, 422, 2001, "unreadable")),
    "deep": (b"[" * 10_000 + b"]" * 10_000, JSON, (400, 400, 422, 2001, "unreadable")),
    "50 MB": (b'{"prompt":"' + b"x" * 50_000_000 + b'"}', JSON, (422, 422, 422, 1013, "too-large")),
    "40 MB": (b'{"prompt":"' + b"x" * 40_000_000 + b'"}', JSON, (422, 422, 422, None, "invalid")),
    "another type": (b"{}", {"content-type": "text/plain"}, (422, 422, 422, 1015, "wrong-type")),
    "no type": (b"{}", {}, (422, 422, 422, 1015, "wrong-type")),
    "no body": (b"", JSON, (400, 400, 422, 2001, "unreadable")),
    "unknown model": (b'{"model":"x","prompt":""}', JSON, (422, 422, 422, None, "invalid")),
}


@pytest.mark.parametrize("number", range(5), ids=["kie", "apikley", "crun", "mulerouter", "acme"])
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_body_is_refused_as_documented_and_the_server_lives_on(
    client: httpx.Client, bad: str, number: int
) -> None:
    provider = ("kie", "apikley", "crun", "mulerouter", "acme")[number]
    body, headers, codes = BAD[bad]
    response = client.post(PATHS[provider], content=body, headers=KEYS.get(provider, BEARER) | headers)
    if codes[number] is None:
        assert response.status_code == 202
    else:
        code, message = refused_with(provider, response)
        assert str(code).removeprefix("https://acme.example/problems/") == str(codes[number])
        assert response.status_code < 500
        assert 0 < len(message) < 300
        assert "Traceback" not in response.text


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "\xff", "x-api-key": "invalid"}, {"X-Acme-Key": ""}]
)
def test_a_missing_or_malformed_key_is_refused_as_documented(
    client: httpx.Client, provider: str, headers: dict[str, str]
) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = client.post(PATHS[provider], json=SIMPLE[provider], headers=sent)
    assert str(refused_with(provider, response)[0]).endswith(("401", "1001", "/no-key"))


def test_a_hundred_megabytes_in_chunks_are_refused_and_not_kept(client: httpx.Client) -> None:
    chunks = (b"x" * 1_000_000 for _ in range(100))
    response = client.post(PATHS["acme"], content=chunks, headers=KEYS["acme"] | JSON)
    assert response.status_code == 413
    assert response.json()["detail"] == "the body is larger than 45,000,000 bytes"


def test_a_picture_of_thirty_megabytes_fits_as_base64(client: httpx.Client) -> None:
    body = orjson.dumps({"base64Data": "QUJD" * 10_000_000, "uploadPath": "x", "fileName": "large.bin"})
    answer = client.post("/kie/api/file-base64-upload", content=body, headers=BEARER | JSON)
    assert answer.json()["data"]["fileSize"] == 30_000_000


def spoken(server: MockServer, sent: bytes, *, shut: bool = True) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


RAW = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"400"),
    "a path that is not ASCII": (b"GET /kie/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"40"),
    "a path with a space": (b"GET /kie/a b HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    "a whole URL": (b"GET http://x/kie/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
    "a method of its own": (b"BREW /kie/pot HTTP/1.1\r\nHost: x\r\n\r\n", b"40"),
    "a header that is not ASCII": (
        b"GET /kie/x HTTP/1.1\r\nHost: x\r\nX-\xc3\xa9: \xff\r\nConnection: close\r\n\r\n",
        b"40",
    ),
    "two lengths": (b"POST /kie/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
    "HTTP 1.0": (b"GET /kie/nothing HTTP/1.0\r\n\r\n", b"404"),
    "an upgrade": (b"GET /kie/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"404"),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
}


@pytest.mark.parametrize("what", RAW)
def test_bytes_that_no_client_sends_are_refused_and_the_server_lives_on(
    client: httpx.Client, running: MockServer, what: str
) -> None:
    sent, status = RAW[what]
    assert spoken(running, sent, shut=what == "an upgrade").startswith(b"HTTP/1.1 " + status)


def test_a_header_of_a_megabyte_does_no_harm(client: httpx.Client, running: MockServer) -> None:
    answer = spoken(
        running, b"GET /kie/x HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 1_000_000 + b"\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 4")


def test_a_client_that_goes_in_the_middle_of_a_body_leaves_nothing_behind(
    client: httpx.Client, running: MockServer
) -> None:
    prepared = client.get(
        "/crun/api/v1/client/files/upload-url?content_type=image/png&ext=png", headers=KEYS["crun"]
    ).json()["data"]
    path = prepared["presigned_url"].removeprefix(running.url)
    spoken(
        running,
        f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nhalf".encode(),
    )
    assert client.get(running.url + "/_understudy/health").status_code == 200
    assert client.get(prepared["file_url"]).status_code == 404


def test_requests_one_after_another_on_one_connection_are_answered_in_order(running: MockServer) -> None:
    request = b"POST /kie/api/v1/jobs/createTask HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{"
    answer = spoken(
        running, request * 3 + b"GET /kie/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", shut=False
    )
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.rindex(b"HTTP/1.1 404") > answer.rindex(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/kie/api/v1/chat/credit", "/_understudy/health", "/kie/openapi.json"])
def test_an_answer_to_head_carries_no_bytes(client: httpx.Client, path: str) -> None:
    assert client.head(path).content == b""
    assert client.head(path).content == b""


def test_the_date_is_real_and_the_server_does_not_name_itself(client: httpx.Client) -> None:
    headers = client.get("/kie/nothing").headers
    assert "date" in headers
    assert "server" not in headers


def test_it_says_that_it_is_well_and_what_it_plays(client: httpx.Client) -> None:
    assert client.get("/_understudy/health").json()["status"] == "ok"
    assert [each["name"] for each in client.get("/_understudy/providers").json()["providers"]] == list(NAMES)
    assert client.get("/_understudy/nothing").status_code == 404


# --- starting and stopping ----------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_one_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(PortTakenError, match=r"^can't listen on 127.0.0.1:\d+: Address already in use$"):
            listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "fe80::1"])
def test_a_host_of_another_machine_is_one_line(host: str) -> None:
    with pytest.raises(PortTakenError, match=f"^can't listen on {host}:0: "):
        listen(host, 0)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")]
)
def test_the_address_is_one_that_this_machine_reaches(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        listener.listen()
        assert address(listener) == f"http://{shown}:{listener.getsockname()[1]}"
        socket.create_connection((shown.strip("[]"), listener.getsockname()[1])).close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_while_an_answer_hangs(number: signal.Signals) -> None:
    app = App(Emulator([provider_of("acme")], Settings()))
    listener = listen("127.0.0.1", 0)
    hanging: list[socket.socket] = []

    def ready() -> None:
        hanging.append(socket.create_connection(listener.getsockname()))
        hanging[0].sendall(b"POST /acme/v2/pictures HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

    began = time.monotonic()
    serve(app, listener, ready)
    assert time.monotonic() - began < 2
    hanging[0].close()


def test_a_server_in_a_thread_plays_built_in_providers_by_name() -> None:
    with MockServer(["crun"], log=None) as server:
        refused = httpx.get(server.url + "/kie/nothing", trust_env=False).json()
        assert refused["error"] == "/kie is no provider; served here: /crun"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_a_server_that_never_started_is_stopped_without_ado() -> None:
    MockServer(["crun"]).__exit__(None, None, None)


def test_a_server_that_does_not_start_in_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0)
    monkeypatch.setattr(MockServer, "_run", staticmethod(lambda server, listener: listener.close()))
    with pytest.raises(TimeoutError, match="did not start within 0 s"):
        MockServer(["crun"]).__enter__()


def test_without_uvloop_the_loop_is_that_of_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    with MockServer(["crun"]) as server:
        assert httpx.get(server.url + "/_understudy/health", trust_env=False).status_code == 200
