"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from .emulator import Emulator


class _Figures(Collector):
    """Reads the figures when they are asked for: nothing is counted twice for them."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily]:
        """Return every figure."""
        emulator = self._emulator
        exchanges = CounterMetricFamily(
            "understudy_exchanges",
            "Exchanges by provider, operation and status",
            labels=["provider", "operation", "status"],
        )
        for (provider, operation, status), count in emulator.journal.counts.items():
            exchanges.add_metric([provider, operation, str(status)], count)
        return [
            exchanges,
            GaugeMetricFamily("understudy_tasks", "Tasks that are kept", len(emulator.tasks)),
            GaugeMetricFamily("understudy_namespaces", "Namespaces", len(list(emulator.namespaces))),
            CounterMetricFamily("understudy_journal_dropped", "Exchanges the journal let go", emulator.journal.dropped),
        ]


def render(emulator: Emulator) -> tuple[bytes, str]:
    """Return the figures as text, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(emulator))
    return generate_latest(registry), CONTENT_TYPE_LATEST
