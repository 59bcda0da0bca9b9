"""Texts that a pattern can't match without."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.literals import any_of, fold, literals_of

ODD = ["\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{LATIN SMALL LETTER DOTLESS I}"]
ODD += ["\N{LATIN SMALL LETTER LONG S}", "\N{KELVIN SIGN}"]


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("a boat", {"a boat"}),
        ("(?i)^A BOAT$", {"a boat"}),
        ("boats? at sea", {" at sea"}),
        ("(boat|ship)s?", {"boat", "ship"}),
        ("(?:(?:boat)+|.*ship{2}) x", {"boat", "shi"}),
        ("[bB][oO]at", {"boat"}),
        ("boat|.", set()),
        ("(boat)?", set()),
        ("[0-9]+", set()),
        ("x", set()),
        ("(?!boat)", set()),
        ("(?x) a b # boat", {"ab"}),
        ("b\u00f6rse", {"rse"}),
        ("|".join(f"word{number}" for number in range(50)), {"word"}),
        ("|".join(f"{chr(97 + number % 26)}{number}x" for number in range(50)), set()),
        ("x" * 5000, {"x" * 32}),
    ],
)
def test_a_pattern_needs_its_longest_text(pattern: str, literals: set[str]) -> None:
    assert literals_of(re.compile(pattern)) == literals


PIECES = st.sampled_from(
    ["ki", "SS", "i", "[kK]s", "[^k]", ".", r"\d", "(?:is|ki)", "(s|k+)i", "k?", "(?:si){2}", "^", r"\b"]
)
TEXTS = st.lists(st.sampled_from(["k", "i", "s", "K", "I", "S", "1", " ", *ODD]), max_size=8).map("".join)


@given(st.sampled_from(["", "(?i)", "(?ai)"]), st.lists(PIECES, min_size=1, max_size=4).map("".join), TEXTS)
def test_what_a_pattern_matches_holds_a_text_that_it_needs(flags: str, pattern: str, text: str) -> None:
    compiled = re.compile(flags + pattern)
    literals = literals_of(compiled)
    found = compiled.search(text)
    if literals and found:
        assert any(literal in fold(text) for literal in literals)
        assert any_of(literals).search(fold(text))


def test_no_letter_but_those_that_are_folded_equals_one_of_ascii_where_case_is_ignored() -> None:
    others = "".join(map(chr, [*range(128, 0xD800), *range(0xE000, 0x20000)]))
    assert sorted(re.findall("(?i)[ -~]", others)) == sorted(ODD)


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=6), st.text("abcd", max_size=8))
def test_texts_are_found_together_as_they_are_one_by_one(texts: list[str], text: str) -> None:
    assert (any_of(texts).search(text) is not None) == any(each in text for each in texts)


def test_of_long_texts_the_beginnings_are_looked_for() -> None:
    assert any_of(["a" * 5000]).search("b" + "a" * 32)
    assert not any_of(["a" * 5000]).search("b" + "a" * 31)
