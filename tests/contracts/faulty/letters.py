"""Ways in which callbacks are changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from understudy.mockserver.faulty_sender import Message
from understudy.openapi.behaviour import Phase
from understudy.openapi.signing import Signature

from .wrapping import Scene


def letters(change: Callable[[Scene, bytes], bytes]) -> Callable[[Scene, Message], list[Message]]:
    return lambda scene, message: [replace(message, body=change(scene, message.body))]


def signature_of(scene: Scene) -> Signature:
    """Return how the provider signs its callbacks."""
    callbacks = scene.provider.behaviour.callbacks
    assert callbacks is not None
    assert callbacks.signature is not None
    return callbacks.signature


def signature_header(scene: Scene) -> str:
    return signature_of(scene).signature


def headers(change: Callable[[Scene, dict[str, str]], dict[str, str]]) -> Callable[[Scene, Message], list[Message]]:
    return lambda scene, message: [replace(message, headers=change(scene, dict(message.headers)))]


def dropped(phases: set[Phase]) -> Callable[[Scene, Message], list[Message]]:
    return lambda scene, message: [] if scene.letter_phase(message.body) in phases else [message]


def received_whatever(_scene: Scene, _message: Message, outcome: Any) -> Any:
    return replace(outcome, status=200, error="")


def never_received(_scene: Scene, _message: Message, outcome: Any) -> Any:
    return replace(outcome, status=500)


def signed_with_another_secret(scene: Scene, headers: dict[str, str]) -> dict[str, str]:
    name = signature_header(scene)
    value = headers.get(name, "")
    swapped = value.replace(value[-2], "A" if value[-2] != "A" else "B") if value else value
    return {**headers, name: swapped} if value else headers


def renamed_message(scene: Scene, headers: dict[str, str]) -> dict[str, str]:
    scene.memory["letters"] = scene.memory.get("letters", 0) + 1
    return {**headers, signature_of(scene).id: f"msg_{scene.memory['letters']}"}
