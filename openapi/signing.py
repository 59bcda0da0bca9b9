"""Signing callbacks and telling whether a signature is right: pure functions, for whoever sends and whoever receives.

Two schemes are known. ``task-timestamp`` is the base64 of an HMAC-SHA256, keyed with the secret as it is, over the
task's id, a full stop and the timestamp; the body is not covered. ``standard-webhooks`` is the one of
https://www.standardwebhooks.com: the secret is ``whsec_`` and base64, what is signed is ``id.timestamp.body``, and
the header may hold several signatures, each after its version.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Scheme = Literal["task-timestamp", "standard-webhooks"]
Reason = Literal["missing", "malformed", "stale", "wrong"]
Text = str | bytes

TOLERANCE = 300_000
"""Milliseconds by which a timestamp may be off, either way, unless the caller says otherwise."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret and is none
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_BASE64_DIGEST = re.compile(r"[A-Za-z0-9+/]{43}=")


class HasItems(Protocol):
    """Headers as most frameworks hand them over: pairs by ``items()``."""

    def items(self) -> Iterable[tuple[Text, Text]]:
        """Return name and value of each header."""
        ...


Headers = HasItems | Iterable[tuple[Text, Text]]
"""A mapping, or pairs as ASGI has them; names in any case, names and values as text or bytes."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a provider signs its callbacks.

    Attributes:
        scheme: what is signed, and how.
        secret: the name of the account's setting that holds the secret.
        timestamp: the header that tells when it was signed, in Unix seconds.
        signature: the header that holds the signature.
        id: the header that holds the message's id; "" where the scheme has none.
    """

    scheme: Scheme
    secret: str
    timestamp: str
    signature: str
    id: str = ""


class SecretError(ValueError):
    """A secret that nothing can be signed with. The message does not show it."""


class SignatureError(ValueError):
    """A signature that does not prove anything.

    Attributes:
        reason: ``missing`` (no signature), ``malformed`` (none that the scheme could have made), ``stale`` (right or
            not, it is too old or from the future), or ``wrong``.
        problem: one sentence; it shows neither secret nor signature.
    """

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


def task_signature(secret: str, task_id: str, timestamp: int | str) -> str:
    """Return the ``task-timestamp`` signature; `timestamp` is in Unix seconds.

    Raises:
        SecretError: `secret` is empty.
    """
    return _digest(_key("task-timestamp", secret), f"{task_id}.{timestamp}".encode("utf-8", "surrogatepass"))


def message_signature(secret: str, message_id: str, timestamp: int | str, body: bytes) -> str:
    """Return the Standard Webhooks signature of `body`, ``v1,…``; `timestamp` is in Unix seconds.

    Raises:
        SecretError: `secret` is no ``whsec_`` and base64.
    """
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + _digest(_key("standard-webhooks", secret), signed)


def check_secret(scheme: Scheme, secret: str) -> None:
    """Do nothing where `secret` can be used with `scheme`.

    Raises:
        SecretError: it can't; the message says what one looks like.
    """
    _key(scheme, secret)


def sign(
    signature: Signature, secret: str, *, task_id: str, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers that sign a callback; `timestamp` is in Unix seconds.

    Raises:
        SecretError: `secret` can't be used with the scheme.
    """
    headers = {signature.id: message_id} if signature.id else {}
    headers[signature.timestamp] = str(timestamp)
    if signature.scheme == "task-timestamp":
        headers[signature.signature] = task_signature(secret, task_id, timestamp)
    else:
        headers[signature.signature] = message_signature(secret, message_id, timestamp, body)
    return headers


def verify(  # noqa: PLR0913 - what was received, and what it is judged by
    signature: Signature, secret: str, *, headers: Headers, task_id: str | None, body: bytes, now: int,
    tolerance: int | None = TOLERANCE,
) -> None:  # fmt: skip
    """Do nothing where the callback of `headers` and `body` was signed with `secret`, not long ago.

    Args:
        task_id: the id that the body tells, or None where it tells none.
        now: the receiver's real time, in milliseconds since the epoch.
        tolerance: milliseconds by which the timestamp may be off; None accepts any.

    Raises:
        SignatureError: it was not, or too long ago, or its headers are malformed.
        SecretError: `secret` can't be used with the scheme.
    """
    key = _key(signature.scheme, secret)
    timestamp = _header(headers, signature.timestamp)
    sent = _header(headers, signature.signature)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("malformed", f"{signature.timestamp} is no time in Unix seconds")
    if signature.scheme == "task-timestamp":
        if task_id is None:
            raise SignatureError("malformed", "the body tells no task id, which the signature covers")
        candidates, signed = [sent], f"{task_id}.{timestamp}".encode("utf-8", "surrogatepass")
    else:
        message_id = _header(headers, signature.id)
        candidates = [each[3:] for each in sent.split(" ") if each.startswith("v1,")]
        signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    candidates = [each for each in candidates if _BASE64_DIGEST.fullmatch(each)]
    if not candidates:
        raise SignatureError("malformed", f"{signature.signature} holds no signature of the scheme")
    expected = _digest(key, signed)
    # All candidates are compared, so that the time taken does not tell which of them came near.
    if sum(hmac.compare_digest(expected, each) for each in candidates) == 0:
        raise SignatureError("wrong", f"{signature.signature} is not the signature of this callback")
    _check_age(int(timestamp) * 1000, now, tolerance)


def _check_age(moment: int, now: int, tolerance: int | None) -> None:
    if tolerance is None or abs(now - moment) <= tolerance:
        return
    seconds = abs(now - moment) // 1000
    when = "ago" if now > moment else "in the future"
    raise SignatureError("stale", f"it was signed {seconds} s {when}; at most {tolerance // 1000} s are tolerated")


def _key(scheme: Scheme, secret: str) -> bytes:
    if scheme == "task-timestamp":
        if not secret:
            raise SecretError("the secret is empty; expected the key that the provider showed")
        return secret.encode("utf-8", "surrogatepass")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        key = b""
    if not key:
        raise SecretError(f"the secret is not of the form {SECRET_PREFIX} and base64")
    return key


def _digest(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _header(headers: Headers, name: str) -> str:
    values = set(find_headers(headers, name))
    if not values:
        raise SignatureError("missing", f"the header {name} is missing")
    if len(values) > 1:
        raise SignatureError("malformed", f"the header {name} is there {len(values)} times, with different values")
    return values.pop()


def find_headers(headers: Headers, name: str) -> list[str]:
    """Return the values of the header `name`, in whichever case it was sent."""
    pairs = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers
    wanted = name.lower()
    return [_text(value).strip(" \t") for each, value in pairs if _text(each).lower() == wanted]


def _text(value: Text) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
