"""The body of a message that passes by: where it ends, and what it was, as far as that is kept."""

from __future__ import annotations

from typing import Literal

from .heads import CHUNKED, UNTIL_CLOSED, Framing, NoHeadError

_MAX_LINE = 16 * 1024


class Body:
    """Watches the bytes of a body. They are passed on by somebody else, as they came.

    Attributes:
        done: whether its end has come.
        size: how many bytes of content there were so far.
        content: the content, chunks joined; empty once it is longer than `limit`.
    """

    def __init__(self, framing: Framing, limit: int) -> None:
        self._framing = framing
        self._limit = limit
        self._left = framing if isinstance(framing, int) else 0
        self._part: Literal["size", "data", "end of data", "trailer"] = "size"
        self._line = bytearray()
        self.size = 0
        self.content = bytearray()
        self.done = framing == 0

    @property
    def is_whole(self) -> bool:
        """Whether the content was short enough to be kept."""
        return self.size <= self._limit

    def feed(self, data: bytes) -> int:
        """Take bytes that came; return how many of them belong to this body.

        Raises:
            NoHeadError: they are no chunks, where chunks were announced.
        """
        if self.done:
            return 0
        if self._framing == UNTIL_CLOSED:
            self._keep(data)
            return len(data)
        if self._framing != CHUNKED:
            taken = min(self._left, len(data))
            self._keep(data[:taken])
            self._left -= taken
            self.done = self._left == 0
            return taken
        used = 0
        while used < len(data) and not self.done:
            used += self._chunk(data[used:] if used else data)
        return used

    def end(self) -> bool:
        """Say that the connection has ended; tell whether the body has too."""
        self.done = self.done or self._framing == UNTIL_CLOSED
        return self.done

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        if self.size <= self._limit:
            self.content += data
        else:
            self.content.clear()

    def _chunk(self, data: bytes) -> int:
        if self._part == "data":
            taken = min(self._left, len(data))
            self._keep(data[:taken])
            self._left -= taken
            if not self._left:
                self._part = "end of data"
            return taken
        end = data.find(b"\n")
        taken = len(data) if end < 0 else end + 1
        self._line += data[:taken]
        if len(self._line) > _MAX_LINE:
            raise NoHeadError("a line between chunks is too long")
        if end >= 0:
            line = bytes(self._line).strip()
            self._line.clear()
            self._next(line)
        return taken

    def _next(self, line: bytes) -> None:
        if self._part == "size":
            try:
                self._left = int(line.partition(b";")[0], 16)
            except ValueError:
                raise NoHeadError(f"{line[:40]!r} is no size of a chunk") from None
            self._part = "data" if self._left else "trailer"
        elif self._part == "end of data":
            self._part = "size"
        elif not line:
            self.done = True
