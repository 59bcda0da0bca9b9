"""What passed by, written down as HAR 1.2 with keys masked."""

from __future__ import annotations

import base64
import os
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from ...openapi.masking import mask_data, mask_header, mask_query, mask_text
from ...openapi.times import iso
from .body import Body
from .heads import Head
from .passed import Passed

MAX_ENTRIES = 20_000
MAX_BYTES = 128 * 1024 * 1024
_OVERHEAD = 2_000
"""What an entry takes beside its bodies, in bytes; nearly so is enough."""


class Record:
    """Keeps what passed by, with keys masked; the oldest go first where it is too much.

    Args:
        keys: headers that carry keys, in lower case.
        max_entries: how many entries are kept.
        max_bytes: how many bytes they may take.

    Attributes:
        dropped: how many entries were let go.
    """

    def __init__(self, keys: Iterable[str] = (), *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._keys = frozenset(name.encode() for name in keys)
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: deque[tuple[bytes, int]] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, passed: Passed, url: str, secrets: Iterable[str]) -> None:
        """Write down a request to `url` and what became of it; `secrets` are masked wherever they stand."""
        entry = orjson.dumps(self._entry(passed, url, list(secrets)))
        weight = len(entry) + _OVERHEAD
        self._entries.append((entry, weight))
        self._bytes += weight
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._bytes -= self._entries.popleft()[1]
            self.dropped += 1

    def write(self, path: Path, version: str) -> None:
        """Write everything to `path`: whole, or not at all.

        Raises:
            OSError: there is no room, or no right to.
        """
        head = orjson.dumps({"version": "1.2", "creator": {"name": "understudy watch", "version": version}})
        file = tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115
        try:
            with file:
                file.write(b'{"log":' + head[:-1] + b',"entries":[')
                for number, (entry, _) in enumerate(self._entries):
                    file.write(b",\n" + entry if number else entry)
                file.write(b"]}}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, path)  # noqa: PTH105 - pathlib's does the same
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise

    def _entry(self, passed: Passed, url: str, secrets: list[str]) -> dict[str, Any]:
        place, question, query = mask_text(url, secrets).partition("?")
        masked = mask_query(query.encode()).decode()
        took = max(passed.ended - passed.began, 0)
        answered = passed.status is not None and passed.ending != "refused"
        return {
            "startedDateTime": iso(passed.began), "time": took,
            "request": {
                "method": passed.method, "url": place + question + masked, "httpVersion": "HTTP/1.1", "cookies": [],
                "headers": self._headers(passed.head, secrets), "headersSize": -1, "bodySize": passed.body.size,
                "queryString": [
                    {"name": name, "value": value}
                    for name, value in parse_qsl(urlsplit(f"{place}?{masked}").query, keep_blank_values=True)
                ],
                **self._posted(passed, secrets),
            },
            "response": {
                "status": passed.status if answered else 0,
                "statusText": responses.get(passed.status or 0, "") if answered else "",
                "httpVersion": "HTTP/1.1", "cookies": [], "redirectURL": "", "headersSize": -1,
                "headers": self._headers(passed.answer_head, secrets) if answered else [],
                "bodySize": passed.answer.size if answered else -1,
                "content": _content(passed.answer_head, passed.answer, secrets) if answered else {
                    "size": 0, "mimeType": "",
                },
                **({"_error": mask_text(passed.problem, secrets)} if passed.problem else {}),
            },
            "cache": {}, "timings": {"send": 0, "wait": took, "receive": 0},
        }  # fmt: skip

    def _headers(self, head: Head, secrets: list[str]) -> list[dict[str, str]]:
        found = []
        for name, value in head.fields:
            shown = mask_header(name, value, secret=name in self._keys)
            try:
                text = shown.decode()
            except UnicodeDecodeError:
                text = shown.decode("latin-1")
            found.append({"name": name.decode(), "value": mask_text(text, secrets)})
        return found

    def _posted(self, passed: Passed, secrets: list[str]) -> dict[str, Any]:
        if not passed.body.size or not passed.body.is_whole:
            return {}
        content = _content(passed.head, passed.body, secrets)
        made = {"mimeType": content["mimeType"], "params": [], "text": content["text"]}
        return {"postData": made | ({"_encoding": "base64"} if "encoding" in content else {})}


def _content(head: Head, body: Body, secrets: list[str]) -> dict[str, Any]:
    kind = next(iter(head.values(b"content-type")), b"").decode("latin-1")
    made: dict[str, Any] = {"size": body.size, "mimeType": kind}
    if not body.is_whole:
        return made | {"comment": "longer than what is recorded of a body"}
    content = decoded(head, bytes(body.content), len(body.content) * 200 + 100_000)
    if content is None:
        content = bytes(body.content)
    if not body.size:
        return made | {"text": ""}
    try:
        return made | {"text": _masked(content, kind, secrets)}
    except UnicodeDecodeError:
        return made | {"text": base64.b64encode(content).decode(), "encoding": "base64"}


def _masked(content: bytes, kind: str, secrets: list[str]) -> str:
    """Return `content` as text, as it was but for what has to be masked."""
    text = content.decode()
    if "json" in kind:
        try:
            data = orjson.loads(content)
        except orjson.JSONDecodeError:
            return mask_text(text, secrets)
        masked = mask_data(data, secrets)
        return text if masked == data else orjson.dumps(masked).decode()
    return mask_text(text, secrets)


def decoded(head: Head, content: bytes, limit: int) -> bytes | None:
    """Return `content` without its content coding; None where that is not known here, or it grows beyond `limit`."""
    named = [word.strip().lower() for value in head.values(b"content-encoding") for word in value.split(b",")]
    for coding in reversed([each for each in named if each != b"identity"]):
        bits = {b"gzip": 31, b"x-gzip": 31, b"deflate": 47}.get(coding)
        if bits is None:
            return None
        try:
            unpacker = zlib.decompressobj(bits)
            content = unpacker.decompress(content, limit)
        except zlib.error:
            return None
        if unpacker.unconsumed_tail or not unpacker.eof:
            return None
    return content
