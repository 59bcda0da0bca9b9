"""The control API, below ``/_understudy``."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .emulator import Emulator


def control_app(emulator: Emulator) -> Starlette:
    """Return the application that answers below ``/_understudy``."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "seed": emulator.settings.seed, "providers": list(emulator.providers)})

    async def providers(_: Request) -> Response:
        shown = [
            {"name": name, "title": each.behaviour.title, "operations": list(each.operations)}
            for name, each in emulator.providers.items()
        ]
        return JSONResponse({"providers": shown})

    routes = [
        Route("/_understudy/health", health),
        Route("/_understudy/providers", providers),
    ]
    return Starlette(routes=routes)
