"""A witness is allowed by one document and refused by the other, and is about what the finding says."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.contracts.closed import second_judge, verdict
from understudy.contracts.drift import compare_sides
from understudy.contracts.witness import MOST, with_witnesses

from .corpus import SCHEMAS
from .sides import answering, asking, document, side

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced


def proven(before: Any, after: Any) -> Any:
    one, other = side(document(before)), side(document(after), "b.yaml")
    return with_witnesses(compare_sides(one, other), one, other)


def prompt(**more: Any) -> Any:
    inside = {
        "type": "object",
        "required": ["prompt"],
        "properties": {"prompt": {"type": "string", "maxLength": 10, **more}},
    }
    return {"type": "object", "properties": {"input": inside, "n": {"type": "integer"}}}


def test_a_request_that_was_valid_and_is_now_refused() -> None:
    (found,) = proven(asking(prompt()), asking(prompt(maxLength=5)))
    assert found.witness.fits == "base"
    assert 5 < len(found.witness.value["input"]["prompt"]) <= 10
    assert not verdict(prompt(maxLength=5), None)(found.witness.value)  # type: ignore[arg-type]


def test_an_answer_that_may_come_now_and_never_could() -> None:
    (found,) = proven(answering({"enum": ["a", "b"]}), answering({"enum": ["a", "b", "c"]}))
    assert (found.witness.value, found.witness.fits) == ("c", "revision")


def test_an_answer_that_lacks_what_was_promised() -> None:
    optional = prompt()
    optional["properties"]["input"].pop("required")
    (found,) = proven(answering(prompt()), answering(optional))
    assert "prompt" not in found.witness.value["input"]


def test_a_payload_in_a_branch() -> None:
    before = {
        "oneOf": [{"type": "string", "maxLength": 5}, {"type": "array", "maxItems": 1, "items": {"type": "null"}}]
    }
    after = {"oneOf": [{"type": "string", "maxLength": 4}, {"type": "array", "maxItems": 1, "items": {"type": "null"}}]}
    (found,) = proven(asking(before), asking(after))
    assert len(found.witness.value) == 5


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({"type": "array", "maximum": 5}, {"type": "array", "maximum": 4}, "asks nothing of values of the type"),
        (
            {"type": "string", "contentEncoding": "base64"},
            {"type": "string", "contentEncoding": "base32"},
            "what a value means",
        ),
        ({"type": "object", "properties": {"a": {}}}, {"type": "object"}, "what is said of a value"),
        ({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int32"}, "payloads tried"),
        ({"type": "string", "minLength": 9, "maxLength": 3}, {"type": "integer"}, "no payload that fits could be made"),
        ({"type": "string", "pattern": "^\\p{L}+$"}, {"type": "string", "pattern": "^("}, "can't read"),
    ],
)
def test_where_there_is_no_witness_the_finding_says_why(before: Any, after: Any, why: Any) -> None:
    (found,) = [each for each in proven(asking(before), asking(after)) if each.severity != "info"]
    assert found.witness.value is None
    assert why in found.witness.why


def test_what_is_only_worth_knowing_is_not_proven() -> None:
    (found,) = proven(asking(prompt()), asking(prompt(maxLength=20)))
    assert found.witness is None


@pytest.mark.untraced
def test_the_search_is_bounded() -> None:
    names = [f"p{number:03}" for number in range(MOST + 2)]
    before, after = (
        {"type": "object", "properties": {name: {"enum": values} for name in names}} for values in ([1, 2], [1])
    )
    found = proven(asking(before), asking(after))
    assert [each.witness.why for each in found[-2:]] == [f"not searched: {MOST} findings before this one were"] * 2
    assert not any(each.witness.why for each in found[:MOST])


def test_the_same_documents_give_the_same_witnesses() -> None:
    first, second = (proven(asking(SCHEMAS["object"]), asking(SCHEMAS["closed object"])) for _ in range(2))
    assert [each.witness for each in first] == [each.witness for each in second]


PLAIN = [name for name, each in SCHEMAS.items() if isinstance(each, dict) and "$defs" not in each]


@pytest.mark.parametrize("step", [1, *(pytest.param(step, marks=pytest.mark.untraced) for step in range(2, 6))])
def test_every_witness_convinces_both_validators(step: Any) -> None:
    for name, other in zip(PLAIN, PLAIN[step:], strict=False):
        before, after = SCHEMAS[name], SCHEMAS[other]
        for found in proven(answering(before), answering(after)):
            if found.witness is not None and not found.witness.why:
                assert verdict(after, None)(found.witness.value)  # type: ignore[arg-type]
                assert not verdict(before, None)(found.witness.value)  # type: ignore[arg-type]
                assert not second_judge(before, None).is_valid(found.witness.value)  # type: ignore[arg-type]
