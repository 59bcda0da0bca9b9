"""Lives side by side: they judge what no life alone shows, and are made as short as they still show it."""

from __future__ import annotations

import pytest
from understudy.contracts.checks.exchange import Exchange

from ..faulty.matrix import DEFECTS, NOTHING, Case, played

SIDE_BY_SIDE = ("interleaved",)


def case(name: str, style: str) -> Case:
    return Case(next(each for each in DEFECTS if each.name == name), style)


def test_lives_side_by_side_find_nothing_with_a_right_emulator_and_judge_all_there_is_of_time() -> None:
    verified = played(Case(NOTHING, "folio"), max_examples=24, parts=SIDE_BY_SIDE)
    assert verified.tally.findings == []
    judged = {each for each, count in verified.tally.judged.items() if count}
    assert judged >= {"status-edges", "ids-differ", "own-tasks-only", "cancel-sticks", "callback-retries"}


@pytest.mark.untraced
def test_ids_that_are_given_twice_are_found_with_two_creations_and_no_more() -> None:
    (found,) = [
        each
        for each in played(case("one-id-for-all", "folio"), max_examples=24, parts=SIDE_BY_SIDE).tally.findings
        if each.check == "ids-differ"
    ]
    creations = [each for each in found.evidence if isinstance(each, Exchange) and each.method == "POST"]
    assert len(creations) == 2


def test_the_same_seed_lives_the_same() -> None:
    one, other = (played(Case(NOTHING, "acme"), max_examples=8, seed=5, parts=SIDE_BY_SIDE) for _ in range(2))
    assert (one.exchanges, one.tally.judged) == (other.exchanges, other.tally.judged)
    assert one.exchanges > 20
