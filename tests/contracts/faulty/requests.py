"""Ways in which a request is changed before the emulator gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from understudy.openapi.pointer import MISSING, resolve

from .wrapping import Asked, Scene, Told, put


def body(change: Callable[[Scene, Asked, Any], Any]) -> Callable[[Scene, Asked], Asked | Told]:
    """Return a change of the bodies of creations."""

    def changed(scene: Scene, asked: Asked) -> Asked | Told:
        data = asked.data
        if asked.does != "create" or not isinstance(data, dict):
            return asked
        return replace(asked, body=orjson.dumps(change(scene, asked, data)))

    return changed


def prompt(asked: Asked) -> str:
    return asked.operation.input.prompt[0] if asked.operation and asked.operation.input.prompt else "/prompt"


def mended(test: Callable[[Any], bool], value: Any) -> Callable[[Scene, Asked, Any], Any]:
    """Return a change that makes the prompt right where it is wrong in a certain way: it is accepted then."""

    def changed(_scene: Scene, asked: Asked, data: Any) -> Any:
        return put(data, prompt(asked), value) if test(resolve(data, prompt(asked))) else data

    return changed


def mended_choices(_scene: Scene, asked: Asked, data: Any) -> Any:
    """Take away every choice but the known ones, so that an unknown one is accepted."""
    assert asked.operation is not None
    for place in (*asked.operation.input.ratio, *asked.operation.input.resolution, *asked.operation.input.format):
        if resolve(data, place) is not MISSING:
            data = put(data, place, MISSING)
    return data


def key_place(scene: Scene) -> tuple[bytes, bytes]:
    """Return the header that carries a key."""
    for scheme in scene.provider.contract.components["securitySchemes"].values():
        if scheme["type"] == "apiKey":
            return scheme["name"].lower().encode(), b""
    return b"authorization", b"Bearer "


def keyless_accepted(scene: Scene, asked: Asked) -> Asked:
    name, word = key_place(scene)
    if asked.header(name):
        scene.memory.setdefault("key", asked.header(name))
        return asked
    return asked.with_header(name, scene.memory.get("key", word + scene.provider.behaviour.key_prefix.encode() + b"k"))


def any_scheme_accepted(scene: Scene, asked: Asked) -> Asked:
    name, word = key_place(scene)
    prefix = word + scene.provider.behaviour.key_prefix.encode()
    value = asked.header(name)
    return asked if not value or value.startswith(prefix) else asked.with_header(name, prefix + b"stranger")


def blind_to_owners(scene: Scene, asked: Asked) -> Asked:
    name, _ = key_place(scene)
    owners = scene.memory.setdefault("owners", {})
    if asked.does == "create":
        scene.memory["creating"] = asked.header(name)
    return asked.with_header(name, owners[asked.task_id]) if asked.task_id in owners else asked


def owners_noted(scene: Scene, asked: Asked, told: Told) -> Told:
    identity = scene.fact(asked, told, "id") if asked.does == "create" else MISSING
    if identity is not MISSING:
        scene.memory.setdefault("owners", {})[identity] = scene.memory["creating"]
    return told


def other_method(_scene: Scene, asked: Asked) -> Asked:
    return replace(asked, method="GET") if asked.method in {"DELETE", "PUT", "PATCH"} else asked


def any_type(_scene: Scene, asked: Asked) -> Asked:
    known = asked.header(b"content-type").startswith((b"application/json", b"multipart", b"application/x-www"))
    return asked if known or not asked.body else asked.with_header(b"content-type", b"application/json")


def unknown_at_first(scene: Scene, asked: Asked) -> Asked:
    """Know nothing of a task for its first sixteen polls."""
    count = scene.memory[asked.task_id] = scene.memory.get(asked.task_id, 0) + 1
    if asked.does != "poll" or not asked.task_id or count > 16:
        return asked
    other = asked.task_id[:-4] + asked.task_id[-4:][::-1].translate(str.maketrans("0123456789", "9876543210"))
    changed = asked.query.replace(asked.task_id, other)
    return replace(asked, path=asked.path.replace(asked.task_id, other), query=changed)


def forgetful_of_keys(_scene: Scene, asked: Asked) -> Asked:
    """Know of no idempotency keys."""
    expression = asked.operation.idempotency if asked.operation else None
    if expression is None:
        return asked
    if expression.startswith("$request.header."):
        return asked.with_header(expression.rpartition(".")[2].lower().encode(), None)
    return replace(asked, body=orjson.dumps(put(asked.data, expression.partition("#")[2], MISSING)))


def any_path(_scene: Scene, asked: Asked) -> Asked | Told:
    """Answer whatever path with an empty success."""
    if asked.operation is not None or not asked.path.strip("/"):
        return asked
    return Told(200, ((b"content-type", b"application/json"), (b"content-length", b"2")), b"{}")


def without_pictures(_scene: Scene, asked: Asked, data: Any) -> Any:
    """Spoil a creation that hands over pictures."""
    assert asked.operation is not None
    handed = any(resolve(data, each) not in (MISSING, None, []) for each in asked.operation.input.images)
    return put(data, prompt(asked), 5) if handed else data


def without_choices(_scene: Scene, asked: Asked, data: Any) -> Any:
    """Spoil a creation that chooses a ratio."""
    assert asked.operation is not None
    return data if all(resolve(data, each) is MISSING for each in asked.operation.input.ratio) else {}
