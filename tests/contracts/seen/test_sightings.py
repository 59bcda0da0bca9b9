"""What was seen, gathered into findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from understudy.contracts.checks.exchange import Exchange
from understudy.contracts.checks.trace import ReceivedCallback
from understudy.contracts.findings import Finding
from understudy.contracts.seen.documents import Documents
from understudy.contracts.seen.judge import Judge
from understudy.contracts.seen.sightings import Sightings

from ..recorded import KEY, NAMES, oracle_of, provider_of, recorded


def gathered(name: str, exchanges: list[Exchange], callbacks: Any = ()) -> Sightings:
    """Return what is gathered of exchanges and callbacks."""
    judge = Judge(Documents.of(provider_of(name)))
    made = Sightings(judge)
    for each in exchanges:
        made.exchange(judge.oracle.observe(each))
    for letter in callbacks:
        made.callback(ReceivedCallback(judge.oracle, letter))
    return made


def changed(exchange: Exchange, **fields: Any) -> Exchange:
    """Return a poll of kie with other fields in its data."""
    body = orjson.loads(exchange.answer)
    body["data"] |= fields
    return replace(exchange, answer=orjson.dumps(body))


def poll() -> Exchange:
    """Return the last poll of a success of kie."""
    return [each for each in recorded("kie", "", "fail").exchanges if each.method == "GET"][1]


def loud(findings: list[Finding]) -> list[Finding]:
    """Return the findings that are more than information."""
    return [each for each in findings if each.severity != "info"]


@pytest.mark.parametrize("name", NAMES)
def test_traffic_as_documented_has_nothing_but_what_never_came(name: str) -> None:
    found = recorded(name, "", "fail")
    findings = gathered(name, found.exchanges, found.callbacks).findings()
    assert {each.sighting.verdict for each in findings if each.sighting} == {"documented, never seen"}
    assert {each.severity for each in findings} == {"info"}


def test_the_same_cause_is_one_finding_with_its_count_and_times() -> None:
    seen = [changed(replace(poll(), began=time), state="paused") for time in (3000, 1000, 2000)]
    (finding,) = loud(gathered("kie", seen).findings())
    assert (finding.id, finding.severity, finding.operation) == (
        "violates-enum", "breaking", "GET /api/v1/jobs/recordInfo",
    )  # fmt: skip
    assert finding.sighting is not None
    assert (finding.sighting.pointer, finding.sighting.count) == ("/data/state", 3)
    assert str(finding.sighting) == (
        'violates 3 times, 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:03.000Z; for example "paused"'
    )
    assert str(finding.place).startswith("record-info.yaml:")


def test_each_new_word_is_a_finding_of_its_own() -> None:
    seen = [changed(poll(), state=word) for word in ("paused", "archived", "paused")]
    assert [each.sighting.count for each in loud(gathered("kie", seen).findings()) if each.sighting] == [1, 2]


def test_a_field_that_nobody_described_is_a_warning() -> None:
    (finding,) = loud(gathered("kie", [changed(poll(), region="eu")]).findings())
    assert (finding.id, finding.severity) == ("undocumented-field", "warning")
    assert finding.sentence == "`data.region` in the answer 200 is not documented"


def test_keys_are_masked_wherever_they_stand() -> None:
    asked = replace(poll(), headers=(("authorization", f"Bearer {KEY}"),))
    seen = [changed(asked, state=KEY, apiToken="topsecret-1", note=f"you are {KEY}", at="https://x/?token=abcdefghij")]
    text = repr(gathered("kie", seen).findings())
    assert KEY not in text
    assert "topsecret-1" not in text
    assert "abcdefghij" not in text
    assert "sk-0…" in text


def test_a_request_is_judged_where_it_was_not_refused() -> None:
    creation = recorded("kie", "", "fail").exchanges[0]
    odd = replace(creation, body=b'{"model":"nano-banana-pro","input":{"prompt":7},"mood":"good"}')
    (finding, *rest) = gathered("kie", [odd]).findings(never=False)
    assert (finding.id, finding.severity, finding.direction) == ("violates-type", "warning", "sent")
    refusal = b'{"code":422,"msg":"no prompt","data":null}'
    assert gathered("kie", [replace(odd, answer=refusal)]).findings(never=False) == []
    assert not rest


def test_undocumented_fields_of_a_request_are_worth_knowing() -> None:
    creation = recorded("kie", "", "fail").exchanges[0]
    odd = replace(creation, body=b'{"model":"nano-banana-pro","input":{"prompt":"a"},"mood":"good"}', query="x=1")
    found = gathered("kie", [odd]).findings(never=False)
    assert [(each.id, each.severity) for each in found] == [("undocumented-field", "info")] * 2
    assert {each.sighting.pointer for each in found if each.sighting} == {"/mood", "/query/x"}


def test_what_is_documented_and_never_came_is_told_from_the_outside_in() -> None:
    found = gathered("kie", [poll()]).findings()
    told = {(each.operation, each.sentence) for each in found}
    assert ("GET /api/v1/chat/credit", "The operation was never asked for") in told
    assert ("GET /api/v1/jobs/recordInfo", "`data.progress` in the answer 200 never came") in told
    assert ("Callbacks", "No callback came") in told
    assert any("`data.state` in the answer 200 was never waiting" in sentence for _, sentence in told)


def test_requests_to_unknown_paths_are_counted_and_named() -> None:
    made = gathered("kie", [replace(poll(), path="/api/v1/veo/generate", method="POST")] * 2)
    assert made.notes() == ["2 requests to what the contract does not describe: POST /api/v1/veo/generate"]
    assert made.findings() == []


@pytest.mark.parametrize(
    ("changes", "identity"),
    [
        ({"status": 418}, "violates-status"),
        ({"answer_headers": (("content-type", "text/html"),)}, "violates-content-type"),
        ({"answer": b"{"}, "violates-json"),
        ({"answer": b""}, "violates-body"),
    ],
)
def test_an_answer_of_another_kind_violates(changes: Any, identity: str) -> None:
    assert [each.id for each in loud(gathered("kie", [replace(poll(), **changes)]).findings())] == [identity]


def test_a_callback_is_judged_by_what_is_documented_of_callbacks() -> None:
    letter = recorded("kie", "", "fail").callbacks[0]
    body = orjson.loads(letter.body)
    body["data"]["state"] = "paused"
    found = loud(gathered("kie", [], [replace(letter, body=orjson.dumps(body)), replace(letter, body=b"?")]).findings())
    assert [(each.operation, each.id) for each in found] == [
        ("Callbacks", "violates-json"), ("Callbacks", "violates-enum"),
    ]  # fmt: skip


def test_nothing_is_claimed_of_a_provider_that_nobody_asked() -> None:
    assert gathered("kie", []).findings() == []
    assert oracle_of("kie").operations
