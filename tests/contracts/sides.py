"""Sides of a comparison made from data, and small documents to make them of."""

from __future__ import annotations

from typing import Any

import yaml
from understudy.contracts.document import Side, build_side
from understudy.contracts.drift import compare_sides
from understudy.contracts.findings import Finding
from understudy.openapi.errors import LoadError
from understudy.openapi.source import Source, parse_source


def side(document: Any, name: str = "a.yaml", **others: Any) -> Side:
    """The side that `document` describes; `others` are files that it may refer to, without their ending."""
    source = parse_source(document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False), name)

    def read(file: str, holder: str) -> Source:
        if file.removesuffix(".yaml") not in others:
            raise LoadError(holder, f"refers to {file}")
        return parse_source(yaml.safe_dump(others[file.removesuffix(".yaml")]), file)

    return build_side(name, {name: source}, {name: source.data}, read)


def document(
    operation: dict[str, Any] | None = None, *, method: str = "post", version: str = "3.1.0", **more: Any
) -> dict[str, Any]:
    """A document of one operation."""
    made = {"openapi": version, "info": {"title": "Pictures", "version": "1"}, "paths": {}}
    if operation is not None:
        made["paths"] = {"/pictures": {method: {"responses": {"200": {"description": "ok"}}, **operation}}}
    return {**made, **more}


def asking(schema: Any, media: str = "application/json") -> dict[str, Any]:
    """An operation with a request body."""
    return {"requestBody": {"content": {media: {"schema": schema}}}}


def answering(schema: Any, media: str = "application/json") -> dict[str, Any]:
    """An operation with an answer."""
    return {"responses": {"200": {"description": "ok", "content": {media: {"schema": schema}}}}}


def drift(before: Any, after: Any) -> list[Finding]:
    """What changed between two documents."""
    return compare_sides(side(before), side(after, "b.yaml"))


def told(before: Any, after: Any) -> list[tuple[str, str]]:
    """(id, severity) of what changed between two documents."""
    return [(each.id, each.severity) for each in drift(before, after)]
