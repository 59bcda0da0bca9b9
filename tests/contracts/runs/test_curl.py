"""Commands that ask again what was asked: whole for a shell, and without a key."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.contracts.checks.exchange import Exchange, Headers
from understudy.contracts.runs.curl import curl

BASE = "http://127.0.0.1:4020/kie"
JSON = ("content-type", "application/json")


def asked(body: bytes = b"", headers: Headers = (), query: str = "") -> str:
    return curl(Exchange("POST", "/jobs", query, headers, body, 0, 0, 200), BASE, {"sk-1": "KEY", "sk-2": "OTHER_KEY"})


def test_a_key_is_named_and_not_shown() -> None:
    assert '-H "authorization: Bearer $KEY"' in asked(headers=(("authorization", "Bearer sk-1"),))
    assert '-H "x-api-key: $OTHER_KEY"' in asked(headers=(("x-api-key", "sk-2"),))
    assert "sk-9999999" not in asked(headers=(("authorization", "Bearer sk-99999999"),))
    assert "s3cret-s3cret" not in asked(query="token=s3cret-s3cret")


def test_a_key_that_is_wrong_on_purpose_is_shown() -> None:
    assert "-H 'authorization: Bearer invalid'" in asked(headers=(("authorization", "Bearer invalid"),))


def test_a_body_without_a_type_is_sent_without_one() -> None:
    assert "'content-type;'" in asked(b"{}")
    assert "content-type" not in asked()


@settings(max_examples=30)
@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_a_body_is_one_word_for_a_shell(text: str) -> None:
    body = text.encode("utf-8", "replace")
    words = shlex.split(asked(body, (JSON,)))
    assert words[words.index("--data-raw") + 1].encode() == body


@pytest.mark.parametrize("body", [b"\xff\xfe\x00'\n", b"\x00", bytes(range(256))])
def test_bytes_that_are_no_text_are_printed_into_the_command(body: bytes) -> None:
    command, _, _ = asked(body, (JSON,)).partition(" | curl")
    printed = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert printed.stdout == body


def test_a_huge_body_is_not_shown() -> None:
    assert "200,000 bytes" in asked(b"x" * 200_000)
