"""Creations that are safe to repeat: the same key of an account gives the same task."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from .refusal import Refused
from .task import Task

if TYPE_CHECKING:
    from .call import Call

MAX_KEYS = 10_000
"""Keys that are known of an account; the oldest go first."""


def repeated_task(call: Call) -> Task | None:
    """Return the task that the call's key created before, None where it has no key or a new one.

    Raises:
        Refused: the key came with another body.
    """
    digest = _digest(call)
    task = None if digest is None else call.account.tasks.get(call.account.repeatable.get(digest, ""))
    kept_for = call.provider.behaviour.retention.tasks
    if task is None or (kept_for is not None and call.now >= task.created + kept_for):
        return None
    if task.body != call.request.body and orjson.loads(task.body or b"null") != call.request.json:
        raise Refused("request-invalid", f"the key of task {task.id} came with another body; expected the same one")
    return task


def remember_key(call: Call, task: Task) -> None:
    """Know the call's key, if it has one, by the `task` that it created."""
    digest = _digest(call)
    if digest is None:
        return
    known = call.account.repeatable
    known.pop(digest, None)
    known[digest] = task.id
    if len(known) > MAX_KEYS:
        del known[next(iter(known))]


def _digest(call: Call) -> bytes | None:
    """Return what a key is known by, with the operation it belongs to; it is as long whatever the key."""
    key = call.request.text(call.operation.behaviour.idempotency)
    if not key:
        return None
    return blake2b(f"{call.operation.name}\n{key}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
