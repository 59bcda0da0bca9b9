"""Randomness that can be had again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.chance import between, draw, picture_seed

EVENTS = st.tuples(st.integers(-(2**70), 2**70), st.text(max_size=20), st.integers(0, 10**9), st.text(max_size=10))


@given(EVENTS, EVENTS)
def test_the_same_event_is_decided_the_same_way_and_another_otherwise(
    one: tuple[int, str, int, str], other: tuple[int, str, int, str]
) -> None:
    assert draw(*one) == draw(*one)
    assert len(draw(*one)) == 40
    assert (draw(*one) == draw(*other)) == ("/".join(map(str, one)) == "/".join(map(str, other)))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.binary(min_size=40, max_size=40), st.integers(1, 100))
def test_numbers_lie_between_their_bounds(least: int, more: int, random: bytes, count: int) -> None:
    found = between([(least, least + more)] * count, random)
    assert len(found) == count
    assert all(least <= each <= least + more for each in found)


def test_both_bounds_are_reached() -> None:
    assert [between([(5, 9)], bytes([fill]) * 40) for fill in (0, 255)] == [[5], [9]]


def test_numbers_of_one_event_are_decided_one_by_one() -> None:
    assert len(set(between([(0, 65535)] * 8, bytes(range(40))))) == 8


def test_a_picture_is_decided_by_bytes_that_no_number_uses() -> None:
    random = bytes(16) + b"\xff" * 8 + bytes(16)
    assert picture_seed(random) == 2**64 - 1
    assert between([(0, 65535)] * 9, random) == [0] * 9
