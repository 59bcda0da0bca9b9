from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.template import FILTERS, TemplateError, compile_template, dump_json, is_constant, names_in

NAMES = frozenset({"task", "now", "models"})


@dataclass
class Task:
    """What an expression may step into, as the emulator's own values."""

    id: str
    completed: int | None
    input: dict[str, Any]


TASK = Task("t1", None, {"prompt": "a boat", "items": [1, 2], "none": None})


def rendered(template: Any, **context: Any) -> Any:
    """What a template becomes."""
    return compile_template(template, NAMES)({"task": TASK, "now": 1_758_412_800_500} | context)


def refused(template: Any) -> tuple[str, str]:
    """The place and the sentence with which a template is refused."""
    with pytest.raises(TemplateError) as caught:
        compile_template(template, NAMES)
    return caught.value.pointer, str(caught.value)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ task.id }}", "t1"),
        ("{{task.id}}", "t1"),
        ("id {{ task.id }}, {{ now }}", "id t1, 1758412800500"),
        ("{{ task.id }}{{ task.id }}", "t1t1"),
        ("{{ task.completed }}", None),
        ("[{{ task.completed }}]", "[]"),
        ("{{ now }}", 1_758_412_800_500),
        ("{{ now // 1000 }}", 1_758_412_800),
        ("{{ task.input }}", TASK.input),
        ("{{ task.input.items }}", [1, 2]),
        ("{{ task.input.items[1] }}", 2),
        ("{{ task.input.none.at.all }}", None),
        ("{{ {'urls': task.input['items']} }}", {"urls": [1, 2]}),
        ("{{ {'urls': task.input['items']} | json }}", '{"urls":[1,2]}'),
        ("{{ task.id if task.completed else 'open' }}", "open"),
        ("{{ true }}", True),
        ("{{ none }}", None),
        ("no expression", "no expression"),
        ("{% if true %}", "{% if true %}"),
        ("}} {", "}} {"),
        (["{{ now }}", 5, None], [1_758_412_800_500, 5, None]),
        ({"a": {"b": "{{ task.id }}"}, "c": [1]}, {"a": {"b": "t1"}, "c": [1]}),
        (5, 5),
    ],
)
def test_a_template_becomes_data_with_the_types_of_its_expressions(template: Any, value: Any) -> None:
    assert rendered(template) == value
    assert type(rendered(template)) is type(value)


@pytest.mark.parametrize("template", ["{{ '501' }}", "{{ task.id }}", "{{ ('501') }}", "501", "{{ task.id | string }}"])
def test_the_string_501_stays_a_string(template: str) -> None:
    assert rendered(template, task={"id": "501"}) == "501"


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ now | iso }}", "2025-09-21T00:00:00.500Z"),
        ("{{ now | seconds }}", 1_758_412_800),
        ("{{ now | exact_seconds }}", 1_758_412_800.5),
        ("{{ now | seconds | string }}", "1758412800"),
        ("{{ task.completed | iso }}", None),
        ("{{ task.completed | seconds }}", None),
        ("{{ task.completed | exact_seconds }}", None),
        ("{{ task.completed | string }}", ""),
        ("{{ none | string }}", ""),
        ("{{ true | json }}", "true"),
        ("{{ task.input | json }}", '{"prompt":"a boat","items":[1,2],"none":null}'),
        ("{{ task.input.nothing | default('x') }}", "x"),
        ("{{ task.id | upper }}", "T1"),
    ],
)
def test_filters_turn_times_into_what_a_provider_writes_and_pass_null_on(template: str, value: Any) -> None:
    assert rendered(template) == value


def test_a_key_with_a_question_mark_is_left_out_where_its_value_is_null() -> None:
    template = {"id": "{{ task.id }}", "done?": "{{ task.completed }}", "now?": "{{ now }}", "null": None}
    assert rendered(template) == {"id": "t1", "now": 1_758_412_800_500, "null": None}
    assert rendered({"a?": None, "b?": 0}) == {"b": 0}


def test_each_makes_an_item_of_every_value_under_the_name_that_it_is_given() -> None:
    template = {"$each": "{{ models }}", "$as": "model", "$item": {"name": "{{ model.name }}", "at": "{{ now }}"}}
    models = [{"name": "a"}, {"name": "b"}]
    assert [item["name"] for item in rendered(template, models=models)] == ["a", "b"]
    assert rendered(template, models=None) == []
    assert rendered({"$each": [1, 2], "$as": "number", "$item": "x"}) == ["x", "x"]


@pytest.mark.parametrize(
    ("template", "pointer", "problem"),
    [
        ("{{ tsak.id }}", "", "the name 'tsak' is not known here; known: models, now, task"),
        ("{{ tsak.id or 5 }}", "", "the name 'tsak' is not known here; known: models, now, task"),
        ({"a": [1, {"b/c": "{{ x }}"}]}, "/a/1/b~1c", "the name 'x' is not known here; known: models, now, task"),
        ({"a?": "{{ x }}"}, "/a?", "the name 'x' is not known here; known: models, now, task"),
        ("{{ task.id + }}", "", "'task.id +' is no expression: unexpected 'end of print statement'"),
        ("{{ }}", "", "'' is no expression: Expected an expression, got 'end of print statement'"),
        ("{{ task.id | isoo }}", "", "'task.id | isoo' is no expression: No filter named 'isoo'."),
        ("{{ task.id", "", "'{{ task.id' has a '{{' without its '}}'"),
        ("{{ task.id }} and {{ now }", "", "'{{ task.id }} and {{ now }' has a '{{' without its '}}'"),
        ({"$each": "{{ models }}"}, "", "$each stands without $as or $item"),
        ({"$each": "{{ models }}", "$as": 5, "$item": 1}, "", "$each stands without $as or $item"),
        ({"a": {"$each": "{{ x }}", "$as": "m", "$item": 1}}, "/a/$each", "the name 'x' is not known here; known: mod"),
        ({"$each": [], "$as": "m", "$item": {"b": "{{ x }}"}}, "/$item/b", "the name 'x' is not known here; known: m,"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(template: Any, pointer: str, problem: str) -> None:
    found, sentence = refused(template)
    assert found == pointer
    assert sentence.startswith(problem)


@pytest.mark.parametrize(
    "expression",
    ["task.__class__", "task.__class__.__mro__", "[task.__init__.__globals__]", "task.id.__class__()", "task._private"],
)
def test_no_expression_looks_inside_python(expression: str) -> None:
    assert "looks inside Python, at '_" in refused("{{ " + expression + " }}")[1]


@pytest.mark.parametrize("expression", ["task['__class__']", "task | attr('__class__')", "(task | attr('__init__'))"])
def test_the_sandbox_hands_out_nothing_of_python_s_own_by_another_way(expression: str) -> None:
    assert rendered("{{ " + expression + " }}") is None


STEPS = st.sampled_from(["id", "completed", "input", "prompt", "items", "values", "copy", "none", "missing", "x"])
PATHS = st.lists(STEPS, max_size=4).map(lambda steps: ".".join(["task", *steps]))
ROOTS = PATHS | st.sampled_from(["now", "true", "false", "none"])
VALUES = st.none() | st.booleans() | st.integers(0, 10**12) | st.text(max_size=5)
TREES = st.recursive(VALUES, lambda inner: st.dictionaries(STEPS, inner, max_size=4), max_leaves=10)


def outcome(template: str, context: dict[str, Any]) -> Any:
    """What a template becomes, or the error that a filter ends in where it gets what it is not for."""
    try:
        return compile_template(template, NAMES)(context)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error)


@given(ROOTS, st.lists(st.sampled_from(sorted(FILTERS)), max_size=2), st.dictionaries(STEPS, TREES))
def test_a_closure_and_jinja_make_the_same_of_a_simple_expression(path: str, filters: list[str], task: Any) -> None:
    # Parentheses are all that it takes for an expression not to be a simple one.
    simple, full = " | ".join([path, *filters]), " | ".join([f"({path})", *filters])
    context = {"task": task, "now": 1_758_412_800_500}
    assert outcome(f"{{{{ {simple} }}}}", context) == outcome(f"{{{{ {full} }}}}", context)


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=8))
def test_data_without_expressions_renders_as_itself(data: Any) -> None:
    if is_constant(data):
        assert rendered(data) is data
        assert names_in(data) == frozenset()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ task.error.code | string }}", {"task", "error", "code", "string"}),
        ({"a": ["{{ now }}", 5], "b": "now {{ task }}"}, {"now", "task"}),
        ({"$each": "{{ models }}", "$as": "m", "$item": "{{ m }}"}, {"models", "m"}),
        ("no expression", set()),
    ],
)
def test_every_name_that_a_template_uses_is_among_its_words(template: Any, words: set[str]) -> None:
    assert names_in(template) == words


def test_json_is_written_without_spaces() -> None:
    assert dump_json({"a": [1, "é"]}) == '{"a":[1,"é"]}'
