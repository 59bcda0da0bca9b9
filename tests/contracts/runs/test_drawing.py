"""Drawing by a seed, and shrinking."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from understudy.contracts.runs.drawing import Shelf, drawn, shelved, smallest, without_the_rest


def test_a_seed_decides_what_is_drawn() -> None:
    texts = st.text(min_size=3)
    assert drawn(texts, 20, 1) == drawn(texts, 20, 1)
    assert drawn(texts, 20, 1) != drawn(texts, 20, 2)


def test_no_more_is_drawn_than_there_is() -> None:
    assert set(drawn(st.booleans(), 20, 0)) == {True, False}
    assert drawn(st.nothing(), 20, 0) == []


def test_the_smallest_value_that_shows_something_is_found() -> None:
    assert smallest(st.lists(st.integers(0, 100)), lambda value: sum(value) >= 30, 100, 0) == [30]
    assert smallest(st.integers(0, 5), lambda value: value > 5, 50, 0) is None


def test_members_and_items_that_show_nothing_are_left_out() -> None:
    data = {"a": [1, {"b": 2, "c": 3}, 4], "d": 5}
    assert without_the_rest(data, lambda value: "'c': 3" in str(value)) == {"a": [{"c": 3}]}
    assert without_the_rest("text", lambda _: True) == "text"


def test_what_showed_something_is_kept_on_the_shelf_for_the_next_run(tmp_path: Path) -> None:
    shelf, numbers = Shelf(tmp_path, "numbers"), st.integers(0, 10_000)
    assert shelved(numbers, shelf) == []
    assert smallest(numbers, lambda number: number >= 77, 200, 0, shelf) == 77
    assert 77 in shelved(numbers, shelf)
    assert shelved(numbers, Shelf(tmp_path, "other numbers")) == []
