"""Expressions as closures: what Jinja parsed, made into Python functions that call each other.

Jinja runs an expression by making a context, a generator and a template's frame for it, which takes longer than the
expression itself. The closures here do what Jinja's own code would, step by step and by the same sandbox; where an
expression uses more than they know (calls, slices, tests), Jinja runs it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, Undefined, nodes

Render = Callable[[Mapping[str, Any]], Any]

_ABSENT: Any = object()
_BINARY: dict[type[nodes.Expr], Callable[[Any, Any], Any]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
}
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_PLAIN = (str, bytes, int, float, list, tuple, set, type(None), Undefined)
"""Whose attributes only the sandbox hands out; other values are of our own classes, or dicts."""


class UnknownNodeError(Exception):
    """An expression that the closures here can't stand for."""


def compile_nodes(expression: nodes.Expr, environment: Environment) -> Render:
    """Return the function that renders `expression`; what is undefined becomes None.

    Raises:
        UnknownNodeError: Jinja has to run it.
    """
    made = _compile(expression, environment)

    def render(context: Mapping[str, Any]) -> Any:
        value = made(context)
        return None if isinstance(value, Undefined) else value

    return render


def _compile(node: nodes.Node, environment: Environment) -> Render:
    if type(node) in _BINARY:
        return _binary(node, environment)
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise UnknownNodeError(type(node).__name__)
    return compiler(node, environment)


def _const(node: Any, _environment: Environment) -> Render:
    value = node.value
    return lambda _: value


def _name(node: Any, environment: Environment) -> Render:
    name = node.name

    def render(context: Mapping[str, Any]) -> Any:
        value = context.get(name, _ABSENT)
        return environment.undefined(name=name) if value is _ABSENT else value

    return render


def _getattr(node: Any, environment: Environment) -> Render:
    held, name = _compile(node.node, environment), node.attr
    if isinstance(node.node, nodes.Name):
        return _field(node.node.name, name, held, environment)

    def render(context: Mapping[str, Any]) -> Any:
        value = held(context)
        if isinstance(value, dict):
            found = value.get(name, _ABSENT)
        elif isinstance(value, _PLAIN):
            return environment.getattr(value, name)
        else:
            found = getattr(value, name, _ABSENT)
        return environment.undefined(obj=value, name=name) if found is _ABSENT else found

    return render


def _field(root: str, name: str, held: Render, environment: Environment) -> Render:
    """Return what `_getattr` does for a field of one of the names, which nearly all are, in one step."""

    def render(context: Mapping[str, Any]) -> Any:
        value = context.get(root, _ABSENT)
        if isinstance(value, dict):
            found = value.get(name, _ABSENT)
        elif value is _ABSENT or isinstance(value, _PLAIN):
            return environment.getattr(held(context), name)
        else:
            found = getattr(value, name, _ABSENT)
        return environment.undefined(obj=value, name=name) if found is _ABSENT else found

    return render


def _getitem(node: Any, environment: Environment) -> Render:
    held, key = _compile(node.node, environment), _compile(node.arg, environment)
    return lambda context: environment.getitem(held(context), key(context))


def _conditional(node: Any, environment: Environment) -> Render:
    test, then = _compile(node.test, environment), _compile(node.expr1, environment)
    if node.expr2 is None:
        # Jinja's own is not of the environment's kind here: a step into it is an error.
        return lambda context: then(context) if test(context) else Undefined()
    other = _compile(node.expr2, environment)
    return lambda context: then(context) if test(context) else other(context)


def _compare(node: Any, environment: Environment) -> Render:
    if len(node.ops) != 1 or node.ops[0].op not in _COMPARED:
        raise UnknownNodeError("Compare")
    compared = _COMPARED[node.ops[0].op]
    left, right = _compile(node.expr, environment), _compile(node.ops[0].expr, environment)
    return lambda context: compared(left(context), right(context))


def _binary(node: Any, environment: Environment) -> Render:
    combined = _BINARY[type(node)]
    left, right = _compile(node.left, environment), _compile(node.right, environment)
    return lambda context: combined(left(context), right(context))


def _and(node: Any, environment: Environment) -> Render:
    left, right = _compile(node.left, environment), _compile(node.right, environment)
    return lambda context: left(context) and right(context)


def _or(node: Any, environment: Environment) -> Render:
    left, right = _compile(node.left, environment), _compile(node.right, environment)
    return lambda context: left(context) or right(context)


def _not(node: Any, environment: Environment) -> Render:
    negated = _compile(node.node, environment)
    return lambda context: not negated(context)


def _concat(node: Any, environment: Environment) -> Render:
    parts = [_compile(each, environment) for each in node.nodes]
    return lambda context: "".join([str(part(context)) for part in parts])


def _list(node: Any, environment: Environment) -> Render:
    items = [_compile(each, environment) for each in node.items]
    return lambda context: [item(context) for item in items]


def _dict(node: Any, environment: Environment) -> Render:
    pairs = [(_compile(each.key, environment), _compile(each.value, environment)) for each in node.items]
    return lambda context: {key(context): value(context) for key, value in pairs}


def _filter(node: Any, environment: Environment) -> Render:
    filtered = environment.filters.get(node.name)
    if filtered is None or hasattr(filtered, "jinja_pass_arg") or node.node is None:
        raise UnknownNodeError(f"filter {node.name}")
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise UnknownNodeError("arguments")
    held, arguments = _compile(node.node, environment), [_compile(each, environment) for each in node.args]
    if not arguments:
        return lambda context: filtered(held(context))
    return lambda context: filtered(held(context), *[each(context) for each in arguments])


_COMPILERS: dict[type[nodes.Node], Callable[[Any, Environment], Render]] = {
    nodes.Const: _const,
    nodes.Name: _name,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.CondExpr: _conditional,
    nodes.Compare: _compare,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.Concat: _concat,
    nodes.List: _list,
    nodes.Dict: _dict,
    nodes.Filter: _filter,
}
