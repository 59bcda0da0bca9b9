"""Ways in which an answer is changed, said in terms of facts and so for any provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from understudy.openapi.behaviour import Phase
from understudy.openapi.pointer import MISSING, join, resolve
from understudy.openapi.refusals import read_refusal

from .wrapping import Asked, Scene, Told, put

ENDED = {Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED}
WORKING = {Phase.PENDING, Phase.PROCESSING}
DONE = {Phase.COMPLETED}
FAILED = {Phase.FAILED}


def when(does: str, change: Callable[[Scene, Asked, Told], Told]) -> Callable[[Scene, Asked, Told], Told]:
    """Return `change`, done to accepting answers of operations that do `does`."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        return change(scene, asked, told) if asked.does == does and refusal(scene, asked, told) is None else told

    return changed


def refusal(scene: Scene, asked: Asked, told: Told) -> Any:
    if asked.operation is None:
        return None
    return read_refusal(scene.provider.behaviour, asked.operation, told.status, told.data)


def on_refusal(
    meaning: str, change: Callable[[Scene, Asked, Told], Told], does: str = ""
) -> Callable[[Scene, Asked, Told], Told]:
    """Return `change`, done to refusals of that meaning, of operations that do `does` or of all."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        found = refusal(scene, asked, told)
        fits = found is not None and meaning in {found.meaning, "any"} and does in {asked.does, ""}
        return change(scene, asked, told) if fits else told

    return changed


def in_phase(phases: set[Phase], change: Callable[[Scene, Asked, Told], Told]) -> Callable[[Scene, Asked, Told], Told]:
    """Return `change`, done to polls that tell one of `phases`."""
    return when(
        "poll", lambda scene, asked, told: change(scene, asked, told) if scene.phase(asked, told) in phases else told
    )


def again(key: str, phases: set[Phase], change: Callable[[Scene, Asked, Told], Told], seen: int = 1) -> Any:
    """Return `change`, done to polls of a task that was polled `seen` times in one of `phases` already."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        count = scene.memory.get((key, asked.task_id), 0)
        scene.memory[key, asked.task_id] = count + 1
        return change(scene, asked, told) if count >= seen else told

    return in_phase(phases, changed)


def telling(name: str, value: Callable[[Any], Any]) -> Callable[[Scene, Asked, Told], Told]:
    """Return a change by which an answer says another value of the fact `name`, made of the one it says."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        said = scene.fact(asked, told, name)
        return told if said is MISSING else scene.tell(asked, told, name, value(said))

    return changed


def without(name: str) -> Callable[[Scene, Asked, Told], Told]:
    """Return a change by which an answer does not say the fact `name` any more."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        pointer = scene.pointer(asked, told, name)
        return told if pointer is None else told.with_data(put(told.data, pointer, MISSING))

    return changed


def added(pointer_of: str, name: str, value: Any) -> Callable[[Scene, Asked, Told], Told]:
    """Return a change by which a member `name` stands beside the fact `pointer_of`."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        pointer = scene.pointer(asked, told, pointer_of)
        if pointer is None:
            return told
        beside = pointer.rpartition("/")[0] + join(name)
        return told.with_data(put(told.data, beside, value))

    return changed


def saying(word: Phase) -> Callable[[Scene, Asked, Told], Told]:
    return lambda scene, asked, told: scene.tell(asked, told, "status", scene.word(word))


def later(value: Any, milliseconds: int) -> Any:
    """Return a time as a provider tells it, some milliseconds later."""
    from understudy.openapi.times import iso, parse_time  # noqa: PLC0415

    if isinstance(value, str):
        return iso(parse_time(value) + milliseconds)
    return value + milliseconds


def raised_status(status: int) -> Callable[[Scene, Asked, Told], Told]:
    return lambda _scene, _asked, told: replace(told, status=status)


def typed(media_type: bytes) -> Callable[[Scene, Asked, Told], Told]:
    return lambda _scene, _asked, told: told.with_header(b"content-type", media_type)


def cut_short(_scene: Scene, _asked: Asked, told: Told) -> Told:
    return told.with_body(told.body[: len(told.body) * 2 // 3])


def broken_inside(scene: Scene, asked: Asked, told: Told) -> Told:
    """Break JSON that stands inside a string."""
    for name in ("outputs", "input"):
        read = asked.operation.reads.get(name) if asked.operation else None
        for pointer in read.pointers if read else ():
            outer, inside, _ = pointer.partition("#")
            text = resolve(told.data, outer)
            if inside and isinstance(text, str) and text:
                return told.with_data(put(told.data, outer, text[:-1]))
    return told


def code(value: Any) -> Callable[[Scene, Asked, Told], Told]:
    def changed(_scene: Scene, asked: Asked, told: Told) -> Told:
        assert asked.operation is not None
        for pointer in asked.operation.refusal.code:
            if resolve(told.data, pointer) is not MISSING:
                return told.with_data(put(told.data, pointer, value))
        return told

    return changed


def unreadable(scene: Scene, asked: Asked, told: Told) -> Told:
    """Answer as if there were no such task."""
    unknown = scene.memory.get("unknown")
    return told if unknown is None else unknown


def unknown_noted(then: Callable[[Scene, Asked, Told], Told]) -> Callable[[Scene, Asked, Told], Told]:
    """Keep in mind how an unknown task is refused, then do `then`."""

    def changed(scene: Scene, asked: Asked, told: Told) -> Told:
        if asked.does == "poll" and refusal(scene, asked, told) is not None and asked.task_id:
            scene.memory["unknown"] = told
        return then(scene, asked, told)

    return changed


def header(name: bytes, value: bytes | None) -> Callable[[Scene, Asked, Told], Told]:
    """Return a change by which an answer has another header `name`, or none."""
    return lambda _scene, _asked, told: told.with_header(name, value)


def stray_page(_scene: Scene, asked: Asked, told: Told) -> Told:
    """Answer what is no operation with a page."""
    if asked.operation is not None:
        return told
    return replace(told.with_body(b"<h1>Not found</h1>").with_header(b"content-type", b"text/html"), status=404)


def bare(_scene: Scene, _asked: Asked, told: Told) -> Told:
    """Leave out every header but those of the body."""
    return replace(told, headers=tuple(each for each in told.headers if each[0].startswith(b"content-")))
