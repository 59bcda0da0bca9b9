"""Task ids: as documented, and never twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.account import Account
from understudy.mockserver.chance import draw
from understudy.mockserver.ids import WORDS, compile_id_format

RANDOM = bytes(range(40))


@pytest.mark.parametrize(
    ("format_", "made"),
    [
        ("task_{model_head}_{ms}", "task_google_1765178608584"),
        ("{uuid}", "00010203-0405-4607-8809-0a0b0c0d0e0f"),
        ("{hex32}", "000102030405060708090a0b0c0d0e0f"),
        ("{model}", "google/nano-banana"),
        ("fixed", "fixed"),
        ("{{{ms}}}", "{1765178608584}"),
    ],
)
def test_an_id_is_made_as_its_format_says(format_: str, made: str) -> None:
    assert compile_id_format(format_)("google/nano-banana", 1765178608584, RANDOM) == made


@pytest.mark.parametrize("format_", ["{seconds}", "{0}", "{}", "{ms"])
def test_a_word_that_is_not_known_is_refused(format_: str) -> None:
    with pytest.raises(ValueError, match=r"known|expected"):
        compile_id_format(format_)


def test_the_words_are_those_of_the_message() -> None:
    with pytest.raises(ValueError, match=r"^\{x\} is not known in an id's format; known: " + ", ".join(WORDS)):
        compile_id_format("{x}")


@given(
    st.lists(st.integers(-5, 50), min_size=1, max_size=60),
    st.sampled_from(["{ms}", "{uuid}", "t_{hex32}", "{model}_{ms}"]),
)
def test_ids_never_repeat_however_the_clock_goes(steps: list[int], format_: str) -> None:
    make, account, now, made = compile_id_format(format_), Account(), 1_000, []
    for number, step in enumerate(steps):
        now = max(now + step, 0)
        made.append(make("model", account.next_id_time(now), draw(0, "namespace", number)))
    assert len(set(made)) == len(made)


@given(st.integers(0, 2**64), st.text(max_size=20), st.integers(0, 10**9))
def test_a_uuid_is_one_of_version_four(seed: int, namespace: str, number: int) -> None:
    made = compile_id_format("{uuid}")("", 0, draw(seed, namespace, number))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made)
