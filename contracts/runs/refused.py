"""Requests that every provider refuses: no key, a wrong one, unknown tasks, methods, paths and types, broken JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..checks.documented import DocumentedOperation
from ..checks.oracle import Oracle
from .ask import JSON, Ask, NoKeyPlaceError, ask_for_task, key_header
from .drafts import Form
from .explore import forms_of
from .preflight import unknown_id
from .run import Run

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_BROKEN = (
    b"{", b"", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"a": NaN}', b"{} {}", b'{"a": 1,}', b"[" * 2000,
    b'{"a": "\xed\xa0\x80"}',
)  # fmt: skip
_MALFORMED_IDS = ("0", "~", "understudy unknown", "%00", "x" * 300, "\u00fc\u00f1\u00ef", "' OR 1=1", "null")
_TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/octet-stream")


def refused(run: Run) -> None:
    """Send what is to be refused whatever the schemas say."""
    with run.part("requests without a key, with wrong ones, of unknown tasks, methods, paths and types"):
        for operation in run.oracle.operations.values():
            for form in forms_of(run, operation)[:1]:
                _asked(run, operation, form)
        for ask in _unknown_places(run.oracle, run.key):
            run.ask(ask)


def _asked(run: Run, operation: DocumentedOperation, form: Form) -> None:
    draft = run.drafts.simplest(form)
    if draft is None:
        return
    good = form.ask(draft, run.key)
    if operation.behaviour.task_id is not None:
        unknown = unknown_id(operation)
        good = ask_for_task(operation, run.key, unknown)
        for malformed in (unknown, *_MALFORMED_IDS):
            run.ask(ask_for_task(operation, run.key, malformed))
    for ask in (*_keys(operation, good, run.oracle.behaviour.key_prefix), *_contents(form, good)):
        run.ask(ask)


def wrong_keys(prefix: str) -> tuple[str, ...]:
    """Return keys that no account has; those that begin with ``invalid`` are wrong for every emulator."""
    return tuple(dict.fromkeys((f"{prefix}invalid", "invalid")))


def _keys(operation: DocumentedOperation, good: Ask, prefix: str) -> Iterator[Ask]:
    if not operation.needs_key:
        return
    shown = key_header(operation, "")
    for name in shown:
        yield good.with_header(name, None)
        for key in wrong_keys(prefix):
            yield good.with_header(name, key_header(operation, key)[name])
        if shown[name]:  # another scheme than the documented one
            yield good.with_header(name, "Basic aW52YWxpZDppbnZhbGlk")
            yield good.with_header(name, shown[name].strip())


def _contents(form: Form, good: Ask) -> Iterator[Ask]:
    if not form.content_type:
        return
    others = [each for each in _TYPES if each != form.content_type]
    if "*" not in form.content_type:
        yield from (good.with_header("content-type", each) for each in others)
        yield good.with_header("content-type", None)
    if form.content_type.partition(";")[0] == JSON:
        yield from (replace(good, body=each) for each in _BROKEN)
        if good.body:
            yield replace(good, body=good.body[:-1])


def _unknown_places(oracle: Oracle, key: str) -> Iterator[Ask]:
    documented: dict[str, set[str]] = {}
    for operation in oracle.operations.values():
        documented.setdefault(operation.behaviour.key.path, set()).add(operation.behaviour.key.method)
    some: dict[str, str] = {}
    for operation in oracle.operations.values():
        try:
            some = some or key_header(operation, key)
        except NoKeyPlaceError:
            continue
    headers = tuple(some.items())
    for path, methods in documented.items():
        place = "/".join("understudy" if part.startswith("{") else part for part in path.split("/"))
        yield from (Ask(method, place, "", headers) for method in METHODS if method not in methods)
        yield Ask("GET", f"{place.rstrip('/')}/understudy/unknown", "", headers)
    yield Ask("GET", "/understudy/unknown", "", headers)
    yield Ask("POST", "/understudy/unknown", "", (*headers, ("content-type", JSON)), b"{}")
