"""Reading recordings: HAR and the emulator's journal."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.checks.tally import Tally
from understudy.contracts.recordings.recording import MAX_ENTRIES, OTHER_HOST, Recording, read_recording
from understudy.openapi.errors import LoadError

from ..recorded import KEY, NAMES, oracle_of, played, recorded

ASKED = "https://api.kie.ai/api/v1/chat/credit"


def entry(url: str = ASKED, **changes: Any) -> dict[str, Any]:
    """Return an entry of a HAR: a question for the balance, and the answer."""
    body = '{"code":200,"msg":"success","data":12}'
    made: dict[str, Any] = {
        "startedDateTime": "2025-12-08T07:23:45.768Z", "time": 12.4,
        "request": {"method": "GET", "url": url, "headers": [{"name": "Authorization", "value": "Bearer sk-0…"}]},
        "response": {
            "status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": len(body), "mimeType": "application/json", "text": body},
        },
    }  # fmt: skip
    for place, value in changes.items():
        made[place] = {**made[place], **value} if isinstance(value, dict) else value
    return made


def read(*entries: Any, base_urls: Any = ()) -> Recording:
    """Return the recording of kie that a HAR of `entries` is."""
    text = orjson.dumps({"log": {"version": "1.2", "entries": entries}})
    return read_recording(text, "x.har", oracle_of("kie"), base_urls)


def test_an_entry_becomes_an_exchange() -> None:
    exchange = read(entry(ASKED + "?a=%20b")).exchanges[0]
    assert (exchange.method, exchange.path, exchange.query) == ("GET", "/api/v1/chat/credit", "a=%20b")
    assert (exchange.status, exchange.number, exchange.ended - exchange.began) == (200, 1, 12)
    assert exchange.headers == (("authorization", "Bearer sk-0…"),)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.kie.ai:443/api/v1/chat/credit", "/api/v1/chat/credit"),
        ("https://kieai.redpandaai.co/api/file-url-upload", "/api/file-url-upload"),
        ("http://127.0.0.1:4020/kie/api/v1/chat/credit", "/api/v1/chat/credit"),
        ("http://elsewhere:80/~mine/kie/api/v1/chat/credit", "/api/v1/chat/credit"),
        ("https://gate.example.com/v2/api/v1/chat/credit", "/api/v1/chat/credit"),
        ("https://api.kie.ai/unknown", "/unknown"),
    ],
)
def test_the_providers_urls_are_known(url: str, path: str) -> None:
    assert [each.path for each in read(entry(url), base_urls=["https://gate.example.com/v2/"]).exchanges] == [path]


@pytest.mark.parametrize(
    "url",
    ["https://cdn.example.com/x.png", "https://api.kie.ai.example.com/api/v1/chat/credit", "http://h/kie/blog", "x:",
     "http://[/"],
)  # fmt: skip
def test_entries_of_other_hosts_are_counted(url: str) -> None:
    assert read(entry(url), entry()).skipped == {OTHER_HOST: 1}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, "not an entry with a request and a response"),
        (entry(startedDateTime="yesterday"), "without a time"),
        (entry(response={"status": "200"}), "not an entry with a request and a response"),
        (entry(response={"content": {"size": 9}}), "the answer's body was not recorded"),
        (entry(request={"bodySize": 9}), "the request's body was not recorded"),
        (
            entry(response={"content": {"text": "%%%", "encoding": "base64"}}),
            "a body that is said to be base64 and is not",
        ),
    ],
)
def test_an_entry_that_cant_be_judged_is_skipped_with_its_reason(broken: Any, reason: str) -> None:
    found = read(broken, entry())
    assert (len(found.exchanges), found.skipped) == (1, {reason: 1})
    assert found.sentences() == [f"1 entry skipped: {reason}"]


def test_what_cant_be_read_of_other_hosts_is_theirs() -> None:
    assert read(entry("https://cdn.example.com/", response={"content": {"size": 9}})).skipped == {OTHER_HOST: 1}


def test_base64_is_decoded_and_said() -> None:
    text = base64.b64encode(b'{"code":200}').decode()
    found = read(entry(response={"content": {"text": text, "encoding": "base64"}}))
    assert found.exchanges[0].answer == b'{"code":200}'
    assert found.notes == ["1 body was base64 and was decoded"]


def test_a_form_is_put_together_again() -> None:
    form = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "ü"}]}
    assert read(entry(request={"postData": form})).exchanges[0].body == b"a+b=%C3%BC"


def test_an_answer_that_never_came_is_told_with_its_reason() -> None:
    exchange = read(entry(response={"status": 0, "_error": "net::ERR_FAILED"})).exchanges[0]
    assert (exchange.status, exchange.error) == (None, "net::ERR_FAILED")


def test_where_a_browser_left_the_keys_out_nobody_is_taken_to_have_asked_without_one() -> None:
    found = read(entry(request={"headers": []}), entry(request={"headers": []}))
    assert [oracle_of("kie").key_in(each) for each in found.exchanges] == ["…", "…"]
    assert found.notes == ["no request shows a key: the recorder is taken to have left 'authorization' out"]


def test_what_a_running_emulator_sent_is_known_wherever_it_went_and_counted_once() -> None:
    attempt = {"headers": {"a": "b"}, "body": "{}", "time": "2026-01-01T00:00:00Z", "real_time": "2026-01-01T00:00:00Z"}
    sent = [{"provider": name, "attempts": [{**attempt, "status": 200}]} for name in ("kie", "crun")]
    inbox = entry(
        "http://127.0.0.1:4020/_understudy/inbox/a",
        request={"method": "POST", "postData": {"text": '{"data":{"taskId":"t1"}}'}},
    )
    data = {"har": {"log": {"entries": [inbox]}}, "sent": {"deliveries": sent}}
    found = read_recording(orjson.dumps(data), "the journal", oracle_of("kie"))
    assert [(each.body, each.headers) for each in found.callbacks] == [(b"{}", (("a", "b"),))]


def test_a_request_to_a_url_that_a_creation_named_is_a_callback() -> None:
    body = {"model": "nano-banana-pro", "callBackUrl": "https://mine.example.com/hook?x=1", "input": {"prompt": "a"}}
    creation = entry(
        "https://api.kie.ai/api/v1/jobs/createTask",
        request={"method": "POST", "postData": {"text": orjson.dumps(body).decode()}},
        response={"content": {"text": '{"code":200,"msg":"success","data":{"taskId":"t1"}}'}},
    )
    hooks = [
        entry(f"https://mine.example.com{path}", request={"method": "POST", "postData": {"text": text}})
        for path, text in (("/hook?x=1", "{}"), ("/hook?x=2", "{}"), ("/other", '{"data":{"taskId":"t1"}}'))
    ]
    found = read(creation, *hooks)
    assert [each.body for each in found.callbacks] == [b"{}", b'{"data":{"taskId":"t1"}}']
    assert found.skipped == {OTHER_HOST: 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "x.har: is empty; expected a HAR, or the exchanges of a journal"),
        (b'{"log":{"version":"1.2","entries":[{"request":{', "x.har:1: is truncated: it breaks off in the middle"),
        (b"\x89PNG", "x.har:1: is no JSON: "),
        (b"{a}", "x.har:1: is no JSON: "),
        (b"[]", "x.har: is neither a HAR nor a journal; expected a HAR with log.entries, or a journal with exchanges"),
        (b'{"log":{"entries":{}}}', "x.har: /log/entries: is {}; expected a list of entries"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(text: bytes, told: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_recording(text, "x.har", oracle_of("kie"))
    assert str(caught.value).startswith(told)


def test_no_more_entries_are_read_than_there_is_room_for() -> None:
    text = b'{"log":{"entries":[' + b"1," * MAX_ENTRIES + b"1]}}"
    found = read_recording(text, "x.har", oracle_of("kie"))
    assert found.skipped[f"beyond the first {MAX_ENTRIES:,}"] == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_emulators_traffic_has_nothing_wrong_in_it(name: str) -> None:
    oracle, found = oracle_of(name), recorded(name, "", "fail")
    tally = Tally(CHECKS)
    trace = found.trace(oracle)
    for each in trace.observations:
        tally.judge_exchange(oracle, each)
    tally.judge_trace(oracle, trace)
    assert tally.findings == []
    assert tally.judged.total() > 20


@pytest.mark.parametrize("name", NAMES)
def test_the_har_and_the_journal_tell_the_same(name: str) -> None:
    har, journal = (read_recording(text, "x", oracle_of(name)) for text in played(name, "", "fail"))
    assert har.exact
    assert journal.exact
    assert [(e.path, e.query, e.began, e.status, e.body, e.answer) for e in har.exchanges] == [
        (e.path, e.query, e.began, e.status, e.body, e.answer) for e in journal.exchanges
    ]


def test_keys_that_are_masked_stay_masked() -> None:
    assert KEY not in repr(recorded("kie", "", "fail").exchanges)
    assert oracle_of("kie").key_in(recorded("kie", "", "fail").exchanges[0]) == "sk-0…"


def test_an_exchange_that_a_fault_spoiled_is_skipped_in_the_journal() -> None:
    journal = orjson.loads(played("kie", "", "fail")[1])
    journal["exchanges"][0]["fault"] = "truncated"
    found = read_recording(orjson.dumps(journal), "x", oracle_of("kie"))
    assert found.skipped == {"spoiled by a fault that was played": 1}


def test_exchanges_of_other_providers_are_counted() -> None:
    found = read_recording(played("kie", "", "fail")[1], "x", oracle_of("crun"))
    assert (found.exchanges, found.callbacks) == ([], [])
    assert list(found.skipped) == ["of other providers"]
