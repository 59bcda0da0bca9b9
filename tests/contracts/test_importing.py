"""Documents from pages, ready to be a provider's folder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from understudy.contracts.importing import behaviour_to_fill_in, imported
from understudy.contracts.pages import find_documents
from understudy.contracts.reading import read_page
from understudy.openapi.errors import LoadError
from understudy.openapi.source import parse_source

TEXT = """openapi: 3.1.0
info: {title: "Pictures: draw"}
servers: [{url: https://api.acme.example}]
paths:
  /v1/pictures:
    post: {operationId: draw, responses: {}}
  /v1/pictures/{id}:
    get: {responses: {}}
"""


def found(text: str = TEXT, info: str = "yaml") -> Any:
    (each,) = find_documents(f"# Draw\n\n```{info}\n{text}```\n", "page.md")
    return each


def test_a_document_is_kept_as_it_was_with_its_address_and_day() -> None:
    made = imported(found(), "https://acme.example/docs/draw.md", "2026-01-31")
    assert made.text == f"# Found at https://acme.example/docs/draw.md, line 4, on 2026-01-31.\n{TEXT}"
    assert parse_source(made.text, "x.yaml").data == made.data


@pytest.mark.parametrize(
    ("info", "text", "name"),
    [
        ("yaml docs/draw.json post /v1", TEXT, "draw.yaml"),
        ("yaml api/openapi.yaml", TEXT, "pictures-draw.yaml"),
        ("yaml", "openapi: 3.1.0\n", "page.yaml"),
    ],
)
def test_a_document_is_named_after_what_the_page_calls_it(info: Any, text: Any, name: Any) -> None:
    assert imported(found(text, info), "https://acme.example/docs/page.html", "2026-01-31").name == name


def test_names_that_are_taken_are_numbered() -> None:
    assert imported(found(), "p", "2026-01-31", ["pictures-draw.yaml"]).name == "pictures-draw-2.yaml"
    assert imported(found("openapi: 3.1.0\n"), "", "2026-01-31").name == "openapi.yaml"


def test_json_becomes_yaml_that_says_the_same() -> None:
    made = imported(
        found(json.dumps({"openapi": "3.1.0", "info": {"title": "é: 1"}, "paths": {}}) + "\n", "json"),
        "p",
        "2026-01-31",
    )
    assert parse_source(made.text, made.name).data == made.data


def test_the_behaviour_file_says_what_is_known_and_what_is_left_to_say() -> None:
    text = behaviour_to_fill_in([imported(found(), "p", "2026-01-31")])
    told = parse_source(text, "behaviour.yaml").data
    assert told["title"] == "Pictures: draw"
    assert told["base_url"] == "https://api.acme.example"
    assert told["operations"] == {
        "draw": {"on": "POST /v1/pictures"},
        "GET-v1-pictures-id": {"on": "GET /v1/pictures/{id}"},
    }
    assert "# statuses: " in text


def test_what_a_page_holds_has_to_load(tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text("```yaml\nopenapi: 3.1.0\npaths: []\n```\n")
    with pytest.raises(LoadError, match=r"page\.md:3: /paths: is \[\]; expected an object"):
        read_page(str(page))
    page.write_text("```yaml\nopenapi: 3.1.0\n```\n")
    address, (each,) = read_page(str(page))
    assert (address, each.line) == (str(page), 2)
