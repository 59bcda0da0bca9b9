"""A client for many requests at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

AT_ONCE = 16


class _Turns(httpx.AsyncHTTPTransport):
    """Holds requests back itself: httpx goes over all that wait and all connections whenever one is done."""

    def __init__(self) -> None:
        super().__init__(verify=False, trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE))
        self._free = asyncio.Semaphore(AT_ONCE)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with self._free:
            return await super().handle_async_request(request)


def crowd(url: str, **more: Any) -> httpx.AsyncClient:
    """Return a client that has sixteen requests under way, however many are sent."""
    return httpx.AsyncClient(transport=_Turns(), base_url=url, timeout=60, **more)
