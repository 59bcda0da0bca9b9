from typing import Any

import pytest
from understudy.openapi.behaviour import Behaviour, Error, build_behaviour
from understudy.openapi.conditions import CONDITIONS
from understudy.openapi.meanings import MEANINGS, find_error, meaning_of, meaning_of_number
from understudy.openapi.provider import merge_patch
from understudy.openapi.source import parse_source

from .folders import BEHAVIOUR

DATA = parse_source(BEHAVIOUR, "behaviour.yaml").data


def behaviour(errors: Any) -> Behaviour:
    """The behaviour of acme with these errors and no other."""
    operations = {"poll": {"raises": None}}
    return build_behaviour(merge_patch(DATA, {"errors": {"not-found": None} | errors, "operations": operations}))


def error(**fields: Any) -> Error:
    """An entry of an error catalogue."""
    return behaviour({"e": fields}).errors["e"]


@pytest.mark.parametrize(
    ("number", "meaning"),
    [
        (400, "invalid-request"),
        (401, "unauthorized"),
        (402, "insufficient-credits"),
        (403, "unauthorized"),
        (404, "not-found"),
        (408, "unavailable"),
        (418, "refused"),
        (429, "rate-limited"),
        (500, "unavailable"),
        (599, "unavailable"),
        (600, "refused"),
        (1001, "refused"),
    ],
)
def test_a_number_means_what_http_says(number: int, meaning: str) -> None:
    assert meaning_of_number(number) == meaning
    assert meaning in MEANINGS


@pytest.mark.parametrize(
    ("fields", "meaning"),
    [
        ({"code": 404, "means": "refused", "when": ["key-missing"]}, "refused"),
        ({"code": 404, "when": ["key-missing"]}, "unauthorized"),
        ({"code": 404, "when": ["cancel-late", "rate-exceeded"]}, "rate-limited"),
        ({"code": 404, "when": ["cancel-late"]}, "not-found"),
        ({"code": 3001, "status": 500}, "unavailable"),
        ({"code": "429"}, "rate-limited"),
        ({"code": "no-paint"}, "refused"),
    ],
)
def test_an_error_means_what_it_says_or_what_raises_it_or_what_its_number_does(fields: Any, meaning: str) -> None:
    assert meaning_of(error(**fields)) == meaning


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_has_a_meaning_of_its_own_or_takes_that_of_the_number(condition: str) -> None:
    meaning = meaning_of(error(code=418, when=[condition]))
    assert meaning in MEANINGS
    assert (meaning == "refused") == (condition in {"method-unknown", "cancel-late"})


ERRORS = {
    "gone": {"code": 422, "when": ["id-unknown"]},
    "invalid": {"code": 422, "when": ["request-invalid"]},
    "odd": {"code": 422, "status": 423, "when": ["request-invalid"]},
    "spent": {"code": 402},
    "other": {"code": 500, "when": ["id-missing"]},
    "plain": {"code": 500},
}


@pytest.mark.parametrize(
    ("operation", "code", "status", "name"),
    [
        ("poll", 422, 200, "gone"),
        ("create", 422, 200, "invalid"),
        ("create", 422, 423, "odd"),
        ("create", "422", 422, "invalid"),
        ("poll", None, 402, "spent"),
        ("create", None, 423, "odd"),
        ("create", 500, 200, "plain"),
        ("poll", 500, 200, "other"),
        ("poll", 999, 200, None),
        ("poll", None, 418, None),
    ],
)
def test_of_errors_that_share_a_code_the_one_that_the_operation_raises_is_found(
    operation: str, code: Any, status: int, name: str | None
) -> None:
    made = behaviour(ERRORS)
    found = find_error(made.errors.values(), made.operations[operation], code, status)
    assert (found.name if found else None) == name


def test_the_error_that_an_operation_names_comes_before_all_others() -> None:
    patch = {"errors": ERRORS, "operations": {"poll": {"raises": {"id-missing": "odd"}}}}
    made = build_behaviour(merge_patch(DATA, patch))
    found = find_error(made.errors.values(), made.operations["poll"], 422, 200)
    assert found is made.errors["odd"]
