"""What an adapter may be and do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from understudy.contracts.clients.adapter import documented_errors, is_reported, results_of


class Mine(Exception):  # noqa: N818 - as users name theirs
    pass


@pytest.mark.parametrize(
    ("error", "documented", "reported"),
    [
        (Mine(), (Mine,), True),
        (Mine(), (Exception,), True),
        (ConnectionResetError(), (OSError,), True),
        (TimeoutError(), (Exception,), True),
        (KeyError("id"), (Exception,), False),
        (KeyError("id"), (KeyError,), True),
        (KeyError("id"), (Exception, LookupError), True),
        (json.JSONDecodeError("x", "y", 0), (Exception,), True),
        (ValueError("x"), (Mine,), False),
        (SystemExit(1), (Exception,), False),
        (Mine(), (), False),
    ],
    ids=repr,
)
def test_a_slip_is_no_error_that_a_client_documents(
    error: BaseException, documented: tuple[type[BaseException], ...], reported: bool
) -> None:
    assert is_reported(error, documented) is reported


def test_links_contents_and_paths_are_results() -> None:
    assert results_of("a") == ("a",)
    assert results_of([b"a", Path("b")]) == (b"a", Path("b"))
    assert results_of([]) == ()


@pytest.mark.parametrize("value", [None, 7, {"url": "a"}, [None], ["a", 7]])
def test_anything_else_is_none(value: Any) -> None:
    with pytest.raises(TypeError, match="expected links, bytes or paths"):
        results_of(value)


def test_errors_are_classes_of_exceptions() -> None:
    class Adapter:
        errors: Any = Mine

    assert documented_errors(Adapter()) == (Mine,)
    assert documented_errors(object()) == ()
    Adapter.errors = (Mine, "Mine")
    with pytest.raises(TypeError, match="errors holds 'Mine'; expected classes of exceptions"):
        documented_errors(Adapter())
