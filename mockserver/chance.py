"""Randomness that comes from (seed, namespace, number) alone, so that a run can be had again."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct

_SIZE = 40
_SHARES = Struct(">8H")
_SHARES_AT = 24


def draw(seed: int, namespace: str, number: int, purpose: str = "") -> bytes:
    """Return 40 random bytes for the `number`-th event of a namespace; the same arguments give the same bytes."""
    return blake2b(f"{seed}/{namespace}/{number}/{purpose}".encode(), digest_size=_SIZE).digest()


def uuid_from(random: bytes) -> str:
    """Return a version 4 UUID made of the first 16 of the `random` bytes."""
    text = random[:16].hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[random[8] & 3]}{text[17:20]}-{text[20:]}"


def between(ranges: Iterable[tuple[int, int]], random: bytes) -> list[int]:
    """Return a number from each of `ranges`, decided by two of the later `random` bytes, others for each of eight."""
    shares = _SHARES.unpack_from(random, _SHARES_AT)
    return [least + (most - least) * shares[nth % 8] // 65535 for nth, (least, most) in enumerate(ranges)]


def picture_seed(random: bytes) -> int:
    """Return the 64 bits that decide what a picture looks like."""
    return int.from_bytes(random[16:24], "big")
