"""Heads of messages that come again: what is read by them is what the parser reads, or nothing."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.answer import Answer
from understudy.mockserver.heads import AnswerHeads, RequestHeads

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "get"]
TARGETS = ["/a/b-c_d", "/a?b=c&d=%20e", "/a?", "/%41", "/a#b", "//a", "*", "http://x/a", "/é", "/a b", "/a?b=\t", ""]
VERSIONS = ["1.1", "1.0", "2.0", ""]
LINES = [
    "Host: x", "host:x", "X-Long:  some thing ", "Content-Length: 3", "Content-Length: 0", "Transfer-Encoding: chunked",
    "Connection: close", "Connection: keep-alive", "Expect: 100-continue",
    "Content-length:3", "Connection: Keep-Alive, x", "Proxy-Connection: close", "Upgrade: x", "X\x0b: y", "X-Tab: a\tb",
    "X-Odd: \x7f",
    "X-Quoted: \"a b\"", "Cookie: a=b; c", "X-Empty:", " folded", "no colon",
    "X: a\nY: b",
]  # fmt: skip
DATE = [(b"date", b"Sat, 21 Nov 2026 12:00:00 GMT")]
OTHER_DATE = [(b"date", b"Sat, 21 Nov 2026 12:00:01 GMT")]


class Parsed:
    """What httptools makes of the bytes of a connection, message by message."""

    def __init__(self, data: bytes) -> None:
        self.messages: list[dict[str, Any]] = []
        self.broken = False
        self.parser = httptools.HttpRequestParser(self)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.broken = True

    def on_message_begin(self) -> None:
        """Begin a message."""
        self.messages.append({"url": b"", "headers": [], "body": b"", "whole": False})

    def on_url(self, url: bytes) -> None:
        """Note a part of the target."""
        self.messages[-1]["url"] += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        self.messages[-1]["headers"].append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Note a part of the body."""
        self.messages[-1]["body"] += body

    def on_message_complete(self) -> None:
        """End a message."""
        plain = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        self.messages[-1] |= {"whole": True, "method": self.parser.get_method(), "plain": plain}

    @property
    def only(self) -> dict[str, Any] | None:
        """The one message that all bytes are, if they are."""
        return self.messages[0] if not self.broken and len(self.messages) == 1 and self.messages[0]["whole"] else None


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw bytes that are a request, or nearly."""
    line = " ".join(filter(None, [draw(st.sampled_from(METHODS)), draw(st.sampled_from(TARGETS))]))
    version = draw(st.sampled_from(VERSIONS))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=4))
    end = draw(st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]))
    head = end.join([f"{line} HTTP/{version}" if version else line, *lines, "", ""])
    return head.encode() + draw(st.sampled_from([b"", b"abc", b"ab", b"abcd", b"\r\n", b"a\r\n\r\n"]))


@settings(max_examples=400)
@given(st.lists(requests(), min_size=1, max_size=6))
def test_a_request_is_read_as_the_parser_reads_it(sent: list[bytes]) -> None:
    heads = RequestHeads()
    for data in sent * 3:  # read as new, as met before, and as known
        request = heads.read(data)
        if request is None:
            continue
        parsed = Parsed(data).only
        assert parsed is not None, data
        assert parsed["plain"]
        path, _, query = parsed["url"].partition(b"?")
        assert (request.method.encode(), request.path.encode()) == (parsed["method"], path)
        assert (request.query_string, request.body) == (query, parsed["body"])
        assert list(request.headers) == parsed["headers"]


PLAIN = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc"


def met(data: bytes) -> RequestHeads:
    """Return what has read `data` before."""
    heads = RequestHeads()
    for _ in range(3):
        heads.read(data)
    return heads


@pytest.mark.parametrize("heads", [RequestHeads(), met(PLAIN)], ids=["new", "met"])
def test_a_plain_request_is_read(heads: RequestHeads) -> None:
    request = heads.read(PLAIN)
    assert request is not None
    assert (request.method, request.path, request.query_string, request.body) == ("POST", "/a", b"b=c", b"abc")
    assert list(request.headers) == [(b"host", b"x"), (b"connection", b"Keep-Alive"), (b"content-length", b"3")]


def test_headers_that_come_again_are_the_same_object() -> None:
    heads = met(PLAIN)
    one, other = heads.read(PLAIN), heads.read(PLAIN.replace(b"POST /a?b=c", b"PUT /x").replace(b"abc", b"xyz"))
    assert one is not None
    assert other is not None
    assert one.headers is other.headers
    assert (other.method, other.path, other.query_string, other.body) == ("PUT", "/x", b"", b"xyz")


@pytest.mark.parametrize("heads", [RequestHeads(), met(PLAIN)], ids=["new", "met"])
@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1], PLAIN + b"GET", PLAIN.replace(b"POST", b"HEAD"), PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"/a", b"/%61"), PLAIN.replace(b"\r\n\r\n", b"\r\n"), b"", PLAIN.replace(b": x", b": x "),
        PLAIN.replace(b"Keep-Alive", b"close"), PLAIN.replace(b"Host", b"Expect"), PLAIN.replace(b"Host", b"Upgrade"),
        PLAIN.replace(b"Host: x", b"Content-Length: 3"), PLAIN.replace(b"Host: x", b"Host: \xc3\xa9"),
        PLAIN.replace(b"Host: x", b"Host: x\r\n y"), PLAIN.replace(b"Host: x", b"Transfer-Encoding: chunked"),
        PLAIN.replace(b"Length: 3", b"Length: +3"), PLAIN.replace(b"Host: x", b"X-Long: " + b"x" * 5000),
        PLAIN.replace(b"Host: x", b"Host : x"), PLAIN.replace(b"Host: x", b"Host: x\ny: z"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_parser(heads: RequestHeads, data: bytes) -> None:
    assert heads.read(data) is None


def test_a_head_without_its_end_is_left_to_the_parser_however_long_its_body_would_be() -> None:
    cut = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 43\r"
    assert len(cut) - len(b"\r\n\r\n") == 43 - 1
    heads = met(cut + b"\n\r\n" + b"y" * 43)
    assert heads.read(cut + b"\n\r\n" + b"y" * 43) is not None
    assert heads.read(cut) is None


@pytest.mark.parametrize(("lines", "plain"), [(60, True), (500, False)])
def test_a_head_of_many_lines_is_left_to_the_parser(lines: int, plain: bool) -> None:
    data = b"GET / HTTP/1.1\r\n" + b"".join([b"x-%d:\r\n" % number for number in range(lines)]) + b"\r\n"
    assert (RequestHeads().read(data) is not None) is plain


def test_heads_that_are_known_are_bounded() -> None:
    heads = met(PLAIN)
    first = heads.read(PLAIN)
    for number in range(3000):
        for _ in range(2):
            heads.read(b"GET / HTTP/1.1\r\nX-Id: %d\r\n\r\n" % number)
    again = heads.read(PLAIN)
    assert first is not None
    assert again is not None
    assert again.headers is not first.headers


def test_a_head_is_written_once_for_each_date() -> None:
    heads, answer = AnswerHeads(), Answer(200, ((b"content-type", b"application/json"),), b"{}")
    first = heads.before(answer, DATE)
    expected = b"HTTP/1.1 200 OK\r\ndate: %b\r\ncontent-type: application/json\r\ncontent-length: "
    assert first == expected % DATE[0][1]
    assert heads.before(answer, DATE) is first
    assert heads.before(answer, OTHER_DATE) == expected % OTHER_DATE[0][1]


@pytest.mark.parametrize("answer", [Answer(999, (), b""), Answer(200, ((b"x", b"a\r\nb: c"),), b"")])
def test_what_no_server_would_write_has_no_head(answer: Answer) -> None:
    assert AnswerHeads().before(answer, DATE) == b""


def test_heads_of_answers_are_bounded() -> None:
    heads, first = AnswerHeads(), Answer(200, ((b"x-id", b"0"),), b"")
    kept = heads.before(first, DATE)
    for number in range(1, 1100):
        heads.before(Answer(200, ((b"x-id", b"%d" % number),), b""), DATE)
    again = heads.before(first, DATE)
    assert (again == kept, again is kept) == (True, False)
