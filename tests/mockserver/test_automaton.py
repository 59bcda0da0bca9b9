"""Many patterns read as one: what it leaves out does not match."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.automaton import Automaton

ODD = "\N{KELVIN SIGN}\N{LATIN SMALL LETTER LONG S}\N{LATIN SMALL LETTER SHARP S}\u0130\u0131\u0663\u2028"
TEXTS = st.text("abkKsS12 \n-" + ODD, max_size=9)
LETTERS = st.sampled_from(
    ["a", "k", "1", ".", r"\d", r"\D", r"\w", r"\W", r"\s", "[a-k]", "[^K]", r"[^\d]", "[A-Z]", "\u017f", r"\n"]
)
TIMES = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "*+", "++", "{0}", "{34}"]
WITHIN = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?s:", "(?m:", "(?a:", "(", "(?:"]
PATTERNS = st.recursive(
    LETTERS
    | st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z", r"\1", r"\2", "(?(1)a|k)", "(a)", "(.)", r"(\d)", "(?:)"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.builds(lambda pattern, times: f"(?:{pattern}){times}", inner, st.sampled_from(TIMES)),
        st.builds(lambda opening, pattern: f"{opening}{pattern})", st.sampled_from(WITHIN), inner),
    ),
    max_leaves=6,
)


def made(patterns: Iterable[str]) -> Automaton:
    """Return an automaton of `patterns`, by their places."""
    automaton = Automaton()
    for number, pattern in enumerate(patterns):
        automaton.add(number, re.compile(pattern))
    return automaton


def known(pattern: str) -> bool:
    """Tell whether Python takes `pattern`."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@given(
    st.lists(st.builds(str.__add__, st.sampled_from(["", "", "(?i)", "(?ai)", "(?s)", "(?m)"]), PATTERNS), max_size=6),
    st.lists(TEXTS, max_size=6),
)
@settings(deadline=None, max_examples=200)
def test_a_pattern_that_matches_is_possible(patterns: list[str], texts: list[str]) -> None:
    patterns = [pattern for pattern in patterns if known(pattern)]
    automaton = made(patterns)
    for text in texts:
        possible = automaton.possible(text)
        for number, pattern in enumerate(patterns):
            assert possible >> number & 1 or not re.search(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "possible", "not_possible"),
    [
        (r"\d{4}", "in 2024", "in 202"),
        (r"[A-Z]{3}-\d+", "an ABC-1", "an AB-1"),
        (r"(?i)^[x-z]{2}$", "Xy", "Xyz"),
        (r"^.{2,3}$", "abc\n", "abcd"),
        (r"^$", "", "a"),
        (r"a$", "a\n", "ab"),
        (r"^a|[0-9]$", "ab", "ba"),
        (r"(\d)\1", "22", "2a"),
        (r"(?i)(k)\1", "kK", "1"),
        (r"[a-z](?:(\d)|[a-z])*+\1$", "ax2c", "1"),
        (r"^(?=.*\d)(?=.*[A-Z])", "a1", "ab"),
        (r"(?=.)[0-9]", "1", "a"),
        (r"(?>\d+)b", "1b", "1a"),
        (r"(\d)?(?(1)x|y)", "1x", "1a"),
        (r"\w{50}", "a" * 50, "a" * 49),
        (r"\s*\d", "1", " "),
        ("[\N{KELVIN SIGN}0](?i:[k])", "0\N{KELVIN SIGN}", "0a"),
    ],
)
def test_a_walk_tells_what_a_pattern_reads(pattern: str, possible: str, not_possible: str) -> None:
    automaton = made([pattern])
    assert automaton.possible(not_possible) == 0
    assert automaton.possible(possible) == 1


def test_a_pattern_that_is_too_long_may_match_anything() -> None:
    long = "|".join(f"[{letter}]{{2}}[{other}]" for letter in "abcdefghijklmnop" for other in "qrstuvwxyz")
    automaton = made([r"\d", long, "[a-z]?"])
    assert automaton.possible("-") == 0b110
    assert made([rf"[ab]{{20}}\d{{15}}[{number}]" for number in range(200)]).possible("-" * 50).bit_count() > 50


def test_where_nearly_every_step_is_new_the_patterns_are_asked() -> None:
    automaton = made([r"[ab].{30}\d"])
    texts = [f"{number:b}".translate({48: "a", 49: "c"}) * 3 for number in range(1 << 10, 1 << 11)]
    assert automaton.possible(texts[0]) == 0
    assert [automaton.possible(text) for text in texts][-1] == 1
    automaton.add(1, re.compile(r"\d"))
    assert automaton.possible(texts[0]) == 0


def test_what_is_remembered_of_many_letters_is_bounded() -> None:
    automaton = made([r"\d{2}"])
    plain = "a quiet lighthouse" * 100
    for start in range(0x4E00, 0x4E00 + 12_000, 100):
        assert automaton.possible("".join(map(chr, range(start, start + 100)))) == 0
        for _ in range(2):
            assert automaton.possible(plain) == 0
    assert automaton.possible("a 12") == 1
