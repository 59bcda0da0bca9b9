from typing import Any

import pytest
from understudy.openapi.bundle import Bundle, component_name
from understudy.openapi.errors import LoadError


def schemas(**by_name: Any) -> dict[str, Any]:
    """A document with these schemas."""
    return {"components": {"schemas": by_name}}


def ref(target: str) -> dict[str, str]:
    """A reference to the schema of that name, in this document or in another one."""
    file, _, name = target.rpartition("#")
    return {"$ref": f"{file}#/components/schemas/{name}"}


def test_a_local_and_a_cross_file_reference_become_components() -> None:
    bundle = Bundle({"a.yaml": schemas(A={"type": "string"}), "b.yaml": schemas(B={"items": ref("A")}, A={"const": 1})})
    adopted = bundle.adopt({"anyOf": [ref("A"), ref("b.yaml#B")]}, "schema", "a.yaml")
    assert adopted == {"anyOf": [ref("A"), ref("B")]}
    assert bundle.components == {"schemas": {"A": {"type": "string"}, "A-2": {"const": 1}, "B": {"items": ref("A-2")}}}


def test_a_circular_reference_is_followed_once() -> None:
    tree = {"properties": {"children": {"items": ref("Tree")}, "other": ref("b.yaml#Leaf")}}
    bundle = Bundle({"a.yaml": schemas(Tree=tree), "b.yaml": schemas(Leaf={"anyOf": [ref("a.yaml#Tree"), {}]})})
    assert bundle.adopt(ref("Tree"), "schema", "a.yaml") == ref("Tree")
    assert bundle.components["schemas"] == {
        "Tree": {"properties": {"children": {"items": ref("Tree")}, "other": ref("Leaf")}},
        "Leaf": {"anyOf": [ref("Tree"), {}]},
    }


def test_documents_that_define_a_name_alike_share_it_and_others_get_a_number() -> None:
    same = {"a.yaml": schemas(A={"const": 1}), "b.yaml": schemas(A={"const": 1}), "c.yaml": schemas(A={"const": 2})}
    bundle = Bundle(same)
    assert [bundle.adopt(ref("A"), "schema", name) for name in same] == [ref("A"), ref("A"), ref("A-2")]
    assert bundle.adopt(ref("b.yaml#A"), "schema", "c.yaml") == ref("A")
    assert bundle.components == {"schemas": {"A": {"const": 1}, "A-2": {"const": 2}}}


def test_an_empty_schema_is_not_taken_for_one_that_is_still_being_adopted() -> None:
    bundle = Bundle({"a.yaml": schemas(A={"properties": {"any": ref("b.yaml#A")}}), "b.yaml": schemas(A={})})
    bundle.adopt(ref("A"), "schema", "a.yaml")
    assert bundle.components == {"schemas": {"A": {"properties": {"any": ref("A-2")}}, "A-2": {}}}


def test_a_reference_may_lead_anywhere_in_a_document() -> None:
    document = {"paths": {"/a": {"get": {"responses": {"200": {"description": "A"}}}}}, "x": {"y/z": {"const": 1}}}
    bundle = Bundle({"a.yaml": document, "b.yaml": {"const": 2}})
    assert bundle.adopt({"$ref": "a.yaml#/x/y~1z"}, "schema", "b.yaml") == ref("y-z")
    assert bundle.adopt({"$ref": "b.yaml"}, "schema", "a.yaml") == ref("b")
    response = {"$ref": "#/paths/~1a/get/responses/200"}
    assert bundle.adopt(response, "response", "a.yaml") == {"$ref": "#/components/responses/200"}
    assert bundle.components["responses"] == {"200": {"description": "A"}}


def test_examples_and_links_are_followed_as_well() -> None:
    document = {
        "components": {"examples": {"One": {"value": {"$ref": "data"}}}, "links": {"Next": {"operationId": "b"}}}
    }
    media = {"examples": {"one": {"$ref": "#/components/examples/One"}}}
    response = {"content": {"application/json": media}, "links": {"next": {"$ref": "#/components/links/Next"}}}
    bundle = Bundle({"a.yaml": document})
    assert bundle.adopt(response, "response", "a.yaml") == response
    assert bundle.components == document["components"]


def test_the_mapping_of_a_discriminator_is_followed_by_name_and_by_reference() -> None:
    bundle = Bundle({"a.yaml": schemas(Cat={"const": 1}, Dog={"const": 2}), "b.yaml": {}})
    mapping = {"cat": "Cat", "dog": "#/components/schemas/Dog"}
    adopted = bundle.adopt({"discriminator": {"propertyName": "kind", "mapping": mapping}}, "schema", "a.yaml")
    assert adopted["discriminator"]["mapping"] == {"cat": ref("Cat")["$ref"], "dog": ref("Dog")["$ref"]}
    assert set(bundle.components["schemas"]) == {"Cat", "Dog"}


@pytest.mark.parametrize("discriminator", ["kind", {"propertyName": "kind"}, {"mapping": ["a"]}])
def test_a_discriminator_without_a_mapping_is_left_alone(discriminator: Any) -> None:
    assert Bundle({"a.yaml": {}}).adopt({"discriminator": discriminator}, "schema", "a.yaml") == {
        "discriminator": discriminator
    }


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("#/components/schemas/B", "leads nowhere; expected one of a.yaml, b.yaml, and a place in it"),
        ("c.yaml#/components/schemas/A", "leads nowhere; expected one of a.yaml, b.yaml, and a place in it"),
        ("https://example.com/a.yaml", "leads nowhere; expected one of a.yaml, b.yaml, and a place in it"),
        ("../secret.yaml", "leads nowhere; expected one of a.yaml, b.yaml, and a place in it"),
        ("#/components/schemas/A", "leads back to itself"),
        ("b.yaml#/components/schemas/B", "leads back to itself"),
        ("http://[", "is no reference: Invalid IPv6 URL"),
    ],
)
def test_a_broken_reference_is_refused_with_its_file_and_place(target: str, sentence: str) -> None:
    documents = {"a.yaml": schemas(A={"$ref": target}), "b.yaml": schemas(B={"$ref": "a.yaml#/components/schemas/A"})}
    with pytest.raises(LoadError) as caught:
        Bundle(documents).adopt(ref("A"), "schema", "a.yaml")
    assert str(caught.value).endswith(sentence)
    assert caught.value.file in documents
    assert caught.value.pointer in {"/components/schemas/A/$ref", ""}


def test_a_reference_to_itself_is_found_also_where_something_stands_beside_it() -> None:
    bundle = Bundle({"a.yaml": schemas(A=ref("A") | {"description": "no end"})})
    with pytest.raises(LoadError, match="leads back to itself"):
        bundle.adopt(ref("A"), "schema", "a.yaml")


def test_a_component_is_added_under_its_name_or_a_numbered_one() -> None:
    bundle = Bundle({})
    values = [{"const": 1}, {"const": 2}, {"const": 1}, {"const": 3}]
    assert [bundle.add("schemas", "A", value) for value in values] == [
        "#/components/schemas/A",
        "#/components/schemas/A-2",
        "#/components/schemas/A",
        "#/components/schemas/A-3",
    ]


@pytest.mark.parametrize(
    ("text", "name"), [("a.b_c-D9", "a.b_c-D9"), ("google/nano", "google-nano"), ("größe", "gr--e"), ("", "-")]
)
def test_the_name_of_a_component_holds_only_what_openapi_allows(text: str, name: str) -> None:
    assert component_name(text) == name
