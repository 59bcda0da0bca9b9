"""The kit finds what is wrong, each defect by the check that claims it, and is silent where nothing is."""

from __future__ import annotations

from collections import defaultdict

import pytest
from understudy.contracts.checks.catalogue import CHECKS

from .faulty.matrix import DEFECTS, HARMLESS, STYLES, Case, cases, played
from .faulty.wrapping import Defect


@pytest.mark.parametrize("case", cases(DEFECTS), ids=str)
def test_a_defect_is_caught_by_the_check_that_claims_it(case: Case) -> None:
    tally = played(case).tally
    assert tally.judged[case.defect.claims], f"{case.defect.claims} was never reached"
    assert case.defect.claims in {each.check for each in tally.findings}, f"{case.defect.claims} missed it"


@pytest.mark.parametrize("case", cases(HARMLESS), ids=str)
def test_a_harmless_variant_is_met_with_silence(case: Case) -> None:
    assert [f"{each.check}: {each.sentence}" for each in played(case).tally.findings] == []


@pytest.mark.parametrize("style", STYLES)
def test_a_right_emulator_is_met_with_silence(style: str) -> None:
    found = played(Case(Defect("none", ""), style), max_examples=200)
    assert [f"{each.check}: {each.sentence}" for each in found.tally.findings] == []


def test_there_are_sixty_defects_and_fifteen_harmless_variants() -> None:
    assert len({each.name for each in DEFECTS}) == len(DEFECTS) >= 60
    assert len({each.name for each in HARMLESS}) == len(HARMLESS) >= 15


def test_every_check_is_claimed_at_least_twice_and_by_more_than_one_provider() -> None:
    claimed = defaultdict(set)
    for case in cases(DEFECTS):
        claimed[case.defect.claims].add(case.style)
    assert {each.id: sorted(claimed[each.id]) for each in CHECKS if len(claimed[each.id]) < 2} == {}
