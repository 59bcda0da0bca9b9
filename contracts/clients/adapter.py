"""What a user writes around a client so that the kit can play with it, and what the client says in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Result = str | bytes | Path
"""What a client hands out: a link to a result, the result itself, or the file that it was saved as."""


class Adapter(Protocol):
    """A client under test. Only `generate` is needed; every method may be a coroutine function instead.

    What an adapter may have besides:

    ``errors``: a tuple of the exceptions by which the client says that it got no results. Anything else that is
    raised is a crash, and so is a programming error (`KeyError`, `TypeError`, …) that is not named itself but only
    covered by `Exception`.

    ``generate(prompt, callback_url=…)`` and ``callback(headers, body)``: for a client that takes callbacks. The URL
    is passed where the provider takes one with the creation; ``callback`` is given what came there (a dict, names in
    lower case, and bytes). Whatever it returns accepts the callback, but for False or an HTTP status from 400 on;
    one of `errors` rejects it as well.

    ``secret``: what callbacks are to be signed with, if the client verifies them.

    ``close()``: ends it.
    """

    def generate(self, prompt: str) -> Any:
        """Create a task, wait for it, and return its results: links, bytes or paths, one or several.

        Raises:
            Exception: one of `errors`, if there are no results.
        """
        ...


Factory = Callable[[str, str], Any]
"""Makes an adapter of base URL and key; a coroutine function may do so."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a call of the adapter ended.

    Attributes:
        kind: ``completed``: it returned; ``reported``: it raised one of its documented errors; ``crashed``: it raised
            something else, or returned what can't be understood; ``hung``: it had not ended when its time was up.
        value: what it returned.
        error: the exception's class and text, or what could not be understood; "" where there is none.
        seconds: how long it took.
    """

    kind: Literal["completed", "reported", "crashed", "hung"]
    value: Any = None
    error: str = ""
    seconds: float = 0.0


_SLIPS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, NotImplementedError, RecursionError,
    TypeError, UnicodeError, ValueError,
)  # fmt: skip
"""What programming errors raise: nobody who writes ``errors = (Exception,)`` means these."""


def is_reported(error: BaseException, documented: tuple[type[BaseException], ...]) -> bool:
    """Tell whether `error` is one of those `documented`, and not a slip that only `Exception` covers."""
    named = tuple(each for each in documented if each not in {Exception, BaseException})
    if isinstance(error, named):
        return True
    return isinstance(error, documented) and not (isinstance(error, _SLIPS) and type(error).__module__ == "builtins")


def documented_errors(adapter: Any) -> tuple[type[BaseException], ...]:
    """Return the exceptions that `adapter` names as its client's.

    Raises:
        TypeError: it names something else.
    """
    told = getattr(adapter, "errors", ())
    errors = told if isinstance(told, tuple) else (told,)
    for each in errors:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise TypeError(f"errors holds {each!r}; expected classes of exceptions")
    return errors


def results_of(value: Any) -> tuple[Result, ...]:
    """Return the results that `generate` returned.

    Raises:
        TypeError: it returned something else.
    """
    if isinstance(value, str | bytes | Path):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(each, str | bytes | Path) for each in value):
        return tuple(value)
    raise TypeError(f"generate returned {value!r:.80}; expected links, bytes or paths")
