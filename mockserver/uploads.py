"""Files of users: uploads in four manners, links to them, and input pictures that are among them."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..openapi.behaviour import Phase
from ..openapi.errors import shorten
from .account import StoredFile
from .answer import Answer, reply
from .chance import draw
from .forms import FilePart
from .links import Link, read_link, sign, write_link
from .picture import inspect, media_type, render
from .pictures import asked, full_body, result_names, synthetic
from .refusal import Refused

if TYPE_CHECKING:
    from .call import Call

IMAGE_TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
INPUT_TYPES = {"image/png", "image/jpeg", "image/webp"}
MAX_INPUT_BYTES = 30_000_000


def check_input_pictures(call: Call) -> None:
    """Refuse links to uploads of this server that are no pictures; a foreign link stands for a picture."""
    found = asked(call.operation, call.request.json, "images")
    for url in found if isinstance(found, list) else [found]:
        link = read_link(url, call.emulator.settings.public_url) if isinstance(url, str) else None
        if link is None or not link.name.startswith("uploads/"):
            continue
        file = _stored(call, link)
        if file is None:
            raise Refused("input-refused", f"the input picture {shorten(url)} does not exist")
        if len(file.content) > MAX_INPUT_BYTES:
            size = len(file.content)
            raise Refused("input-refused", f"{shorten(url)} is {size:,} bytes; expected at most {MAX_INPUT_BYTES:,}")
        known = inspect(file.content)
        if known is None or known.media_type not in INPUT_TYPES:
            raise Refused("input-refused", f"{shorten(url)} is {file.media_type}; expected a jpeg, png or webp picture")


def _stored(call: Call, link: Link) -> StoredFile | None:
    namespace = call.emulator.namespaces.of_id(link.namespace)
    account = None if namespace is None else namespace.accounts.get(link.provider)
    if namespace is None or account is None:
        return None
    kept_for = call.emulator.providers[link.provider].behaviour.retention.uploads
    return account.file(link.name, namespace.clock.now(), kept_for)


def upload(call: Call) -> Answer:
    """Keep what was uploaded, in whichever manner, and answer where it is."""
    places = call.operation.behaviour.upload
    assert places is not None  # noqa: S101 - the behaviour file's reader saw to it
    content = call.request.find(places.content or "")
    part = _content(places.source, content)
    folder = (call.request.text(places.folder) or "").strip("/")
    name = call.request.text(places.name) or part.name or _made_up_name(call, part.media_type)
    path = "/".join(each for each in f"{folder}/{name}".split("/") if each not in {"", ".", ".."})
    path = path or _made_up_name(call, part.media_type)
    return _keep(call, path, part.content, part.media_type)


def _content(source: str, content: Any) -> FilePart:
    if isinstance(content, FilePart):
        return content
    text = content if isinstance(content, str) else ""
    if source == "base64":
        header, _, data = text.rpartition(",")
        try:
            raw = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise Refused("request-invalid", f"the base64 does not decode: {error}") from None
        sent = header.removeprefix("data:").partition(";")[0]
        return FilePart("", raw, sent or _media_type_of(raw))
    if source == "url":
        # Nothing foreign is ever fetched: what is behind the URL is made up.
        name = text.partition("?")[0].rstrip("/").rpartition("/")[2]
        return FilePart(name, *_made_up_picture(text))
    return FilePart("", text.encode(), "text/plain")


@lru_cache(maxsize=16)
def _made_up_picture(url: str) -> tuple[bytes, str]:
    """Return the picture that stands for the one at `url`, and its media type. Drawing it takes 30 ms."""
    spec = synthetic(url)
    return render(spec), media_type(spec.format)


def _media_type_of(content: bytes) -> str:
    known = inspect(content)
    return known.media_type if known else "application/octet-stream"


def _made_up_name(call: Call, content_type: str) -> str:
    return f"{_random_name(call)}.{IMAGE_TYPES.get(content_type, 'bin')}"


def _random_name(call: Call) -> str:
    call.namespace.created += 1
    return draw(call.emulator.settings.seed, call.namespace.id, call.namespace.created, "file")[:8].hex()


def _keep(call: Call, path: str, content: bytes, content_type: str) -> Answer:
    file = StoredFile(f"uploads/{path}", content, content_type, call.now)
    call.emulator.files.add(call.account, file)
    return _file_answer(call, file, path)


def _file_answer(call: Call, file: StoredFile, path: str, **more: Any) -> Answer:
    settings = call.emulator.settings
    url = write_link(settings.public_url, Link(call.provider.name, call.namespace.id, file.name), settings.seed)
    view = {
        "name": path.rpartition("/")[2], "path": path, "url": url, "size": len(file.content),
        "media_type": file.media_type, **more,
    }  # fmt: skip
    return reply(call, {"file": view})


def presign(call: Call) -> Answer:
    """Prepare an upload and answer where to put it."""
    places = call.operation.behaviour.upload
    assert places is not None  # noqa: S101 - the behaviour file's reader saw to it
    content_type = call.request.text(places.content_type) or "application/octet-stream"
    ending = (call.request.text(places.extension) or IMAGE_TYPES.get(content_type, "bin")).lstrip(".")
    name = f"{call.namespace.id}-{_random_name(call)}.{ending}"
    file = StoredFile(f"uploads/{name}", b"", content_type, call.now)
    return _file_answer(call, file, name, signature=_signature(call, call.namespace.id, name))


def _signature(call: Call, namespace: str, name: str) -> str:
    return sign(Link(call.provider.name, namespace, f"uploads/{name}"), call.emulator.settings.seed)


def store(call: Call) -> Answer:
    """Keep the bytes that were put where an upload was prepared."""
    name = call.request.text(call.operation.behaviour.file) or ""
    namespace = call.emulator.namespaces.of_id(name.partition("-")[0])
    if namespace is None:
        raise Refused("file-unknown", f"no upload was prepared for {shorten(name)}")
    places = call.operation.behaviour.upload
    signature = call.request.text(places.signature) if places else None
    if signature != _signature(call, namespace.id, name):
        raise Refused("signature-refused", f"the signature {shorten(signature)} is not that of {shorten(name)}")
    content_type = call.request.headers.get(b"content-type") or _media_type_of(call.request.body)
    file = StoredFile(f"uploads/{name}", call.request.body, content_type, namespace.clock.now())
    call.emulator.files.add(namespace.account(call.provider.name), file)
    return reply(call, {})


def link(call: Call) -> Answer:
    """Answer a link to a file of this account that works for a while."""
    settings = call.emulator.settings
    url = call.request.text(call.operation.behaviour.file) or ""
    link = read_link(url, settings.public_url)
    if (
        link is None
        or (link.provider, link.namespace) != (call.provider.name, call.namespace.id)
        or not (_stored(call, link) or _is_result(call, link))
    ):
        raise Refused("file-unknown", f"{shorten(url)} is no file of this provider's")
    kept = call.provider.behaviour.retention.links
    made = Link(link.provider, link.namespace, link.name, None if kept is None else call.now + kept)
    return reply(call, {"file": {"url": write_link(settings.public_url, made, settings.seed), "name": link.name}})


def _is_result(call: Call, link: Link) -> bool:
    """Tell whether `link` leads to a result of a task of the call's account that is completed."""
    task = call.account.tasks.get(link.name.removeprefix("results/").rpartition("/")[0])
    if task is None or link.name not in result_names(task, full_body(task)):
        return False
    return task.operation.phase_of(task.state(call.now).status) is Phase.COMPLETED
