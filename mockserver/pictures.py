"""Which picture a task stands for: decided by what was asked, made when it is first fetched."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from ..openapi.pointer import MISSING, resolve
from .chance import picture_seed
from .compiled import CompiledOperation
from .picture import PictureSpec, pixel_size
from .task import Task

DEFAULT_RESOLUTION = "1K"
MAX_RESULTS = 16
_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}


def asked(operation: CompiledOperation, body: Any, what: str, model: str = "") -> Any:
    """Return what `body` asks for under `what` (prompt, ratio, resolution, format, images, count), or None.

    What `model` can't vary is as it is, whatever was asked.
    """
    known = operation.owner.behaviour.models.get(model)
    if known is not None and what in known.fixed:
        return known.fixed[what]
    for pointer in getattr(operation.behaviour.input, what):
        value = resolve(body, pointer)
        if value is not MISSING and value is not None:
            return value
    return None


def extension(operation: CompiledOperation, body: Any, model: str) -> str:
    """Return the ending of the file that `body` asks for; ``png`` where it can't ask."""
    wanted = asked(operation, body, "format", model)
    return wanted if isinstance(wanted, str) and wanted in _FORMATS else "png"


def result_names(task: Task, body: Any) -> list[str]:
    """Return the names of the files that `task` results in; `body` is its creation's, with defaults applied."""
    ending = extension(task.operation, body, task.model)
    count = result_count(task.operation, body)
    if task.staging is not None and task.staging.results is not None:
        count = task.staging.results
    return [f"results/{task.id}/{number}.{ending}" for number in range(count)]


def result_count(operation: CompiledOperation, body: Any) -> int:
    """Return how many results `body` asks for."""
    wanted = asked(operation, body, "count")
    return int(wanted) if isinstance(wanted, int | float) and 0 < wanted <= MAX_RESULTS else 1


def full_body(task: Task) -> Any:
    """Return the body that created `task`, with the documented defaults."""
    variant = task.model if task.operation.variants else None
    return task.operation.with_defaults(orjson.loads(task.body or b"null"), variant)


def picture_of(task: Task, body: Any, number: int, auto_ratio: tuple[int, int] | None) -> PictureSpec:
    """Return the picture that `task` stands for.

    Args:
        task: the record.
        body: its creation's body with defaults applied.
        number: which of its results, from 0.
        auto_ratio: width and height of the first input picture, which the ratio ``auto`` follows.
    """
    operation = task.operation
    ratio = str(asked(operation, body, "ratio", task.model) or "1:1")
    if ratio == "auto":
        ratio = _kept_sane(*auto_ratio) if auto_ratio else "1:1"
    resolution = str(asked(operation, body, "resolution", task.model) or DEFAULT_RESOLUTION)
    width, height = _size(ratio, resolution, operation.owner.behaviour.sizes, operation.owner.behaviour.longest_side)
    format_ = _FORMATS[extension(operation, body, task.model)]
    prompt = str(asked(operation, body, "prompt") or "")
    lines = (prompt, task.model, f"{width} x {height} {format_}", task.id)
    return PictureSpec(width, height, format_, picture_seed(task.random) + number, lines)


def _size(ratio: str, resolution: str, sizes: Mapping[str, int], longest_side: bool) -> tuple[int, int]:  # noqa: FBT001
    size = sizes.get(resolution) or next(iter(sizes.values()))
    longest = size if longest_side else None
    try:
        return pixel_size(ratio, size, longest_side=longest)
    except ValueError:  # a provider that documents no list of ratios takes any text
        return pixel_size("1:1", size, longest_side=longest)


def _kept_sane(width: int, height: int) -> str:
    """Return the ratio of a picture, no further from square than 1:4."""
    return f"{width}:{height}" if width <= 4 * height and height <= 4 * width else "1:4" if height > width else "4:1"


def synthetic(url: str) -> PictureSpec:
    """Return the picture that stands for a foreign one, which is never fetched."""
    seed = int.from_bytes(blake2b(url.encode("utf-8", "replace"), digest_size=8).digest(), "big")
    return PictureSpec(512, 512, "png", seed, ("stands for", url))
