"""One task, whichever provider it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Our word for what a provider's status means."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def terminal(self) -> bool:
        """Whether a task in this phase stays in it."""
        return self in {Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED}


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task failed: the provider's code, or None, and its sentence, or ""."""

    code: str | int | None
    message: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stood when the provider was last asked.

    Attributes:
        id: the provider's id for it.
        provider: the provider's name.
        model: the model that makes it, or "" where neither request nor answer told.
        status: the provider's word for where it stands, or None where the answer told none.
        phase: our word for that.
        created: when it was created, in UTC, or None where the provider does not tell.
        updated: when it last changed, in UTC, or None.
        outputs: links to the results, once it is completed.
        error: why it failed, or None.
        progress: how much is done, as the provider counts (most count to 100), or None.
        credits: the credits it consumed, or None.
        operation: the operation that created it, or "" where that is not known.
        raw: the provider's whole answer.
    """

    id: str
    provider: str
    model: str = ""
    status: str | None = None
    phase: Phase = Phase.PENDING
    created: datetime | None = None
    updated: datetime | None = None
    outputs: tuple[str, ...] = ()
    error: TaskError | None = None
    progress: float | None = None
    credits: float | None = None
    operation: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
