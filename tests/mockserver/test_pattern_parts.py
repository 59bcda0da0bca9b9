"""The parts of a pattern, and what becomes of rules where Python tells none."""

from __future__ import annotations

import re

import pytest
from understudy.mockserver import pattern_parts
from understudy.mockserver.automaton import Automaton
from understudy.mockserver.literals import literals_of


def possible(pattern: str, text: str) -> bool:
    """Tell whether a walk through `text` leaves `pattern` possible."""
    automaton = Automaton()
    automaton.add(0, re.compile(pattern))
    return automaton.possible(text) == 1


def test_patterns_are_read_by_their_parts() -> None:
    assert (literals_of(re.compile("a boat")), possible(r"\d{40}", "a boat")) == (frozenset({"a boat"}), False)


@pytest.mark.parametrize("name", ["_PARSER", "_COMPILER"])
def test_a_python_that_tells_no_parts_has_every_pattern_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_parts, name, None)
    assert (literals_of(re.compile("a boat")), possible(r"\d{40}", "a boat")) == (frozenset(), True)


def test_a_module_that_is_not_there_is_none() -> None:
    assert pattern_parts._module("_nothing") is None
