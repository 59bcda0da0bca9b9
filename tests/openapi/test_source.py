from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.errors import LoadError
from understudy.openapi.pointer import join
from understudy.openapi.source import MAX_BYTES, Source, parse_source, read_source

PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cc"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(PRINTABLE, max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(PRINTABLE, max_size=5), inner, max_size=4),
    max_leaves=12,
)


def value_of(scalar: str) -> Any:
    """What a scalar of YAML stands for."""
    return parse_source(f"a: {scalar}", "a.yaml").data["a"]


def refused(text: str, name: str = "a.yaml") -> str:
    """The sentence with which `text` is refused."""
    with pytest.raises(LoadError) as caught:
        parse_source(text, name)
    return str(caught.value)


def test_who_reads_a_text_again_gets_the_same_values_and_may_change_them() -> None:
    text = "a: &one [1, 1.5, ~, yes, true, 123456789012345678901234567890]\nb: *one\n"
    first, again = parse_source(text, "a.yaml"), parse_source(text, "b.yaml")
    assert (again.data, again.name) == (first.data, "b.yaml")
    assert first.data["a"] == [1, 1.5, None, "yes", True, 123456789012345678901234567890]
    first.data["a"].append("changed")
    assert "changed" not in again.data["a"]
    assert parse_source(text, "a.yaml").data == again.data


@pytest.mark.parametrize(
    "text",
    ["yes", "no", "on", "off", "y", "2025-09-21", "2025-09-21T00:00:00Z", "12:30:45", "1_000", "1.0.0", "=", ".5s"],
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-17", -17),
        ("+1", 1),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ("12345678901234567890", 12345678901234567890),
    ],
)
def test_numbers_are_those_of_yaml_1_2(text: str, value: float) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None), ("Null", None)],
)
def test_booleans_and_nulls_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert value_of(text) is value


@pytest.mark.parametrize("text", ['"5"', "'true'", "|\n  5", ">-\n  null", "!!str 5"])
def test_a_quoted_scalar_is_text_whatever_it_looks_like(text: str) -> None:
    assert isinstance(value_of(text), str)


@pytest.mark.parametrize(
    ("text", "value"), [("!!int '5'", 5), ("!!float 5", 5.0), ("!!bool true", True), ("!!null ''", None)]
)
def test_the_tags_of_json_s_own_types_are_followed(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_keys_are_text_even_where_they_look_like_numbers() -> None:
    assert parse_source("200: ok\nno: x\nnull: y\n", "a.yaml").data == {"200": "ok", "no": "x", "null": "y"}


@given(JSON)
def test_json_reads_as_itself_also_where_it_is_read_as_yaml(data: Any) -> None:
    text = orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
    assert parse_source(text, "a.json").data == data
    assert parse_source(f"# a comment, so that it is YAML\n{text}", "a.yaml").data == data


@given(JSON)
def test_yaml_reads_as_what_was_written(data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_style='"')  # plain scalars are those of YAML 1.1
    assert parse_source(text, "a.yaml").data == data


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: the key 'a' is given twice"),
        ("a: &a\n  b: [*a]\n", "a.yaml:1: an alias contains itself"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "a.yaml:2: the tag 'tag:yaml.org,2002:python/object/app"),
        ("a: !!python/name:os.system x", "a.yaml:1: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed"),
        ("a: !secret x", "a.yaml:1: the tag '!secret' is not allowed"),
        ("a: !!set {b}", "a.yaml:1: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("a: !!timestamp 2025-09-21", "a.yaml:1: the tag 'tag:yaml.org,2002:timestamp' is not allowed"),
        ("? [a]\n: 1", "a.yaml:1: a key is not a string"),
        ("!!int 1: x", "a.yaml:1: a key is not a string"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "a.yaml:3: the merge key '<<' is not of YAML 1.2"),
        ("a: [1\nb: 2", "a.yaml:2: broken YAML: did not find expected ',' or ']' (column "),
        ("a: 1\n---\nb: 2", "a.yaml:2: broken YAML: but found another document (column 1)"),
        ("a: *b", "a.yaml:1: broken YAML: found undefined alias (column 4)"),
        ("a: \x00", "a.yaml: broken YAML: unacceptable character #x0000: control characters are not allowed"),
        ("a: \ud800", "a.yaml: broken YAML: 'utf-8' codec can't encode character"),
        ("b: 1\na: !!int five", "a.yaml:2: 'five' can't be read: invalid literal for int() with base 10: 'five'"),
        ("b: 1\na: " + "1" * 5000, "a.yaml:2: '1111"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, sentence: str) -> None:
    assert refused(text).startswith(sentence)


def test_a_quoted_merge_key_is_a_key() -> None:
    assert parse_source('"<<": 1', "a.yaml").data == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{\n  "a": 1,\n  "b": \n}', "a.json:4: broken JSON: "),
        ('{"a": 1,}', "a.json:1: broken JSON: "),
        ("[1,\n 2", "a.json:2: broken JSON: "),
        ('{"a": NaN}', "a.json:1: broken JSON: "),
        ("[" * 2000, "a.json:1: broken JSON: "),
    ],
)
def test_broken_json_is_refused_with_its_line(text: str, sentence: str) -> None:
    assert refused(text, "a.json").startswith(sentence)
    assert "(column " in refused(text, "a.json")


def test_what_begins_like_json_may_be_yaml() -> None:
    assert parse_source("{a: 1, b: [x, y]}", "a.yaml").data == {"a": 1, "b": ["x", "y"]}
    assert refused("{a: 1, b: [x, y}").startswith("a.yaml:1: broken YAML:")


def test_a_few_lines_of_aliases_cannot_stand_for_billions_of_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refused("\n".join(lines)) == "a.yaml:7: aliases expand to more than 3,000,000 values"


DEEP = {
    "lists": "[" * 100_000,
    "balanced lists": "a: " + "[" * 300 + "]" * 300,
    "objects": '{"a":' * 50_000,
    "json": "[" * 1000 + "]" * 1000,
    "indented": "\n".join(" " * level + "a:" for level in range(3000)),
    "indented lists": "\n".join(" " * level + "-" for level in range(3000)),
    "one line": "- " * 50_000,
    "questions": "? " * 50_000,
    "aliases": "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300)),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused_and_does_not_end_the_process(text: str) -> None:
    assert "is nested deeper than 200 levels" in refused(text)


def test_nesting_that_is_only_unusual_is_read() -> None:
    many = "a: [" + ", ".join(["[1]"] * 600) + ", [2]" * 600 + "]"
    wide = "a: |\n" + " " * 120 + "far to the right\nb: 1\n"
    assert len(parse_source(many, "a.yaml").data["a"]) == 1200
    assert parse_source(wide, "a.yaml").data["b"] == 1
    assert parse_source("[" * 200 + "]" * 200, "a.yaml").data


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_source(tmp_path / "a.json").data == {"a": 1}
    assert read_source(tmp_path / "a.json").name == str(tmp_path / "a.json")
    assert read_source(tmp_path / "a.json", "shown.json").name == "shown.json"


def test_an_empty_file_holds_null(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# nothing but a comment\n")
    assert read_source(tmp_path / "a.yaml").data is None


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))
    with pytest.raises(LoadError, match=r"^latin: is not UTF-8 text \(byte 3\)$"):
        read_source(tmp_path / "latin.yaml", "latin")
    with pytest.raises(LoadError, match=r"^none: No such file or directory$"):
        read_source(tmp_path / "none.yaml", "none")
    with pytest.raises(LoadError, match=r"^folder: Is a directory$"):
        read_source(tmp_path, "folder")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(LoadError, match=r"^huge: is 67,108,865 bytes; expected at most 67,108,864$"):
        read_source(tmp_path / "huge.yaml", "huge")


LINES = """\
# a comment
info:
  title: A
list:
  - first
  - name: second
    more: [x, {y: 1}]
flow: {a: {b: 1},
  c: 2}
again: &again
  deep: 1
alias: *again
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/info", 2),
        ("/info/title", 3),
        ("/list/0", 5),
        ("/list/1/name", 6),
        ("/list/1/more/1/y", 7),
        ("/flow/a/b", 8),
        ("/flow/c", 9),
        ("/alias/deep", 11),
        ("/info/none", 2),
        ("/info/title/none", 3),
        ("/list/7", 4),
        ("/list/²", 4),
        ("/none/at/all", 1),
        ("/info#/title", 2),
    ],
)
def test_a_value_is_found_on_its_line_and_a_missing_one_on_its_nearest_ancestor_s(pointer: str, line: int) -> None:
    assert parse_source(LINES, "a.yaml").line_of(pointer) == line


@pytest.mark.parametrize("first", ['"a": "\\ud83d\\ude00"', '\t"a": "x\\/y"', '"a": "é"'])
def test_lines_are_found_in_json_too(first: str) -> None:
    source = parse_source("{" + first + ',\n"b":\n{"c": 1,\n"d": 2}}', "a.json")
    assert source.line_of("/b/d") == 4


def test_json_that_yaml_cannot_read_has_errors_without_lines() -> None:
    source = parse_source('{"' + "k" * 2000 + '": 1,\n"b": 2}', "a.json")
    assert source.line_of("/b") is None
    assert str(source.error("/b", "is 2", "a word")) == "a.json: /b: is 2; expected a word"


@given(st.lists(st.text(PRINTABLE, min_size=1, max_size=5), unique=True, min_size=1, max_size=6))
def test_in_a_file_of_one_key_a_line_each_key_stands_on_its_own(keys: list[str]) -> None:
    text = "\n".join(f"{orjson.dumps(key).decode()}: {number}" for number, key in enumerate(keys))
    source = parse_source(text, "a.yaml")
    assert [source.line_of(join(key)) for key in keys] == list(range(1, len(keys) + 1))


def test_a_source_is_a_value() -> None:
    assert parse_source("a: 1", "a.yaml") == Source("a.yaml", "a: 1", {"a": 1})
