"""OpenAPI found in pages, with the page's lines."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.contracts.pages import find_documents, is_page
from understudy.openapi.errors import LoadError

DOCUMENT = "openapi: 3.1.0\ninfo:\n  title: Pictures\npaths: {}\n"
MARKDOWN = f"# Pictures\n\nDraws.\n\n````yaml pictures.json post /v1/pictures\n{DOCUMENT}````\n\nMore.\n"


def test_a_fenced_block_is_a_document_with_the_pages_lines() -> None:
    (found,) = find_documents(MARKDOWN, "page.md")
    assert found.source.data["info"] == {"title": "Pictures"}
    assert (found.line, found.info) == (6, "pictures.json post /v1/pictures")
    assert found.source.line_of("/info/title") == MARKDOWN[: MARKDOWN.index("  title")].count("\n") + 1


def test_several_blocks_fences_of_both_kinds_and_indented_ones() -> None:
    indented = "".join(f"   {line}\n" for line in DOCUMENT.splitlines())
    text = f"```js\nopenapi()\n```\n~~~yaml\n{DOCUMENT}~~~\n1. so\n\n   ```yaml\n{indented}   ```\n```\n{DOCUMENT}"
    assert [each.source.data["openapi"] for each in find_documents(text, "page.md")] == ["3.1.0"] * 3


@pytest.mark.parametrize(
    "block",
    [
        "<pre><code>\n{}</code></pre>",
        "<script type='application/yaml'>\n{}</script>",
        "<PRE class=x>{}</PRE >",
    ],
)
def test_html_holds_documents_too(block: Any) -> None:
    text = "<html>\n<p>Draws</p>\n" + block.replace("{}", DOCUMENT.replace("Pictures", "A &amp; <b>B</b>")) + "</html>"
    (found,) = find_documents(text, "page.html")
    assert "A &" in found.source.data["info"]["title"]
    assert found.source.line_of("/info") == text[: text.index("info:")].count("\n") + 1


def test_json_in_a_block_is_a_document() -> None:
    (found,) = find_documents('```json\n{"openapi": "3.0.3",\n "paths": {}}\n```\n', "page.md")
    assert found.source.data["openapi"] == "3.0.3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Prose\nModel: picture, one of two.\n", "page.txt: holds no OpenAPI, only prose"),
        (
            "Copy\nopenapi: 3.0.0\ninfo:\ntitle: Pictures\npaths:\n/a:\npost:\n",
            "page.txt:2: holds an OpenAPI document that lost its indentation",
        ),
        ("see\n\n  openapi: 3.0.0\n  info: {}\n", "page.txt:3: speaks of OpenAPI outside any block"),
        ("```yaml\nopenapi: 3.0.0\na: [\n```\n", "page.txt:"),
    ],
)
def test_a_page_without_a_document_says_what_it_has_instead(text: Any, message: Any) -> None:
    with pytest.raises(LoadError) as caught:
        find_documents(text, "page.txt")
    assert str(caught.value).startswith(message)


def test_a_page_is_told_from_a_document() -> None:
    assert is_page("a.md", DOCUMENT)
    assert is_page("a.txt", MARKDOWN)
    assert is_page("page", "<html></html>")
    assert not is_page("a.txt", DOCUMENT)
    assert not is_page("a", '{"openapi": "3.1.0"}')
    assert not is_page("a.yaml", "nothing: here")
