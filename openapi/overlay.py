"""OpenAPI Overlay 1.0 and 1.1: visible corrections, applied to documents as they were published.

One overlay serves every document of a folder: an action is applied wherever its target matches, and an
action that matches in none of them is an error. ``x-document`` narrows an action to the named files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonpath_rfc9535 as jsonpath

from .errors import shorten
from .pointer import join
from .source import Source

VERSIONS = ("1.0", "1.1")


@dataclass(frozen=True, slots=True)
class _Action:
    """One action of an overlay, its target compiled."""

    pointer: str
    target: jsonpath.JSONPathQuery
    fields: Mapping[str, Any]
    concatenates: bool


def apply_overlay(documents: Mapping[str, Any], overlay: Source) -> dict[str, Any]:
    """Return copies of `documents` (file name → data) with the actions of `overlay` applied in order.

    Raises:
        LoadError: the overlay is malformed, or one of its actions matches nothing.
    """
    changed = {name: _copied(data) for name, data in documents.items()}
    for action in _actions(overlay):
        names = _names(action, changed, overlay)
        matched = sum(_apply(action, changed, name, overlay) for name in names)
        if not matched:
            shown = ", ".join(names)
            raise overlay.error(f"{action.pointer}/target", f"matches nothing: {action.target}", f"a match in {shown}")
    return changed


def _copied(data: Any) -> Any:
    """Return a copy of `data` that shares nothing inside: what a YAML alias repeats is changed in one place alone."""
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(value) for value in data] if isinstance(data, list) else data


def _actions(overlay: Source) -> list[_Action]:
    data = overlay.data
    version = str(data.get("overlay", "")) if isinstance(data, dict) else ""
    if version.rpartition(".")[0] not in VERSIONS:
        raise overlay.error("/overlay", f"is {version!r}", "an Overlay of version 1.0.x or 1.1.x")
    actions = data.get("actions")
    if not isinstance(actions, list) or not actions:
        raise overlay.error("/actions", "is missing or empty", "a list of actions")
    return [_action(overlay, number, fields, version) for number, fields in enumerate(actions)]


def _action(overlay: Source, number: int, fields: Any, version: str) -> _Action:
    pointer = join("actions", number)
    if not isinstance(fields, dict) or not isinstance(fields.get("target"), str):
        raise overlay.error(pointer, f"is {shorten(fields)}", "an action with a target")
    modern = not version.startswith("1.0")
    known = {"target", "description", "update", "remove", *(["copy"] if modern else [])}
    if unknown := [key for key in fields if key not in known and not key.startswith("x-")]:
        raise overlay.error(join("actions", number, unknown[0]), "is not known", ", ".join(sorted(known)))
    _check_change(overlay, pointer, fields)
    return _Action(pointer, _compiled(overlay, pointer + "/target", fields["target"]), fields, modern)


def _check_change(overlay: Source, pointer: str, fields: Mapping[str, Any]) -> None:
    if not isinstance(fields.get("remove", False), bool):
        raise overlay.error(f"{pointer}/remove", f"is {shorten(fields['remove'])}", "true or false")
    if not isinstance(fields.get("copy", ""), str):
        raise overlay.error(f"{pointer}/copy", f"is {shorten(fields['copy'])}", "a JSONPath")
    if "update" in fields and "copy" in fields:
        raise overlay.error(pointer, "has both update and copy", "one of them")
    if not (fields.get("remove") or "update" in fields or "copy" in fields):
        raise overlay.error(pointer, "changes nothing", "update, remove or copy")


def _compiled(overlay: Source, pointer: str, text: str) -> jsonpath.JSONPathQuery:
    try:
        return jsonpath.compile(text)
    except jsonpath.JSONPathError as error:
        raise overlay.error(pointer, f"{text!r} is no JSONPath: {error}") from None


def _names(action: _Action, documents: Mapping[str, Any], overlay: Source) -> list[str]:
    wanted = action.fields.get("x-document", list(documents))
    names = wanted if isinstance(wanted, list) else [wanted]
    for name in names:
        if not isinstance(name, str) or name not in documents:
            raise overlay.error(f"{action.pointer}/x-document", f"no document {name!r}", ", ".join(documents))
    return names


def _apply(action: _Action, documents: dict[str, Any], name: str, overlay: Source) -> int:
    document = documents[name]
    locations = {node.location for node in action.target.find(document)}  # a query may select a node twice
    # From the last to the first and from the inside out, so that the places still to come stay where they are.
    ordered = sorted(locations, reverse=True)
    if action.fields.get("remove") is True:
        for location in ordered:
            _remove(action, document, location, overlay)
    elif locations:
        value = _value(action, document, overlay)
        for location in ordered:
            documents[name] = _update(action, documents[name], location, value, overlay)
    return len(locations)


def _value(action: _Action, document: Any, overlay: Source) -> Any:
    if "copy" not in action.fields:
        return action.fields["update"]
    source = list(_compiled(overlay, action.pointer + "/copy", action.fields["copy"]).find(document))
    if len(source) != 1:
        raise overlay.error(f"{action.pointer}/copy", f"selects {len(source)} nodes", "exactly one")
    return source[0].value


def _holder(document: Any, location: tuple[int | str, ...]) -> Any:
    for token in location[:-1]:
        document = document[token]
    return document


def _remove(action: _Action, document: Any, location: tuple[int | str, ...], overlay: Source) -> None:
    if not location:
        raise overlay.error(f"{action.pointer}/target", "removes the whole document", "a part of it")
    del _holder(document, location)[location[-1]]


def _update(action: _Action, document: Any, location: tuple[int | str, ...], value: Any, overlay: Source) -> Any:
    holder = _holder(document, location)
    target = holder[location[-1]] if location else document
    merged = _merged(action, target, _copied(value), overlay)
    if not location:
        return merged
    holder[location[-1]] = merged
    return document


def _merged(action: _Action, target: Any, value: Any, overlay: Source) -> Any:
    if isinstance(target, dict):
        if not isinstance(value, dict):
            raise overlay.error(f"{action.pointer}/update", f"is {shorten(value)}", "an object to merge")
        return _merge(target, value)
    if isinstance(target, list):
        concatenated = action.concatenates and isinstance(value, list)
        return target + value if concatenated else [*target, value]
    if action.concatenates and not isinstance(value, dict | list):
        return value
    expected = "a target that is an object or a list (a primitive needs Overlay 1.1 and a primitive value)"
    raise overlay.error(f"{action.pointer}/target", f"selects {shorten(target)}", expected)


def _merge(target: Any, value: Any) -> Any:
    """Return `target` with `value` merged in: objects by key, lists one after the other, the rest replaced."""
    if isinstance(target, dict) and isinstance(value, dict):
        return target | {key: _merge(target[key], new) if key in target else new for key, new in value.items()}
    if isinstance(target, list) and isinstance(value, list):
        return target + value
    return value
