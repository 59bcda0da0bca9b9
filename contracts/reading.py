"""Turning what a user names into one side of a comparison: a file, a page, a folder, a provider or a URL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..openapi.errors import LoadError
from ..openapi.source import MAX_BYTES, Source, parse_source, read_source
from .document import ReadOther, Side, build_side
from .pages import Found, find_documents, is_page

_SUFFIXES = {".yaml", ".yml", ".json"}
TIMEOUT = 20.0
"""Seconds to wait for a URL."""


def read_side(name: str, *, allow_remote: bool = False) -> Side:
    """Return the side that `name` stands for.

    Raises:
        LoadError: it can't be read, or is not what it should be.
    """
    if _is_url(name):
        return _from_text(name, _fetched(name), allow_remote=allow_remote)
    path = Path(name)
    if path.is_file():
        return _from_file(path, name, allow_remote=allow_remote)
    if path.is_dir() and not (path / "behaviour.yaml").is_file():
        return _from_folder(path, allow_remote=allow_remote)
    if path.suffix in {*_SUFFIXES, ".md", ".html", ".har"} and not path.exists():
        raise LoadError(name, "there is no such file")
    return read_provider(name)


def read_provider(name: str, *, corrected: bool = True) -> Side:
    """Return the side that a provider's folder tells, corrected by its overlays unless told otherwise.

    Raises:
        LoadError: there is no such provider, or it is broken.
    """
    from ..openapi.overlay import apply_overlay  # noqa: PLC0415 - only who names a provider pays for one
    from ..openapi.provider import load_provider  # noqa: PLC0415

    provider = load_provider(name)
    sources, overlays = provider.sources()
    data: dict[str, Any] = {file: source.data for file, source in sources.items()}
    for overlay in overlays if corrected else ():
        data = apply_overlay(data, overlay)
    return build_side(name, sources, data, _no_other(name))


def read_pages(names: Iterable[str]) -> Side:
    """Return the side that several pages tell together.

    Raises:
        LoadError: one of them can't be read, or holds no OpenAPI.
    """
    sources: dict[str, Source] = {}
    for name in names:
        text = _fetched(name) if _is_url(name) else _text(Path(name), name)
        found = (
            [parse_source(text, name)]
            if not is_page(name, text)
            else [each.source for each in find_documents(text, name)]
        )
        sources |= {_key(name, number): source for number, source in enumerate(found)}
    data = {name: source.data for name, source in sources.items()}
    return build_side(", ".join(names), sources, data, _no_other("a page"), partial=True)


def read_page(name: str) -> tuple[str, list[Found]]:
    """Return the address of the page (or document) `name`, without secrets, and the documents in it, checked.

    Raises:
        LoadError: it can't be read, holds no OpenAPI, or what it holds does not load.
    """
    text = _fetched(name) if _is_url(name) else _text(Path(name), name)
    where = urlsplit(name).path if _is_url(name) else name
    found = find_documents(text, name) if is_page(where, text) else [Found(parse_source(text, name), "", 1)]
    for each in found:
        build_side(name, {name: each.source}, {name: each.source.data}, _no_other(name))
    return _without_secrets(name) if _is_url(name) else name, found


def _key(name: str, number: int) -> str:
    return name if number == 0 else f"{name}~{number + 1}"


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _from_file(path: Path, name: str, *, allow_remote: bool) -> Side:
    if path.suffix in _SUFFIXES:
        source = read_source(path, name)
        return build_side(name, {path.name: source}, {path.name: source.data}, _beside(path, allow_remote=allow_remote))
    return _from_text(name, _text(path, name), allow_remote=allow_remote, beside=path)


def _text(path: Path, name: str) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LoadError(name, f"is {size:,} bytes", expected=f"at most {MAX_BYTES:,}")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(name, f"is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise LoadError(name, error.strerror or str(error)) from None


def _from_text(name: str, text: str, *, allow_remote: bool, beside: Path | None = None) -> Side:
    if is_page(urlsplit(name).path if _is_url(name) else name, text):
        sources = {_key(name, n): each.source for n, each in enumerate(find_documents(text, name))}
        data = {key: source.data for key, source in sources.items()}
        return build_side(name, sources, data, _no_other(name), partial=True)
    source = parse_source(text, name)
    key = name if beside is None else beside.name
    other = _remote(allow_remote=allow_remote) if beside is None else _beside(beside, allow_remote=allow_remote)
    return build_side(name, {key: source}, {key: source.data}, other)


def _from_folder(folder: Path, *, allow_remote: bool) -> Side:
    files = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and ".overlay." not in path.name)
    sources = {path.name: read_source(path) for path in files}
    documents = {name: source.data for name, source in sources.items() if _is_document(source.data)}
    if not documents:
        raise LoadError(str(folder), "holds no OpenAPI document", expected="at least one .yaml or .json")
    return build_side(str(folder), sources, documents, _beside(folder / "x", allow_remote=allow_remote))


def _is_document(data: Any) -> bool:
    return isinstance(data, dict) and ("openapi" in data or "swagger" in data)


def _beside(path: Path, *, allow_remote: bool) -> ReadOther:
    remote = _remote(allow_remote=allow_remote)

    def read(reference: str, holder: str) -> Source:
        if _is_url(reference):
            return remote(reference, holder)
        if reference.startswith("/"):
            raise LoadError(
                holder, f"refers to {reference}, a file outside of its folder", expected="a relative reference"
            )
        return read_source(path.parent / reference, str(path.parent / reference))

    return read


def _remote(*, allow_remote: bool) -> ReadOther:
    def read(reference: str, holder: str) -> Source:
        if not _is_url(reference):
            raise LoadError(holder, f"refers to {reference}, which is not at hand")
        if not allow_remote:
            raise LoadError(holder, f"refers to {reference}, and nothing is fetched unasked", expected="--allow-remote")
        return parse_source(_fetched(reference), reference)

    return read


def _no_other(name: str) -> ReadOther:
    def read(reference: str, holder: str) -> Source:
        raise LoadError(holder, f"refers to {reference}, which is not part of {name}")

    return read


def _fetched(url: str) -> str:
    """Return the text at `url`, of bounded size and within bounded time.

    Raises:
        LoadError: it can't be had; the message shows the URL without user and password.
    """
    import httpx  # noqa: PLC0415 - only who names a URL pays for it

    shown = _without_secrets(url)
    received = bytearray()
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=True) as response:
            if response.status_code != 200:
                raise LoadError(shown, f"answered {response.status_code}", expected="200 and a document")
            for piece in response.iter_bytes():
                received += piece
                if len(received) > MAX_BYTES:
                    raise LoadError(shown, f"is more than {MAX_BYTES:,} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoadError(shown, f"can't be fetched: {str(error) or type(error).__name__}") from None
    try:
        return received.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(shown, f"is not UTF-8 text (byte {error.start})") from None


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
