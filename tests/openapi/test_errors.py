import pickle

import pytest
from understudy.openapi.errors import LoadError, cut, nearest, shorten


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LoadError("a.yaml", "is empty"), "a.yaml: is empty"),
        (LoadError("a.yaml", "is empty", line=3), "a.yaml:3: is empty"),
        (LoadError("a.yaml", "is 5", "/x"), "a.yaml: /x: is 5"),
        (LoadError("a.yaml", "is 5", "/x", 3, "a word"), "a.yaml:3: /x: is 5; expected a word"),
    ],
)
def test_an_error_tells_file_line_pointer_problem_and_what_was_expected(error: LoadError, sentence: str) -> None:
    assert str(error) == sentence


def test_an_error_can_be_held_in_a_set_as_other_exceptions_can() -> None:
    error, other = LoadError("a.yaml", "is empty"), LoadError("a.yaml", "is empty")
    assert len({error, other}) == 2


def test_an_error_survives_the_way_to_another_process() -> None:
    error = LoadError("a.yaml", "is 5", pointer="/x", line=3, expected="a word")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_nearest_word_is_offered_and_a_distant_one_is_not() -> None:
    assert nearest("pol", ["poll", "create"]) == " (did you mean 'poll'?)"
    assert nearest("zebra", ["poll", "create"]) == ""
    assert nearest("poll", []) == ""
    assert nearest("poll" * 51, ["poll" * 51]) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (0, "0"),
        ("a word", "'a word'"),
        ([1, "b"], "[1, 'b']"),
        ("x" * 100, "'" + "x" * 78 + "…"),
    ],
)
def test_a_value_is_shown_as_json_would_and_no_longer_than_a_line(value: object, shown: str) -> None:
    assert shorten(value) == shown
    assert len(shorten(value)) <= 80


def test_a_value_that_python_cannot_print_is_described() -> None:
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    assert shorten(deep) == "a value that is nested too deeply to show"


def test_text_is_cut_only_where_it_is_too_long() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
