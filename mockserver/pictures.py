"""Which picture a task stands for: decided by what was asked, made when it is first fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..openapi.pointer import MISSING, resolve
from .chance import picture_seed
from .compiled import CompiledOperation
from .picture import PictureSpec, pixel_size
from .task import Task

DEFAULT_RESOLUTION = "1K"
_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}


def asked(operation: CompiledOperation, body: Any, what: str) -> Any:
    """Return what `body` asks for under `what` (prompt, ratio, resolution, format, images, count), or None."""
    for pointer in getattr(operation.behaviour.input, what):
        value = resolve(body, pointer)
        if value is not MISSING and value is not None:
            return value
    return operation.behaviour.fixed.get(what)


def extension(operation: CompiledOperation, body: Any) -> str:
    """Return the ending of the file that `body` asks for; ``png`` where it can't ask."""
    wanted = asked(operation, body, "format")
    return wanted if wanted in _FORMATS else "png"


def full_body(task: Task) -> Any:
    """Return the body that created `task`, with the documented defaults."""
    return task.operation.with_defaults(orjson.loads(task.body), task.model if task.operation.variants else None)


def picture_of(task: Task, body: Any, number: int, auto_ratio: tuple[int, int] | None) -> PictureSpec:
    """Return the picture that `task` stands for.

    Args:
        task: the record.
        body: its creation's body with defaults applied.
        number: which of its results, from 0.
        auto_ratio: width and height of the first input picture, which the ratio ``auto`` follows.
    """
    operation = task.operation
    ratio = str(asked(operation, body, "ratio") or "1:1")
    if ratio == "auto":
        ratio = f"{auto_ratio[0]}:{auto_ratio[1]}" if auto_ratio else "1:1"
    resolution = str(asked(operation, body, "resolution") or DEFAULT_RESOLUTION)
    width, height = _size(ratio, resolution, operation.owner.behaviour.sizes, operation.owner.behaviour.longest_side)
    format_ = _FORMATS[extension(operation, body)]
    prompt = str(asked(operation, body, "prompt") or "")
    lines = (prompt, task.model, f"{width} x {height} {format_}", task.id)
    return PictureSpec(width, height, format_, picture_seed(task.random) + number, lines)


def _size(ratio: str, resolution: str, sizes: Mapping[str, int], longest_side: bool) -> tuple[int, int]:  # noqa: FBT001
    size = sizes.get(resolution) or next(iter(sizes.values()))
    if longest_side:
        return pixel_size(ratio, size * size, longest_side=size)
    return pixel_size(ratio, size)


def synthetic(url: str) -> PictureSpec:
    """Return the picture that stands for a foreign one, which is never fetched."""
    seed = int.from_bytes(url.encode()[-8:].rjust(8, b"\0"), "big")
    return PictureSpec(512, 512, "png", seed, ("stands for", url))
