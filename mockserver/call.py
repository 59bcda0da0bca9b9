"""A request on its way through the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .account import Account
from .compiled import CompiledOperation, CompiledProvider
from .direction import NOTHING, Direction
from .exchange import Exchange
from .namespace import Namespace
from .refusal import Refused
from .request import RequestView
from .task import Task

if TYPE_CHECKING:
    from .emulator import Emulator


class Call:
    """A request on its way through: what is known of it so far, and what its answer is made of.

    Attributes:
        direction: what scenarios make of it.
        base: what links to the provider begin with.
        now: the namespace's time.
        variant: the value that picks the operation's variant, once the request was judged.
    """

    __slots__ = (
        "_context",
        "_task",
        "account",
        "base",
        "direction",
        "emulator",
        "exchange",
        "namespace",
        "now",
        "operation",
        "provider",
        "request",
        "variant",
    )

    def __init__(
        self, emulator: Emulator, exchange: Exchange, provider: CompiledProvider, namespace: Namespace
    ) -> None:
        self.emulator = emulator
        self.exchange = exchange
        self.request = exchange.request
        self.provider = provider
        self.namespace = namespace
        self.account: Account = namespace.account(provider.name)
        self.now = namespace.clock.now()
        self.operation: CompiledOperation = provider.first
        self.variant: str | None = None
        self.direction: Direction = NOTHING
        self.base = emulator.settings.public_url
        self._context: dict[str, Any] | None = None
        self._task: Task | None = None

    def task(self) -> Task | None:
        """Return the task that the call asks for, if the account has it, without refusing anything."""
        if self._task is None:
            try:
                found = self.request.find(self.operation.behaviour.task_id or "$request.query.")
            except Refused:
                return None
            self._task = self.account.tasks.get(found) if isinstance(found, str) else None
        return self._task

    @property
    def context(self) -> dict[str, Any]:
        """The names that every template may use."""
        if self._context is None:
            self._context = {
                "request": RequestView(self.request),
                "now": self.now,
                "base": self.base,
                "balance": self.balance(),
            }
        return self._context

    def balance(self) -> float:
        """Return the account's credits, as a whole number where they are one."""
        balance = self.account.balance(self.emulator.settings.credits, self.now)
        return int(balance) if balance == int(balance) else balance
