"""The emulator: plays a provider from its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asgi import create_app
    from .handle import Account, ControlClient, ControlRefused, VerificationFailed
    from .server import MockServer
    from .settings import Settings

__all__ = ["Account", "ControlClient", "ControlRefused", "MockServer", "Settings", "VerificationFailed", "create_app"]

_HOMES = {
    "Account": "handle", "ControlClient": "handle", "ControlRefused": "handle", "VerificationFailed": "handle",
    "MockServer": "server", "Settings": "settings", "create_app": "asgi",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Imported when asked for: the command line and the pytest plugin pay for nothing they do not use.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
