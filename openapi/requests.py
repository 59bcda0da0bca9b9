"""What of a schema concerns requests: how a body is judged, and how a parameter's text is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from .structure import rewrite


def for_requests(schema: Any) -> Any:
    """Return `schema` without requiring what only answers carry (`readOnly`)."""

    def change(kind: str, node: dict[str, Any]) -> Any:
        properties = node.get("properties", {})
        read_only = {name for name, each in properties.items() if isinstance(each, dict) and each.get("readOnly")}
        if kind == "schema" and read_only and "required" in node:
            node["required"] = [name for name in node["required"] if name not in read_only]
        return node

    return rewrite(schema, "schema", change)


def for_requests_all(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schemas`, each as requests are judged by it."""
    return {name: for_requests(schema) for name, schema in schemas.items()}


def text_reader(schema: Any) -> Callable[[str], Any]:
    """Return the function that reads a parameter's text as the type that `schema` names."""
    kinds = schema.get("type") if isinstance(schema, dict) else None
    wanted = set(kinds) if isinstance(kinds, list) else {kinds}

    def read(text: str) -> Any:
        if wanted & {"integer", "number", "boolean"}:
            try:
                return orjson.loads(text)
            except orjson.JSONDecodeError:
                return text
        return [text] if "array" in wanted else text

    return read
