from typing import Any

import pytest
from understudy.openapi.contract import Contract, Naming, OperationKey, UndescribedError, read_contract
from understudy.openapi.errors import LoadError
from understudy.openapi.pointer import MISSING
from understudy.openapi.source import parse_source
from understudy.openapi.validation import Validator

from .folders import contract_of, sources

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
OK = {"200": {"description": "Done"}}


def media(schema: Any, **more: Any) -> dict[str, Any]:
    """The content of a body or a response that is JSON of this schema."""
    return {"content": {"application/json": {"schema": schema, **more}}}


def creation(model: Any, responses: Any = OK, **more: Any) -> dict[str, Any]:
    """A document that describes a creation for one model."""
    schema = {"type": "object", "required": ["model"], "properties": {"model": model, **more.pop("properties", {})}}
    body = {"required": True, **media(schema, **more)}
    return {"paths": {"/tasks": {"post": {"requestBody": body, "responses": responses}}}}


def made(variant: str | None = "/model", **documents: Any) -> Contract:
    """The contract of documents that each describe the creation."""
    return contract_of({"create": "POST /tasks"}, variant, **documents)


def refused(variant: str | None = "/model", **documents: Any) -> str:
    """The sentence with which documents that each describe the creation are refused."""
    with pytest.raises(LoadError) as caught:
        made(variant, **documents)
    return str(caught.value)


def test_one_document_is_one_operation_as_it_is_told() -> None:
    contract = made(small=creation({"enum": ["a", "b"]}))
    operation = contract.operations["create"]
    assert (operation.name, str(operation.key), operation.documents) == ("create", "POST /tasks", ("small.yaml",))
    assert operation.provenance == "documented"
    assert list(operation.variants) == ["a", "b"]
    assert contract.body(operation) == (True, operation.variants["a"])
    assert contract.responses(operation) == OK


def test_documents_of_one_operation_become_its_variants() -> None:
    contract = made(small=creation({"enum": ["small"]}), large=creation({"const": "lar/ge"}))
    operation = contract.operations["create"]
    assert operation.documents == ("small.yaml", "large.yaml")
    assert set(operation.variants) == {"small", "lar/ge"}
    schema = contract.body(operation)[1]["application/json"]
    mapping = {"small": "#/components/schemas/create-small", "lar/ge": "#/components/schemas/create-lar-ge"}
    assert schema["discriminator"] == {"propertyName": "model", "mapping": mapping}
    assert [each["$ref"] for each in schema["oneOf"]] == list(mapping.values())
    validator = Validator(schema, contract.components)
    assert validator.is_valid({"model": "small"})
    assert not validator.is_valid({"model": "tiny"})


def test_a_variant_deep_in_the_body_is_found_and_needs_no_discriminator() -> None:
    def deep(model: str) -> Any:
        schema = {"properties": {"input": {"$ref": "#/components/schemas/Input"}}}
        body = {"paths": {"/tasks": {"post": {"requestBody": media(schema), "responses": OK}}}}
        return body | {"components": {"schemas": {"Input": {"properties": {"model": {"const": model}}}}}}

    contract = made("/input/model", small=deep("small"), large=deep("large"))
    assert set(contract.operations["create"].variants) == {"small", "large"}
    schema = contract.body(contract.operations["create"])[1]["application/json"]
    assert "discriminator" not in schema
    assert len(schema["oneOf"]) == 2


def test_the_examples_of_all_variants_are_kept() -> None:
    small = creation({"const": "small"}, example={"model": "small"})
    large = creation({"const": "large"}, example={"model": "large"}, examples={"big": {"value": {"model": "large"}}})
    contract = made(small=small, large=large)
    body = contract.operations["create"].effective["requestBody"]["content"]["application/json"]
    assert body["examples"] == {
        "example": {"value": {"model": "small"}},
        "example-2": {"value": {"model": "large"}},
        "big": {"value": {"model": "large"}},
    }


def test_a_joined_response_allows_what_any_of_the_documents_does() -> None:
    def answering(model: str, code: int) -> Any:
        response = {"description": model, **media({"const": code}, example=code), "headers": {f"X-{model}": {}}}
        return creation({"const": model}, {"200": response, f"{code}": {"description": "Once"}})

    contract = made(small=answering("small", 1), large=answering("large", 2))
    responses = contract.responses(contract.operations["create"])
    assert set(responses) == {"200", "1", "2"}
    assert responses["200"]["headers"] == {"X-small": {}, "X-large": {}}
    content = responses["200"]["content"]["application/json"]
    assert content["schema"] == {"anyOf": [{"const": 1}, {"const": 2}]}
    assert content["examples"] == {"example": {"value": 1}, "example-2": {"value": 2}}


def test_joined_responses_of_one_schema_keep_it_and_all_examples() -> None:
    def answering(model: str) -> Any:
        return creation({"const": model}, {"200": {"description": "Done", **media({"type": "string"}, example=model)}})

    contract = made(small=answering("small"), large=answering("large"))
    content = contract.responses(contract.operations["create"])["200"]["content"]["application/json"]
    examples = {"example": {"value": "small"}, "example-2": {"value": "large"}}
    assert content == {"schema": {"type": "string"}, "examples": examples}


def test_joined_responses_that_are_references_are_followed() -> None:
    def refusing(model: str, **response: Any) -> Any:
        components = {"components": {"responses": {"Error": {"description": model, **response}}}}
        return creation({"const": model}, {"500": {"$ref": "#/components/responses/Error"}}) | components

    contract = made(small=refusing("small"), large=refusing("large", **media({"type": "string"})))
    assert contract.responses(contract.operations["create"])["500"] == {
        "description": "small",
        **media({"type": "string"}),
    }
    alike = made(small=refusing("both"), large=refusing("both") | {"paths": refusing("large")["paths"]})
    assert alike.operations["create"].effective["responses"]["500"] == {"$ref": "#/components/responses/Error"}


def test_two_documents_may_define_a_component_differently() -> None:
    def sized(model: str, size: int) -> Any:
        properties = {"prompt": {"$ref": "#/components/schemas/Prompt"}}
        prompt = {"components": {"schemas": {"Prompt": {"maxLength": size}}}}
        return creation({"const": model}, properties=properties) | prompt

    contract = made(small=sized("small", 3), large=sized("large", 9))
    fits = {
        name: Validator(schemas["application/json"], contract.components).is_valid({"model": name, "prompt": "12345"})
        for name, schemas in contract.operations["create"].variants.items()
    }
    assert fits == {"small": False, "large": True}
    assert set(contract.components["schemas"]) >= {"Prompt", "Prompt-2"}


def test_the_callbacks_of_all_documents_are_kept_and_the_first_of_a_name_counts() -> None:
    def calling(model: str, name: str) -> Any:
        document = creation({"const": model})
        path_item = {"post": {"description": model, "responses": OK}}
        document["paths"]["/tasks"]["post"]["callbacks"] = {name: {"{$request.body#/url}": path_item}}
        return document

    contract = made(small=calling("small", "done"), large=calling("large", "done"), huge=calling("huge", "failed"))
    callbacks = contract.operations["create"].effective["callbacks"]
    assert callbacks["done"]["{$request.body#/url}"]["post"]["description"] == "small"
    assert callbacks["failed"]["{$request.body#/url}"]["post"]["description"] == "huge"


def test_parameters_of_a_path_belong_to_its_operations_unless_they_have_their_own() -> None:
    shared = [ID, {"$ref": "#/components/parameters/Page"}, {"$ref": "#/components/parameters/Size"}]
    own = [{"$ref": "#/components/parameters/Other"}, ID | {"schema": {"type": "integer"}}]
    components: dict[str, Any] = {name: {"name": name.lower(), "in": "query"} for name in ("Page", "Size")}
    components["Other"] = {"name": "size", "in": "query", "required": True, "schema": {"maximum": 9}}
    item = {"parameters": shared, "get": {"parameters": own, "responses": OK}, "delete": {"responses": OK}}
    document = {"paths": {"/tasks/{id}": item}, "components": {"parameters": components}}
    contract = contract_of({"poll": "GET /tasks/{id}", "cancel": "DELETE /tasks/{id}"}, tasks=document)
    found = {(each.name, each.required) for each in contract.parameters(contract.operations["poll"])}
    assert found == {("id", True), ("page", False), ("size", True)}
    assert contract.parameters(contract.operations["poll"])[1].schema == {"type": "integer"}
    assert [each.name for each in contract.parameters(contract.operations["cancel"])] == ["id", "page", "size"]


def test_a_path_item_may_be_a_reference_and_an_extension_is_no_path() -> None:
    item = {"get": {"responses": OK}, "parameters": [ID]}
    paths = {"/tasks/{id}": {"$ref": "more.yaml#/components/pathItems/Task"}, "x-note": "get it"}
    contract = contract_of(
        {"poll": "GET /tasks/{id}"}, a={"paths": paths}, more={"components": {"pathItems": {"Task": item}}}
    )
    assert [each.name for each in contract.parameters(contract.operations["poll"])] == ["id"]


def test_each_operation_keeps_the_security_of_its_document() -> None:
    schemes = {"components": {"securitySchemes": {"Key": {"type": "http"}, "Other": {"type": "apiKey"}}}}
    first = {"security": [{"Key": []}], "paths": {"/a": {"get": {"responses": OK}}}} | schemes
    second = {"security": [{"Other": []}], "paths": {"/b": {"get": {"responses": OK}}}}
    third = {"paths": {"/c": {"get": {"responses": OK}}, "/d": {"get": {"security": [{"Key": []}], "responses": OK}}}}
    contract = contract_of({name: f"GET /{name}" for name in "abcd"}, first=first, second=second, third=third)
    needed = {name: contract.security_schemes(operation) for name, operation in contract.operations.items()}
    key, other = {"type": "http"}, {"type": "apiKey"}
    assert needed == {"a": [key], "b": [other], "c": [], "d": [key]}
    assert contract.security == ({"Key": []},)


def test_a_security_scheme_may_be_a_reference_to_another_document() -> None:
    scheme = {"components": {"securitySchemes": {"Key": {"$ref": "common.yaml#/components/securitySchemes/Bearer"}}}}
    common = {"components": {"securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer"}}}}
    document = {"security": [{"Key": []}], "paths": {"/a": {"get": {"responses": OK}}}} | scheme
    contract = contract_of({"a": "GET /a"}, a=document, common=common)
    assert contract.security_schemes(contract.operations["a"]) == [{"type": "http", "scheme": "bearer"}]


def test_an_operation_knows_the_host_that_it_alone_is_served_from() -> None:
    item = {"servers": [{"url": "https://files.test"}], "get": {"responses": OK}}
    own = {"get": {"servers": [{"url": "https://own.test"}], "responses": OK}}
    paths = {"/a": item, "/b": item | own, "/c": {"get": {"responses": OK}}}
    contract = contract_of(
        {name: f"GET /{name}" for name in "abc"}, a={"servers": [{"url": "https://x.test"}], "paths": paths}
    )
    assert [each.server for each in contract.operations.values()] == ["https://files.test", "https://own.test", ""]
    assert contract.servers == ("https://x.test",)
    assert "servers" not in contract.operations["b"].effective


def test_a_contract_without_security_or_bodies_says_so() -> None:
    contract = contract_of({"a": "GET /a"}, a={"paths": {"/a": {"get": {}}}})
    operation = contract.operations["a"]
    assert contract.security_schemes(operation) == []
    assert contract.body(operation) == (False, {})
    assert contract.parameters(operation) == []
    assert contract.responses(operation) == {}


def test_the_effective_document_holds_everything_and_names_this_server_alone() -> None:
    webhook = {"post": {"requestBody": media({"$ref": "#/components/schemas/Event"}), "responses": OK}}
    hooks = {"webhooks": {"told": webhook}, "components": {"schemas": {"Event": {"type": "object"}}}}
    poll = {"/tasks/{id}": {"get": {"x-provenance": "observed", "parameters": [ID], "responses": OK}}}
    small = creation({"const": "small"}, {"201": {"description": "Made"}, "400": {"description": "Refused"}})
    small["paths"] |= poll
    contract = contract_of({"create": "POST /tasks", "poll": "GET /tasks/{id}"}, "/model", small=small, hooks=hooks)
    link = {"poll": {"operationId": "poll", "parameters": {"id": "$response.body#/id"}}}
    document = contract.document("http://127.0.0.1:4020/acme", {"create": link})
    assert document["servers"] == [{"url": "http://127.0.0.1:4020/acme"}]
    assert document["webhooks"]["told"]["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Event"
    }
    create = document["paths"]["/tasks"]["post"]
    assert create["responses"] == {"201": {"description": "Made", "links": link}, "400": {"description": "Refused"}}
    told = [(each["operationId"], each["x-provenance"]) for each in (create, document["paths"]["/tasks/{id}"]["get"])]
    assert told == [("create", "documented"), ("poll", "observed")]


def test_the_effective_document_without_links_or_webhooks_has_none() -> None:
    contract = contract_of({"a": "GET /a"}, a={"paths": {"/a": {"get": {}}}})
    document = contract.document("https://x.test")
    assert document["paths"] == {"/a": {"get": {"operationId": "a", "x-provenance": "documented"}}}
    assert "webhooks" not in document
    assert document == contract.document("https://x.test", {"a": {"next": {"operationId": "a"}}})


def test_a_reference_that_leads_in_a_circle_resolves_to_missing() -> None:
    circle = {"schemas": {"A": {"$ref": "#/components/schemas/A"}, "B": {"const": 1}}}
    contract = Contract("Acme", "1", {}, circle, {}, ())
    assert contract.resolve({"$ref": "#/components/schemas/A"}) is MISSING
    assert contract.resolve({"$ref": "#/components/schemas/B"}) == {"const": 1}
    assert contract.resolve(True) is True


def test_documents_of_3_0_and_3_1_are_joined_into_one_of_3_1() -> None:
    old = creation({"enum": ["old"]}, properties={"size": {"type": "integer", "nullable": True}}) | {"openapi": "3.0.3"}
    contract = made(old=old, new=creation({"const": "new"}, properties={"size": {"type": ["integer", "null"]}}))
    schemas = [
        each["application/json"]["properties"]["size"] for each in contract.operations["create"].variants.values()
    ]
    assert schemas == [{"type": ["integer", "null"]}] * 2


def test_overlays_are_applied_before_documents_are_joined() -> None:
    text = "overlay: 1.0.0\nactions:\n  - { target: $.paths, update: { /new: { get: { responses: {} } } } }"
    namings = [Naming("new", OperationKey("GET", "/new"), None)]
    contract = read_contract(sources(a={"paths": {}}), [parse_source(text, "o.yaml")], namings, "Acme")
    assert list(contract.operations) == ["new"]


TWICE = creation({"const": "small"})


@pytest.mark.parametrize(
    ("documents", "variant", "sentence"),
    [
        (
            {"a": {"openapi": "2.0"}},
            None,
            "a.yaml:1: /openapi: is '2.0'; expected an OpenAPI version of 3.0.x or 3.1.x",
        ),
        ({"a": {"openapi": 3.1}}, None, "a.yaml:1: /openapi: is 3.1; expected an OpenAPI version of 3.0.x or 3.1.x"),
        ({"a": {"swagger": "2.0"}}, None, "a.yaml:5: /swagger: is Swagger 2.0; expected OpenAPI 3.0 or 3.1"),
        (
            {"a": {"paths": {"/tasks": {"post": {}}, "/x": {"get": {}}}}},
            None,
            "a.yaml:9: /paths/~1x/get: GET /x has no name; expected an operation of the behaviour file",
        ),
        (
            {"a": TWICE, "b": TWICE},
            None,
            "b.yaml:7: /paths/~1tasks/post: POST /tasks is described in a.yaml too; expected a `variant` in the",
        ),
        (
            {"a": TWICE, "b": TWICE},
            "/model",
            "b.yaml:7: /paths/~1tasks/post: POST /tasks has the variant 'small' of another document; expected its own",
        ),
        (
            {"a": creation({"type": "string"})},
            "/model",
            "a.yaml:7: /paths/~1tasks/post: POST /tasks has no enum of words at /model; expected the values that tell",
        ),
        (
            {"a": creation({"enum": [1, 2]})},
            "/model",
            "a.yaml:7: /paths/~1tasks/post: POST /tasks has no enum of words",
        ),
        ({"a": creation(True)}, "/model", "a.yaml:7: /paths/~1tasks/post: POST /tasks has no enum of words at /model"),
        (
            {"a": TWICE},
            "/input/model",
            "a.yaml:7: /paths/~1tasks/post: POST /tasks has no enum of words at /input/model",
        ),
        (
            {"a": {"paths": {"/tasks": {"post": {"parameters": [{"$ref": "#/info"}]}}}}},
            None,
            "a.yaml:7: /paths/~1tasks/post: POST /tasks has the parameter {'$ref': '#/components/parameters/info'}",
        ),
        (
            {"a": {"paths": {"/tasks": {"post": {"parameters": [{"$ref": "#/x"}]}}}, "x": True}},
            None,
            "a.yaml:7: /paths/~1tasks/post: POST /tasks has the parameter {'$ref': '#/components/parameters/x'}",
        ),
        (
            {"a": {"paths": {"/tasks": {"post": {"responses": {"200": {"$ref": "#/no"}}}}}}},
            None,
            "a.yaml:10: /paths/~1tasks/post/responses/200/$ref: the reference '#/no' leads nowhere; expected one of a",
        ),
    ],
)
def test_broken_documents_are_refused_with_file_line_and_place(
    documents: Any, variant: str | None, sentence: str
) -> None:
    assert refused(variant, **documents).startswith(sentence)


@pytest.mark.parametrize("text", ["", "5", "[]", "just words"])
def test_a_file_that_holds_no_object_is_no_document(text: str) -> None:
    with pytest.raises(LoadError, match=r"^a\.yaml: holds no object; expected an OpenAPI document$"):
        read_contract({"a.yaml": parse_source(text, "a.yaml")}, [], [], "Acme")


def test_an_operation_that_no_document_describes_is_told_with_those_that_are() -> None:
    with pytest.raises(UndescribedError, match="no document describes POST /tasks") as caught:
        contract_of({"list": "GET /tasks", "create": "POST /tasks"}, a={"paths": {"/tasks": {"get": {}}}})
    assert caught.value.naming.name == "create"
    assert caught.value.described == ["GET /tasks"]
