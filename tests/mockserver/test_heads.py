"""Heads of messages that come again: what is read by them is what the parser reads, or nothing."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.answer import Answer
from understudy.mockserver.headers import Headers
from understudy.mockserver.heads import AnswerHeads, RequestHeads

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "get"]
TARGETS = ["/a/b-c_d", "/a?b=c&d=%20e", "/a?", "/%41", "/a#b", "//a", "*", "http://x/a", "/é", "/a b", "/a?b=\t", ""]
VERSIONS = ["1.1", "1.0", "2.0", ""]
LINES = [
    "Host: x", "host:x", "X-Long:  some thing ", "Content-Length: 3", "Content-Length: 0", "Transfer-Encoding: chunked",
    "Connection: close", "Connection: keep-alive", "Expect: 100-continue", "X-Empty:", " folded", "no colon",
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
        self.messages[-1] |= {"whole": True, "method": self.parser.get_method()}

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
    for data in sent:
        parsed = Parsed(data).only
        if parsed is not None:
            heads.learn(data, Headers(parsed["headers"]), len(parsed["body"]))
    first_lines, others = zip(*(data.partition(b"\r\n")[::2] for data in sent), strict=True)
    for data in (*sent, *(line + b"\r\n" + other for line in first_lines for other in others)):
        request = heads.read(data)
        if request is None:
            continue
        parsed = Parsed(data).only
        assert parsed is not None, data
        path, _, query = parsed["url"].partition(b"?")
        assert (request.method.encode(), request.path.encode()) == (parsed["method"], path)
        assert (request.query_string, request.body) == (query, parsed["body"])
        assert list(request.headers) == parsed["headers"]


PLAIN = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"


def learned() -> RequestHeads:
    """Return heads that know the headers of `PLAIN`."""
    heads = RequestHeads()
    heads.learn(PLAIN, Headers([(b"host", b"x"), (b"content-length", b"3")]), 3)
    return heads


def test_headers_that_were_met_are_read_with_another_line_and_body() -> None:
    request = learned().read(PLAIN.replace(b"POST /a?b=c", b"PUT /x").replace(b"abc", b"xyz"))
    assert request is not None
    assert (request.method, request.path, request.query_string, request.body) == ("PUT", "/x", b"", b"xyz")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1], PLAIN + b"GET", PLAIN.replace(b"Host: x", b"Host: y"), PLAIN.replace(b"POST", b"HEAD"),
        PLAIN.replace(b"1.1", b"1.0"), PLAIN.replace(b"/a", b"/%61"), PLAIN.replace(b"\r\n\r\n", b"\r\n"), b"",
    ],
    ids=["shorter", "longer", "others", "head", "old", "escaped", "endless", "nothing"],
)  # fmt: skip
def test_what_is_more_or_less_than_a_request_that_was_met_is_left_to_the_parser(data: bytes) -> None:
    assert learned().read(data) is None


def test_a_head_without_its_end_is_left_to_the_parser_however_long_its_body_would_be() -> None:
    line, heads = b"POST /a HTTP/1.1", RequestHeads()
    block = b"\r\nHost: x\r\nContent-Length: 43"
    cut = line + block + b"\r"
    assert len(cut) - len(b"\r\n\r\n") == 43 - 1
    heads.learn(line + block + b"\r\n\r\n" + b"x" * 43, Headers([(b"host", b"x"), (b"content-length", b"43")]), 43)
    assert heads.read(line + block + b"\r\n\r\n" + b"y" * 43) is not None
    assert heads.read(cut) is None


def test_a_head_of_many_lines_is_not_kept() -> None:
    for lines, kept in ((60, True), (500, False)):
        fields = [(b"x-%d" % number, b"") for number in range(lines)]
        data = b"GET / HTTP/1.1\r\n" + b"".join([b"%b:\r\n" % name for name, _ in fields]) + b"\r\n"
        heads = RequestHeads()
        heads.learn(data, Headers(fields), 0)
        assert (heads.read(data) is not None) is kept


def test_heads_that_are_met_are_bounded() -> None:
    heads = learned()
    for number in range(1100):
        data = b"GET / HTTP/1.1\r\nX-Id: %d\r\n\r\n" % number
        heads.learn(data, Headers([(b"x-id", b"%d" % number)]), 0)
    assert heads.read(PLAIN) is None
    assert heads.read(b"GET /new HTTP/1.1\r\nX-Id: 1099\r\n\r\n") is not None


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
