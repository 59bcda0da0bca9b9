"""A callback's life as values: what is sent, when it is tried again, and what became of each attempt."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import orjson

from ..openapi.behaviour import Phase
from ..openapi.callbacks import Callbacks
from ..openapi.masking import mask_header
from ..openapi.signing import sign
from ..openapi.times import iso
from .chance import draw
from .scenario import Play
from .task import Task

DeliveryState = Literal["pending", "delivered", "given-up", "blocked", "cancelled"]
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
STALE_SECONDS = 3600


@dataclass(slots=True)
class Attempt:
    """One try: when it began (the namespace's time and real time), what was sent, and how it ended."""

    time: int
    real_time: int
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    response: str = ""
    error: str = ""
    milliseconds: float = 0.0


@dataclass(slots=True)
class Delivery:
    """One callback's life.

    Attributes:
        id: its name in the control API, and the message's id where the provider's callbacks have one.
        number: the how-manieth of its namespace it is.
        provider: the provider's name.
        task: what it tells of.
        url: where it goes.
        phase: the phase whose beginning it tells.
        event: the provider's name for that, or None.
        moment: when that phase begins, in the namespace's time.
        due: when the next attempt begins, in the namespace's time.
        plays: the faults it is played with.
        body: what is sent, rendered for the first attempt.
        copies: how many more times it is sent although it was received.
    """

    id: str
    number: int
    provider: str
    task: Task
    url: str
    phase: Phase
    event: str | None
    moment: int
    due: int
    plays: tuple[Play, ...] = ()
    body: bytes = b""
    copies: int = 0
    state: DeliveryState = "pending"
    reason: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    def fault(self, name: str) -> Play | None:
        """Return the play of the fault called `name`, if it is played with it."""
        return next((play for play in self.plays if play.does.get("callback") == name), None)

    def wire_fault(self) -> Play | None:
        """Return the fault on the wire that the attempt under way is played with, if there is one."""
        number = len(self.attempts)
        wire = (play for play in self.plays if play.kind == "wire")
        return next((play for play in wire if play.times is None or number <= play.times), None)

    def end(self, state: DeliveryState, reason: str = "") -> None:
        """Come to an end."""
        self.state, self.reason = state, reason


def next_due(callbacks: Callbacks, attempts: int, now: int, random: bytes) -> int | None:
    """Return when to try again after `attempts` failed ones, or None where that is all the provider does."""
    if attempts > len(callbacks.retries):
        return None
    pause = callbacks.retries[attempts - 1]
    fraction = int.from_bytes(random[:4], "big") / (1 << 32) * 2 - 1
    return now + max(0, round(pause * (1 + callbacks.jitter * fraction)))


def jitter_of(seed: int, namespace: str, delivery: Delivery) -> bytes:
    """Return the bytes that decide the pause before the delivery's next attempt."""
    return draw(seed, namespace, delivery.number, f"attempt {len(delivery.attempts)}")


def request_of(
    callbacks: Callbacks, delivery: Delivery, secret: str | None, signed_at: int, extra: Mapping[str, str]
) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an attempt; `signed_at` is in milliseconds since the epoch.

    Raises:
        SecretError: the secret can't be used with the provider's scheme.
    """
    body = delivery.body
    headers = {"content-type": "application/json", "user-agent": "understudy", **extra}
    if delivery.fault("wrong-content-type"):
        headers["content-type"] = "text/plain"
    if delivery.fault("malformed"):
        body = body[: len(body) * 2 // 3]
    signature = callbacks.signature
    if signature is not None and secret and not delivery.fault("unsigned"):
        timestamp = signed_at // 1000 - (STALE_SECONDS if delivery.fault("stale-timestamp") else 0)
        signed = sign(
            signature, secret, task_id=delivery.task.id, message_id=delivery.id, timestamp=timestamp, body=body
        )
        if delivery.fault("bad-signature"):
            signed[signature.signature] = spoiled_signature(signed[signature.signature])
        headers |= signed
    if delivery.fault("altered-body"):
        body = altered(body)
    return headers, body


def spoiled_signature(signature: str) -> str:
    """Return a signature of the same form as `signature` that is wrong."""
    version, comma, digest = signature.rpartition(",")
    raw = bytearray(base64.b64decode(digest))
    raw[0] ^= 0xFF
    return version + comma + base64.b64encode(bytes(raw)).decode()


def altered(body: bytes) -> bytes:
    """Return `body` as somebody on the way may have changed it: the same data and a field more, or a space."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        data = None
    return orjson.dumps({**data, "understudyAltered": True}) if isinstance(data, dict) else body + b" "


def delivery_shown(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the control API shows it."""
    callbacks = delivery.task.operation.owner.behaviour.callbacks
    signature = callbacks.signature.signature.lower() if callbacks and callbacks.signature else ""
    return {
        "id": delivery.id,
        "provider": delivery.provider,
        "task": delivery.task.id,
        "url": delivery.url,
        "event": delivery.event,
        "phase": delivery.phase,
        "state": delivery.state,
        "reason": delivery.reason or None,
        "due": iso(delivery.due) if delivery.state == "pending" else None,
        "played": ", ".join(play.text for play in delivery.plays) or None,
        "attempts": [
            {
                "time": iso(each.time),
                "real_time": iso(each.real_time),
                "milliseconds": round(each.milliseconds, 3),
                "headers": _masked(each.headers, signature),
                "body": each.body.decode("utf-8", "replace"),
                "status": each.status,
                "response": each.response,
                "error": each.error or None,
            }
            for each in delivery.attempts
        ],
    }


def _masked(headers: Mapping[str, str], signature: str) -> dict[str, str]:
    return {
        name: mask_header(name.lower().encode(), value.encode(), secret=name.lower() == signature).decode()
        for name, value in headers.items()
    }
