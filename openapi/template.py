"""Templates: data with expressions in its strings, compiled once and rendered many times.

A string that is one ``{{ expression }}`` becomes the expression's value, with its type; one with text around
expressions becomes a string. A key that ends in ``?`` is left out where its value is null. An object of
``$each``, ``$as`` and ``$item`` becomes a list: the item for each value, under the name given. Expressions are
Jinja's, in its sandbox; those that only name a value and pass it through filters need no Jinja at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson

from .pointer import join
from .times import iso

Render = Callable[[Mapping[str, Any]], Any]

_SIMPLE = re.compile(r"\s*([a-z_]+(?:\.[a-zA-Z]\w*)*)\s*((?:\|\s*[a-z_]+\s*)*)")
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class TemplateError(ValueError):
    """A template that cannot be compiled; `pointer` tells where in it."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(problem)
        self.pointer = pointer
        self.problem = problem


def dump_json(value: Any) -> str:
    """Return `value` as compact JSON text."""
    return orjson.dumps(value).decode()


FILTERS: dict[str, Callable[[Any], Any]] = {
    "json": dump_json,
    "iso": lambda time: None if time is None else iso(time),
    "seconds": lambda time: None if time is None else time // 1000,
    "exact_seconds": lambda time: None if time is None else time / 1000,
    "string": lambda value: "" if value is None else str(value),
}
"""Filters beside Jinja's own. Times and durations are milliseconds until a filter turns them into something else."""


def compile_template(data: Any, names: frozenset[str]) -> Render:
    """Return a function that renders `data`; `names` are the names that expressions may use.

    Raises:
        TemplateError: an expression is malformed or uses another name.
    """
    return _compile(data, names, "")


def is_constant(data: Any) -> bool:
    """Tell whether `data` holds no expression and no optional key."""
    if isinstance(data, str):
        return "{{" not in data
    if isinstance(data, list):
        return all(map(is_constant, data))
    if isinstance(data, dict):
        return "$each" not in data and all(not key.endswith("?") and is_constant(value) for key, value in data.items())
    return True


def names_in(data: Any) -> frozenset[str]:
    """Return the words in the expressions of `data`; every name that they use is among them."""
    if isinstance(data, str):
        return frozenset(word for part in _EXPRESSION.findall(data) for word in re.findall(r"[a-z_]+", part))
    children = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return frozenset().union(*map(names_in, children))


def _compile(data: Any, names: frozenset[str], pointer: str) -> Render:
    if is_constant(data):
        return lambda _: data
    if isinstance(data, dict):
        return _compile_list(data, names, pointer) if "$each" in data else _compile_object(data, names, pointer)
    if isinstance(data, list):
        items = [_compile(item, names, pointer + join(number)) for number, item in enumerate(data)]
        return lambda context: [render(context) for render in items]
    return _compile_string(data, names, pointer)


def _compile_list(data: Mapping[str, Any], names: frozenset[str], pointer: str) -> Render:
    name = data.get("$as")
    if not isinstance(name, str) or "$item" not in data:
        raise TemplateError(pointer, "$each stands without $as or $item")
    each = _compile(data["$each"], names, f"{pointer}/$each")
    item = _compile(data["$item"], names | {name}, f"{pointer}/$item")
    return lambda context: [item({**context, name: value}) for value in each(context) or ()]


def _compile_object(data: Mapping[str, Any], names: frozenset[str], pointer: str) -> Render:
    fields = [
        (key.removesuffix("?"), key.endswith("?"), _compile(value, names, pointer + join(key)))
        for key, value in data.items()
    ]
    if len({key for key, _, _ in fields}) < len(fields):  # a field may be written twice, once as an optional one
        return lambda context: {
            key: value for key, optional, render in fields if not ((value := render(context)) is None and optional)
        }
    # What never changes is copied as a whole, in its order; the rest is put in its place.
    whole = {key.removesuffix("?"): value if is_constant(value) else None for key, value in data.items()}
    dynamic = [field for field, value in zip(fields, data.values(), strict=True) if field[1] or not is_constant(value)]

    def render_object(context: Mapping[str, Any]) -> dict[str, Any]:
        made = whole.copy()
        for key, optional, render in dynamic:
            made[key] = value = render(context)
            if optional and value is None:
                del made[key]
        return made

    return render_object


def _compile_string(text: str, names: frozenset[str], pointer: str) -> Render:
    if "{{" in _EXPRESSION.sub("", text):
        raise TemplateError(pointer, f"{text!r} has a '{{{{' without its '}}}}'")
    whole = _EXPRESSION.fullmatch(text)
    if whole and "{{" not in whole[1]:
        return _compile_expression(whole[1], names, pointer)
    # re.split with one group: literal text at even places, expressions at odd ones.
    parts = [
        _compile_expression(part, names, pointer) if number % 2 else _literal(part)
        for number, part in enumerate(_EXPRESSION.split(text))
    ]
    return lambda context: "".join("" if (value := part(context)) is None else str(value) for part in parts)


def _literal(text: str) -> Render:
    return lambda _: text


def _compile_expression(text: str, names: frozenset[str], pointer: str) -> Render:
    simple = _SIMPLE.fullmatch(text)
    if simple and all(name.strip() in FILTERS for name in simple[2].split("|")[1:]):
        return _compile_simple(simple[1].split("."), simple[2].split("|")[1:], names, pointer)
    return _compile_jinja(text, names, pointer)


_CONSTANTS = {"true": True, "false": False, "none": None}


def _compile_simple(path: list[str], filters: list[str], names: frozenset[str], pointer: str) -> Render:
    root, *steps = path
    if root not in _CONSTANTS:
        _check_names({root}, names, pointer)
    chain = [FILTERS[name.strip()] for name in filters]
    if root in _CONSTANTS:
        constant = _CONSTANTS[root]
        return lambda _: _filtered(_stepped(constant, steps), chain)
    if len(steps) == 1 and not chain:
        (only,) = steps

        def render_field(context: Mapping[str, Any]) -> Any:
            value = context[root]
            return value.get(only) if isinstance(value, dict) else getattr(value, only, None)

        return render_field
    return lambda context: _filtered(_stepped(context[root], steps), chain)


def _stepped(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else getattr(value, step, None)
    return value


def _filtered(value: Any, chain: list[Callable[[Any], Any]]) -> Any:
    for each in chain:
        value = each(value)
    return value


def _check_names(used: set[str], names: frozenset[str], pointer: str) -> None:
    if unknown := sorted(used - names):
        raise TemplateError(pointer, f"the name {unknown[0]!r} is not known here; known: {', '.join(sorted(names))}")


@cache
def _environment() -> Any:
    """Return the sandbox. As in the closures of `_compile_simple`, a step into an object is a field, not a method."""
    # Imported when the first template needs it: a start that needs none should not pay for it.
    from jinja2 import ChainableUndefined, Undefined  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    class Environment(ImmutableSandboxedEnvironment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            if not isinstance(obj, dict):
                return super().getattr(obj, attribute)
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)

    def null_for_absent(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: convert(None if isinstance(value, Undefined) else value)

    environment = Environment(undefined=ChainableUndefined)
    environment.filters |= {name: null_for_absent(convert) for name, convert in FILTERS.items()}
    return environment


def _compile_jinja(text: str, names: frozenset[str], pointer: str) -> Render:
    from jinja2 import TemplateSyntaxError, meta, nodes  # noqa: PLC0415

    environment = _environment()
    try:
        tree = environment.parse("{{" + text + "}}")
        made = _compile_tree(tree, text, environment)
    except TemplateSyntaxError as error:
        raise TemplateError(pointer, f"{text.strip()!r} is no expression: {error.message}") from None
    _check_names(meta.find_undeclared_variables(tree), names, pointer)
    for step in tree.find_all(nodes.Getattr):
        if step.attr.startswith("_"):
            raise TemplateError(pointer, f"{text.strip()!r} looks inside Python, at {step.attr!r}")
    return made


def _compile_tree(tree: Any, text: str, environment: Any) -> Render:
    from .expression import UnknownNodeError, compile_nodes  # noqa: PLC0415

    try:
        return compile_nodes(tree.body[0].nodes[0], environment)
    except UnknownNodeError:
        made: Render = environment.compile_expression(text.strip())
        return made
