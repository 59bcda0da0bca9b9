"""The headers of a request: read once, and found again."""

from __future__ import annotations

import pytest
from understudy.mockserver.headers import Headers

BEARER, BARE = ("authorization", "Bearer"), ("x-api-key", "")


def test_of_a_header_given_twice_the_first_counts() -> None:
    headers = Headers([(b"x", b"1"), (b"x", b"2")])
    assert (headers.get(b"x"), headers.get(b"y")) == ("1", None)
    assert (b"x" in headers, b"y" in headers) == (True, False)


def test_several_header_lines_are_one_list() -> None:
    headers = Headers([(b"prefer", b"respond-async"), (b"x", b"1"), (b"prefer", b"code=429")])
    assert headers.joined(b"prefer") == "respond-async, code=429"
    assert headers.joined(b"y") is None


def test_they_weigh_what_was_sent() -> None:
    assert (Headers().weight, Headers([(b"ab", b"c"), (b"d", b"")]).weight) == (0, 4)


@pytest.mark.parametrize(
    ("sent", "place", "key"),
    [
        (b"Bearer abc", BEARER, "abc"), (b"bearer  abc ", BEARER, "abc"), (b"Basic abc", BEARER, None),
        (b"abc", BEARER, None), (b"Bearer", BEARER, ""), (b"a b", BARE, "a b"), (b"", BARE, ""),
        (b"Bearer cl\xe9", BEARER, "cl\xe9"),
    ],
)  # fmt: skip
def test_a_key_is_found_at_its_place(sent: bytes, place: tuple[str, str], key: str | None) -> None:
    headers = Headers([(place[0].encode(), sent)])
    assert headers.credential(place) == key
    assert headers.credential(place) == key  # found again
    assert headers.credential(("x-other", "")) is None
