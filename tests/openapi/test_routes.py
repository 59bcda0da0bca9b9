"""Finding the operation that a request means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.contract import OperationKey
from understudy.openapi.routes import Match, Routes

ROUTES = Routes(
    (OperationKey(*key.split(" ")), frozenset(slashes), key)
    for key, slashes in [
        ("POST /v1/tasks", ()),
        ("GET /v1/tasks", ()),
        ("GET /v1/tasks/{task-id}", ()),
        ("GET /v1/tasks/{task-id}/files/{n}.png", ()),
        ("GET /v1/tasks/new", ()),
        ("GET /v1/{kind}/old", ()),
        ("GET /v1/models/{model}", ("model",)),
        ("PUT /v1/models/{model}", ("model",)),
    ]
)


def found(method: str, path: str) -> tuple[str | None, dict[str, str]]:
    """Return what a request leads to, and its parameters."""
    match = ROUTES.find(path)
    return (None, {}) if match is None else (match.targets.get(method), dict(match.values))


@pytest.mark.parametrize(
    ("method", "path", "key", "values"),
    [
        ("GET", "/v1/tasks", "GET /v1/tasks", {}),
        ("POST", "/v1/tasks", "POST /v1/tasks", {}),
        ("DELETE", "/v1/tasks", None, {}),
        ("GET", "/v1/tasks/new", "GET /v1/tasks/new", {}),
        ("GET", "/v1/tasks/a b", "GET /v1/tasks/{task-id}", {"task-id": "a b"}),
        ("GET", "/v1/tasks/a/files/7.png", "GET /v1/tasks/{task-id}/files/{n}.png", {"task-id": "a", "n": "7"}),
        ("GET", "/v1/models/a/b", "GET /v1/models/{model}", {"model": "a/b"}),
        ("GET", "/v1/models/a\nb", "GET /v1/models/{model}", {"model": "a\nb"}),
        ("PUT", "/v1/models/a", "PUT /v1/models/{model}", {"model": "a"}),
        ("GET", "/v1/things/old", "GET /v1/{kind}/old", {"kind": "things"}),
        ("GET", "/v1/models/old", "GET /v1/models/{model}", {"model": "old"}),
    ],
)
def test_a_path_leads_to_the_operations_on_it(method: str, path: str, key: str | None, values: dict[str, str]) -> None:
    assert found(method, path) == (key, values)


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/tasks/", "/v1/tasks/a/", "/v1/tasks/a/b", "/v1/tasks/a/files/7xpng", "/V1/tasks"]
)
def test_a_path_that_no_operation_has_leads_nowhere(path: str) -> None:
    assert ROUTES.find(path) is None


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("PUT", "/v1/tasks/new", "the nearest is GET /v1/tasks/new, whose method is GET, not PUT"),
        ("PUT", "/v1/tasks/a", "the nearest is GET /v1/tasks/{task-id}, whose method is GET, not PUT"),
        ("POST", "/v1/task", "the nearest is POST /v1/tasks, whose path has 'tasks' as part 2, not 'task'"),
        ("GET", "/v1/tasks/", "the nearest is GET /v1/tasks, whose path has 2 parts, not 3"),
        ("GET", "/v1/tasks/a/files/7.jpg", "whose path has '{n}.png' as part 5, not '7.jpg'"),
        ("GET", "/v1/tasks//files/7.png", "whose path has '{task-id}' as part 3, not ''"),
    ],
)
def test_the_nearest_operation_is_named_with_the_difference(method: str, path: str, sentence: str) -> None:
    told = ROUTES.nearest(method, path)
    assert told.startswith(f"{method} {path} is no operation; ")
    assert told.endswith(sentence)


def test_a_long_path_is_told_in_part_and_compared_in_time() -> None:
    assert len(ROUTES.nearest("GET", "/v1/tasks/" + "a/" * 100_000)) < 500


@given(st.text(st.sampled_from("/v1taskmodel{}-%.\n\u2603"), max_size=30), st.sampled_from(["GET", "POST", "BREW"]))
def test_every_path_leads_somewhere_or_is_explained(path: str, method: str) -> None:
    match = ROUTES.find("/" + path)
    assert match is None or isinstance(match, Match)
    if match is None or method not in match.targets:
        assert " is no operation; the nearest is " in ROUTES.nearest(method, "/" + path)


@given(st.text(min_size=1).filter(lambda text: "/" not in text and text != "new"))
def test_a_parameter_is_found_as_it_was_sent(value: str) -> None:
    assert found("GET", f"/v1/tasks/{value}") == ("GET /v1/tasks/{task-id}", {"task-id": value})
