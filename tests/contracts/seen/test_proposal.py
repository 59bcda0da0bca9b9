"""Overlays that are proposed: applied, the same traffic is as documented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.contracts.checks.exchange import Callback, Exchange
from understudy.contracts.checks.trace import ReceivedCallback
from understudy.contracts.seen.deviation import Deviation
from understudy.contracts.seen.documents import Documents
from understudy.contracts.seen.judge import Judge
from understudy.contracts.seen.proposal import Proposal, as_overlay, path_of, propose
from understudy.openapi.source import parse_source

from ..recorded import NAMES, provider_of, recorded

DRIFTS = ("", "fail", "extra-field", "missing-field", "type-changed", "renamed-field", "unknown-status",
          "extra-field; on=callback", "missing-field; on=callback", "type-changed; on=callback")  # fmt: skip


@cache
def documents_of(name: str) -> Documents:
    """Return the documents of the provider `name`."""
    return Documents.of(provider_of(name))


def judged(name: str, seen: list[Exchange | Callback], overlay: Any = None) -> list[Deviation]:
    """Return what the contract of `name`, with an overlay where there is one, does not tell of what was seen."""
    documents = documents_of(name)
    judge = Judge(documents if overlay is None else documents.with_overlay(overlay))
    found: list[Deviation] = []
    for each in seen:
        if isinstance(each, Exchange):
            found += judge.exchange(judge.oracle.observe(each))
        else:
            found += judge.callback(ReceivedCallback(judge.oracle, each))
    return found


def written(proposal: Proposal) -> Any:
    """Return the overlay as it is read from the file that it is written to."""
    return parse_source(as_overlay(proposal, "x", "y"), "proposed.yaml")


def traffic(name: str, *scenarios: str) -> list[Exchange | Callback]:
    """Return the exchanges and callbacks of an emulator that played `scenarios`."""
    found = recorded(name, *scenarios)
    return [*found.exchanges, *found.callbacks]


def proposed(name: str, seen: list[Exchange | Callback]) -> Proposal:
    """Return what is proposed of what was seen."""
    exchanges = [each for each in seen if isinstance(each, Exchange)]
    return propose(documents_of(name), exchanges, [each for each in seen if isinstance(each, Callback)])


@pytest.mark.parametrize("name", NAMES)
def test_traffic_as_documented_asks_for_no_overlay(name: str) -> None:
    seen = traffic(name, "", "fail")
    assert judged(name, seen) == []
    assert proposed(name, seen) == Proposal([], [])


@pytest.mark.parametrize("name", NAMES)
def test_with_the_overlay_the_traffic_of_every_drift_is_clean(name: str) -> None:
    seen = traffic(name, *DRIFTS)
    assert judged(name, seen)
    proposal = proposed(name, seen)
    assert judged(name, seen, written(proposal)) == proposal.left == []


@pytest.mark.parametrize("name", NAMES)
def test_an_overlay_says_how_often_and_why(name: str) -> None:
    actions = proposed(name, traffic(name, *DRIFTS)).actions
    assert all(each["description"].startswith("Seen ") and each["x-provenance"] == "observed" for each in actions)
    assert any("is not documented" in each["description"] for each in actions)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(data: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value in `data`."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [above, *(found for key, value in inner for found in places(value, (*above, key)))]


def mutated(draw: Callable[[Any], Any], data: Any, untouched: tuple[tuple[Any, ...], ...] = ()) -> Any:
    """Return `data` with one of its values replaced, removed, or with a field more."""
    held = [orjson.loads(orjson.dumps(data))]
    place = (0, *draw(st.sampled_from([each for each in places(data) if each not in untouched])))
    holder: Any = held
    for token in place[:-1]:
        holder = holder[token]
    how = draw(st.sampled_from(["replace", "remove", "add"]))
    if how == "remove" and len(place) > 1:
        del holder[place[-1]]
    elif how == "add" and isinstance(holder[place[-1]], dict):
        holder[place[-1]][draw(st.text(min_size=1, max_size=4))] = draw(ODD)
    else:
        holder[place[-1]] = draw(ODD)
    return held[0]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6)
@given(data=st.data())
def test_with_the_overlay_answers_changed_at_random_are_clean(name: str, data: st.DataObject) -> None:
    seen: list[Exchange | Callback] = []
    for each in traffic(name, "", "fail"):
        body = orjson.loads(each.answer if isinstance(each, Exchange) else each.body)
        for _ in range(data.draw(st.integers(0, 2))):
            body = mutated(data.draw, body)
        changed = orjson.dumps(body)
        if isinstance(each, Callback):
            seen.append(replace(each, body=changed))
        else:
            status = data.draw(st.sampled_from([each.status, each.status, 418]))
            seen.append(replace(each, answer=changed, status=status))
    proposal = proposed(name, seen)
    assert proposal.left == []
    assert judged(name, seen, written(proposal) if proposal.actions else None) == []


@settings(max_examples=6)
@given(data=st.data())
def test_with_the_overlay_requests_that_were_accepted_are_clean(data: st.DataObject) -> None:
    seen: list[Exchange | Callback] = []
    for each in traffic("kie", ""):
        if isinstance(each, Exchange) and each.method == "POST":
            body = mutated(data.draw, orjson.loads(each.body), ((), ("model",)))
            seen.append(replace(each, body=orjson.dumps(body), query=data.draw(st.sampled_from(["", "trace=1"]))))
    proposal = proposed("kie", seen)
    assert proposal.left == []
    assert judged("kie", seen, written(proposal) if proposal.actions else None) == []


def test_a_model_that_was_accepted_is_added_to_those_that_are_known() -> None:
    creation = next(each for each in traffic("kie", "") if isinstance(each, Exchange))
    seen: list[Exchange | Callback] = [replace(creation, body=creation.body.replace(b"nano-banana-pro", b"nano-3"))]
    proposal = proposed("kie", seen)
    assert {"enum": ["nano-3"]} in [each.get("update") for each in proposal.actions]
    assert judged("kie", seen, written(proposal)) == []


def test_what_no_document_can_tell_is_left_and_said() -> None:
    exchange = next(each for each in traffic("kie", "") if isinstance(each, Exchange))
    proposal = proposed("kie", [replace(exchange, answer=b"<html>", status=200)])
    assert [each.kind for each in proposal.left] == ["json"]
    assert "# No document can tell: createTask, answer 200 is no JSON" in as_overlay(proposal, "kie", "x.har")


def test_a_new_content_type_and_a_new_status_are_added() -> None:
    exchange = next(each for each in traffic("kie", "") if isinstance(each, Exchange))
    page = replace(exchange, answer=b"<html>", answer_headers=(("content-type", "text/html; charset=utf-8"),))
    seen: list[Exchange | Callback] = [page, replace(page, status=503)]
    updates = [each["update"] for each in proposed("kie", seen).actions]
    assert {"content": {"text/html": {}}} in updates
    assert {"responses": {"503": {"description": "Seen, and not documented.", "content": {"text/html": {}}}}} in updates


def test_no_value_that_was_seen_stands_in_the_overlay_but_words() -> None:
    exchange = next(each for each in traffic("kie", "") if isinstance(each, Exchange))
    body = orjson.loads(exchange.answer)
    body["data"] |= {"email": "someone@example.com", "taskId": 17}
    text = as_overlay(proposed("kie", [replace(exchange, answer=orjson.dumps(body))]), "kie", "x.har")
    assert "someone@example.com" not in text
    assert yaml.safe_load(text)["overlay"] == "1.0.0"


@pytest.mark.parametrize(
    ("tokens", "path"),
    [
        (("paths", "/a/{b}", "get"), "$.paths['/a/{b}'].get"),
        (("allOf", 1, "it's"), "$.allOf[1]['it\\'s']"),
        (("a\nb",), "$['a\\u000ab']"),
    ],
)
def test_a_place_is_told_as_a_json_path(tokens: Any, path: str) -> None:
    assert path_of(tokens) == path
