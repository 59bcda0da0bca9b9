"""What a behaviour file says of the calls that a provider makes of its own, and of the account they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .contract import DEFAULT_PROVENANCE
from .reads import Read
from .signing import Signature

if TYPE_CHECKING:
    from .behaviour import Phase, Template


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of an account, free in its value.

    Attributes:
        name: the behaviour file's word for it.
        about: what it is for, in a sentence.
        secret: whether its value is to be masked wherever it is shown.
        provenance: documented, observed or assumed.
    """

    name: str
    about: str
    secret: bool = False
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a provider tells of a task without being asked. Durations are milliseconds.

    Attributes:
        url: runtime expression that finds the receiver's URL in the creation, or None.
        setting: name of the account's setting that holds the URL instead, or None.
        on: phases whose beginning is told, each with the event's name, or None where events have no names.
        body: template over `task`, `event`, `delivery_id`, `now`, `base` and `balance`.
        headers: template of the headers beside content type and signature, or None.
        signature: how a callback is signed once the account's secret is set; None where none ever is.
        timeout: how long one attempt may take.
        retries: the pauses between one attempt and the next; empty where a failed one is not repeated.
        jitter: the share by which a pause may be longer or shorter.
        received: HTTP statuses by which a receiver says that it has the callback.
        reads: where the body keeps the facts of the task.
        provenance: documented, observed or assumed.
    """

    url: str | None
    setting: str | None
    on: Mapping[Phase, str | None]
    body: Template
    headers: Template | None
    signature: Signature | None
    timeout: int
    retries: tuple[int, ...]
    jitter: float
    received: frozenset[int]
    reads: Mapping[str, Read]
    provenance: str = DEFAULT_PROVENANCE
