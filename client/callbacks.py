"""Callbacks as they come in: whether the provider sent them, and what they tell.

Whatever bytes come in, only `CallbackRejected` comes out; what the caller passes wrongly is a `ConfigurationError`.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Any

import orjson

from ..openapi.callbacks import Callbacks
from ..openapi.provider import Provider
from ..openapi.reads import read
from ..openapi.signing import Headers, SecretError, SignatureError, find_headers, verify
from .answers import read_task
from .errors import CallbackRejected, ConfigurationError, ProtocolViolation
from .target import ProviderLike, load
from .task import Task

TOLERANCE = 300.0
MAX_BODY_BYTES = 4 * 1024 * 1024
"""A callback beyond this is none: what a provider tells of a task are a few links."""


def verify_callback(
    provider: ProviderLike,
    headers: Headers,
    body: bytes,
    secret: str,
    *,
    now: float | None = None,
    tolerance: float | None = TOLERANCE,
) -> None:
    """Do nothing where the provider signed this callback, not long ago.

    Args:
        provider: whose callback it is.
        headers: a mapping, or pairs as ASGI has them.
        body: the body as it came, before anything parsed it.
        secret: the key that the provider signs with.
        now: the time in Unix seconds; the system's by default.
        tolerance: seconds by which the signature's time may be off, either way; None accepts any.

    Raises:
        CallbackRejected: it was not signed with the secret, or too long ago; the `reason` tells which.
        ConfigurationError: the provider signs no callbacks, or `secret` is no secret of the kind it uses.
    """
    loaded = _loaded(provider)
    signature = _callbacks(loaded).signature
    if signature is None:
        raise ConfigurationError(f"{loaded.name} signs no callbacks: there is nothing to verify")
    moment = time.time() if now is None else now
    try:
        verify(
            signature,
            secret,
            headers=headers,
            task_id=_task_id(loaded, body) if signature.scheme == "task-timestamp" else None,
            body=body,
            now=round(moment * 1000),
            tolerance=None if tolerance is None else round(tolerance * 1000),
        )
    except SignatureError as error:
        raise CallbackRejected(error.reason, error.problem) from None
    except SecretError as error:
        raise ConfigurationError(str(error)) from None


def parse_callback(provider: ProviderLike, headers: Headers, body: bytes) -> Task:
    """Return the task that a callback tells of, without asking who sent it: see `verify_callback` for that.

    Raises:
        CallbackRejected: it is no callback of the provider's, or about something else than a task.
        ConfigurationError: the provider sends no callbacks.
    """
    loaded = _loaded(provider)
    callbacks = _callbacks(loaded)
    for value in find_headers(headers, "content-type"):
        media_type = value.partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise CallbackRejected("malformed", f"it is of type {media_type[:80]}; expected application/json")
    data = _parsed(body)
    if isinstance(data, dict) and "id" not in read(callbacks.reads, data):
        raise CallbackRejected("other", "it tells no task's id, so it is about something else")
    try:
        return read_task(loaded, callbacks.reads, data)
    except ProtocolViolation as error:
        raise CallbackRejected("malformed", str(error)) from None


def _loaded(provider: ProviderLike) -> Provider:
    return provider if isinstance(provider, Provider) else _load_once(os.fspath(provider))


@lru_cache(maxsize=64)
def _load_once(provider: str) -> Provider:
    # A receiver verifies thousands of callbacks of the same few providers.
    return load(provider)


def _callbacks(provider: Provider) -> Callbacks:
    callbacks = provider.behaviour.callbacks
    if callbacks is None:
        raise ConfigurationError(f"{provider.name} sends no callbacks")
    return callbacks


def _parsed(body: bytes) -> Any:
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRejected("malformed", f"its body is larger than {MAX_BODY_BYTES:,} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise CallbackRejected("malformed", "its body is no JSON") from None


def _task_id(provider: Provider, body: bytes) -> str | None:
    found = read(_callbacks(provider).reads, _parsed(body)).get("id")
    return found if isinstance(found, str) else None
