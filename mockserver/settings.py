"""What a server is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BODY_BYTES = 45_000_000
"""A picture of 30 MB in base64 fits; a body beyond this is refused as too large."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server plays its providers.

    Attributes:
        seed: decides whatever is random.
        start: the clocks' time at start, in milliseconds since the epoch; None is the real time.
        frozen: whether the clocks stand still.
        speed: how many times faster than real time the clocks run.
        instant: whether tasks are at their end as soon as they are created.
        keys: the only keys accepted, or None to accept every one that does not begin with ``invalid``.
        credits: the balance that every account starts with.
        limits: whether requests are refused for spent credits or exceeded rates.
        max_tasks: how many tasks are kept; the oldest finished go first.
        scenario: what every creation is played with that nothing else says something about, as in the header; or "".
        control: whether the control API is open.
        control_token: what a request to the control API must show, or None where being of this machine is enough.
        callback_allow: hosts beside loopback that callbacks may go to, each with a port, or None for every port.
        callback_timeout: the most real seconds that an attempt of a callback may take; None leaves it to the provider.
        virtual_signatures: whether callbacks are signed with the namespace's time instead of real time.
        public_url: what generated links begin with.
    """

    seed: int = 0
    start: int | None = None
    frozen: bool = False
    speed: float = 1.0
    instant: bool = False
    keys: frozenset[str] | None = None
    credits: float = 10_000
    limits: bool = True
    max_tasks: int = 1_000_000
    scenario: str = ""
    callback_allow: tuple[tuple[str, int | None], ...] = ()
    callback_timeout: float | None = None
    virtual_signatures: bool = False
    control: bool = True
    control_token: str | None = field(default=None, repr=False)
    public_url: str = "http://127.0.0.1:4020"
