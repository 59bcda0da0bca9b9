"""The kit finds what is wrong, each defect by the check that claims it, and is silent where nothing is."""

from __future__ import annotations

from collections import defaultdict

import pytest
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.runs.verification import Verification

from .faulty.matrix import DEFECTS, HARMLESS, NOTHING, STYLES, Case, cases, firsts, note, played, right_ones


def _caught(case: Case, *, max_examples: int = 2, parts: tuple[str, ...] | None = None) -> Verification:
    verified = played(case, max_examples=max_examples, parts=parts)
    assert verified.tally.judged[case.defect.claims], f"{case.defect.claims} was never reached"
    assert case.defect.claims in {each.check for each in verified.tally.findings}, f"{case.defect.claims} missed it"
    return verified


def _silent(case: Case, *, max_examples: int = 2, seed: int = 0, parts: tuple[str, ...] = ()) -> Verification:
    verified = played(case, max_examples=max_examples, seed=seed, parts=parts)
    assert [f"{each.check}: {each.sentence}" for each in verified.tally.findings] == []
    return verified


def _right(style: str) -> Case:
    return Case(NOTHING, style)


@pytest.mark.untraced
@pytest.mark.parametrize("case", firsts(DEFECTS), ids=str)
def test_a_defect_is_caught_by_the_check_that_claims_it(case: Case) -> None:
    _caught(case)


@pytest.mark.untraced
@pytest.mark.parametrize("case", firsts(HARMLESS), ids=str)
def test_a_harmless_variant_is_met_with_silence(case: Case) -> None:
    _silent(case, parts=("lives", "callbacks", "refusals"))


@pytest.mark.untraced
@pytest.mark.parametrize("style", STYLES[:5])
def test_a_right_emulator_is_met_with_silence(style: str) -> None:
    _silent(_right(style), max_examples=100, parts=("requests", "lives"))


@pytest.mark.nightly
@pytest.mark.parametrize("case", cases(DEFECTS), ids=str)
def test_a_defect_is_caught_whatever_the_style_with_everything_played(case: Case) -> None:
    note("defect", case, _caught(case, max_examples=8, parts=()))


@pytest.mark.nightly
@pytest.mark.parametrize("case", cases(HARMLESS), ids=str)
def test_a_harmless_variant_is_met_with_silence_whatever_the_style(case: Case) -> None:
    note("harmless", case, _silent(case, max_examples=50))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("style", STYLES)
def test_a_right_emulator_is_met_with_silence_for_ten_thousand_draws(style: str, seed: int) -> None:
    note("draws", _right(style), _silent(_right(style), max_examples=10_000, seed=seed))


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(50))
def test_fifty_right_emulators_are_met_with_silence(number: int) -> None:
    case = right_ones(50)[number]
    note("right", case, _silent(case, max_examples=50))


def test_there_are_sixty_defects_and_fifteen_harmless_variants() -> None:
    assert len({each.name for each in DEFECTS}) == len(DEFECTS) >= 60
    assert len({each.name for each in HARMLESS}) == len(HARMLESS) >= 15


def test_every_check_is_claimed_at_least_twice_and_by_more_than_one_provider() -> None:
    claimed = defaultdict(set)
    for case in cases(DEFECTS):
        claimed[case.defect.claims].add(case.style)
    assert {each.id: sorted(claimed[each.id]) for each in CHECKS if len(claimed[each.id]) < 2} == {}
