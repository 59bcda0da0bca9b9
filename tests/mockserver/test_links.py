"""Links to files: written, and read again."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from understudy.mockserver.links import Link, read_link, read_path, sign, write_link

BASE = "https://tunnel.example/deep"
PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.builds(Link, PARTS, PARTS, NAMES, st.none() | st.integers(0, 10**15)), st.integers())
def test_what_was_written_is_read_again(link: Link, seed: int) -> None:
    read = read_link(write_link(BASE, link, seed), BASE)
    assert read is not None
    assert (read.provider, read.namespace, read.name, read.until) == (
        link.provider,
        link.namespace,
        link.name,
        link.until,
    )
    assert read.signature == ("" if link.until is None else sign(link, seed))


@given(
    st.builds(Link, PARTS, PARTS, NAMES, st.integers(0, 10**15)),
    st.builds(Link, PARTS, PARTS, NAMES, st.integers(0, 10**15)),
)
def test_a_signature_is_good_for_one_link_and_one_seed(one: Link, other: Link) -> None:
    assume(one != other)
    assert sign(one, 1) != sign(one, 2)
    assert sign(one, 1) != sign(other, 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        BASE,
        BASE + "/_files/",
        BASE + "/_files/a/b",
        BASE + "/_files/a/b/",
        "https://other.example/_files/a/b/c",
        BASE + "x/_files/a/b/c",
    ],
)
def test_what_is_no_link_is_none(url: str) -> None:
    assert read_link(url, BASE) is None


@pytest.mark.parametrize(
    "path", ["", "/", "/_files", "/_files/", "/_files/a", "/_files/a/b", "/_files/a/b/", "/other/a/b/c"]
)
def test_a_path_that_is_no_link_is_none(path: str) -> None:
    assert read_path(path, "") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_path_and_no_query_do_harm(path: str, query: str) -> None:
    link = read_path("/_files/" + path, query)
    assert link is None or path.startswith(f"{link.provider}/")


@pytest.mark.parametrize(
    ("query", "until"),
    [
        ("until=5&signature=x", 5),
        ("until=", None),
        ("until=-5", None),
        ("until=5&until=6", 5),
        ("until=\u0665", None),
        ("until=" + "9" * 5000, None),
        ("signature=x", None),
    ],
)
def test_only_a_plain_number_is_an_end(query: str, until: int | None) -> None:
    link = read_path("/_files/a/b/c", query)
    assert link is not None
    assert link.until == until
