"""Expressions as closures: they make the same of everything as Jinja does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.expression import UnknownNodeError, compile_nodes
from understudy.openapi.provider import built_in_names, load_provider
from understudy.openapi.template import _environment

ENVIRONMENT = _environment()


class Task:
    """A value of our own, with fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__ |= fields


def closure(expression: str) -> Any:
    """Return the closure that stands for an expression."""
    tree = ENVIRONMENT.parse("{{" + expression + "}}")
    return compile_nodes(tree.body[0].nodes[0], ENVIRONMENT)


def outcome(render: Any, context: dict[str, Any]) -> Any:
    """Return what an expression becomes, with its type, or the error that it ends in."""
    try:
        value = render(context)
    except Exception as error:
        return type(error)
    return type(value), value


NAMES = st.sampled_from(["task", "input", "n", "absent"])
FIELDS = st.sampled_from(["id", "error", "prompt", "upper", "append", "x"])
LITERALS = st.sampled_from(["1", "0", "2.5", "'4K'", "''", "true", "none", "[]", "{'a': 1}", "[1, 'b']"])
COMPARED = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
BINARY = st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "and", "or"])
ATOMS = (
    LITERALS | NAMES | st.builds("{}.{}".format, NAMES, FIELDS) | st.builds("{}.{}.{}".format, NAMES, FIELDS, FIELDS)
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions that hold those of `inner`."""
    return st.one_of(
        st.builds("({} {} {})".format, inner, BINARY | COMPARED, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} if {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("{{'k': {}, 'l': {}}}".format, inner, inner),
        st.builds("[{}]".format, inner),
        st.builds("({}[{}])".format, inner, LITERALS | NAMES),
        st.builds("({} | {})".format, inner, st.sampled_from(["string", "json", "upper", "length", "default('d')"])),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=6)
VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "4K", "a boat"])
DATA = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner), max_leaves=5)
CONTEXTS = st.fixed_dictionaries(
    {"task": DATA | st.builds(lambda fields: Task(**fields), st.dictionaries(FIELDS, DATA)), "input": DATA, "n": VALUES}
)


@given(EXPRESSIONS, CONTEXTS)
def test_a_closure_makes_the_same_of_an_expression_as_jinja(expression: str, context: dict[str, Any]) -> None:
    theirs = ENVIRONMENT.compile_expression(expression)
    assert outcome(closure(expression), context) == outcome(theirs, context)


TOO_MUCH = ["task.id.split('/')", "task.id[1:]", "1 < 2 < 3", "1 in [1]", "n is defined", "n | replace('a', 'b')"]


@pytest.mark.parametrize("expression", [*TOO_MUCH, "n | round(1, method='floor')"])
def test_what_closures_cannot_stand_for_is_left_to_jinja(expression: str) -> None:
    with pytest.raises(UnknownNodeError):
        closure(expression)


def test_the_sandbox_is_asked_for_what_python_s_own_values_hold() -> None:
    assert closure("n.append")({"n": []}) is None
    assert closure("(n).x.y")({"n": {}}) is None


@pytest.mark.parametrize("provider", built_in_names())
def test_the_prices_of_a_built_in_provider_are_closures(provider: str) -> None:
    behaviour = load_provider(provider).behaviour
    prices = [each.credits.data for each in behaviour.models.values() if hasattr(each.credits, "data")]
    for price in prices:
        closure(price.strip("{} "))
