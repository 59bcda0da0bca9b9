"""The index of rules: it finds what asking every rule finds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.headers import Headers
from understudy.mockserver.request import Request
from understudy.mockserver.rules import Rule, RuleBook

from .stage import Stage, as_json

STAGE = Stage("kie", "mulerouter", frozen=True)
EMULATOR = STAGE.emulator
PLACES = st.sampled_from(
    [
        "/input/prompt",
        "/input/resolution",
        "/input/image_input",
        "/n",
        "/input",
        "/input/image_input/0",
        "/n#/a",
        "/n/a",
    ]
)
TEXTS = st.sampled_from(["a boat", "boat", "4K", "4\N{KELVIN SIGN}", "1K", "1", "", '{"a": 1}'])
SCALARS = TEXTS | st.sampled_from([1, 1.0, True, 0, None])
MATCHERS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.builds(lambda value: {"equals": value}, SCALARS | st.lists(SCALARS, max_size=2)),
    st.builds(lambda text: {"contains": text}, TEXTS),
    st.builds(
        lambda text: {"matches": text},
        st.sampled_from(["boat$", "^a", "(?i)BOAT", "[0-9]K", "(?i)(k|[0-9])", "\\d(?!\\d)"]),
    ),
)
HEADER = st.builds(lambda text: {"X-Test": text}, TEXTS | st.builds(lambda text: {"contains": text}, TEXTS))
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["kie", "mulerouter"]),
        "model": st.sampled_from(["nano-banana-pro", "google/nano-banana"]),
        "body": st.dictionaries(PLACES, MATCHERS, max_size=2),
        "headers": HEADER,
    },
)
BODIES = st.fixed_dictionaries(
    {"model": st.sampled_from(["nano-banana-pro", "google/nano-banana", "other", 5])},
    optional={
        "n": SCALARS | st.just({"a": "1K"}),
        "input": st.fixed_dictionaries(
            {}, optional={"prompt": SCALARS, "resolution": TEXTS, "image_input": st.lists(TEXTS, max_size=2)}
        ),
    },
)


def added(book: RuleBook, when: dict[str, Any]) -> Rule | None:
    """Add a rule; None where no request could ever match it."""
    try:
        return book.add({"when": when, "play": "fail"}, "r", EMULATOR.providers, EMULATOR.repertoire)
    except ValueError:
        return None


def one_by_one(book: RuleBook, request: Request) -> Rule | None:
    """Return the rule that is found by asking each in turn."""
    operation = EMULATOR.providers["kie"].operations["createTask"]
    for rule in book.rules:
        if rule.play_for(operation, EMULATOR.repertoire) and rule.when.matches(operation, request):
            return rule
    return None


def chosen(book: RuleBook, request: Request) -> Rule | None:
    """Return the rule that the book chooses."""
    operation = EMULATOR.providers["kie"].operations["createTask"]
    found = book.choose(operation, request, EMULATOR.repertoire, 0, "namespace")
    return None if found is None else found[0]


@given(
    st.lists(WHEN, max_size=8), st.lists(WHEN, max_size=2), st.lists(BODIES, min_size=1, max_size=3), st.none() | TEXTS
)
@settings(deadline=None)
def test_the_index_finds_the_rule_that_asking_every_one_finds(
    rules: list[dict[str, Any]], more: list[dict[str, Any]], bodies: list[Any], header: str | None
) -> None:
    book = RuleBook()
    headers = [(b"content-type", b"application/json")] + ([] if header is None else [(b"x-test", header.encode())])
    for each in rules:
        added(book, each)
    for step in range(3):
        for body in bodies:
            request = Request("POST", "/api/v1/jobs/createTask", b"", Headers(headers), as_json(body))
            assert chosen(book, request) is one_by_one(book, request)
        if step == 0:
            for each in more:
                added(book, each)
        elif book.rules:
            book.remove(book.rules[len(book.rules) // 2].id)


def test_of_many_rules_none_is_asked_by_itself(monkeypatch: Any) -> None:
    book = RuleBook()
    for number in range(200):
        assert added(book, {"body": {"/input/prompt": f"boat {number}", "/n": 1}})
    monkeypatch.setattr(type(book.rules[0].when), "differences", lambda *_: pytest.fail("a rule was asked"))
    request = Request("POST", "/", b"", Headers(), as_json({"input": {"prompt": "boat 77"}, "n": 1}))
    assert chosen(book, request) is book.rules[77]
    assert chosen(book, Request("POST", "/", b"", Headers(), as_json({"input": {"prompt": "boat 77"}}))) is None


class Noted:
    """A pattern that notes when it is asked."""

    def __init__(self, compiled: re.Pattern[str], name: str, asked: list[str]) -> None:
        self.pattern = compiled.pattern
        self.flags = compiled.flags
        self._compiled = compiled
        self._name = name
        self._asked = asked

    def search(self, text: str) -> re.Match[str] | None:
        """Note the question, and answer it."""
        self._asked.append(self._name)
        return self._compiled.search(text)


def added_noting(book: RuleBook, pattern: str, name: str, asked: list[str], **more: Any) -> Rule:
    """Add a rule whose pattern notes in `asked`, by `name`, when it is asked."""
    when = {"body": {"/input/prompt": {"matches": pattern}}}
    rule = book.add({"when": when, "play": "fail", **more}, "r", EMULATOR.providers, EMULATOR.repertoire)
    ((place, matcher),) = rule.when.body.items()
    noted: Any = Noted(re.compile(pattern), name, asked)
    rule.when.body[place] = replace(matcher, pattern=noted)  # type: ignore[index]
    return rule


def asking(prompt: str) -> Request:
    """Return a request for a picture of `prompt`."""
    return Request("POST", "/", b"", Headers(), as_json({"input": {"prompt": prompt}}))


@pytest.mark.parametrize("pattern", ["(?i)^{word}s? in a [a-z]+$", "{word}[0-9]*", "(?i)({word}|no {word}) in"])
def test_of_many_patterns_those_alone_are_asked_whose_text_is_there(pattern: str) -> None:
    words = [
        f"{one}{other}" for one in ("alder", "birch", "cedar", "elder") for other in ("bark", "leaf", "root", "wood")
    ]
    book = RuleBook()
    asked: list[str] = []
    for word in words:
        added_noting(book, pattern.replace("{word}", word), word, asked)
    for prompt, found in (("cedarleaf in a storm", "cedarleaf"), ("a lighthouse", None), ("Cedar leaf", None)):
        rule = chosen(book, asking(prompt))
        assert (None if rule is None else rule.when.body) == (
            None if found is None else book.rules[words.index(found)].when.body
        )
        assert asked == ([] if found is None else [found])
        asked.clear()


SHAPES = [
    r"^(.)\1", r"(\w+) \1", r"(?i)(s)\1", r"(?P<one>[a-z])(?P<two>\d)?(?(two)K|\b)", r"(?=.*\d)(?!.*K)",
    r"(?<=\d)K$", r"(?<!4)K", r"^$", r"\A.{3,6}\Z",
    r"(?i:k)\d*+.", r"(?>a+)b", r"(?ai)^\w+$", r"(?im)^k$", r"(?s)a.b", r"(?x) [a] \s # K",
    r"\N{KELVIN SIGN}|[^ -~]", r"[A-Z]{2}|\d{3}", r"(?:(\d)|[^\d])*+\1$", r".{40}", r"(?-i:[^A])$", r"\D\S",
]  # fmt: skip
SHORT = st.text("abkKsS14 \n\N{KELVIN SIGN}\N{LATIN SMALL LETTER LONG S}\u0663", max_size=8) | st.text(
    "aK", max_size=45
)


@given(st.lists(st.sampled_from(SHAPES), min_size=9, max_size=14), st.lists(SHORT, min_size=1, max_size=4))
@settings(deadline=None)
def test_of_patterns_that_need_no_text_those_are_found_that_asking_every_one_finds(
    patterns: list[str], prompts: list[str]
) -> None:
    book = RuleBook()
    for pattern in patterns:
        added(book, {"body": {"/input/prompt": {"matches": pattern}}})
    for prompt in [*prompts, prompts[0]]:
        request = asking(prompt)
        assert chosen(book, request) is one_by_one(book, request)
        while (rule := chosen(book, request)) is not None:  # the next are found as well
            book.remove(rule.id)
            assert chosen(book, request) is one_by_one(book, request)


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        (r"\d{{{n}}}", "1" * 30),
        (r"^[A-Z]{{{n}}}-\d+", "AAAAA-1"),
        (r"(\d)\1{{{n}}}", "22222"),
        (r"(?i)^[x-z]{{{n}}}", "Xyz" * 9),
        (r"^.{{1{n}}}$", "a" * 15),
    ],
)
def test_of_many_patterns_that_need_no_text_those_alone_are_asked_that_may_match(pattern: str, matched: str) -> None:
    book = RuleBook()
    asked: list[str] = []
    for number in range(3, 20):
        added_noting(book, pattern.format(n=number), str(number), asked)
    assert chosen(book, asking("a storm")) is None
    assert not asked
    assert chosen(book, asking(matched)) is one_by_one(book, asking(matched))
    assert len(asked) == 1


def test_patterns_are_asked_when_it_is_their_turn_and_once() -> None:
    book = RuleBook()
    asked: list[str] = []
    for name in ("A", "B", "C", "D"):
        added_noting(book, f"[{name}a]", name, asked)
    for _ in range(2):
        assert chosen(book, asking("a boat")) is book.rules[0]
    assert asked == ["A"]
    assert chosen(book, asking("the C")) is book.rules[2]
    assert asked == ["A", "A", "B", "C", "D"]


def test_a_rule_that_is_used_up_is_asked_no_more() -> None:
    book = RuleBook()
    asked: list[str] = []
    for name in ("once", "twice", "ever"):
        added_noting(book, "[a-z]", name, asked, **({} if name == "ever" else {"times": 1}))
    prompts = ["one", "two", "three", "four"]
    assert [chosen(book, asking(prompt)) for prompt in prompts] == [*book.rules[:2], *[book.rules[2]] * 2]
    assert asked == ["once", "once", "twice", "twice", "ever", "ever"]


def test_a_rule_may_ask_a_header_twice() -> None:
    book = RuleBook()
    rule = added(book, {"headers": {"X-Test": {"matches": "[a]"}, "x-test": {"matches": "[b]"}}})
    for value in (b"a", b"b", b"ab"):
        request = Request("POST", "/", b"", Headers([(b"x-test", value)]), b"{}")
        assert chosen(book, request) is one_by_one(book, request) is (rule if value == b"ab" else None)
