"""The documented defaults of an operation's body, and a body with those of the fields that it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .contract import Contract, Operation
from .pointer import MISSING


def defaults_of(contract: Contract, operation: Operation) -> dict[str, Any]:
    """Return what `filled` needs, by the value that picks a variant; under "" where there are none."""
    schemas = operation.variants or {"": contract.body(operation)[1]}
    return {
        value: next((_default_of(contract.resolve, schema, 0) for schema in each.values()), None)
        for value, each in schemas.items()
    }


def filled(body: Any, defaults: Any) -> Any:
    """Return `body` with `defaults` where it has nothing."""
    if not isinstance(defaults, _Tree) or not isinstance(body, dict):
        return body
    whole = defaults.leaves | body
    for name, tree in defaults.branches.items():
        if name in whole:
            whole[name] = filled(whole[name], tree)
    return whole


def _default_of(resolve_reference: Callable[[Any], Any], schema: Any, depth: int) -> Any:
    """Return the tree of defaults in `schema`: an object of those of its properties, a value, or `MISSING`."""
    schema = resolve_reference(schema)
    if not isinstance(schema, dict) or depth > 8:
        return MISSING
    if "default" in schema:
        return schema["default"]
    found = {}
    for part in (schema, *map(resolve_reference, schema.get("allOf", ()))):
        if not isinstance(part, dict):
            continue
        for name, each in part.get("properties", {}).items():
            default = _default_of(resolve_reference, each, depth + 1)
            if default is not MISSING:
                found[name] = default
    return _Tree(found) if found else MISSING


class _Tree:
    """Defaults of an object's properties, told apart from a default that is an object.

    Attributes:
        leaves: the values of those that have one.
        branches: the defaults in those that are objects, should they be there.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.branches = {name: each for name, each in found.items() if isinstance(each, _Tree)}
        self.leaves = {name: each for name, each in found.items() if name not in self.branches}
