"""What a verification found, told in four ways."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from understudy.contracts.checks.exchange import Callback, Exchange
from understudy.contracts.checks.finding import Check, Finding
from understudy.contracts.checks.tally import Tally
from understudy.contracts.runs.report import REPORTS, Verified, as_github, as_json, as_junit, as_text
from understudy.contracts.runs.verification import Verification

ASKED = Exchange("GET", "/jobs/1", "", (("x-key", "sk-1"),), b"", 0, 0, 418, (), b'{"status": "\x00odd"}')
CAME = Callback((), b'{"id": "1"}', 5, 5, 200)


def check(identity: str, family: str) -> Check:
    return Check(identity, "error", "exchange", f"It is {identity}.", family, lambda *_: ())


def verified(*findings: Finding) -> Verified:
    tally = Tally([check("good", "form"), check("bad", "form"), check("unseen", "money")])
    tally.judged.update(good=1200, bad=7)
    for each in findings:
        tally.add(each)
    result = Verification(tally, 1207, 3, ["the second account was left out"], 1.25, {"sk-1": "KEY"})
    return Verified("acme", "its emulator", "http://127.0.0.1:4020/acme", result, 9)


BAD = Finding("bad", "error", 'the "status" is <odd>', "getPicture", "/status", (ASKED, CAME))


def test_text_shows_counts_findings_and_commands() -> None:
    assert as_text(verified(BAD, BAD)).splitlines() == [
        "form        judged  findings",
        "  good       1,200         -",
        "  bad            7         1",
        "money       judged  findings",
        "  unseen     never         -",
        "",
        'error: the "status" is <odd>  [bad], 2 times',
        "  at /status",
        '  curl -sS -X GET http://127.0.0.1:4020/acme/jobs/1 -H "x-key: $KEY"',
        '  answered HTTP 418 {"status": "\\x00odd"}',
        '  callback, answered 200: {"id": "1"}',
        "",
        "Left out, or worth knowing",
        "  - the second account was left out",
        "",
        "acme at its emulator: 1 error; 1,207 exchanges and 3 callbacks in 1.2 s, seed 9",
    ]


def test_findings_come_the_gravest_first_and_those_of_one_check_together() -> None:
    mild = replace(BAD, severity="info", check="good", operation="a")
    other = replace(BAD, operation="b")
    assert verified(mild, BAD, other).findings == [other, BAD, mild]


def test_json_holds_everything_but_keys() -> None:
    told = json.loads(as_json(verified(BAD)))
    assert told["counts"] == {"error": 1, "warning": 0, "info": 0}
    assert told["checks"][2] == {
        "id": "unseen", "family": "money", "severity": "error", "sentence": "It is unseen.", "judged": 0, "findings": 0,
    }  # fmt: skip
    assert told["findings"][0]["curl"] == ['curl -sS -X GET http://127.0.0.1:4020/acme/jobs/1 -H "x-key: $KEY"']
    assert [each.get("status") for each in told["findings"][0]["evidence"]] == [418, None]


def test_junit_fails_what_was_found_and_skips_what_was_never_reached() -> None:
    cases = {each.get("name"): each for each in ET.fromstring(as_junit(verified(BAD))).iter("testcase")}
    good, bad, unseen = (cases[f"{name}: It is {name}."] for name in ("good", "bad", "unseen"))
    assert list(good) == []
    assert bad[0].tag == "failure"
    assert bad[0].get("message") == 'the "status" is <odd>'
    assert unseen[0].attrib == {"message": "never reached"}


def test_information_fails_nothing() -> None:
    mild = verified(replace(BAD, severity="info"))
    assert not mild.result.failed
    assert "<failure" not in as_junit(mild)
    assert verified(replace(BAD, severity="warning")).result.failed


def test_github_s_annotations_are_a_line_each() -> None:
    lines = as_github(verified(BAD)).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith('::error title=bad::the "status" is <odd>%0A  at /status%0A  curl -sS')


@pytest.mark.parametrize("shape", REPORTS)
def test_no_report_shows_a_key(shape: str) -> None:
    assert "sk-1" not in REPORTS[shape](verified(BAD))


def test_a_key_that_is_told_back_is_in_no_report() -> None:
    key = "sk-very-secret"
    answered = replace(ASKED, headers=(("x-key", key),), answer=f'{{"who": "{key}"}}'.encode(), error=f"odd {key}")
    sentence = f"the field who ('{key}') is not documented, nor is 'Bearer sk-very…'"
    found = replace(BAD, sentence=sentence, evidence=(answered, Callback((), key.encode(), 5, 5, 200)))
    told = verified(found)
    told.result.keys[key] = "KEY"
    told.result.notes.append(f"nobody knows {key}")
    for report in REPORTS.values():
        assert "sk-very" not in report(told)
    assert "the field who ('$KEY') is not documented, nor is 'Bearer $KEY…'" in as_text(told)


def test_the_kits_own_key_is_not_looked_for_in_the_paths_that_it_makes_up() -> None:
    told = verified(replace(BAD, sentence="GET /understudy/unknown was answered"))
    told.result.keys["understudy"] = "KEY"
    assert "GET /understudy/unknown was answered" in as_text(told)


def test_an_answer_neither_steers_the_terminal_nor_breaks_the_line() -> None:
    told = as_text(verified(replace(BAD, evidence=(replace(ASKED, answer=b"\x1b[31mred\r\nline"),))))
    assert r"answered HTTP 418 \x1b[31mred\r\nline" in told
    assert "\x1b" not in told


def test_many_places_with_the_same_trouble_are_told_together() -> None:
    places = [replace(BAD, pointer=f"/{name}") for name in "abcde"]
    report = verified(*places)
    told = as_text(report)
    assert [told.count(f"  at /{name}\n") for name in "abc"] == [1, 1, 1]
    assert "error: … and 2 more of getPicture  [bad]\n  at /d, /e\n" in told
    assert len(json.loads(as_json(report))["findings"]) == 5
