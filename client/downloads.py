"""Results on their way to a folder: named, checked, resumed where a download broke off, and never half there.

A result is written to a hidden ``.part`` file beside its final name and moved when it is whole. What a broken download
left is gone on with if the server names the same version of the file (`ETag` or `Last-Modified`) as before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from .errors import ProtocolViolation
from .steps import Answer

_TAIL = 4096
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")
_MEDIA = ("image/", "video/", "audio/")
_UNTOLD = {"", "application/octet-stream", "binary/octet-stream"}
_EXTENSIONS = {
    "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif",
    "image/svg+xml": "svg", "video/mp4": "mp4", "video/webm": "webm", "video/quicktime": "mov", "audio/mpeg": "mp3",
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/ogg": "ogg",
}  # fmt: skip
_CHECKED = {"image/png", "image/jpeg", "image/webp", "image/gif"}
"""Types whose first bytes must be right; for others the server is believed."""
WANTED = "a picture, a video or a sound"


class Incomplete(Exception):  # noqa: N818 - it is a state of things, and never reaches the caller
    """What came is not the whole file; asking again may bring the rest."""


class Download:
    """Takes in one result, over as many answers as it needs."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder = folder
        self._stem = _UNSAFE.sub("_", stem).lstrip(".")[:150] or "result"
        self._part = folder / f".{self._stem}.part"
        self._note = folder / f".{self._stem}.part.version"
        self._file: BinaryIO | None = None
        self._version = self._noted()
        self._media_type = ""
        self._whole: int | None = None
        self._answer = Answer(0, {})

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for what is not here yet."""
        headers = {"Accept": "image/*, video/*, audio/*, */*;q=0.1", "Accept-Encoding": "identity"}
        offset = self._offset()
        if offset and self._version:
            headers |= {"Range": f"bytes={offset}-", "If-Range": self._version}
        return headers

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in the head of an answer: a file, the rest of one, or a refusal.

        Raises:
            ProtocolViolation: it is neither a file of a wanted kind nor a refusal.
        """
        self.close()
        self._answer = Answer(status, dict(headers))
        if status == 416:  # what is here is longer than the file: begin anew
            self.discard()
        if not 200 <= status <= 299:
            return
        if status not in {200, 206}:
            raise ProtocolViolation("", "a file", f"none (HTTP {status})")
        self._media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not self._media_type.startswith(_MEDIA) and self._media_type not in _UNTOLD:
            raise ProtocolViolation("", WANTED, f"of type {self._media_type[:80]}")
        self._folder.mkdir(parents=True, exist_ok=True)
        if status == 206:
            self._go_on(headers)
        else:
            self._begin_anew(headers)

    def feed(self, chunk: bytes) -> None:
        """Write the next part of the body; that of a refusal is let go."""
        if self._file is not None:
            self._file.write(chunk)

    def end(self) -> Answer:
        """Return the last answer, without its body."""
        self.close()
        return self._answer

    def finish(self) -> Path:
        """Move the whole file to its name, and return that.

        Raises:
            Incomplete: there is more of it.
            ProtocolViolation: it is not what its type says.
        """
        size = self._offset()
        if self._whole is not None and size < self._whole:
            raise Incomplete(f"{size:,} of {self._whole:,} bytes came")
        head, tail = self._ends()
        kind = sniff(head)
        if kind is None and (self._media_type in _CHECKED or self._media_type in _UNTOLD):
            self.discard()
            raise ProtocolViolation("", self._media_type or WANTED, "something else")
        if kind is not None and not _is_whole(kind, head, tail, size):
            self.discard()
            raise Incomplete(f"the {kind} ends early")
        final = self._folder / f"{self._stem}.{_extension(kind or self._media_type)}"
        os.replace(self._part, final)  # noqa: PTH105 - atomic on every platform, which is what matters here
        self._note.unlink(missing_ok=True)
        return final

    def close(self) -> None:
        """Close the file, so that what came is there for the next attempt."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Forget what came so far."""
        self.close()
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._version = ""

    def _begin_anew(self, headers: Mapping[str, str]) -> None:
        self.discard()
        self._whole = _length(headers)
        self._version = _version_of(headers)
        if self._version:
            self._note.write_text(self._version, encoding="latin-1")
        self._file = self._part.open("wb")

    def _go_on(self, headers: Mapping[str, str]) -> None:
        match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        offset = self._offset()
        if match is None or int(match[1]) != offset:
            found = headers.get("content-range", "no Content-Range")[:80]
            self.discard()
            raise ProtocolViolation("", f"the bytes from {offset} on", found)
        self._whole = None if match[2] == "*" else int(match[2])
        self._file = self._part.open("ab")

    def _noted(self) -> str:
        try:
            return self._note.read_text(encoding="latin-1")
        except OSError:
            return ""

    def _offset(self) -> int:
        try:
            return self._part.stat().st_size
        except OSError:
            return 0

    def _ends(self) -> tuple[bytes, bytes]:
        with self._part.open("rb") as file:
            head = file.read(64)
            file.seek(max(0, self._offset() - _TAIL))
            return head, file.read()


def sniff(head: bytes) -> str | None:
    """Return the media type that the first bytes of a file tell, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "image/avif" if head[8:12] in {b"avif", b"avis"} else "video/mp4"
    starts = {b"GIF8": "image/gif", b"\x1aE\xdf\xa3": "video/webm", b"OggS": "audio/ogg", b"ID3": "audio/mpeg"}
    return next((kind for start, kind in starts.items() if head.startswith(start)), None)


def _is_whole(kind: str, head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file of `kind` has its end: a server that breaks off may still tell the shorter length."""
    if kind == "image/png":
        return b"IEND\xaeB`\x82" in tail
    if kind == "image/jpeg":
        return b"\xff\xd9" in tail
    if kind == "image/gif":
        return b"\x3b" in tail
    if kind in {"image/webp", "audio/wav"}:
        return size >= int.from_bytes(head[4:8], "little") + 8
    return True


def _extension(media_type: str) -> str:
    return _EXTENSIONS.get(media_type) or _UNSAFE.sub("", media_type.partition("/")[2])[:20] or "bin"


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length", "")
    plain = headers.get("content-encoding", "identity") == "identity"
    return int(length) if plain and length.isascii() and length.isdecimal() and len(length) < 19 else None


def _version_of(headers: Mapping[str, str]) -> str:
    """Return what names this version of the file; a weak tag does not tell that the bytes are the same."""
    tag = headers.get("etag", "")
    version = tag if tag and not tag.startswith("W/") else headers.get("last-modified", "")
    return version if version.isascii() and version.isprintable() else ""
