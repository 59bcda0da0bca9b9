"""The emulator as an ASGI application, for those who need no socket."""

from __future__ import annotations

from collections.abc import Iterable

from ..openapi.provider import Provider, built_in_names, load_provider
from .app import App
from .emulator import Emulator
from .settings import Settings


def create_app(providers: Iterable[Provider | str] | None = None, settings: Settings | None = None) -> App:
    """Return an application that plays `providers`: loaded ones, names, or folders; all built-in ones by default.

    ``httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://127.0.0.1:4020")`` speaks to it,
    and to its control API. Faults that only a connection can show are refused.
    """
    wanted = built_in_names() if providers is None else providers
    loaded = [load_provider(each) if isinstance(each, str) else each for each in wanted]
    return App(Emulator(loaded, settings or Settings()))
