"""The index of rules: it finds what asking every rule finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.request import Request
from understudy.mockserver.rules import Rule, RuleBook

from .stage import Stage, as_json

STAGE = Stage("kie", "mulerouter", frozen=True)
EMULATOR = STAGE.emulator
PLACES = st.sampled_from(["/input/prompt", "/input/resolution", "/input/image_input", "/n"])
TEXTS = st.sampled_from(["a boat", "boat", "4K", "1K", "1", ""])
SCALARS = TEXTS | st.sampled_from([1, 1.0, True, 0, None])
MATCHERS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.builds(lambda value: {"equals": value}, SCALARS | st.lists(SCALARS, max_size=2)),
    st.builds(lambda text: {"contains": text}, TEXTS),
    st.builds(lambda text: {"matches": text}, st.sampled_from(["boat$", "^a", "(?i)BOAT", "[0-9]K"])),
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
        "n": SCALARS,
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
            request = Request("POST", "/api/v1/jobs/createTask", b"", headers, as_json(body))
            assert chosen(book, request) is one_by_one(book, request)
        if step == 0:
            for each in more:
                added(book, each)
        elif book.rules:
            book.remove(book.rules[len(book.rules) // 2].id)


def test_of_many_rules_that_differ_in_one_field_one_is_asked(monkeypatch: Any) -> None:
    book = RuleBook()
    for number in range(200):
        assert added(book, {"body": {"/input/prompt": f"boat {number}", "/n": 1}})
    asked: list[Any] = []
    condition = type(book.rules[0].when)

    def matches(self: Any, *_: Any) -> bool:
        asked.append(self)
        return True

    monkeypatch.setattr(condition, "matches", matches)
    request = Request("POST", "/", b"", [], as_json({"input": {"prompt": "boat 77"}}))
    assert chosen(book, request) is book.rules[77]
    assert asked == [book.rules[77].when]
