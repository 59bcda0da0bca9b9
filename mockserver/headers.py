"""The headers of a request: read once for all requests that carry the same ones, as those of a client mostly do."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Sequence
from itertools import chain

Fields = tuple[tuple[bytes, bytes], ...]
"""Names, in lower case, and values."""


class Headers:
    """Headers as they were sent, and what is looked for in them, found once; none of it ever changes."""

    __slots__ = ("_credentials", "_fields", "_first", "_weight")

    def __init__(self, fields: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._fields = tuple(fields)
        self._first = dict(reversed(self._fields))
        self._credentials: dict[tuple[str, str], str | None] = {}
        self._weight = 0

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield names, in lower case, and values, as they were sent."""
        return iter(self._fields)

    def __contains__(self, name: bytes) -> bool:
        """Tell whether a header called `name` (in lower case) was sent."""
        return name in self._first

    @property
    def weight(self) -> int:
        """How many bytes there are."""
        if not self._weight:
            self._weight = sum(map(len, chain.from_iterable(self._fields)))
        return self._weight

    def names(self) -> KeysView[bytes]:
        """Return the names of the headers that were sent, in lower case."""
        return self._first.keys()

    def get(self, name: bytes) -> str | None:
        """Return the value of the header `name` (in lower case), the first where it was sent twice, or None."""
        value = self._first.get(name)
        return None if value is None else value.decode("latin-1")

    def joined(self, name: bytes) -> str | None:
        """Return the values of every header `name` (in lower case) as one list (RFC 9110), or None."""
        if name not in self._first:
            return None
        return b", ".join([value for key, value in self._fields if key == name]).decode("latin-1")

    def credential(self, place: tuple[str, str]) -> str | None:
        """Return the key that was sent at `place`: a header's name in lower case, and the word before the key."""
        try:
            return self._credentials[place]
        except KeyError:
            found = self._credentials[place] = self._credential(*place)
            return found

    def _credential(self, header: str, scheme: str) -> str | None:
        value = self.get(header.encode())
        if value is None or not scheme:
            return value
        sent, _, key = value.partition(" ")
        return key.strip() if sent.lower() == scheme.lower() else None
