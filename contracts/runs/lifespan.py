"""The beginning and end of an ASGI application that is asked in this process, as a server tells them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

_WAITING_SECONDS = 5


class Lifespan:
    """Tells an application that it starts and, later, that it stops; one that does not listen is let be."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the application has started, does not listen, or takes too long."""
        self._life = asyncio.create_task(self._lived())
        self._told.put_nowait({"type": "lifespan.startup"})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._started.wait(), _WAITING_SECONDS)

    async def stop(self) -> None:
        """Return when the application has stopped; one that takes too long is left to itself."""
        if self._life is None:
            return
        self._told.put_nowait({"type": "lifespan.shutdown"})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._life, _WAITING_SECONDS)

    async def _lived(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            with suppress(Exception):  # whatever an application says that knows no lifespan
                await self._app(scope, self._told.get, self._heard)
        finally:
            self._started.set()

    async def _heard(self, message: Any) -> None:
        if message["type"].startswith("lifespan.startup."):
            self._started.set()
