import pytest
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.trace import Circumstances, make_trace

from .traffic import JUDGES, Session, choices, lives, requests


def test_every_check_has_an_id_and_a_sentence_of_its_own() -> None:
    assert len({each.id for each in CHECKS}) == len({each.sentence for each in CHECKS}) == len(CHECKS)
    assert {each.severity for each in CHECKS} <= {"error", "warning", "info"}
    assert set(JUDGES) <= set(CHECKS)


@pytest.mark.parametrize("choice", choices(), ids=" ".join)
def test_no_check_of_form_or_refusal_finds_anything_in_the_traffic_of_an_emulator(choice: tuple[str, ...]) -> None:
    full = len(choice) == 1
    session, tally = Session(*choice), Tally(JUDGES)
    try:
        seen = [session.ask(each) for each in requests(session, drawn=3 if full else 1, every=1 if full else 7)]
        seen += [each for life in lives(session) for each in life]
        for each in seen:
            tally.judge_exchange(session.oracle, each)
        tally.judge_trace(
            session.oracle, make_trace(session.oracle, seen, [], Circumstances(session.clock.now(), whole=True))
        )
    finally:
        session.close()
    assert tally.findings == []
    unreached = {each.id for each in JUDGES if not tally.judged[each.id]}
    assert unreached <= {"examples-valid", "headers-documented", "inner-json-parses", "valid-pictures-accepted"}
    assert len(seen) > 30
