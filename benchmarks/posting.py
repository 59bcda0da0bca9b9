"""Bare httpx to compare with: `python -m benchmarks.posting URL COUNT AT_ONCE FILE` posts what FILE holds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvloop

HEADERS = {"content-type": "application/json"}


async def post(url: str, count: int, at_once: int, content: bytes) -> None:
    """Post `content` so many times, so many of them at once."""
    numbers = iter(range(count))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(verify=False, trust_env=False, limits=limits) as client:  # noqa: S501 - plain HTTP
        await asyncio.gather(*(_post(client, url, content, numbers) for _ in range(at_once)))


async def _post(client: httpx.AsyncClient, url: str, content: bytes, numbers: Iterator[int]) -> None:
    for _ in numbers:
        answer = await client.post(url, content=content, headers=HEADERS)
        answer.raise_for_status()


def main() -> None:
    """Post, and end."""
    url, count, at_once, file = sys.argv[1:]
    uvloop.run(post(url, int(count), int(at_once), Path(file).read_bytes()))


if __name__ == "__main__":
    main()
