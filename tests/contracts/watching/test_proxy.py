"""The proxy: bytes pass as they came, and what the provider does to a connection happens to the application's."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from understudy.contracts.watching.passed import Passed
from understudy.contracts.watching.proxy import Proxy, parse_upstream
from understudy.contracts.watching.serving import Watching, make_proxy
from understudy.mockserver.server import MockServer, address, listen

from .upstream import Upstream, read_all, read_until, reset

LIMIT = 100_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
)


class Watched:
    """A running proxy, and what passed by."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.passed: list[Passed] = []
        self.changed = threading.Condition()

    def saw(self, passed: Passed) -> None:
        """Keep what passed by."""
        with self.changed:
            self.passed.append(passed)
            self.changed.notify_all()

    def until(self, count: int) -> list[Passed]:
        """Return what passed by, once it is so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.passed) >= count, 10)
        return self.passed

    def connect(self) -> socket.socket:
        """Return a connection to the proxy."""
        host, port = self.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        connection.settimeout(10)
        return connection

    def say(self, data: bytes) -> bytes:
        """Return what comes back until the connection ends."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)


@contextmanager
def watched(url: str, callback_to: str | None = None) -> Iterator[Watched]:
    """Run a proxy in front of `url`."""
    listener = listen("127.0.0.1", 0)
    made = Watched(address(listener))
    to = None if callback_to is None else parse_upstream(callback_to)
    proxy = Proxy(parse_upstream(url), callback_to=to, limit=LIMIT, saw=made.saw)
    with listener, Watching(proxy, listener):
        yield made


class Secured:
    """A provider that speaks TLS, for one connection."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._script = script
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Secured:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # who does not trust it breaks off
            connection, _ = self._listener.accept()
            with connection:
                self._script(connection)


def answering(data: bytes) -> Callable[[socket.socket, bytes], None]:
    """Return a script that answers with `data`."""
    return lambda connection, _: connection.sendall(data)


def test_a_request_passes_as_it_came_but_for_the_name_of_the_host() -> None:
    head = b"GET /a%2Fb//c?x=%20+y&x= HTTP/1.1\r\nHOST: here\r\nX-One: 1\r\nx-one:2\r\nX-Odd:  \xfc \r\n\r\n"
    with Upstream(answering(OK)) as upstream, watched(f"{upstream.url}/base/") as proxy:
        assert proxy.say(head) == OK
        name = upstream.url.removeprefix("http://").encode()
        assert upstream.heads == [head.replace(b"/a%2Fb", b"/base/a%2Fb").replace(b"HOST: here", b"HOST: " + name)]
        (passed,) = proxy.until(1)
        assert (passed.method, passed.target, passed.status) == ("GET", b"/a%2Fb//c?x=%20+y&x=", 200)


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 \r\nx-a: 1\r\nX-A: 2\r\nSet-Cookie: a=b\r\nset-cookie: c\r\nConnection: close\r\n\r\nto the end",
        CHUNKED,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\n\r\n\x00\x01\xff",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"x" * 999, mtime=0),
    ],
)  # fmt: skip
def test_an_answer_passes_byte_for_byte(answer: bytes) -> None:
    with Upstream(answering(answer)) as upstream, watched(upstream.url) as proxy:
        assert proxy.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == answer
        assert proxy.until(1)[0].ending == "answered"


def test_a_chunked_upload_passes_byte_for_byte() -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, b"u" * size) for size in (1, 70_000, 3, 200_000)) + b"0\r\n\r\n"
    came = []

    def script(connection: socket.socket, head: bytes) -> None:
        data = head.partition(b"\r\n\r\n")[2]
        came.append(data if data.endswith(b"0\r\n\r\n") else data + read_until(connection, b"0\r\n\r\n"))
        connection.sendall(OK)

    with Upstream(script) as upstream, watched(upstream.url) as proxy:
        assert proxy.say(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks) == OK
        assert came == [chunks]
        (passed,) = proxy.until(1)
        assert (passed.body.size, passed.body.is_whole, passed.body.done) == (270_004, False, True)


def test_a_picture_of_5_mb_streams_before_it_is_whole() -> None:
    picture, half = bytes(range(256)) * 20_000, threading.Event()

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(picture))
        connection.sendall(picture[:1000])
        assert half.wait(10)  # the rest leaves when the first bytes have arrived
        connection.sendall(picture[1000:])

    with Upstream(script) as upstream, watched(upstream.url) as proxy, proxy.connect() as connection:
        connection.sendall(b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n")
        got = read_until(connection, picture[:1000])
        half.set()
        assert (got + read_all(connection)).endswith(picture)
        (passed,) = proxy.until(1)
        assert (passed.answer.size, passed.answer.is_whole, bytes(passed.answer.content)) == (5_120_000, False, b"")


def test_a_head_arrives_before_the_body_has_begun() -> None:
    seen = threading.Event()

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n")
        assert seen.wait(10)
        connection.sendall(b"data: 1\n\n")

    with Upstream(script) as upstream, watched(upstream.url) as proxy, proxy.connect() as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_until(connection, b"\r\n\r\n").endswith(b"\r\n\r\n")
        seen.set()
        assert read_all(connection) == b"data: 1\n\n"


def test_a_folded_line_passes_folded_and_is_read_as_one() -> None:
    told = b"HTTP/1.1 200 OK\r\nX-Long: a\r\n\t b\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    with Upstream(answering(told)) as upstream, watched(upstream.url) as proxy:
        assert proxy.say(b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n") == told
        (passed,) = proxy.until(1)
        assert passed.answer_head.values(b"x-long") == [b"a b"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that localhost gave itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_checked_and_one_of_your_own_is_named_in_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def script(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_until(secured, b"\r\n\r\n")
            secured.sendall(OK)

    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Secured(script) as upstream:
        listener = listen("127.0.0.1", 0)
        with listener, Watching(make_proxy(parse_upstream(upstream.url), None, lambda _: None), listener):
            answer = httpx.get(address(listener), trust_env=False)
    if trusted:
        assert answer.text == "ok"
    else:
        assert answer.status_code == 502
        assert "certificate verify failed" in answer.text


def test_one_connection_carries_one_request_after_the_other() -> None:
    def script(connection: socket.socket, head: bytes) -> None:
        for number in range(3):
            if number:
                read_until(connection, b"\r\n\r\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)

    with Upstream(script) as upstream, watched(upstream.url) as proxy, proxy.connect() as connection:
        for number in b"012":
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_until(connection, b"\r\n\r\n%c" % number)
        assert read_all(connection) == b""  # the provider has closed, so that the application's closes too
        assert len(upstream.heads) == 1


def test_an_answer_that_is_cut_off_arrives_cut_off() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with Upstream(answering(cut)) as upstream, watched(upstream.url) as proxy:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(proxy.url, trust_env=False)
        (passed,) = proxy.until(1)
        assert (passed.ending, passed.problem) == ("cut", "the answer was cut off after 4 bytes")


@pytest.mark.parametrize("script", [lambda connection, _: reset(connection), lambda connection, _: connection.close()])
def test_a_connection_that_is_broken_without_an_answer_breaks_here_too(script: Any) -> None:
    with Upstream(script) as upstream, watched(upstream.url) as proxy:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(proxy.url, trust_env=False)
        assert proxy.until(1)[0].ending == "cut"
        assert len(upstream.heads) == 1  # nothing is tried again


def test_where_nobody_listens_the_answer_is_a_502_of_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with watched(url) as proxy:
        answer = httpx.get(proxy.url, trust_env=False)
        assert answer.status_code == 502
        assert answer.text.startswith(f"understudy watch: {url} can't be reached: ")
        assert answer.text.count("\n") == 1
        assert proxy.until(1)[0].ending == "refused"


def test_an_application_that_goes_away_ends_the_providers_connection() -> None:
    gone = threading.Event()

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nh")
        try:
            connection.recv(1)
        finally:
            gone.set()

    with Upstream(script) as upstream, watched(upstream.url) as proxy:
        with proxy.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            read_until(connection, b"\r\n\r\nh")
        assert gone.wait(10)
        (passed,) = proxy.until(1)
        assert (passed.ending, passed.problem) == ("gone", "the application went away")


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nno\r\n\r\n"]
)
def test_what_is_no_request_is_refused_in_one_line(garbage: bytes) -> None:
    with watched("http://127.0.0.1:9") as proxy:
        answer = proxy.say(garbage)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"understudy watch: b" in answer


def test_a_callback_is_taken_where_nobody_else_is_to_have_it() -> None:
    with watched("http://127.0.0.1:9") as proxy:
        answer = httpx.post(f"{proxy.url}/_understudy/inbox/a%20b?x=1", content=b"{}", trust_env=False)
        assert (answer.status_code, answer.json()) == (200, {"code": 200, "msg": "success"})
        (passed,) = proxy.until(1)
        assert (passed.inbox, bytes(passed.body.content)) == ("a b", b"{}")


def test_a_callback_is_passed_on_to_the_application() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with Upstream(answering(busy)) as application, watched("http://127.0.0.1:9", f"{application.url}/hook") as proxy:
        answer = httpx.post(f"{proxy.url}/_understudy/inbox/a?x=1", content=b"{}", trust_env=False)
        assert answer.status_code == 503
        assert application.heads[0].startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
        assert proxy.until(1)[0].inbox == "a"


def test_100_at_once_get_what_the_emulator_answers_each(server: MockServer) -> None:
    with watched(f"{server.url}/kie") as proxy:
        limits = httpx.Limits(max_connections=100)
        with httpx.Client(base_url=proxy.url, trust_env=False, limits=limits, timeout=30) as http:

            def ask(number: int) -> Any:
                headers = {"authorization": f"Bearer watched-{number}"}
                body = {"model": "nano-banana-pro", "input": {"prompt": f"p{number}"}}
                made = http.post("/api/v1/jobs/createTask", json=body, headers=headers).json()["data"]["taskId"]
                told = http.get("/api/v1/jobs/recordInfo", params={"taskId": made}, headers=headers).json()
                return f'"p{number}"' in told["data"]["param"]

            with ThreadPoolExecutor(100) as pool:
                assert all(pool.map(ask, range(100)))
        assert len(proxy.until(200)) == 200


@pytest.mark.parametrize("url", ["ftp://a", "http://", "api.example.com", "http://a?x", "http://a:99999"])
def test_what_is_no_url_of_a_provider_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected one such as|Port out of range"):
        parse_upstream(url)
