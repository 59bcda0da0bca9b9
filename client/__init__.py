"""The reference client: one way to speak to every provider."""

from __future__ import annotations

from ..openapi.validation import Problem
from .callbacks import parse_callback, verify_callback
from .client import AsyncClient, Client
from .errors import (
    CallbackRejected,
    ConfigurationError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    ProtocolViolation,
    RateLimited,
    Refused,
    TaskFailed,
    TransportFailed,
    Unauthorized,
    Unavailable,
    UnderstudyError,
    WaitTimedOut,
)
from .task import Phase, Task, TaskError

__all__ = [
    "AsyncClient",
    "CallbackRejected",
    "Client",
    "ConfigurationError",
    "InsufficientCredits",
    "InvalidRequest",
    "NotFound",
    "Phase",
    "Problem",
    "ProtocolViolation",
    "RateLimited",
    "Refused",
    "Task",
    "TaskError",
    "TaskFailed",
    "TransportFailed",
    "Unauthorized",
    "Unavailable",
    "UnderstudyError",
    "WaitTimedOut",
    "parse_callback",
    "verify_callback",
]
