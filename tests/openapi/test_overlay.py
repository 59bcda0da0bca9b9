import copy
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.errors import LoadError
from understudy.openapi.overlay import apply_overlay
from understudy.openapi.source import parse_source

DOCUMENT = {"info": {"title": "A"}, "tags": ["x", "y", "z"], "paths": {"/a": {"get": {"tags": ["x"], "id": 1}}}}


def applied(*actions: dict[str, Any], version: str = "1.0.0", document: Any = DOCUMENT) -> Any:
    """The document after an overlay of `actions`."""
    overlay = parse_source(yaml.safe_dump({"overlay": version, "actions": list(actions)}), "o.yaml")
    return apply_overlay({"a.yaml": document}, overlay)["a.yaml"]


def refused(text: str) -> str:
    """The sentence with which the overlay `text` is refused."""
    with pytest.raises(LoadError) as caught:
        apply_overlay({"a.yaml": DOCUMENT, "b.yaml": {}}, parse_source(text, "o.yaml"))
    return str(caught.value)


def test_an_object_is_merged_by_key_and_its_lists_and_objects_with_it() -> None:
    action = {"target": "$.paths['/a'].get", "update": {"tags": ["y"], "id": 2, "new": {"deep": True}}}
    assert applied(action)["paths"]["/a"]["get"] == {"tags": ["x", "y"], "id": 2, "new": {"deep": True}}


def test_overlay_1_0_appends_a_list_to_a_list_as_one_item() -> None:
    assert applied({"target": "$.tags", "update": ["n", "m"]})["tags"] == ["x", "y", "z", ["n", "m"]]
    assert applied({"target": "$.tags", "update": "n"})["tags"] == ["x", "y", "z", "n"]


def test_overlay_1_1_joins_a_list_to_a_list_and_appends_anything_else() -> None:
    assert applied({"target": "$.tags", "update": ["n", "m"]}, version="1.1.0")["tags"] == ["x", "y", "z", "n", "m"]
    assert applied({"target": "$.tags", "update": {"n": 1}}, version="1.1.0")["tags"] == ["x", "y", "z", {"n": 1}]


def test_overlay_1_1_replaces_a_primitive() -> None:
    assert applied({"target": "$.tags[1]", "update": "n"}, version="1.1.0")["tags"] == ["x", "n", "z"]
    assert applied({"target": "$.paths..id", "update": None}, version="1.1.0")["paths"]["/a"]["get"]["id"] is None


def test_overlay_1_1_copies_a_node_into_another() -> None:
    changed = applied({"target": "$.info", "copy": "$.paths['/a'].get"}, version="1.1.0")
    assert changed["info"] == {"title": "A", "tags": ["x"], "id": 1}
    assert applied({"target": "$.paths..tags", "copy": "$.tags"}, version="1.1.0")["paths"]["/a"]["get"]["tags"] == [
        "x", "x", "y", "z",
    ]  # fmt: skip


def test_a_copy_shares_nothing_with_what_it_was_copied_from() -> None:
    copied = {"target": "$.info", "copy": "$.paths['/a'].get"}
    later = {"target": "$.info.tags", "update": "later"}
    changed = applied(copied, later, version="1.1.0")
    assert changed["info"]["tags"] == ["x", "later"]
    assert changed["paths"]["/a"]["get"]["tags"] == ["x"]


def test_the_whole_document_can_be_updated() -> None:
    assert applied({"target": "$", "update": {"info": {"version": "2"}}})["info"] == {"title": "A", "version": "2"}


def test_nodes_are_removed_and_false_removes_nothing() -> None:
    assert "id" not in applied({"target": "$..id", "remove": True})["paths"]["/a"]["get"]
    assert applied({"target": "$.info", "remove": False, "update": {"a": 1}})["info"] == {"title": "A", "a": 1}


def test_removing_comes_before_updating_where_an_action_asks_for_both() -> None:
    assert "info" not in applied({"target": "$.info", "remove": True, "update": {"a": 1}})


@pytest.mark.parametrize(
    ("target", "left"),
    [
        ("$.tags[*]", []),
        ("$.tags[0, 1]", ["z"]),
        ("$.tags[2, 0]", ["y"]),
        ("$.tags[0, 0]", ["y", "z"]),
        ("$.tags[?@ == 'y']", ["x", "z"]),
        ("$.tags[-1]", ["x", "y"]),
    ],
)
def test_items_of_a_list_are_removed_each_once_in_whatever_order_they_are_selected(
    target: str, left: list[str]
) -> None:
    assert applied({"target": target, "remove": True})["tags"] == left


def test_a_node_that_is_selected_twice_is_updated_once() -> None:
    assert applied({"target": "$['tags', 'tags']", "update": "n"})["tags"] == ["x", "y", "z", "n"]


def test_a_node_inside_one_that_is_selected_as_well_goes_with_it() -> None:
    nested = {"x": {"x": {"x": 1}, "y": 2}}
    assert applied({"target": "$..x", "remove": True}, document=nested) == {}
    assert applied({"target": "$..[?@.y]", "update": {"z": 3}}, document={"a": {"y": {"y": 1}}}) == {
        "a": {"y": {"y": 1, "z": 3}, "z": 3}
    }


def test_an_object_is_updated_after_what_it_holds_which_the_update_may_replace() -> None:
    document = {"a": {"a": [{"a": None}]}}
    assert applied({"target": "$..[?@.a]", "update": {"a": 1}}, version="1.1.0", document=document) == {"a": {"a": 1}}


def test_what_an_alias_repeats_is_changed_in_one_place_alone() -> None:
    document = parse_source("p: &a {k: {j: 1}}\nq: *a\n", "a.yaml").data
    assert applied({"target": "$.p.k", "update": {"z": 2}}, document=document) == {
        "p": {"k": {"j": 1, "z": 2}},
        "q": {"k": {"j": 1}},
    }
    assert applied({"target": "$..j", "remove": True}, document=document) == {"p": {"k": {}}, "q": {"k": {}}}


def test_actions_apply_in_order_and_see_what_came_before() -> None:
    changed = applied({"target": "$.info", "update": {"new": {}}}, {"target": "$.info.new", "update": {"a": 1}})
    assert changed["info"]["new"] == {"a": 1}


def test_an_action_applies_wherever_it_matches_and_x_document_narrows_it() -> None:
    documents: Any = {"a.yaml": {"info": {}}, "b.yaml": {"info": {}}, "c.yaml": {}}
    text = "overlay: 1.0.0\nactions:\n  - { target: $.info, update: { x: 1 } }\n"
    text += "  - { target: $.info, x-document: b.yaml, update: { y: 1 } }\n"
    text += "  - { target: $.info, x-document: [a.yaml, c.yaml], update: { z: 1 } }\n"
    changed = apply_overlay(documents, parse_source(text, "o.yaml"))
    assert changed == {"a.yaml": {"info": {"x": 1, "z": 1}}, "b.yaml": {"info": {"x": 1, "y": 1}}, "c.yaml": {}}


ONE = "overlay: 1.0.0\nactions:\n  - description: first\n    "
MODERN = ONE.replace("1.0.0", "1.1.0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "o.yaml:1: /overlay: is ''; expected an Overlay of version 1.0.x or 1.1.x"),
        ("overlay: 2.0.0", "o.yaml:1: /overlay: is '2.0.0'; expected an Overlay of version 1.0.x or 1.1.x"),
        ("overlay: 1.0", "o.yaml:1: /overlay: is '1.0'; expected an Overlay of version 1.0.x or 1.1.x"),
        ("overlay: 1.0.0", "o.yaml:1: /actions: is missing or empty; expected a list of actions"),
        ("overlay: 1.0.0\nactions: []", "o.yaml:2: /actions: is missing or empty; expected a list of actions"),
        ("overlay: 1.0.0\nactions: [5]", "o.yaml:2: /actions/0: is 5; expected an action with a target"),
        (
            ONE + "target: 5",
            "o.yaml:3: /actions/0: is {'description': 'first', 'target': 5}; expected an action with a",
        ),
        (
            ONE + "target: $.none\n    update: {}",
            "o.yaml:4: /actions/0/target: matches nothing: $['none']; expected a match in a.yaml, b.yaml",
        ),
        (
            ONE + "target: $.info\n    x-document: b.yaml\n    update: {}",
            "o.yaml:4: /actions/0/target: matches nothing: $['info']; expected a match in b.yaml",
        ),
        (
            ONE + "target: $.info\n    x-document: c.yaml\n    update: {}",
            "o.yaml:5: /actions/0/x-document: no document 'c.yaml'; expected a.yaml, b.yaml",
        ),
        (
            ONE + "target: $.info\n    x-document: 5\n    update: {}",
            "o.yaml:5: /actions/0/x-document: no document 5; expected a.yaml, b.yaml",
        ),
        (ONE + "target: info\n    update: {}", "o.yaml:4: /actions/0/target: 'info' is no JSONPath: "),
        (ONE + "target: $.info", "o.yaml:3: /actions/0: changes nothing; expected update, remove or copy"),
        (
            ONE + "target: $.info\n    remove: false",
            "o.yaml:3: /actions/0: changes nothing; expected update, remove or",
        ),
        (ONE + "target: $.info\n    remove: yes", "o.yaml:5: /actions/0/remove: is 'yes'; expected true or false"),
        (
            ONE + "target: $.info\n    copy: $.tags",
            "o.yaml:5: /actions/0/copy: is not known; expected description, remove, target, update",
        ),
        (
            ONE + "target: $.info\n    updates: {}",
            "o.yaml:5: /actions/0/updates: is not known; expected description, remove, target, update",
        ),
        (
            ONE + "target: $\n    remove: true",
            "o.yaml:4: /actions/0/target: removes the whole document; expected a part",
        ),
        (ONE + "target: $.info\n    update: 5", "o.yaml:5: /actions/0/update: is 5; expected an object to merge"),
        (
            ONE + "target: $.info.title\n    update: B",
            "o.yaml:4: /actions/0/target: selects 'A'; expected a target that",
        ),
        (
            MODERN + "target: $.info.title\n    update: {}",
            "o.yaml:4: /actions/0/target: selects 'A'; expected a target",
        ),
        (MODERN + "target: $.info\n    copy: 5", "o.yaml:5: /actions/0/copy: is 5; expected a JSONPath"),
        (
            MODERN + "target: $.info\n    copy: $.none",
            "o.yaml:5: /actions/0/copy: selects 0 nodes; expected exactly one",
        ),
        (MODERN + "target: $.info\n    copy: $.*", "o.yaml:5: /actions/0/copy: selects 3 nodes; expected exactly one"),
        (MODERN + "target: $.info\n    copy: info", "o.yaml:5: /actions/0/copy: 'info' is no JSONPath: "),
        (
            MODERN + "target: $.info\n    copy: $.info\n    update: {}",
            "o.yaml:3: /actions/0: has both update and copy; expected one of them",
        ),
    ],
)
def test_a_broken_overlay_is_refused_with_file_line_and_place(text: str, sentence: str) -> None:
    assert refused(text).startswith(sentence)


def test_extensions_of_an_action_are_not_mistaken_for_typos() -> None:
    assert applied({"target": "$.info", "x-provenance": "observed", "update": {"a": 1}})["info"]["a"] == 1


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
TARGETS = st.sampled_from(["$", "$.a", "$..a", "$.*", "$..*", "$.b[0]", "$..[0, 0]", "$..[?@.a]", "$.c[1, 0]"])
CHANGES = st.sampled_from([{"remove": True}, {"update": {"a": 1}}, {"update": [1]}, {"update": 1}, {"copy": "$.a"}])


@given(st.dictionaries(st.sampled_from("abc"), JSON), TARGETS, CHANGES)
def test_an_action_either_applies_or_is_refused_and_never_touches_what_it_was_given(
    document: Any, target: str, change: Any
) -> None:
    before = copy.deepcopy(document)
    with suppress(LoadError):
        applied({"target": target} | change, version="1.1.0", document=document)
    assert document == before
