from pathlib import Path

import pytest
from openapi_spec_validator import validate
from understudy.openapi.overlay import apply_overlay
from understudy.openapi.pointer import MISSING, join, resolve
from understudy.openapi.provider import BUILT_IN, Provider, built_in_names, check_behaviour, load_provider
from understudy.openapi.source import Source, read_source
from understudy.openapi.structure import walk
from understudy.openapi.validation import Validator

from .stored import (
    Choice,
    Example,
    chosen,
    corrected,
    distinct,
    documented,
    effective,
    examples,
    overlays,
)

pytestmark = pytest.mark.untraced  # the same lines again and again, and each twice as slow when traced

DOCUMENTS = distinct()
"""A choice of options for each effective document that there is."""
DOCUMENTS_OF = {choice[0]: choice for choice in reversed(DOCUMENTS)}
OVERLAYS = sorted(BUILT_IN.glob("*/*.overlay.yaml"))

QUERY = "/paths/~1vendors~1google~1v1~1nano-banana-pro~1generation~1{task_id}/get"
# Every example that does not fit its schema as documented: provider, file, place, and the target of the correction
# without which it still would not.
MENDED = [
    (
        "mulerouter",
        "nano-banana-pro-generation-get.yaml",
        f"{QUERY}/responses/200/content/application~1json/example",
        "$.components.schemas.TaskInfoResponse.required[?@ == 'task_id']",
    ),
]


def fits(example: Example) -> bool:
    """Whether an example fits its schema."""
    return Validator(example.schema, example.components).is_valid(example.value)


def shown(choice: Choice) -> str:
    """The name of a test's case."""
    return " ".join(choice)


def test_every_folder_is_a_provider() -> None:
    folders = sorted(path.name for path in BUILT_IN.iterdir() if path.is_dir())
    assert folders == built_in_names()
    assert {choice[0] for choice in DOCUMENTS} == set(folders)


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_every_example_fits_its_schema_once_corrected(choice: Choice) -> None:
    found = list(examples(corrected(choice)))
    assert [(each.file, each.pointer) for each in found if not fits(each)] == []
    assert len(found) > 30


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_every_example_of_the_effective_document_fits_its_schema(choice: Choice) -> None:
    found = list(examples({"openapi.json": effective(choice)}))
    assert [each.pointer for each in found if not fits(each)] == []
    assert len(found) > 30


@pytest.mark.parametrize("name", built_in_names())
def test_the_examples_that_do_not_fit_as_documented_are_those_that_are_listed(name: str) -> None:
    broken = [(name, each.file, each.pointer) for each in examples(documented(name)) if not fits(each)]
    assert broken == [(provider, file, place) for provider, file, place, _ in MENDED if provider == name]


@pytest.mark.parametrize(("name", "file", "place", "target"), MENDED)
def test_a_listed_example_is_mended_by_the_correction_beside_it(name: str, file: str, place: str, target: str) -> None:
    whole = read_source(BUILT_IN / name / "corrections.overlay.yaml")
    rest = [action for action in whole.data["actions"] if action["target"] != target]
    assert len(rest) == len(whole.data["actions"]) - 1
    without = apply_overlay(documented(name), Source(whole.name, whole.text, whole.data | {"actions": rest}))
    verdict = {True: apply_overlay(documented(name), whole), False: without}
    for mended, documents in verdict.items():
        example = next(each for each in examples(documents) if (each.file, each.pointer) == (file, place))
        assert fits(example) is mended


@pytest.mark.untraced
@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_every_effective_document_is_valid_openapi(choice: Choice) -> None:
    validate(effective(choice))


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_every_operation_says_how_well_it_is_known(choice: Choice) -> None:
    told = {
        join(*tokens): node.get("x-provenance")
        for tokens, kind, node in walk(effective(choice), "document")
        if kind == "operation"
    }
    assert len(told) >= len(chosen(choice).contract.operations)
    assert {place: word for place, word in told.items() if word not in {"documented", "observed", "assumed"}} == {}


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_every_reference_of_the_effective_document_leads_somewhere_in_it(choice: Choice) -> None:
    document = effective(choice)
    references = {node["$ref"] for _, _, node in walk(document, "document") if "$ref" in node}
    assert {each for each in references if resolve(document, each.removeprefix("#")) is MISSING} == set()
    assert references


def test_a_document_that_openapi_does_not_allow_is_noticed() -> None:
    document = effective(DOCUMENTS[0])
    with pytest.raises(Exception, match="responses"):
        validate(document | {"paths": {"/a": {"get": {"responses": 5}}}})


@pytest.mark.parametrize("name", built_in_names())
def test_every_behaviour_file_has_its_shape(name: str) -> None:
    check_behaviour(load_provider(name)._source)


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_a_built_in_folder_passes_every_check_that_a_user_s_does(
    choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.openapi.provider.BUILT_IN", Path("/nowhere"))
    name, *options = choice
    provider = load_provider(BUILT_IN / name, dict(option.split("=", 1) for option in options))
    provider.check()
    assert isinstance(provider, Provider)


@pytest.mark.parametrize("name", built_in_names())
def test_every_value_of_an_option_leaves_a_behaviour_that_has_its_shape_and_compiles(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.openapi.provider.BUILT_IN", Path("/nowhere"))
    for option in chosen(DOCUMENTS_OF[name]).behaviour.options.values():
        for value in option.values:
            provider = load_provider(BUILT_IN / name, {option.name: value})
            provider.behaviour.compile()
            assert provider.options[option.name] == value


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_action_of_an_overlay_says_why_and_how_well_that_is_known(path: Path) -> None:
    for action in read_source(path).data["actions"]:
        assert len(action["description"]) > 10
        assert action["x-provenance"] in {"documented", "observed", "assumed"}


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_overlay_is_applied_by_some_combination_of_options(path: Path) -> None:
    used = {overlay.name for choice in DOCUMENTS for overlay in overlays(choice)}
    assert f"{path.parent.name}/{path.name}" in used


TELLING = {"title", "summary", "description", "externalDocs", "tags", "deprecated"}
READ: dict[str, set[str]] = {
    "document": {"openapi", "info", "servers", "security", "paths", "webhooks", "components"},
    "components": {"schemas", "responses", "parameters", "headers", "securitySchemes", "examples"},
    "path item": {"servers", "parameters", "get", "put", "post", "delete"},
    "operation": {"operationId", "parameters", "requestBody", "responses", "callbacks", "security"},
    "parameter": {"name", "in", "required", "schema", "example", "examples"},
    "header": {"required", "schema", "example", "examples"},
    "request body": {"required", "content"},
    "response": {"content", "headers"},
    "media type": {"schema", "example", "examples"},
    "example": {"value"},
    "security scheme": {"type", "scheme", "bearerFormat", "name", "in"},
}  # fmt: skip
"""The words that the reader follows or hands on, by kind; a stored document with another one would be ignored."""
SCHEMA = {
    "type", "enum", "format", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "items", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties",
    "required", "properties", "additionalProperties", "allOf", "anyOf", "oneOf", "not", "default", "example",
}  # fmt: skip
OF_3_0 = SCHEMA | {"nullable"}
OF_3_1 = SCHEMA | {"const", "examples", "if", "then", "else"}


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_no_stored_document_uses_a_word_that_the_reader_ignores(choice: Choice) -> None:
    ignored = set()
    for file, document in corrected(choice).items():
        words = READ | {"schema": OF_3_0 if document["openapi"].startswith("3.0") else OF_3_1}
        for tokens, kind, node in walk(document, "document"):
            known = TELLING | {"$ref"} | words.get(kind, set(node))
            ignored |= {(file, join(*tokens), word) for word in node if word not in known and not word.startswith("x-")}
    assert ignored == set()


@pytest.mark.parametrize("choice", DOCUMENTS, ids=shown)
def test_nothing_stands_beside_a_reference_where_openapi_3_0_would_ignore_it(choice: Choice) -> None:
    old = [document for document in corrected(choice).values() if document["openapi"].startswith("3.0")]
    nodes = [node for document in old for _, _, node in walk(document, "document") if "$ref" in node]
    assert [node for node in nodes if len(node) > 1] == []
