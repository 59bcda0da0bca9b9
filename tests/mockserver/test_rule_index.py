"""The index of rules: it finds what asking every rule finds."""

from __future__ import annotations

from collections.abc import Callable
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


@pytest.mark.parametrize("pattern", ["(?i)^{word}s? in a [a-z]+$", "{word}[0-9]*", "(?i)({word}|no {word}) in"])
def test_of_many_patterns_those_alone_are_asked_whose_text_is_there(pattern: str) -> None:
    words = [
        f"{one}{other}" for one in ("alder", "birch", "cedar", "elder") for other in ("bark", "leaf", "root", "wood")
    ]
    book = RuleBook()
    asked: list[str] = []

    def noting(word: str, accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
        def noted(value: Any) -> bool:
            asked.append(word)
            return accepts(value)

        return noted

    for word in words:
        rule = added(book, {"body": {"/input/prompt": {"matches": pattern.replace("{word}", word)}}})
        assert rule is not None
        ((place, matcher),) = rule.when.body.items()
        rule.when.body[place] = replace(matcher, accepts=noting(word, matcher.accepts))  # type: ignore[index]
    for prompt, found in (("cedarleaf in a storm", "cedarleaf"), ("a lighthouse", None), ("Cedar leaf", None)):
        rule = chosen(book, Request("POST", "/", b"", Headers(), as_json({"input": {"prompt": prompt}})))
        assert (None if rule is None else rule.when.body) == (
            None if found is None else book.rules[words.index(found)].when.body
        )
        assert asked == ([] if found is None else [found])
        asked.clear()
