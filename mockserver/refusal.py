"""Why a request is refused, before it is known how the provider would say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """A request that the provider would refuse.

    Attributes:
        condition: one of the behaviour file's conditions.
        problem: one sentence that names what was sent and what was expected.
        facts: values that the refusal's template may show: price, retry_after.
        error: the name of the catalogue's entry to answer with, whatever the condition; "" for the condition's own.
    """

    def __init__(self, condition: str, problem: str = "", *, error: str = "", **facts: Any) -> None:
        super().__init__(condition, problem)
        self.condition = condition
        self.problem = problem
        self.error = error
        self.facts: Mapping[str, Any] = facts
