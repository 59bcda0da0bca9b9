"""Ways in which answers differ from what was answered before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from understudy.openapi.behaviour import Phase

from .answers import refusal, saying, telling
from .requests import key_place
from .wrapping import Asked, Scene, Told, put


def as_last_success(scene: Scene, asked: Asked, told: Told) -> Told:
    """Answer what is refused as invalid, or as unknown, with the last success of the same operation."""
    key = "success", asked.operation.name if asked.operation else ""
    found = refusal(scene, asked, told)
    if found is None:
        scene.memory[key] = told
        return told
    wrong = found.meaning in {"invalid-request", "not-found"}
    return scene.memory.get(key, told) if wrong else told


def same_id(scene: Scene, asked: Asked, told: Told) -> Told:
    identity = scene.memory.setdefault("id", scene.fact(asked, told, "id"))
    return scene.tell(asked, told, "id", identity)


def refused_as(name: str) -> Callable[[Scene, Asked, Told], Told]:
    """Return a change by which a refusal is told as the catalogue's error with that condition."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        assert asked.operation is not None
        entry = next(each for each in scene.provider.behaviour.errors.values() if name in each.when)
        data = told.data
        for pointer in asked.operation.refusal.code[:1]:
            data = put(data, pointer, entry.code)
        by_status = isinstance(entry.status, int) or told.status != 200
        status = (entry.status or int(entry.code)) if by_status else told.status
        return replace(told.with_data(data), status=status)

    return changed


def _account(scene: Scene, asked: Asked) -> bytes:
    return asked.header(key_place(scene)[0])


def charged_more(scene: Scene, asked: Asked, told: Told) -> Told:
    """Take seven credits more for each task than are told."""
    created = "created", _account(scene, asked)
    if asked.does == "create":
        scene.memory[created] = scene.memory.get(created, 0) + 1
    if asked.does != "balance":
        return told
    return telling("balance", lambda balance: balance - 7 * scene.memory.get(created, 0))(scene, asked, told)


def never_charged(scene: Scene, asked: Asked, told: Told) -> Told:
    """Tell the first balance for ever."""
    if asked.does != "balance":
        return told
    place = "balance", _account(scene, asked)
    return telling("balance", lambda balance: scene.memory.setdefault(place, balance))(scene, asked, told)


def never_returned(scene: Scene, asked: Asked, told: Told) -> Told:
    """Tell the lowest balance there ever was."""
    if asked.does != "balance":
        return told
    place = "lowest", _account(scene, asked)

    def lowest(balance: Any) -> Any:
        scene.memory[place] = min(balance, scene.memory.get(place, balance))
        return scene.memory[place]

    return telling("balance", lowest)(scene, asked, told)


def lagging_list(scene: Scene, asked: Asked, told: Told) -> Told:
    """List every task as it was at its beginning."""
    if asked.does != "list":
        return told
    body = told.body
    for name, status in scene.provider.behaviour.statuses.items():
        if status.phase is not Phase.PENDING:
            body = body.replace(f'"{name}"'.encode(), f'"{scene.word(Phase.PENDING)}"'.encode())
    return told.with_body(body)


def late_cancellation(scene: Scene, asked: Asked, told: Told) -> Told:
    """Answer a cancellation that comes too late with the last one that did not."""
    if asked.does != "cancel":
        return told
    if refusal(scene, asked, told) is None:
        scene.memory["cancelled"] = told
        return told
    accepted: Told = scene.memory.get("cancelled", told)
    return accepted


def first_polls_at_work(scene: Scene, asked: Asked, told: Told) -> Told:
    """Tell a task as being at work for its first polls, whatever it is."""
    if asked.does != "poll" or refusal(scene, asked, told) is not None:
        return told
    count = scene.memory[asked.task_id] = scene.memory.get(asked.task_id, 0) + 1
    return saying(Phase.PROCESSING)(scene, asked, told) if count < 6 else told
