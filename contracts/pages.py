"""Finding OpenAPI in documentation pages: fenced blocks of Markdown, `<pre>` and scripts of HTML.

A document keeps its lines: what is found is preceded by as many empty lines as the page has before it, so that a
line number means the page's.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from ..openapi.errors import LoadError
from ..openapi.source import Source, parse_source

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.MULTILINE)
_BLOCK = re.compile(r"<(?P<tag>pre|script|textarea)\b[^>]*>(?P<body>.*?)</(?P=tag)\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_OPENING = re.compile(r"""^[ \t]*(?:\{[ \t]*)?["']?(?:openapi|swagger)["']?\s*:\s*["']?\d""", re.MULTILINE)
_PATH = re.compile(r"^(/[^\s:]*):[ \t]*$", re.MULTILINE)
_STARTS = re.compile(r"""\A\s*(?:#[^\n]*\n\s*)*(?:---\s*\n\s*)?(?:\{\s*)?["']?(?:openapi|swagger)["']?\s*:""")
_MEMBER = re.compile(r"""^(?:\{\s*)?["']?(?:openapi|swagger)["']?[ \t]*:|\A\s*\{.*?^[ \t]*"(?:openapi|swagger)"\s*:""",
                     re.MULTILINE | re.DOTALL)  # fmt: skip
_LOST = re.compile(r"^openapi:[^\n]*\n(?:[^\n]*\n)*?info:[ \t]*\n(?:title|version|description):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A document found in a page.

    Attributes:
        source: the document, with lines as in the page.
        info: what the fence says beside the language: a file name, a method and a path, perhaps nothing.
        line: the page's line on which it begins.
    """

    source: Source
    info: str
    line: int


def is_page(name: str, text: str) -> bool:
    """Tell whether `text` is a page rather than a document of its own."""
    if name.lower().endswith((".md", ".mdx", ".markdown", ".html", ".htm")):
        return True
    return not (name.lower().endswith((".yaml", ".yml", ".json")) or _STARTS.match(text) or text.lstrip()[:1] == "{")


def find_documents(text: str, name: str) -> list[Found]:
    """Return the OpenAPI documents in the page `text`.

    Raises:
        LoadError: there is none, with what could be seen of one; or one is broken.
    """
    found = []
    for body, line, info in _blocks(text):
        if _MEMBER.search(body):
            source = parse_source("\n" * (line - 1) + body, name)
            found.append(Found(source, info, line))
    if not found:
        raise why_none(text, name)
    return found


def _blocks(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield (text, line, info) of every block of `text` that may hold a document."""
    end = 0
    for opening in _FENCE.finditer(text):
        if opening.start() < end:
            continue
        closing = re.compile(rf"^[ \t]*{re.escape(opening['mark'])}[`~]*[ \t]*$", re.MULTILINE).search(
            text, opening.end()
        )
        end = closing.end() if closing else len(text)
        body = text[opening.end() + 1 : closing.start() if closing else len(text)]
        _, _, info = opening["info"].strip().partition(" ")
        yield textwrap.dedent(body), text.count("\n", 0, opening.end()) + 2, info.strip()
    for block in _BLOCK.finditer(text):
        body = html.unescape(_TAG.sub("", block["body"])) if block["tag"].lower() == "pre" else block["body"]
        skipped = len(body) - len(body.lstrip("\r\n"))
        line = text.count("\n", 0, block.start("body")) + body[:skipped].count("\n") + 1
        yield textwrap.dedent(body[skipped:]), line, ""


def why_none(text: str, name: str) -> LoadError:
    """Return the error that says what a page without OpenAPI has instead."""
    lost = _LOST.search(text)
    if lost is not None:
        line = text.count("\n", 0, lost.start()) + 1
        paths = list(dict.fromkeys(_PATH.findall(text)))
        told = f"; its paths ({', '.join(paths[:5])}) can be read" if paths else ""
        problem = (
            "holds an OpenAPI document that lost its indentation, so that nobody can tell which fields belong to which "
            f"object, nor what each `required` and `type` speaks of{told}"
        )
        return LoadError(name, problem, line=line, expected="the page's source, or the document itself")
    opening = _OPENING.search(text)
    if opening is not None:
        line = text.count("\n", 0, opening.start()) + 1
        return LoadError(
            name, "speaks of OpenAPI outside any block of code", line=line, expected="a fenced block or <pre>"
        )
    problem = (
        "holds no OpenAPI, only prose: methods, paths, types, limits and what is required can't be told "
        "from its other words"
    )
    return LoadError(name, problem, expected="a page with an OpenAPI document in a block of code")
