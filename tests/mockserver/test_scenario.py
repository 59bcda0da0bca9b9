"""Scenarios as data: their file, their parameters, and the texts that ask for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver import scenario as module
from understudy.mockserver.scenario import (
    BUILT_IN,
    Repertoire,
    ScenarioError,
    built_in_scenarios,
    parse_header,
    parse_prefer,
    parse_prompt,
    read_scenarios,
)
from understudy.openapi.errors import LoadError
from understudy.openapi.source import read_source

from .stage import NAMES, provider_of

REPERTOIRE = Repertoire(built_in_scenarios())


def refused(provider: str, name: str, **given: str) -> str:
    """Return why a scenario can't be bound."""
    with pytest.raises(ScenarioError) as caught:
        REPERTOIRE.bind(name, given, provider_of(provider).behaviour)
    return str(caught.value)


def test_our_own_file_has_the_shape_that_a_users_must_have() -> None:
    module._check_shape(read_source(BUILT_IN))
    assert all(each.about.endswith(".") for each in built_in_scenarios().values())


@pytest.mark.parametrize("provider", NAMES)
def test_every_scenario_can_be_bound_or_says_why_not(provider: str) -> None:
    behaviour = provider_of(provider).behaviour
    for name in REPERTOIRE.names([behaviour]):
        try:
            play = REPERTOIRE.bind(name, {}, behaviour)
        except ScenarioError as error:
            assert str(error).startswith(f"{name} can't be played: the provider ")  # noqa: PT017 - most do not raise
        else:
            assert play.text == name


MESSAGES = [
    ("fial", {}, "no scenario 'fial' (did you mean 'fail'?); known: success, slow"),
    ("server-eror", {}, "no scenario 'server-eror' (did you mean 'server-error'?)"),
    ("fail", {"cod": "1"}, "fail takes no 'cod' (did you mean 'code'?); it takes code, message, after, progress, n"),
    ("success", {"wating": "2s"}, "success takes no 'wating' (did you mean 'waiting'?); it takes"),
    ("success", {"success": "2s"}, "success takes no 'success'"),
    ("success", {"*": "2s"}, "success takes no '*'"),
    ("result-403", {"on": "poll"}, "result-403 takes no 'on'; it takes no parameters"),
    ("success", {"waiting": "2"}, "success, waiting: '2' is no duration; expected a number and one of ms, s, m, h, d"),
    ("success", {"waiting": "9" * 400 + "d"}, "is too long; expected at most 36525d"),
    ("success", {"progress": "pols"}, "progress: 'pols' (did you mean 'polls'?) is none of time, polls, hand, instant"),
    ("success", {"n": "2"}, "success can't be played: n counts polls; give progress=polls as well"),
    ("success", {"progress": "polls", "n": "0"}, "n: '0' is no count; expected a whole number from 1"),
    ("success", {"progress": "polls", "n": "9" * 5000}, "is no count"),
    ("success", {"progress": "polls", "n": "²"}, "is no count"),
    ("reset", {"on": "creat"}, "on: 'creat' (did you mean 'create'?) is none of create, poll, result, callback"),
    ("reset", {"accepted": "yes"}, "accepted: 'yes' is neither true nor false"),
    ("reset", {"times": "-1"}, "times: '-1' is no count"),
    ("dribble", {"bytes_per_second": "0"}, "'0' is no number above 0"),
    ("dribble", {"bytes_per_second": "nan"}, "'nan' is no number above 0"),
    ("dribble", {"bytes_per_second": "x"}, "'x' is no number above 0"),
    ("delay", {"uniform": "1s"}, "uniform: '1s' is no range of durations; expected one such as 100ms..2s"),
    ("delay", {"uniform": "2s..1s"}, "is no range of durations"),
    ("rate-limited", {"retry_after": "soon"}, "'soon' is no duration"),
    ("poll-error", {"code": "599"}, "poll-error can't be played: no error has code '599'"),
    ("cancelled", {}, "cancelled can't be played: the provider has no status for cancelled tasks"),
    ("unknown-status", {"on": "create"}, "the provider tells no status on=create"),
]


@pytest.mark.parametrize(("name", "given", "message"), MESSAGES, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_named_with_what_is_near_and_what_is_known(
    name: str, given: dict[str, str], message: str
) -> None:
    told = refused("kie", name, **given)
    assert message in told
    assert len(told) < 1500


def test_what_happens_to_callbacks_needs_a_provider_that_sends_some() -> None:
    for name in ("reset", "extra-field", "unknown-status"):
        assert "sends no callbacks" in refused("acme", name, on="callback")
        REPERTOIRE.bind(name, {"on": "callback"}, provider_of("kie").behaviour)


def test_a_provider_without_the_words_cannot_express_it() -> None:
    kie = provider_of("kie").behaviour
    only_ends = {name: status for name, status in kie.statuses.items() if status.phase.terminal}
    silent = {name: replace(each, reads={}) for name, each in kie.operations.items()}
    for name, behaviour, why in (
        ("stuck", replace(kie, statuses=only_ends), "no status for tasks that have not ended"),
        ("moderated", replace(kie, failures={}), "no failure 'moderated'"),
        ("unknown-status", replace(kie, operations=silent), "tells no status on=poll"),
    ):
        with pytest.raises(ScenarioError, match=why):
            REPERTOIRE.bind(name, {}, behaviour)


# --- texts --------------------------------------------------------------------------------------------------

NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
VALUE = st.text(st.characters(codec="latin-1", exclude_characters='"\\', exclude_categories=["Cc"]), max_size=20)


def quoted(value: str) -> str:
    """Return `value` as it stands in a header, quoted where it must be."""
    return f'"{value}"' if set(value) & set(';, "') or not value or value != value.strip() else value


@given(st.lists(st.tuples(NAME, st.dictionaries(NAME, VALUE, max_size=3)), min_size=1, max_size=3))
def test_a_header_reads_back_as_it_was_written(asked: list[tuple[str, dict[str, str]]]) -> None:
    text = ", ".join(
        "; ".join([name, *(f"{key}={quoted(value)}" for key, value in given.items())]) for name, given in asked
    )
    assert parse_header(text) == asked


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(text: str) -> None:
    try:
        assert parse_header(text)
    except ScenarioError as error:
        assert "malformed" in str(error) or "names no scenario" in str(error)  # noqa: PT017 - some are well-formed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fail code=501",
        "fail;code",
        "fail;;code=1",
        ";",
        "=",
        "fail; code=1 x; after=2s, =",
        'fail; code="1"2',
    ],
)
def test_a_malformed_header_is_refused_and_shows_the_form(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"malformed at|names no scenario|; expected"):
        parse_header(text)


def test_a_header_may_quote_what_would_end_a_value() -> None:
    assert parse_header(r'fail; message="a, \"b\"; c"; code=501') == [("fail", {"message": 'a, "b"; c', "code": "501"})]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a lighthouse", []),
        ("a [understudy fail code=501] lighthouse", [("fail", {"code": "501"})]),
        ('[understudy fail message="out of ]paint" code=1]', [("fail", {"message": "out of ]paint", "code": "1"})]),
        ("[understudy slow] and [understudy delay fixed=1s]", [("slow", {}), ("delay", {"fixed": "1s"})]),
        ("[understudy-style portrait]", []),
        ("[understudying]", []),
    ],
)
def test_a_token_in_a_prompt_asks_for_a_scenario(text: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_prompt(text) == found


@pytest.mark.parametrize(
    "text", ["[understudy]", "[understudy fail", "[understudy fail=1]", '[understudy fail message="x]']
)
def test_a_malformed_token_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"malformed; expected something like: \[understudy fail code=501\]"):
        parse_prompt(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("code=429", "429"),
        ('respond-async, code="500"; x=1', "500"),
        ("CODE = 402", "402"),
        ("respond-async, wait=10", None),
        ("", None),
        ("codes=1", None),
    ],
)
def test_prefer_asks_for_a_code_and_other_preferences_are_ignored(text: str, code: str | None) -> None:
    assert parse_prefer(text) == code


# --- files --------------------------------------------------------------------------------------------------

BROKEN = {
    "nothing": ("", "is null, of type null; expected object"),
    "no scenarios": ("rules: {}", "/scenarios: is missing"),
    "no object": ("scenarios: {x: 5}", "/scenarios/x: is 5, of type integer; expected object"),
    "kind": ("scenarios:\n  x: { plays: lif, does: {} }", ":2: /scenarios/x/plays: is 'lif' (did you mean 'life'?)"),
    "end": ("scenarios: {x: {plays: life, does: {ends: nver}}}", "'nver' (did you mean 'never'?)"),
    "fault": ("scenarios: {x: {plays: wire, does: {fault: rest}}}", "'rest' (did you mean 'reset'?)"),
    "needed": ("scenarios: {x: {plays: wire, does: {fault: delay}}}", "has no parameter 'fixed' with a default"),
    "hidden": ("scenarios: {x: {plays: poll, does: {hidden: true}}}", "has no parameter 'for' with a default"),
    "like": ("scenarios: {x: {like: fial}}", "/scenarios/x/like: no scenario 'fial' (did you mean 'fail'?)"),
    "with": ("scenarios: {x: {like: result-403, with: {n: 1}}}", "result-403 takes no 'n'; expected no parameters"),
    "star": ("scenarios: {x: {like: success, with: {'*': 1s}}}", "success takes no '*'"),
    "value": ("scenarios: {x: {like: fail, with: {after: 1}}}", "/scenarios/x/with/after: '1' is no duration"),
    "word": ("scenarios: {x: {like: delay, with: {on: pol}}}", "'pol' (did you mean 'poll'?) is none of"),
    "type": (
        "scenarios: {x: {plays: wire, does: {fault: reset}, parameters: {on: {type: wrd}}}}",
        "(did you mean 'word'?)",
    ),
    "default": (
        "scenarios: {x: {plays: wire, does: {fault: reset}, parameters: {n: {type: count, default: 0}}}}",
        "/scenarios/x/parameters/n: '0' is no count",
    ),
    "field": ("scenarios: {x: {lik: fail}}", "/scenarios/x/lik: is not known"),
    "both": ("scenarios: {x: {like: fail, does: {}}}", "/scenarios/x/does: is not known"),
    "name": ("scenarios: {'a b': {like: fail}}", "is 'a b'; expected text that matches"),
    "YAML": ("scenarios: {", "broken YAML"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_with_line_place_and_what_was_expected(tmp_path: Path, what: str) -> None:
    text, message = BROKEN[what]
    path = tmp_path / "scenarios.yaml"
    path.write_text(text)
    with pytest.raises(LoadError) as caught:
        read_scenarios(path, built_in_scenarios())
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


def test_a_file_adds_presets_and_scenarios_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "scenarios:\n"
        "  paintless: { about: No paint., like: fail, with: { code: 3009, after: 2s } }\n"
        "  paintless-soon: { like: paintless, with: { after: 1s } }\n"
        "  quick: { like: success, with: { generating: 1s } }\n"
        "  gone: { plays: result, does: { status: 410 } }\n"
        "  gone-quickly: { like: success, with: { progress: polls } }\n"
    )
    mine = Repertoire(read_scenarios(path, built_in_scenarios()))
    kie, crun = provider_of("kie").behaviour, provider_of("crun").behaviour
    assert mine.bind("paintless", {}, kie).values == {"progress": "time", "n": 1, "code": "3009", "after": 2000}
    assert mine.bind("paintless-soon", {"after": "5s"}, kie).values["after"] == 5000
    assert mine.bind("paintless-soon", {}, kie).values["after"] == 1000
    assert mine.bind("gone", {}, kie).does == {"status": 410}
    assert mine.bind("gone-quickly", {"n": "3"}, kie).values["n"] == 3
    assert mine.bind("quick", {}, kie).values["generating"] == 1000
    with pytest.raises(ScenarioError, match=r"no task of the provider passes a status 'generating'"):
        mine.bind("quick", {}, crun)
    assert "paintless" not in built_in_scenarios()


@pytest.mark.parametrize("provider", NAMES)
def test_what_a_scenario_was_asked_for_as_reads_back(provider: str) -> None:
    behaviour = provider_of(provider).behaviour
    given = {"code": {"code": "501"}, "after": {"after": "5s"}, "times": {"times": "3"}, "on": {"on": "poll"}}
    for name in REPERTOIRE.names([behaviour]):
        taken = REPERTOIRE.scenarios[name].parameters if name in REPERTOIRE.scenarios else module.REFUSAL_PARAMETERS
        asked = {key: value for each in taken if each in given for key, value in given[each].items()}
        try:
            play = REPERTOIRE.bind(name, asked, behaviour)
        except ScenarioError:
            continue
        ((read_name, read_given),) = parse_header(play.text)
        assert REPERTOIRE.bind(read_name, read_given, behaviour) == play
