"""The formats of a report."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from understudy.contracts.accept import Stale
from understudy.contracts.drift import compare_sides
from understudy.contracts.report import REPORTS
from understudy.contracts.witness import with_witnesses

from .sides import answering, asking, document, side

ONE = side(
    document(
        {**asking({"type": "string", "maxLength": 3}), **answering({"type": "array", "maximum": 3})},
        servers=[{"url": "/a"}],
    )
)
OTHER = side(
    document(
        {**asking({"type": "string", "maxLength": 2}), **answering({"type": "array", "maximum": 4}), "deprecated": True}
    ),
    "b.yaml",
)
FOUND = with_witnesses(compare_sides(ONE, OTHER), ONE, OTHER)
STALE = [Stale({"id": "x"}, "x is met by no finding")]


def report(shape: Any, findings: Any = FOUND, stale: Any = STALE) -> Any:
    return REPORTS[shape](findings, stale, "a.yaml", "b.yaml")


def test_text_groups_by_operation_and_ends_with_a_count() -> None:
    lines = report("text").splitlines()
    assert lines[0] == "The whole document"
    assert "POST /pictures" in lines
    assert (
        "  breaking  The request body has at most 2 characters now, no longer 3  [request-body-max-length-lowered]"
        in lines
    )
    assert any(line.strip().startswith('this request was valid and is now refused: "') for line in lines)
    assert any("no example: the keyword asks nothing" in line for line in lines)
    assert lines[-2] == "accepted, but stale: x is met by no finding"
    assert lines[-1] == "a.yaml → b.yaml: 1 breaking, 1 warning, 2 info"
    assert report("text", [], []) == "a.yaml → b.yaml: no drift\n"


def test_an_answer_that_is_new_is_told_as_such() -> None:
    one, other = side(document(answering({"enum": [1]}))), side(document(answering({"enum": [1, 2]})))
    found = with_witnesses(compare_sides(one, other), one, other)
    assert "this answer may come now and never could: 2" in report("text", found)


def test_what_comes_in_a_callback_is_a_call_and_what_goes_back_an_answer() -> None:
    def webhook(body: Any, answer: Any) -> Any:
        return document(webhooks={"ended": {"post": asking(body) | answering(answer)}})

    one, other = side(webhook({"enum": [1]}, {"enum": [1, 2]})), side(webhook({"enum": [1, 2]}, {"enum": [1]}))
    told = report("text", with_witnesses(compare_sides(one, other), one, other))
    assert "this call may come now and never could: 2" in told
    assert "this answer was valid and is now refused: 2" in told


def test_json_holds_everything() -> None:
    told = json.loads(report("json"))
    assert told["counts"] == {"breaking": 1, "warning": 1, "info": 2}
    found = next(each for each in told["findings"] if each["severity"] == "breaking")
    assert found["base"]["file"] == "a.yaml"
    assert found["revision"]["line"] > 1
    assert found["revision"]["pointer"].endswith("/maxLength")
    assert found["witness"]["fits"] == "base"
    assert len(found["witness"]["value"]) == 3
    idle = next(each for each in told["findings"] if each["severity"] == "warning")
    assert idle["witness"] is None
    assert "asks nothing" in idle["no_witness"]
    assert told["stale"] == [{"entry": {"id": "x"}, "sentence": "x is met by no finding"}]


def test_junit_is_xml_with_a_failure_for_what_is_more_than_information() -> None:
    suites = ElementTree.fromstring(report("junit"))
    assert [(each.get("name"), each.get("tests"), each.get("failures")) for each in suites] == [
        ("the whole document", "1", "0"),
        ("POST /pictures", "3", "2"),
        ("stale", "1", "0"),
    ]
    assert len(suites.findall(".//failure")) == 2


def test_sarif_names_rules_and_places() -> None:
    run = json.loads(report("sarif"))["runs"][0]
    assert {each["id"] for each in run["tool"]["driver"]["rules"]} == {each["ruleId"] for each in run["results"]}
    result = next(each for each in run["results"] if each["level"] == "error")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b.yaml"
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a.yaml"
    assert "stale" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_github_annotates_lines() -> None:
    lines = report("github").splitlines()
    assert sum(line.startswith("::error file=b.yaml,line=") for line in lines) == 1
    assert sum(line.startswith("::notice ") for line in lines) == 2
    assert lines[-1] == "::warning title=stale::x is met by no finding"


@pytest.mark.parametrize("shape", REPORTS)
def test_nothing_in_a_document_breaks_a_format(shape: Any) -> None:
    nasty = 'a\n%0A::error::x]]></failure>"&\x07<b>'
    one, other = (
        side(document({**asking({"enum": values}), "operationId": nasty}), f"{nasty}.json")
        for values in ([nasty, 1], [1])
    )
    text = report(shape, with_witnesses(compare_sides(one, other), one, other), [])
    if shape in {"json", "sarif"}:
        assert json.loads(text)
    if shape == "junit":
        assert ElementTree.fromstring(text) is not None
    if shape == "github":
        assert len(text.splitlines()) == 1
