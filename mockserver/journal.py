"""The journal: every exchange and what followed from it, bounded, with secrets masked for whoever reads it.

Keeping an exchange is on the path of every request, reading it is rare: what is kept are the bytes as they came, and
what can be done later (masking, rendering, judging) is done when they are read.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

from ..openapi.masking import mask_header, mask_query
from ..openapi.times import iso
from .delivery import delivery_shown
from .exchange import Exchange
from .headers import Headers
from .plan import transitions
from .task import Task

MAX_EXCHANGES = 10_000
MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 1000
"""What an exchange weighs beyond what was sent and the answer's body, in bytes; nearly so is enough."""


class Journal:
    """Keeps exchanges as they were, and renders them when they are read; the oldest go first."""

    def __init__(
        self, said: Callable[[str], None], *, max_exchanges: int = MAX_EXCHANGES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._said = said
        self._max_exchanges = max_exchanges
        self._max_bytes = max_bytes
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0
        self._count = 0
        self.dropped = 0
        self.secret_headers: set[bytes] = set()
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def __iter__(self) -> Iterator[Exchange]:
        """Yield what is kept, oldest first, with keys and signatures masked."""
        return map(self._masked, self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Keep `exchange`, and let go of the oldest where there are too many."""
        self._count += 1
        exchange.number = self._count
        exchange.request.forget_parsed()
        self.counts[exchange.provider, exchange.operation, exchange.answer.status] += 1
        self._exchanges.append(exchange)
        exchange.weight = weight = _weight(exchange)
        self._bytes += weight
        while len(self._exchanges) > self._max_exchanges or self._bytes > self._max_bytes:
            self._bytes -= self._exchanges.popleft().weight
            if not self.dropped:
                limits = f"{self._max_exchanges:,} exchanges or {self._max_bytes:,} bytes"
                self._said(f"the journal is full ({limits}): the oldest exchanges go first")
            self.dropped += 1

    def forget(self, namespace: str | None = None) -> None:
        """Forget the exchanges of `namespace`, or all of them."""
        kept = [each for each in self._exchanges if namespace is not None and not _of(each, namespace)]
        self._exchanges = deque(kept)
        self._bytes = sum(each.weight for each in kept)
        if not kept:
            self.dropped = 0

    def _masked(self, exchange: Exchange) -> Exchange:
        """Return `exchange` with its keys and signatures masked, which is done once."""
        if not exchange.masked:
            request = exchange.request
            request.headers = masked(request.headers, self.secret_headers)
            request.query_string = mask_query(request.query_string)
            request.forget_parsed()
            exchange.masked = True
        return exchange

    def select(
        self, *, namespace: str | None = None, provider: str | None = None, operation: str | None = None,
        task: str | None = None, status: int | None = None,
    ) -> list[Exchange]:  # fmt: skip
        """Return the exchanges that fit everything that is given, oldest first."""
        return [
            each
            for each in self
            if (namespace is None or _of(each, namespace))
            and provider in {None, each.provider}
            and operation in {None, each.operation}
            and task in {None, each.task}
            and status in {None, each.answer.status}
        ]


def _of(exchange: Exchange, namespace: str) -> bool:
    return exchange.namespace is not None and exchange.namespace.id == namespace


def _weight(exchange: Exchange) -> int:
    request, answer = exchange.request, exchange.answer
    return (
        _OVERHEAD
        + request.headers.weight
        + len(request.path)
        + len(request.query_string)
        + len(request.body)
        + len(answer.body)
    )


def masked(headers: Headers, secret: Set[bytes]) -> Headers:
    """Return `headers` with keys and signatures hidden: those of the well-known headers, and of those of `secret`."""
    return Headers([(name, mask_header(name, value, secret=name in secret)) for name, value in headers])


def shown(exchange: Exchange, *, findings: Iterable[dict[str, Any]] = (), task: Task | None = None) -> dict[str, Any]:
    """Return `exchange` as the control API shows it; with `task`, what became of the task it created as well."""
    request, answer, namespace = exchange.request, exchange.answer, exchange.namespace
    made: dict[str, Any] = {
        "id": exchange.number,
        "time": iso(exchange.time) if exchange.time else None,
        "real_time": iso(exchange.real_time),
        "milliseconds": round(exchange.milliseconds, 3),
        "namespace": namespace.id if namespace else None,
        "provider": exchange.provider or None,
        "operation": exchange.operation or None,
        "task": exchange.task or None,
        "played": exchange.played or None,
        "fault": exchange.fault.name if exchange.fault else None,
        "request": {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode("latin-1"),
            "headers": _headers(request.headers),
            "body": _text(request.body),
        },
        "response": {"status": answer.status, "headers": _headers(answer.headers), "body": _text(answer.body)},
        "findings": list(findings),
    }
    if task is not None and namespace is not None:
        states = transitions(task.plan, task.created, task.interventions, namespace.clock.now())
        if task.staging is not None and task.staging.deliveries:
            made["deliveries"] = [delivery_shown(each) for each in task.staging.deliveries]
        made["transitions"] = [{"status": state.status, "time": iso(state.since)} for state in states]
    return made


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name, value in headers:
        told = name.decode("latin-1")
        shown[told] = f"{shown[told]}, {header_text(value)}" if told in shown else header_text(value)
    return shown


def header_text(value: bytes) -> str:
    """Return a header's value as text: UTF-8 where it is that, as masks are, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _text(body: bytes) -> str | None:
    if not body:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"<{len(body):,} bytes>"
