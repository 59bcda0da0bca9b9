"""New documentation becomes a provider's folder: documents as they were found, and a behaviour file to be filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from ..openapi.structure import METHODS
from .document import mapping
from .pages import Found

_UNSAID = "https://to.be.said.example"
_HEAD = """\
# What OpenAPI can't say of this provider. What has a `?` is left to say: docs/behaviour.md has the words.
understudy: 1"""
_QUESTIONS = """
# How are ids made?
# id: { format: ? }

# Which statuses does a task pass through, in which phase, for how long?
# statuses: { ?: { phase: pending, lasts: ? }, ?: { phase: completed }, ?: { phase: failed } }

# How does a task fail?
# failures: { failed: { code: ?, message: ? } }

# How does a refusal look, which errors are there, and when?
# refusal: { status: "{{ error.status }}", body: ? }
# errors: { ?: { status: ?, code: ?, message: ?, when: [?] } }

# What does each operation do, where is the task's id, and how does its answer look?
operations:"""
_FILE = re.compile(r"([\w.-]+)\.(?:ya?ml|json)\b")


@dataclass(frozen=True, slots=True)
class Imported:
    """A document ready to be written.

    Attributes:
        name: the file's name.
        text: what to write: the document as it was found, below a line that says where and when.
        data: what it says.
    """

    name: str
    text: str
    data: Any


def imported(found: Found, address: str, day: str, taken: Sequence[str] = ()) -> Imported:
    """Return the document `found` in the page at `address` on `day`, under a name that is not `taken`."""
    stem = name = _name(found, address)
    number = 2
    while f"{name}.yaml" in taken:
        name, number = f"{stem}-{number}", number + 1
    body = found.source.text.lstrip("\n").rstrip() + "\n"
    if body.lstrip().startswith("{"):
        body = _as_yaml(found.source.data)
    return Imported(
        f"{name}.yaml", f"# Found at {_one_line(address)}, line {found.line}, on {day}.\n{body}", found.source.data
    )


def _as_yaml(data: Any) -> str:
    import yaml  # noqa: PLC0415 - a JSON document has no place for the address

    text: str = yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=118)
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _name(found: Found, address: str) -> str:
    """Return a file's name: what the page calls the document, or its title, or the page's own name."""
    told = _FILE.search(found.info)
    title = mapping(mapping(found.source.data).get("info")).get("title")
    last = urlsplit(address).path.rstrip("/").rpartition("/")[2].rpartition(".")[0]
    for each in (told[1] if told and told[1] != "openapi" else "", str(title or ""), last):
        slug = re.sub(r"[^a-z0-9]+", "-", each.lower()).strip("-")
        if slug:
            return slug
    return "openapi"


def behaviour_to_fill_in(documents: Sequence[Imported]) -> str:
    """Return a behaviour file that says what the documents tell, and asks for what they do not."""
    first = mapping(documents[0].data)
    title = str(mapping(first.get("info")).get("title") or "To be named")
    servers = first.get("servers")
    server = mapping(servers[0]).get("url") if isinstance(servers, list) and servers else None
    lines = [_HEAD, f"title: {_quoted(title)}", f"base_url: {_quoted(str(server or _UNSAID))}", _QUESTIONS]
    for name, on in _operations(documents).items():
        lines += [
            f"  {name}:",
            f"    on: {_quoted(on)}",
            "    # does: ?  # create, poll, cancel, list, balance, upload, answer …",
        ]
        lines += ["    # answer: ?"]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _operations(documents: Sequence[Imported]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in documents:
        for path, item in mapping(mapping(each.data).get("paths")).items():
            for method in METHODS:
                operation = mapping(item).get(method)
                on = f"{method.upper()} {path}"
                if isinstance(operation, dict) and on not in found.values():
                    name = re.sub(r"[^A-Za-z0-9]+", "-", str(operation.get("operationId") or on)).strip("-")
                    while name in found:
                        name += "-2"
                    found[name] = on
    return found
