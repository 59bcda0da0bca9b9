from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from understudy.openapi import validation as module
from understudy.openapi.pointer import MISSING
from understudy.openapi.provider import built_in_names, load_provider
from understudy.openapi.validation import Problem, Validator, _explained, first_problem, problems_of


def problems(schema: Any, data: Any) -> list[str]:
    """The sentences of what is wrong with `data`."""
    return [str(problem) for problem in Validator(schema).problems(data)]


@pytest.mark.parametrize(
    ("schema", "data", "sentences"),
    [
        ({"type": "string"}, "fits", []),
        ({"type": "string"}, 5, ["is 5, of type integer; expected string"]),
        ({"type": ["string", "null"]}, True, ["is true, of type boolean; expected string or null"]),
        ({"type": "object"}, None, ["is null, of type null; expected object"]),
        ({"type": "object"}, [], ["is [], of type array; expected object"]),
        ({"type": "integer"}, 1.5, ["is 1.5, of type number; expected integer"]),
        ({"enum": ["png", "jpeg"]}, "jpg", ["is 'jpg' (did you mean 'jpeg'?); expected one of 'png', 'jpeg'"]),
        ({"enum": ["a", None, 1]}, 2, ["is 2; expected one of 'a', null, 1"]),
        ({"const": 200}, 201, ["is 201; expected 200"]),
        ({"enum": []}, 1, ["is 1"]),
        ({"minLength": 2}, "a", ["has 1 characters; expected at least 2"]),
        ({"maxLength": 2}, "abc", ["has 3 characters; expected at most 2"]),
        ({"pattern": "^a$"}, "b", ["is 'b'; expected text that matches ^a$"]),
        ({"format": "uri"}, "not a uri", ["is 'not a uri'; expected a uri"]),
        ({"minItems": 1}, [], ["has 0 items; expected at least 1"]),
        ({"maxItems": 1}, [1, 2], ["has 2 items; expected at most 1"]),
        ({"uniqueItems": True}, [1, 1], ["holds an item twice; expected items that differ"]),
        ({"minimum": 0}, -1, ["is -1; expected at least 0"]),
        ({"maximum": 9}, 10, ["is 10; expected at most 9"]),
        ({"exclusiveMinimum": 0}, 0, ["is 0; expected more than 0"]),
        ({"exclusiveMaximum": 9}, 9, ["is 9; expected less than 9"]),
        ({"multipleOf": 2}, 3, ["is 3; expected a multiple of 2"]),
        ({"minProperties": 1}, {}, ["has 0 fields; expected at least 1"]),
        ({"maxProperties": 0}, {"a": 1}, ["has 1 fields; expected at most 0"]),
        ({"propertyNames": {"enum": ["a"]}}, {"b": 1}, ["is 'b'; expected 'a'"]),
        ({"not": {"type": "string"}}, "a", ["is 'a'; expected a value that does not fit {'type': 'string'}"]),
        ({"required": ["a", "b"]}, {}, ["a is missing; expected a value", "b is missing; expected a value"]),
        ({"required": ["a/b"]}, {}, ["a/b is missing; expected a value"]),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            ["is {'a': 1}; expected a value that fits dependentRequired {'a'"],
        ),
        ({"properties": {"a": False}}, {"a": 1}, ["a does not fit: False schema does not allow 1"]),
        (False, {}, ["does not fit: False schema does not allow {}"]),
    ],
)
def test_a_problem_tells_what_was_sent_and_what_was_expected(schema: Any, data: Any, sentences: list[str]) -> None:
    told = problems(schema, data)
    assert len(told) == len(sentences)
    assert all(one.startswith(other) for one, other in zip(told, sentences, strict=True))


@pytest.mark.parametrize(
    ("schema", "data", "sentences"),
    [
        (
            {"properties": {"prompt": {}, "size": {}}, "additionalProperties": False},
            {"promt": 1, "zebra": 2, "size": 3},
            [
                "promt is not known (did you mean 'prompt'?); expected one of prompt, size",
                "zebra is not known; expected",
            ],
        ),
        ({"additionalProperties": False}, {"x": 1}, ["x is not known; expected nothing more"]),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": False},
            {"x-a": 1, "y": 2},
            ["y is not known; exp"],
        ),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1, "y": 2}, ["y is not known"]),
        ({"additionalProperties": {"type": "string"}}, {"x": 1}, ["x is 1, of type integer; expected string"]),
        ({"unevaluatedProperties": {"type": "string"}}, {"x": 1}, ["is {'x': 1}; expected a value that fits uneval"]),
    ],
)
def test_fields_that_are_not_known_are_each_named_and_others_are_not(
    schema: Any, data: Any, sentences: list[str]
) -> None:
    told = problems(schema, data)
    assert len(told) == len(sentences)
    assert all(one.startswith(other) for one, other in zip(told, sentences, strict=True))


INPUT = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"enum": ["small"]},
        "input": {
            "type": "object",
            "properties": {"images": {"type": "array", "items": {"type": "string"}}, "size": {"enum": ["1K", "2K"]}},
        },
    },
}


def test_a_problem_names_its_field_as_a_person_would_write_it() -> None:
    data = {"model": "small", "input": {"images": ["a", 5], "size": "3K"}}
    told = Validator(INPUT).problems(data)
    assert [problem.field for problem in told] == ["input.size", "input.images.1"]
    assert [problem.pointer for problem in told] == ["/input/size", "/input/images/1"]
    assert (told[0].value, told[0].limit, told[0].keyword) == ("3K", ["1K", "2K"], "enum")
    assert Validator(INPUT).problems({"model": "small"})[0].value is MISSING


def test_the_outermost_problem_comes_first_and_the_first_is_told_alone() -> None:
    assert problems(INPUT, {"input": {"size": 5}})[0] == "model is missing; expected a value"
    told = first_problem(INPUT, {"model": "large", "input": {}})
    assert str(told) == "model is 'large'; expected 'small'"
    assert first_problem(INPUT, {"model": "small", "input": {}}) is None


@pytest.mark.parametrize(
    ("keyword", "data", "sentence"),
    [
        ("anyOf", {"cat": {"lives": "nine"}}, "cat.lives is 'nine', of type string; expected integer"),
        ("oneOf", {"cat": {"lives": "nine"}}, "cat.lives is 'nine', of type string; expected integer"),
        ("anyOf", "cat", "is 'cat'; expected a value that fits one of the documented forms"),
        ("oneOf", "cat", "is 'cat'; expected a value that fits exactly one of the documented forms"),
    ],
)
def test_of_several_forms_the_one_that_the_data_came_nearest_to_is_told(keyword: str, data: Any, sentence: str) -> None:
    cat = {"type": "object", "properties": {"cat": {"properties": {"lives": {"type": "integer"}}}}}
    assert problems({keyword: [{"type": "integer"}, cat]}, data) == [sentence]


def test_two_forms_that_both_fit_are_told_apart_from_none() -> None:
    both = problems({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 5)
    assert both == ["is 5; expected a value that fits exactly one of the documented forms"]


def test_no_more_than_twenty_problems_are_told() -> None:
    assert len(problems({"items": {"type": "string"}}, list(range(50)))) == 20


def test_a_long_value_is_cut() -> None:
    assert len(problems({"type": "integer"}, "x" * 1000)[0]) < 140


def test_references_lead_into_the_components() -> None:
    components = {
        "schemas": {"Tree": {"properties": {"next": {"$ref": "#/components/schemas/Tree"}}, "required": ["n"]}}
    }
    validator = Validator({"$ref": "#/components/schemas/Tree"}, components)
    assert validator.is_valid({"n": 1, "next": {"n": 2}})
    assert [str(problem) for problem in validator.problems({"n": 1, "next": {}})] == [
        "next.n is missing; expected a value"
    ]
    assert Validator(True, components).problems(5) == []


def test_a_brief_look_tells_one_problem_where_the_full_one_tells_all() -> None:
    validator = Validator({"required": ["a", "b"], "properties": {"c": {"type": "string"}}})
    brief = validator.problems({"a": 1, "b": 2, "c": 5}, brief=True)
    assert [str(problem) for problem in brief] == ['c does not fit: 5 is not of type "string"']
    assert (brief[0].keyword, brief[0].value) == ("type", 5)
    assert len(validator.problems({"c": 5}, brief=True)) == 1
    assert validator.problems({"a": 1, "b": 2}, brief=True) == []


@pytest.mark.parametrize(
    ("schema", "data", "sentence"),
    [
        ({"pattern": "^a$"}, "a\n", 'does not fit: "a\\n" does not match "^a$"'),
        ({"pattern": "^\\d$"}, "٣", 'does not fit: "٣" does not match "^\\d$"'),
        ({"pattern": "^\\p{L}+$"}, "12", 'does not fit: "12" does not match "^\\p{L}+$"'),
    ],
)
def test_where_python_s_validator_sees_nothing_the_verdict_speaks_for_itself(
    schema: Any, data: Any, sentence: str
) -> None:
    assert problems(schema, data) == [sentence]


def nested(depth: int) -> Any:
    """As many lists, one inside the other."""
    return orjson.loads("[" * depth + "]" * depth)


def test_data_that_is_nested_too_deeply_to_be_explained_is_refused_all_the_same() -> None:
    assert problems({"type": "string"}, nested(1000)) == ["does not fit, and is nested too deeply to say where"]
    tree = {"type": "array", "items": {"$ref": "#"}, "maxItems": 0}
    assert len(problems(tree, nested(600))) == 1


def test_a_problem_without_an_expectation_ends_after_the_sentence() -> None:
    assert str(Problem("/a~1b/c~0d", "type", 1, None, "is odd", "")) == "a/b.c~d is odd"


# Every schema that a request or an answer of a built-in provider is judged by, and bodies that fit or nearly do.
STORED = [
    (Validator(schema, provider.contract.components), example)
    for provider in map(load_provider, built_in_names())
    for operation in provider.contract.operations.values()
    for media in [
        *provider.contract.resolve(operation.effective.get("requestBody", {})).get("content", {}).values(),
        *(
            media
            for each in provider.contract.responses(operation).values()
            for media in each.get("content", {}).values()
        ),
    ]
    for schema in [media.get("schema", {})]
    for example in [
        *([media["example"]] if "example" in media else []),
        *(provider.contract.resolve(each)["value"] for each in media.get("examples", {}).values()),
    ]
]


def places(data: Any) -> list[tuple[Any, ...]]:
    """Where something stands inside `data`."""
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(key, *rest) for key, child in children for rest in [(), *places(child)]]


def mutated(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of `data` with another value at `place`, or with nothing there where the value is `MISSING`."""
    if not place:
        return value
    copied = data.copy()
    copied[place[0]] = mutated(data[place[0]], place[1:], value)
    if copied[place[0]] is MISSING:
        del copied[place[0]]
    return copied


def python_s(validator: Validator) -> Any:
    """The other validator of the same schema."""
    return Draft202012Validator(validator._whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.just(MISSING) | st.text(max_size=5) | st.just([]) | st.just({})
)


def test_both_validators_accept_every_example_of_the_stored_documents() -> None:
    assert len(STORED) > 100
    for validator, example in STORED:
        assert validator.is_valid(example)
        assert python_s(validator).is_valid(example)


@given(st.sampled_from([stored for stored in STORED if places(stored[1])]), st.data())
def test_both_validators_agree_on_what_nearly_fits_a_stored_schema(stored: Any, data: st.DataObject) -> None:
    validator, example = stored
    body = mutated(example, data.draw(st.sampled_from(places(example))), data.draw(VALUES))
    assert validator.is_valid(body) == python_s(validator).is_valid(body)
    assert bool(validator.problems(body)) == bool(validator.problems(body, brief=True)) != validator.is_valid(body)


def in_full(validator: Validator, data: Any) -> list[Problem]:
    """What is told when the whole schema is asked about `data`."""
    told = {str(each): each for error in _explained(validator._whole, data) for each in problems_of(error)}
    return list(told.values())[:20]


@given(st.sampled_from([stored for stored in STORED if places(stored[1])]), st.data())
def test_asking_about_what_the_verdict_points_to_tells_what_asking_about_the_whole_schema_tells(
    stored: Any, data: st.DataObject
) -> None:
    validator, body = stored
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(body, data.draw(st.sampled_from(places(body) or [()])), data.draw(VALUES))
    if body is not MISSING and not validator.is_valid(body):
        for _ in range(2):  # what is remembered is the same
            assert validator.problems(body) == (in_full(validator, body) or [validator._own(body)])


TREE = {
    "$ref": "#/components/schemas/Tree",
    "components": {
        "schemas": {
            "Tree": {
                "required": ["n", "m"],
                "properties": {
                    "n": {"maximum": 5, "type": "integer", "enum": [1, 2, True]},
                    "next": {"$ref": "#/components/schemas/Tree"},
                    "list": {"items": {"allOf": [{"maxLength": 1}, {"type": "string", "pattern": "^b"}]}},
                    "": {"type": "string"},
                    "None": {"type": "string"},
                    "1": {"type": "string"},
                    "01": {"type": "string"},
                    "type": False,
                    "either": {"anyOf": [{"type": "string"}, {"minimum": 5}]},
                    "link": {"format": "uri"},
                    "times": {"multipleOf": 0.1},
                },
                "additionalProperties": False,
            }
        }
    },
}
VALUES_OF_A_TREE = st.sampled_from(
    [1, 1.0, True, 9, 0.3, -0.0, 0.0, None, "", "a", "b", "bb", "a b", [], [1], ["cc", "b"]]
)
TREES = st.recursive(
    st.dictionaries(
        st.sampled_from(["n", "m", "list", "", "None", "1", "01", "type", "either", "link", "times", "other"]),
        VALUES_OF_A_TREE,
        max_size=4,
    ),
    lambda inner: st.builds(lambda one, other: {**one, "next": other}, inner, inner | VALUES_OF_A_TREE),
    max_leaves=3,
)


@given(st.lists(TREES, min_size=1, max_size=3))
def test_what_is_told_does_not_depend_on_how_the_schema_is_asked_nor_on_what_was_told_before(trees: list[Any]) -> None:
    for tree in trees:
        if not TREE_VALIDATOR.is_valid(tree):
            assert list(map(repr, TREE_VALIDATOR.problems(tree))) == list(map(repr, in_full(TREE_VALIDATOR, tree)))


TREE_VALIDATOR = Validator(TREE)


def test_what_is_remembered_of_refusals_is_bounded() -> None:
    validator = Validator({"properties": {"n": {"type": "string"}}})
    for number in range(1000):
        assert str(validator.problems({"n": number})[0]) == f"n is {number}, of type integer; expected string"
    assert len(validator._remembered) <= 256
    long = "x" * 1000
    assert Validator({"properties": {"n": {"type": "integer"}}}).problems({"n": long})[0].value == long


def test_only_the_keyword_that_refuses_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_explained", lambda *_: pytest.fail("the whole schema was asked"))
    assert problems(INPUT, {"model": "small", "input": {"images": ["a", 5], "size": "3K"}}) == [
        "input.size is '3K' (did you mean '2K'?); expected one of '1K', '2K'",
        "input.images.1 is 5, of type integer; expected string",
    ]
