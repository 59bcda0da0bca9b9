"""The errors: drawn once, all exported, saying what happened without saying too much."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest
from understudy import client
from understudy.client import errors
from understudy.client.errors import UnderstudyError
from understudy.client.task import Phase, Task, TaskError
from understudy.openapi.validation import Problem

FAILED = Task("t1", "acme", status="broken", phase=Phase.FAILED, error=TaskError("e7", "The brush was dry"))
SENTENCES = [
    (errors.ConfigurationError("no key for acme"), "no key for acme"),
    (
        errors.InvalidRequest([Problem("/n", "maximum", 9, 4, "is 9", "at most 4")]),
        "n is 9; expected at most 4",
    ),
    (errors.InvalidRequest(code=422, message="n is too large", http_status=422),
     "the provider answered 422: n is too large"),
    (errors.Refused(code="e7", message="No", http_status=409), "the provider answered e7 (HTTP 409): No"),
    (errors.NotFound(code=422, http_status=200), "the provider answered 422 (HTTP 200)"),
    (errors.RateLimited(code=429, http_status=429, retry_after=60),
     "the provider answered 429; it wants to be asked again in 60 s"),
    (errors.TransportFailed("GET acme.example/v2 broke", sent=True),
     "GET acme.example/v2 broke; the request may have been received"),
    (errors.TransportFailed("POST acme.example/v2 broke", sent=False),
     "POST acme.example/v2 broke; the request was not received"),
    (errors.ProtocolViolation("/id", "text, the id of the task", "missing"),
     "/id of the answer is missing; expected text, the id of the task"),
    (errors.ProtocolViolation("", "JSON", "empty"), "the answer is empty; expected JSON"),
    (errors.TaskFailed(FAILED), "task t1 ended as 'broken': e7 The brush was dry"),
    (errors.TaskFailed(Task("t1", "acme", status="cancelled")), "task t1 ended as 'cancelled'"),
    (errors.WaitTimedOut(Task("t1", "acme", status="queued"), 600.0),
     "task t1 had not ended after 600 s; its status was 'queued'"),
    (errors.WaitTimedOut(Task("t1", "acme"), 600.0), "task t1 had not ended after 600 s; its status was null"),
    (errors.CallbackRejected("missing", "the header X-Signature is missing"),
     "the callback is rejected: the header X-Signature is missing"),
]  # fmt: skip


def drawn() -> dict[str, str]:
    """Return the drawn hierarchy: each error with the one that it is drawn below."""
    path: list[str] = []
    parents: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ((?:│   |    )*)(?:[├└]── )?([A-Z]\w+)(?: |$)", line):
            depth = len(match[1]) // 4 + ("──" in line)
            path = [*path[:depth], match[2]]
            parents[match[2]] = path[depth - 1] if depth else ""
    return parents


def raised() -> dict[str, type[BaseException]]:
    """Return every exception that the client exports."""
    public = {name: getattr(client, name) for name in client.__all__}
    return {name: each for name, each in public.items() if isinstance(each, type) and issubclass(each, BaseException)}


def test_the_drawing_shows_every_public_exception_under_its_base() -> None:
    bases = {name: each.__base__.__name__ for name, each in raised().items() if each.__base__ is not None}
    assert drawn() == bases | {"UnderstudyError": ""}


def test_every_exception_of_the_module_is_public() -> None:
    defined = {
        name
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, BaseException) and each.__module__ == errors.__name__
    }
    assert defined == set(raised())


@pytest.mark.parametrize(("error", "sentence"), SENTENCES)
def test_an_error_says_what_happened(error: UnderstudyError, sentence: str) -> None:
    assert str(error) == sentence
    assert repr(error) == f"{type(error).__name__}({sentence!r})"


@pytest.mark.parametrize("error", [each for each, _ in SENTENCES])
def test_an_error_keeps_its_fields_in_another_process(error: UnderstudyError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__
    assert str(again) == str(error)


def test_everything_exported_is_there() -> None:
    assert [name for name in client.__all__ if not hasattr(client, name)] == []
    assert client.__all__ == sorted(client.__all__, key=lambda name: (name[0].islower(), name))
