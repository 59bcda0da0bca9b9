"""The contract kit: one oracle for providers, emulators and clients.

What tests are made of is loaded when it is first asked for: ``from understudy.contracts import client_contract``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clients.adapter import Adapter
    from .clients.contract import ClientReport, check_client
    from .clients.face import client_contract
    from .runs.face import provider_contract

__all__ = ["Adapter", "ClientReport", "check_client", "client_contract", "provider_contract"]

_HOMES = {
    "Adapter": ".clients.adapter",
    "ClientReport": ".clients.contract",
    "check_client": ".clients.contract",
    "client_contract": ".clients.face",
    "provider_contract": ".runs.face",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
