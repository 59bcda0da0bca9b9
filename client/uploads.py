"""Uploading a file, in whichever manner a provider takes one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import httpx

from ..openapi.behaviour import OperationBehaviour, UploadPlaces
from .answers import read_text
from .downloads import sniff
from .errors import ConfigurationError
from .steps import Ask
from .target import Parts, Target
from .urls import checked_url

FOLDER = "understudy"
"""Where uploads go with a provider that wants to be told."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file to upload."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """The first request of an upload.

    Attributes:
        operation: what is asked.
        ask: the request.
        read: returns, of the answer's data, the file's URL and the second request, if there has to be one.
    """

    operation: OperationBehaviour
    ask: Ask
    read: Callable[[Any], tuple[str, Ask | None]]


def prepare_upload(target: Target, path: Path) -> PreparedUpload:
    """Return the request that begins the upload of the file at `path`.

    Raises:
        ConfigurationError: the provider takes no uploads.
        OSError: the file can't be read.
    """
    uploads = {each.upload.source: each for each in target.doing("upload") if each.upload}
    prepared = target.doing("presign")
    content = path.read_bytes()
    guessed = sniff(content[:64]) or guess_type(path.name)[0] or "application/octet-stream"
    file = _File(path.name, content, guessed)
    if "form" in uploads:
        return _form(target, uploads["form"], file)
    if "base64" in uploads:
        return _base64(target, uploads["base64"], file)
    if prepared:
        return _presigned(target, prepared[0], file)
    raise ConfigurationError(f"{target.provider.name} takes no uploads; pass links to files that stand elsewhere")


def _places(operation: OperationBehaviour) -> UploadPlaces:
    if operation.upload is None:
        raise ConfigurationError(f"{operation.name} does not say where the parts of an upload go")
    return operation.upload


def _parts(places: UploadPlaces, file: _File) -> Parts:
    parts = Parts()
    for place, value in ((places.folder, FOLDER), (places.name, file.name), (places.content_type, file.media_type)):
        if place:
            parts.put(place, value)
    if places.extension:
        parts.put(places.extension, file.name.rpartition(".")[2] if "." in file.name else "bin")
    return parts


def _form(target: Target, operation: OperationBehaviour, file: _File) -> PreparedUpload:
    places = _places(operation)
    parts = _parts(places, file)
    field = (places.content or "").rpartition("/")[2]
    # httpx writes the form; the request itself is never sent.
    written = httpx.Request(
        "POST", "http://localhost", data=parts.body, files={field: (file.name, file.content, file.media_type)}
    )
    parts.headers["Content-Type"] = written.headers["Content-Type"]
    return PreparedUpload(operation, target.ask(operation, parts, written.read()), _one_step(operation))


def _base64(target: Target, operation: OperationBehaviour, file: _File) -> PreparedUpload:
    places = _places(operation)
    parts = _parts(places, file)
    encoded = base64.b64encode(file.content).decode()
    parts.put(places.content or "", f"data:{file.media_type};base64,{encoded}")
    return PreparedUpload(operation, target.ask(operation, parts), _one_step(operation))


def _one_step(operation: OperationBehaviour) -> Callable[[Any], tuple[str, Ask | None]]:
    return lambda data: (read_text(operation, data, "url"), None)


def _presigned(target: Target, operation: OperationBehaviour, file: _File) -> PreparedUpload:
    stores = target.doing("store")
    method = stores[0].key.method if stores else "PUT"

    def read(data: Any) -> tuple[str, Ask | None]:
        url, where = read_text(operation, data, "url"), checked_url(read_text(operation, data, "upload_to"))
        return url, Ask(method, where, {"Content-Type": file.media_type}, file.content)

    return PreparedUpload(operation, target.ask(operation, _parts(_places(operation), file)), read)
