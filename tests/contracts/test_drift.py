"""Documents compared: structure, polarity, places, what is no change."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from understudy.contracts.document import build_side
from understudy.contracts.drift import compare_sides
from understudy.contracts.findings import in_order, worst
from understudy.contracts.reading import read_provider
from understudy.openapi.errors import LoadError
from understudy.openapi.provider import built_in_names
from understudy.openapi.source import parse_source

from .sides import answering, asking, document, drift, side, told

PICTURE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "size": {"enum": ["s", "m"]}}}
SOON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
PAST = "2020-01-01"


def parameter(where: str = "query", name: str = "n", **more: Any) -> Any:
    schema = more.pop("schema", {"type": "string"})
    return {"name": name, "in": where, "schema": schema, **({"required": True} if where == "path" else {}), **more}


def wider(schema: Any) -> Any:
    return {**schema, "properties": {**schema["properties"], "size": {"enum": ["s", "m", "l"]}}}


def test_what_a_client_sends_may_only_widen() -> None:
    assert told(document(asking(PICTURE)), document(asking(wider(PICTURE)))) == [
        ("request-body-enum-value-added", "info")
    ]
    assert told(document(asking(wider(PICTURE))), document(asking(PICTURE))) == [
        ("request-body-enum-value-removed", "breaking")
    ]


def test_what_a_client_receives_may_only_narrow() -> None:
    assert told(document(answering(wider(PICTURE))), document(answering(PICTURE))) == [
        ("response-body-enum-value-removed", "info")
    ]
    assert told(document(answering(PICTURE)), document(answering(wider(PICTURE)))) == [
        ("response-body-enum-value-added", "warning")
    ]


def calling(body: Any, answer: Any = None) -> Any:
    responses = {
        "200": {"description": "ok", **({"content": {"application/json": {"schema": answer}}} if answer else {})}
    }
    post = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": responses,
    }
    return {"callbacks": {"ended": {"{$request.body#/url}": {"post": post}}}}


def test_a_callback_has_the_polarity_turned_round() -> None:
    optional = {**PICTURE, "required": []}
    assert told(document(calling(PICTURE)), document(calling(optional))) == [
        ("callback-request-body-became-optional", "breaking")
    ]
    assert told(document(calling(optional)), document(calling(PICTURE))) == [
        ("callback-request-body-became-required", "info")
    ]
    before, after = (document(calling(PICTURE, {"enum": values})) for values in ([1, 2], [1]))
    assert told(before, after) == [("callback-response-body-enum-value-removed", "breaking")]
    assert told(after, before) == [("callback-response-body-enum-value-added", "info")]


def test_a_webhook_has_the_polarity_turned_round() -> None:
    before, after = (
        document(webhooks={"ended": {"post": asking(schema)}}) for schema in (PICTURE, {**PICTURE, "required": []})
    )
    assert told(before, after) == [("webhook-request-body-became-optional", "breaking")]
    assert told(after, before) == [("webhook-request-body-became-required", "info")]
    assert told(before, document()) == [("webhook-removed", "breaking")]
    assert told(document(), before) == [("webhook-added", "info")]


def test_callbacks_come_go_and_are_sent_elsewhere() -> None:
    with_one, without = document(calling(PICTURE)), document({})
    elsewhere = copy.deepcopy(with_one)
    callbacks = elsewhere["paths"]["/pictures"]["post"]["callbacks"]
    callbacks["ended"] = {"{$request.body#/other}": callbacks["ended"].pop("{$request.body#/url}")}
    assert told(with_one, without) == [("callback-removed", "breaking")]
    assert told(without, with_one) == [("callback-added", "info")]
    assert told(with_one, elsewhere) == [("callback-target-changed", "breaking")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"parameters": [parameter()]}, [("request-parameter-added-optional", "info")]),
        ({}, {"parameters": [parameter(required=True)]}, [("request-parameter-added-required", "breaking")]),
        ({"parameters": [parameter()]}, {}, [("request-parameter-removed", "warning")]),
        ({"parameters": [parameter(deprecated=True)]}, {}, [("request-parameter-removed", "info")]),
        (
            {"parameters": [parameter(deprecated=True, **{"x-sunset": SOON})]},
            {},
            [("request-parameter-removed", "breaking")],
        ),
        (
            {"parameters": [parameter()]},
            {"parameters": [parameter(required=True)]},
            [("request-parameter-became-required", "breaking")],
        ),
        (
            {"parameters": [parameter("query")]},
            {"parameters": [parameter("header")]},
            [("request-parameter-added-optional", "info"), ("request-parameter-moved", "breaking")],
        ),
        ({"parameters": [parameter("header", "X-A")]}, {"parameters": [parameter("header", "x-a")]}, []),
        ({"parameters": [parameter("header", "Authorization")]}, {}, []),
        (
            {"parameters": [parameter(schema={"type": "string", "default": "a"})]},
            {"parameters": [parameter(schema={"type": "string", "default": "b"})]},
            [("request-parameter-default-changed", "breaking")],
        ),
        (
            {"parameters": [parameter(required=True, schema={"type": "string", "default": "a"})]},
            {"parameters": [parameter(required=True, schema={"type": "string", "default": "b"})]},
            [],
        ),
        (
            {"parameters": [parameter(schema={"type": "integer"})]},
            {"parameters": [parameter(schema={"type": "string"})]},
            [("request-parameter-type-changed", "info")],
        ),
        (
            {"parameters": [parameter(schema={"type": "integer"})]},
            {"parameters": [parameter(schema={"type": "array", "items": {"type": "integer"}})]},
            [("request-parameter-type-changed", "info")],
        ),
        (
            {"parameters": [parameter(schema={"type": "integer"})]},
            {"parameters": [parameter(schema={"type": "array", "items": {"type": "integer"}, "minItems": 2})]},
            [("request-parameter-type-changed", "breaking")],
        ),
        (
            {"parameters": [parameter(schema={"type": "array"})]},
            {"parameters": [parameter(schema={"type": "array"}, explode=False)]},
            [("request-parameter-serialisation-changed", "breaking")],
        ),
        (
            {"parameters": [parameter(schema={"type": "array"})]},
            {"parameters": [parameter(schema={"type": "array"}, style="form", explode=True)]},
            [],
        ),
        (
            {"parameters": [parameter(allowEmptyValue=True)]},
            {"parameters": [parameter()]},
            [("request-parameter-empty-value-changed", "breaking")],
        ),
        (
            {"parameters": [parameter()]},
            {
                "parameters": [
                    {"name": "n", "in": "query", "content": {"application/json": {"schema": {"type": "string"}}}}
                ]
            },
            [("request-parameter-serialisation-changed", "breaking")],
        ),
        (
            {"parameters": [parameter(deprecated=True, **{"x-sunset": SOON})]},
            {"parameters": [parameter(deprecated=True, **{"x-sunset": PAST})]},
            [("request-parameter-sunset-earlier", "warning")],
        ),
    ],
)
def test_parameters(before: Any, after: Any, expected: Any) -> None:
    assert sorted(told(document(before), document(after))) == sorted(expected)


def test_a_path_parameter_may_be_called_otherwise() -> None:
    before, after = document(), document()
    before["paths"] = {"/a/{id}/{n}": {"get": {"parameters": [parameter("path", "id"), parameter("path", "n")]}}}
    after["paths"] = {"/a/{key}/{m}": {"parameters": [parameter("path", "m"), parameter("path", "key")], "get": {}}}
    assert told(before, after) == []


def test_a_parameter_may_stand_with_its_path_or_its_operation() -> None:
    before = document({"parameters": [parameter()]})
    after = document({})
    after["paths"]["/pictures"]["parameters"] = [parameter()]
    assert told(before, after) == []


BODY = {"application/json": {"schema": PICTURE}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"requestBody": {"content": BODY}}, [("request-body-added-optional", "info")]),
        ({}, {"requestBody": {"content": BODY, "required": True}}, [("request-body-added-required", "breaking")]),
        ({"requestBody": {"content": BODY}}, {}, [("request-body-removed", "breaking")]),
        (
            {"requestBody": {"content": BODY}},
            {"requestBody": {"content": BODY, "required": True}},
            [("request-body-became-required", "breaking")],
        ),
        (
            {"requestBody": {"content": BODY, "required": True}},
            {"requestBody": {"content": BODY}},
            [("request-body-became-optional", "info")],
        ),
        (
            asking(PICTURE),
            asking(PICTURE, "application/xml"),
            [("request-body-media-type-added", "info"), ("request-body-media-type-removed", "breaking")],
        ),
        (
            answering(PICTURE),
            answering(PICTURE, "application/xml"),
            [("response-body-media-type-added", "info"), ("response-body-media-type-removed", "breaking")],
        ),
        (
            answering(PICTURE),
            answering(PICTURE, "application/problem+json"),
            [("response-body-media-type-changed", "info")],
        ),
        (answering(PICTURE), answering(PICTURE, "application/*"), [("response-body-media-type-changed", "breaking")]),
        (answering(PICTURE), answering(PICTURE, "Application/JSON"), []),
        (
            answering(PICTURE),
            answering(PICTURE, "application/json; version=2"),
            [("response-body-media-type-changed", "info")],
        ),
        (
            answering({"type": "object"}, "text/xml"),
            answering({"type": "string"}, "text/xml"),
            [("response-body-type-changed", "breaking")],
        ),
        (
            asking({"type": "object"}, "text/xml"),
            asking({"type": "string"}, "text/xml"),
            [("request-body-type-changed", "info")],
        ),
        (
            asking({"properties": {"n": {"type": "integer"}}}, "application/x-www-form-urlencoded"),
            asking({"properties": {"n": {"type": "string"}}}, "application/x-www-form-urlencoded"),
            [("request-body-type-changed", "info")],
        ),
        (
            asking({"properties": {"n": {"type": "integer"}}}),
            asking({"properties": {"n": {"type": "string"}}}),
            [("request-body-type-changed", "breaking")],
        ),
        (
            {"requestBody": {"content": {"application/json": {}}}},
            asking(PICTURE),
            [
                ("request-body-type-changed", "breaking"),
                ("request-body-property-added", "info"),
                ("request-body-required-property-added", "breaking"),
            ],
        ),
        (
            {"requestBody": {"content": {"multipart/form-data": {"encoding": {"a": {"contentType": "image/png"}}}}}},
            {"requestBody": {"content": {"multipart/form-data": {}}}},
            [("request-body-encoding-changed", "warning")],
        ),
    ],
)
def test_bodies_and_their_types(before: Any, after: Any, expected: Any) -> None:
    assert sorted(told(document(before), document(after))) == sorted(expected)


def statuses(*codes: Any, **headers: Any) -> Any:
    return {"responses": {code: {"description": "x", **({"headers": headers} if headers else {})} for code in codes}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (statuses("200", "202"), statuses("200"), [("response-success-status-removed", "breaking")]),
        (statuses("200"), statuses("200", "202"), [("response-success-status-added", "info")]),
        (statuses("200", "404"), statuses("200"), [("response-non-success-status-removed", "info")]),
        (statuses("200"), statuses("2XX"), []),
        (statuses("2XX"), statuses("200", "202"), []),
        (statuses("200", "default"), statuses("200"), [("response-non-success-status-removed", "info")]),
        (statuses("200", A={"required": True}), statuses("200"), [("response-header-removed-required", "breaking")]),
        (statuses("200", A={}), statuses("200"), [("response-header-removed-optional", "warning")]),
        (statuses("200"), statuses("200", A={}), [("response-header-added", "info")]),
        (
            statuses("200", A={"required": True}),
            statuses("200", a={}),
            [("response-header-became-optional", "breaking")],
        ),
        (
            statuses("200", A={"schema": {"type": "integer"}}),
            statuses("200", A={"schema": {"type": "number"}}),
            [("response-header-type-changed", "breaking")],
        ),
        (
            statuses("200", A={"schema": {"type": "string"}}),
            statuses("200", A={"schema": {"type": "integer"}}),
            [("response-header-type-changed", "info")],
        ),
    ],
)
def test_answers_and_their_headers(before: Any, after: Any, expected: Any) -> None:
    assert told(document(before), document(after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, None, [("operation-removed", "breaking")]),
        (None, {}, [("operation-added", "info")]),
        ({"deprecated": True}, None, [("operation-removed", "info")]),
        ({"deprecated": True, "x-sunset": PAST}, None, [("operation-removed", "info")]),
        ({"deprecated": True, "x-sunset": SOON}, None, [("operation-removed", "breaking")]),
        ({"deprecated": True, "x-sunset": "soon"}, None, [("operation-removed", "breaking")]),
        ({"x-stability-level": "alpha"}, None, [("operation-removed", "info")]),
        ({}, {"deprecated": True}, [("operation-deprecated", "info")]),
        ({"deprecated": True}, {}, [("operation-reactivated", "info")]),
        (
            {},
            {"deprecated": True, "x-sunset": "soon"},
            [("operation-deprecated", "info"), ("operation-sunset-unreadable", "warning")],
        ),
        (
            {},
            {"deprecated": True, "x-sunset": PAST},
            [("operation-deprecated", "info"), ("operation-sunset-passed", "warning")],
        ),
        ({"deprecated": True, "x-sunset": SOON}, {"deprecated": True}, [("operation-sunset-removed", "warning")]),
        ({"x-stability-level": "beta"}, {"x-stability-level": "alpha"}, [("stability-lowered", "breaking")]),
        ({"x-stability-level": "beta"}, {}, [("stability-raised", "info")]),
        ({"operationId": "a"}, {"operationId": "b"}, [("operation-id-changed", "info")]),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, []),
        ({"tags": ["a"]}, {}, [("tags-changed", "info")]),
        ({"summary": "a", "description": "b"}, {"summary": "c"}, []),
    ],
)
def test_operations_and_what_was_announced_of_them(before: Any, after: Any, expected: Any) -> None:
    assert sorted(told(document(before), document(after))) == sorted(expected)


def test_whatever_happens_to_a_draft_is_only_worth_knowing() -> None:
    before, after = ({**asking(schema), "x-stability-level": "draft"} for schema in (wider(PICTURE), PICTURE))
    assert told(document(before), document(after)) == [("request-body-enum-value-removed", "info")]


def test_security_is_told_by_what_it_asks_for_not_by_its_name() -> None:
    key = {"type": "apiKey", "in": "header", "name": "k"}
    one = document({}, security=[{"a": []}], components={"securitySchemes": {"a": key}})
    other = document({}, security=[{"b": []}], components={"securitySchemes": {"b": key}})
    bearer = document(
        {}, security=[{"b": []}], components={"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}}
    )
    assert told(one, other) == []
    assert told(one, bearer) == [("security-added", "info"), ("security-removed", "info")]
    assert told(document({}), one) == [("security-added", "info"), ("security-removed", "info")]


def test_servers_come_and_go() -> None:
    one, other = document(servers=[{"url": "https://a.example/"}]), document(servers=[{"url": "https://b.example"}])
    assert told(one, other) == [("server-added", "info"), ("server-removed", "info")]
    assert told(one, document(servers=[{"url": "https://a.example"}])) == []


def marked(mark: Any, before: Any, after: Any) -> Any:
    return tuple(
        {"type": "object", "properties": {"n": {"type": "integer", mark: True, **more}}} for more in (before, after)
    )


def test_what_is_never_sent_or_never_received_harms_nobody() -> None:
    one, other = marked("readOnly", {"maximum": 9}, {"maximum": 8})
    assert told(document(asking(one)), document(asking(other))) == [("request-body-max-lowered", "info")]
    one, other = marked("writeOnly", {"maximum": 8}, {"maximum": 9})
    assert told(document(answering(one)), document(answering(other))) == [("response-body-max-raised", "info")]


def test_old_and_new_spellings_of_one_schema_are_no_change() -> None:
    old = {
        "type": "object",
        "properties": {"n": {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True}},
    }
    new = {"type": "object", "properties": {"n": {"type": ["null", "integer"], "exclusiveMinimum": 0}}}
    assert told(document(asking(old), version="3.0.3"), document(asking(new))) == []


def test_a_choice_of_constants_is_an_enum() -> None:
    listed = {"type": "string", "enum": ["a", "b"]}
    for word in ("oneOf", "anyOf"):
        chosen = {"type": "string", word: [{"const": "b", "title": "B"}, {"const": "a"}]}
        assert told(document(asking(listed)), document(asking(chosen))) == []
        assert told(document(answering(chosen)), document(answering(listed))) == []
    wider = {"oneOf": [{"const": "a"}, {"const": "b"}, {"const": "c"}]}
    assert told(document(answering({"enum": ["a", "b"]})), document(answering(wider))) == [
        ("response-body-enum-value-added", "warning")
    ]


def test_the_type_of_listed_values_goes_without_saying() -> None:
    bare, typed = {"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}
    for before, after in ((bare, typed), (typed, bare), (typed, {"oneOf": [{"const": "b"}, {"const": "a"}]})):
        assert told(document(answering(before)), document(answering(after))) == []
    mixed = {"enum": ["a", "b", 1]}
    assert ("response-body-type-changed", "breaking") in told(document(answering(typed)), document(answering(mixed)))


def test_json_is_utf_8_said_or_not() -> None:
    before, after = asking(PICTURE), asking(PICTURE, "application/json; charset=UTF-8")
    assert told(document(before), document(after)) == told(document(after), document(before)) == []


def test_a_null_that_is_no_longer_allowed_is_called_null() -> None:
    before, after = (document(answering({"enum": values})) for values in (["a", None], ["a"]))
    (found,) = drift(before, after)
    assert found.sentence == "The answer 200 may no longer be null"


def test_a_header_that_moved_to_the_query_is_told_as_moved_whatever_its_case() -> None:
    before, after = ({"parameters": [parameter(where, "X-Trace")]} for where in ("header", "query"))
    assert ("request-parameter-moved", "breaking") in told(document(before), document(after))
    assert ("request-parameter-moved", "breaking") in told(document(after), document(before))


def test_moved_and_renamed_components_are_no_change() -> None:
    inline = document(asking(PICTURE))
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/P"}}}}
    moved = document({"requestBody": {"$ref": "#/components/requestBodies/B"}})
    moved["components"] = {"schemas": {"P": PICTURE}, "requestBodies": {"B": body}}
    assert told(inline, moved) == told(moved, inline) == []


def test_descriptions_and_examples_are_no_drift() -> None:
    before = document(asking({"type": "string", "description": "a", "examples": ["x"]}))
    after = document(asking({"type": "string", "title": "b", "example": "y"}), info={"title": "Other", "version": "2"})
    assert told(before, after) == []


def test_findings_say_where_in_both_documents() -> None:
    before = yaml.safe_dump(document(asking(wider(PICTURE))), sort_keys=False)
    after = yaml.safe_dump(document(asking(PICTURE)), sort_keys=False)
    (found,) = drift(before, after)
    assert found.operation == "POST /pictures"
    assert found.sentence == "`size` in the request body may no longer be l"
    assert found.base.pointer == found.revision.pointer  # type: ignore[union-attr]
    assert found.base.pointer.endswith("/schema/properties/size/enum")  # type: ignore[union-attr]
    assert "enum:" in before.splitlines()[found.base.line - 1]  # type: ignore[operator, union-attr]
    assert "enum:" in after.splitlines()[found.revision.line - 1]  # type: ignore[operator, union-attr]
    assert str(found.revision) == f"b.yaml:{found.revision.line}"  # type: ignore[union-attr]


def test_findings_are_in_a_stable_order_and_each_is_told_once() -> None:
    found = drift(
        document({**asking(wider(PICTURE)), **statuses("200", "202")}), document({**asking(PICTURE), **statuses("404")})
    )
    assert in_order(reversed(found * 2)) == found
    assert worst(found) == "breaking"
    assert worst([]) is None


def test_several_documents_for_one_operation_are_told_apart_by_their_body() -> Any:
    def picture(model: Any, kind: Any) -> Any:
        schema = {"type": "object", "properties": {"model": {"enum": [model]}, "n": {"type": kind}}}
        return json.dumps(document(asking(schema)))

    def several(**files: Any) -> Any:
        sources = {name: parse_source(text, name) for name, text in files.items()}
        return build_side("x", sources, {name: each.data for name, each in sources.items()}, lambda *_: None)  # type: ignore[arg-type]

    before = several(a=picture("one", "string"), b=picture("two", "integer"))
    after = several(c=picture("two", "integer"), d=picture("one", "integer"))
    (found,) = compare_sides(before, after)
    assert (found.id, found.operation) == ("request-body-type-changed", "POST /pictures (model one)")
    (gone,) = compare_sides(before, several(a=picture("one", "string")))
    assert (gone.id, gone.operation) == ("operation-removed", "POST /pictures (model two)")


@pytest.mark.parametrize("name", built_in_names())
def test_a_provider_against_itself_has_no_drift(name: Any) -> None:

    assert compare_sides(read_provider(name), read_provider(name)) == []


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("- a\n", "a.yaml: is no OpenAPI document: it holds no object"),
        ("a: 1\n", "a.yaml: is no OpenAPI document: it has no `openapi`; expected OpenAPI 3.0 or 3.1"),
        ("swagger: '2.0'\n", "a.yaml:1: /swagger: is Swagger 2.0; expected OpenAPI 3.0 or 3.1"),
        ("openapi: 2.9\n", "a.yaml:1: /openapi: is 2.9; expected OpenAPI 3.0 or 3.1"),
        ("openapi: 3.1.0\npaths: []\n", "a.yaml:2: /paths: is []; expected an object"),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    parameters: {}\n",
            "a.yaml:4: /paths/~1a/parameters: is {}; expected a list",
        ),
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A:\n      $ref: '#/nowhere'\n",
            "a.yaml:5: /components/schemas/A/$ref: the reference '#/nowhere' leads nowhere",
        ),
        (
            "openapi: 3.1.0\ncomponents:\n  schemas:\n    A:\n      $ref: '#/components/schemas/A'\n",
            "a.yaml:5: /components/schemas/A/$ref: the reference '#/components/schemas/A' leads back to itself",
        ),
        ("openapi: 3.1.0\ncomponents:\n  schemas:\n    A:\n      $ref: 'b.yaml#/x'\n", "a.yaml: refers to b.yaml"),
        (
            "openapi: 3.1.0\ncomponents: {schemas: {A: {type: object, required: [1]}}}\n",
            "a.yaml:2: /components/schemas/A/required: is [1]; expected a list of names of properties",
        ),
        ("openapi: 3.1.0\na: [\n", "a.yaml:3: broken YAML"),
    ],
)
def test_a_broken_document_is_refused_with_one_line(broken: Any, message: Any) -> None:
    with pytest.raises(LoadError) as caught:
        side(broken)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_all_of_that_holds_itself_is_said() -> None:
    schema = {"allOf": [{"$ref": "#/components/schemas/A"}]}
    circle = document(asking({"$ref": "#/components/schemas/A"}), components={"schemas": {"A": schema}})
    with pytest.raises(LoadError, match="never ends"):
        drift(circle, circle)


def test_other_files_are_read_where_a_reference_names_them() -> None:
    split = side(document(asking({"$ref": "other.yaml#/schemas/P"})), other={"schemas": {"P": PICTURE}})

    (found,) = compare_sides(split, side(document(asking(wider(PICTURE)))))
    assert found.base.file == "other.yaml"  # type: ignore[union-attr]
    assert found.base.pointer == "/schemas/P/properties/size/enum"  # type: ignore[union-attr]
