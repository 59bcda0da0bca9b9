import pytest
from understudy.openapi.polling import Polling, Step

ADVICE = Polling((Step(0, 2000, 3000), Step(30_000, 5000, 10_000), Step(120_000, 15_000, 30_000)))


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (-1, (2000, 3000)),
        (0, (2000, 3000)),
        (29_999, (2000, 3000)),
        (30_000, (5000, 10_000)),
        (119_999, (5000, 10_000)),
        (120_000, (15_000, 30_000)),
        (10**9, (15_000, 30_000)),
    ],
)
def test_the_pause_between_two_polls_grows_with_the_age_of_the_task(age: int, pause: tuple[int, int]) -> None:
    assert ADVICE.pause(age) == pause


def test_without_advice_there_is_a_default_that_says_it_is_assumed() -> None:
    assert Polling() == ADVICE
    assert (Polling().give_up, Polling().provenance) == (900_000, "assumed")
