"""Forms as data that a schema can judge."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from understudy.mockserver.forms import FilePart, as_data, parse_form
from understudy.mockserver.refusal import Refused

from .stage import Stage

TYPE = "multipart/form-data; boundary=x"
URLENCODED = "application/x-www-form-urlencoded"


def part(headers: str, content: str = "hi") -> bytes:
    """Return a form of one part."""
    return f"--x\r\n{headers}\r\n\r\n{content}\r\n--x--\r\n".encode()


def sent(files: Any, data: Any) -> tuple[str, bytes]:
    """Return type and body of a form as an HTTP client writes it."""
    request = httpx.Request("POST", "http://x", files=files, data=data)
    return request.headers["content-type"], request.read()


def parsed(content_type: str, body: bytes) -> dict[str, Any] | None:
    """Return the fields of a form, or None where it is refused as malformed."""
    try:
        return parse_form(content_type, body)
    except Refused as refused:
        return None if refused.condition == "body-malformed" else {"refused": refused}


def test_text_and_files_are_told_apart() -> None:
    fields = parse_form(*sent({"file": ("a.png", b"\x89PNG", "image/png")}, {"folder": "in", "name": "日本"}))
    assert fields == {"file": FilePart("a.png", b"\x89PNG", "image/png"), "folder": "in", "name": "日本"}
    assert as_data(fields) == {"file": "", "folder": "in", "name": "日本"}


def test_a_file_without_a_type_is_bytes() -> None:
    fields = parse_form(TYPE, part('Content-Disposition: form-data; name="file"; filename="a"'))
    assert fields["file"] == FilePart("a", b"hi", "application/octet-stream")


def test_a_field_given_several_times_is_a_list_that_a_schema_can_refuse() -> None:
    assert parse_form(*sent({"file": b"x"}, {"folder": ["a", "b", "c"]}))["folder"] == ["a", "b", "c"]


def test_a_form_may_be_urlencoded() -> None:
    assert parse_form(URLENCODED, b"a=1&b=%20x&c=&a=2") == {"a": ["1", "2"], "b": " x", "c": ""}


@given(
    st.dictionaries(
        st.text("abc", min_size=1), st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1
    )
)
def test_what_a_client_sends_is_read_as_it_was(fields: dict[str, str]) -> None:
    assert parse_form(*sent({"the-file": b"x"}, fields)) == {
        **fields,
        "the-file": FilePart("upload", b"x", "application/octet-stream"),
    }
    assert parse_form(*sent(None, fields)) == fields


@given(st.binary(max_size=200_000))
@settings(max_examples=20)
@example(b"\r\n--x\r\n" * 3000)
@example(b"x" * 3_000_000)
def test_a_file_is_read_byte_for_byte(content: bytes) -> None:
    fields = parse_form(*sent({"file": ("a", content)}, {"folder": "in"}))
    assert fields["file"].content == content


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", part('Content-Disposition: form-data; name="a"')),
        ("multipart/form-data; boundary=\xff", b"--\xff\r\n"),
        (TYPE, b"nothing like it"),
        (TYPE, part("")),
        (TYPE, part("Content-Disposition: form-data")),
        (TYPE, part("Content-Disposition: attachment; filename=x")),
        (TYPE, part("Content-Disposition")),
        (TYPE, part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', "!")),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_form(content_type, body)
    assert refused.value.condition == "body-malformed"
    assert refused.value.problem.startswith("the body is no form: ")


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n", b"--x--", part('Content-Disposition: form-data; name="a"')[:-9]]
)
def test_a_form_cut_short_does_no_harm(body: bytes) -> None:
    assert set(parsed(TYPE, body) or {}) <= {"a"}


@given(
    st.sampled_from(
        [TYPE, URLENCODED, 'multipart/form-data;boundary="x"', "multipart/form-data; boundary=x; charset=nonsense"]
    ),
    st.lists(
        st.sampled_from(
            [
                b"--x",
                b"--x--",
                b"\r\n",
                b"\r\n\r\n",
                b'Content-Disposition: form-data; name="a"',
                b'; filename="b"',
                b"; name*=utf-8''%ff",
                b"Content-Type: ",
                b"\x00",
                b"\xff",
                b"=",
                b"&",
                b"%zz",
                b"x",
                b": ",
                b"name=",
                b"Content-Transfer-Encoding: base64",
            ]
        ),
        max_size=12,
    ).map(b"".join)
    | st.binary(max_size=60),
)
@settings(max_examples=300)
def test_whatever_is_sent_is_a_form_or_refused(content_type: str, body: bytes) -> None:
    fields = parsed(content_type, body)
    assert fields is None or isinstance(fields, dict)


def test_a_file_given_twice_is_refused_as_any_list_would_be() -> None:
    files = [("file", ("a.png", b"x")), ("file", ("b.png", b"y"))]
    refused = Stage("kie").ask("POST", "/kie/api/file-stream-upload", data={"uploadPath": "in"}, files=files)
    assert refused.json() == {"success": False, "code": 400, "msg": "file is ['', ''], of type array; expected string"}
