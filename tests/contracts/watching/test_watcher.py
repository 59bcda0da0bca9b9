"""Judging what passes by, and writing it down."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.recordings.recording import read_recording
from understudy.contracts.watching import serving
from understudy.contracts.watching.body import Body
from understudy.contracts.watching.heads import Head, read_head
from understudy.contracts.watching.passed import Passed
from understudy.contracts.watching.record import Record
from understudy.contracts.watching.serving import Judging
from understudy.contracts.watching.watcher import MAX_JUDGED_BYTES, SAID_ALREADY, Watcher

from ..recorded import KEY, oracle_of, provider_of

CREDIT = b'{"code":200,"msg":"success","data":12}'
JSON = b"Content-Type: application/json\r\n"


def head(first: bytes, fields: bytes) -> Head:
    """Return a head."""
    return read_head(first + b"\r\n" + fields + b"\r\n")


def body(content: bytes) -> Body:
    """Return a body that has passed."""
    made = Body(len(content), MAX_JUDGED_BYTES)
    made.feed(content)
    return made


def passed(
    target: bytes = b"/api/v1/chat/credit", answer: bytes = CREDIT, fields: bytes = JSON, **changes: Any
) -> Passed:
    """Return a question for the balance that has passed by, with its answer."""
    asked = head(b"GET / HTTP/1.1", b"Authorization: Bearer " + KEY.encode() + b"\r\n")
    made = Passed(
        "GET", target, asked, body(b""), 1_000, None, 1_007, 200, head(b"HTTP/1.1 200 OK", fields), body(answer),
        "answered",
    )  # fmt: skip
    for name, value in changes.items():
        setattr(made, name, value)
    return made


class Said:
    """A watcher of kie, and what it said."""

    def __init__(self, record: Record | None = None) -> None:
        self.lines: list[tuple[str, str, str]] = []
        urls = ("https://api.kie.ai", "http://127.0.0.1:4021")
        self.watcher = Watcher(provider_of("kie"), lambda *line: self.lines.append(line), record, urls)

    def take(self, *seen: Passed) -> list[tuple[str, str, str]]:
        """Return what is said of what passes by."""
        for each in seen:
            self.watcher.take(each)
        return self.lines


def test_what_is_as_documented_is_passed_over_in_silence() -> None:
    said = Said()
    assert said.take(passed(), passed()) == []
    said.watcher.finish()
    assert (said.lines, said.watcher.counted(), said.watcher.notes()) == ([], [], [])
    assert said.watcher.sightings.exchanges == 2


def test_a_finding_is_said_when_it_comes_first_and_counted_then() -> None:
    odd = passed(answer=CREDIT.replace(b"12", b'"12"'))
    said = Said()
    ((severity, place, sentence),) = said.take(odd, odd)
    assert (severity, place) == ("breaking", "GET /api/v1/chat/credit")
    assert sentence.startswith("`data` in the answer 200 is '12', of type string; expected ")
    (finding,) = said.watcher.sightings.findings(never=False)
    assert finding.sighting is not None
    assert finding.sighting.count == 2


def test_a_callback_is_judged_too() -> None:
    told = passed(b"/_understudy/inbox/a", inbox="a", method="POST", body=body(b'{"data":7}'))
    assert [line[0] for line in Said().take(told)][:1] == ["breaking"]


def test_what_was_said_of_a_callback_is_not_said_again_in_the_end() -> None:
    said = Said()
    said.take(passed(b"/_understudy/inbox/a", inbox="a", method="POST", body=body(b'{"data":7}')))
    said.watcher.finish()
    assert said.watcher.counted() == []
    assert {each.id for each in CHECKS} > SAID_ALREADY


@pytest.mark.parametrize(
    ("fields", "answer", "why"),
    [
        (JSON, b"x" * (MAX_JUDGED_BYTES + 1), f"the answer is larger than {MAX_JUDGED_BYTES:,} bytes"),
        (JSON + b"Content-Encoding: br\r\n", b"?", "the answer is packed as br and can't be unpacked"),
        (JSON + b"Content-Encoding: gzip\r\n", gzip.compress(b" " * (MAX_JUDGED_BYTES + 9)),
         "the answer is packed as gzip and can't be unpacked"),
        (JSON + b"Content-Encoding: gzip\r\n", b"no gzip", "the answer is packed as gzip and can't be unpacked"),
    ],
)  # fmt: skip
def test_what_cant_be_judged_is_said_and_counted(fields: bytes, answer: bytes, why: str) -> None:
    said = Said()
    assert said.take(passed(fields=fields, answer=answer)) == [
        ("info", "GET /api/v1/chat/credit", f"not judged: {why}")
    ]
    assert said.watcher.notes() == [f"1 not judged: {why}"]


def test_a_packed_answer_is_judged_unpacked() -> None:
    packed = gzip.compress(CREDIT.replace(b"12", b"null"))
    lines = Said().take(passed(fields=JSON + b"Content-Encoding: gzip\r\n", answer=packed))
    assert [line[0] for line in lines] == ["breaking"]


def test_a_large_file_of_no_operation_is_nothing_to_judge() -> None:
    said = Said()
    assert said.take(passed(b"/files/p.png", answer=b"x" * (MAX_JUDGED_BYTES + 1))) == []
    assert said.watcher.notes() == ["1 request to what the contract does not describe: GET /files/p.png"]


def test_half_an_answer_is_said_and_not_judged() -> None:
    said = Said()
    cut = passed(answer=b"{", ending="cut", problem="the answer was cut off after 1 bytes")
    assert said.take(cut) == [("broken", "GET /api/v1/chat/credit", "the answer was cut off after 1 bytes")]
    assert said.watcher.notes() == ["1 without a whole answer"]


def test_no_key_is_said_or_written(tmp_path: Path) -> None:
    answer = b'{"code":200,"msg":"hello ' + KEY.encode() + b'","data":"x","uploadToken":"t0ken-t0ken"}'
    said = Said(Record(["authorization"]))
    said.take(passed(b"/api/v1/chat/credit?token=abcdefgh&key=" + KEY.encode(), answer=answer))
    assert said.watcher.record is not None
    said.watcher.record.write(tmp_path / "x.har", "1")
    text = (tmp_path / "x.har").read_text() + repr(said.lines) + repr(said.watcher.sightings.findings())
    for secret in (KEY, "t0ken-t0ken", "abcdefgh"):
        assert secret not in text
    assert "sk-0…" in text


def test_the_record_reads_back_as_what_passed_by(tmp_path: Path) -> None:
    record, creation = Record(["authorization"]), b'{"model":"nano-banana-pro","input":{"prompt":"a"}}'
    post = head(b"POST / HTTP/1.1", JSON)
    record.add(
        passed(method="POST", head=post, body=body(creation)), "https://api.kie.ai/api/v1/jobs/createTask", [KEY]
    )
    record.add(passed(fields=b"", answer=b"\xff\x00"), "https://api.kie.ai/api/v1/chat/credit?x=1", [KEY])
    record.add(passed(status=502, ending="refused", problem="down"), "https://api.kie.ai/api/v1/chat/credit", [])
    record.write(tmp_path / "x.har", "1")
    found = read_recording((tmp_path / "x.har").read_bytes(), "x.har", oracle_of("kie"))
    one, two, three = found.exchanges
    assert (one.method, one.body, one.answer, one.ended - one.began) == ("POST", creation, CREDIT, 7)
    assert (two.query, two.answer, two.headers[0][1]) == ("x=1", b"\xff\x00", "Bearer sk-0…")
    assert (three.status, three.error) == (None, "down")
    assert [each.name for each in tmp_path.iterdir()] == ["x.har"]


def test_a_full_record_lets_the_oldest_go_and_says_so() -> None:
    said = Said(Record(max_entries=2))
    said.take(passed(), passed(), passed())
    assert said.watcher.record is not None
    assert (len(said.watcher.record), said.watcher.record.dropped) == (2, 1)
    assert "the record has no room for all: the oldest 1 were dropped" in said.watcher.notes()


def test_a_record_that_cant_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x.har").mkdir()
    with pytest.raises(OSError, match="directory"):
        Record().write(tmp_path / "x.har", "1")
    assert [each.name for each in tmp_path.iterdir()] == ["x.har"]


def test_an_empty_record_is_a_har_too(tmp_path: Path) -> None:
    Record().write(tmp_path / "x.har", "1")
    assert orjson.loads((tmp_path / "x.har").read_bytes())["log"]["entries"] == []


def test_what_waits_to_be_judged_has_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_WAITING_BYTES", 100)
    said, begun, free = Said(), threading.Event(), threading.Event()

    def slow(_: Passed) -> None:
        begun.set()
        assert free.wait(10)

    monkeypatch.setattr(said.watcher, "take", slow)
    judging = Judging(said.watcher)
    judging.put(passed(answer=b"x" * 90))
    assert begun.wait(10)
    judging.put(passed(answer=b"x" * 90))
    judging.put(passed(answer=b"x" * 9))
    assert judging.dropped == 1
    free.set()
    judging.close()
    assert (judging.dropped, judging.failed) == (1, None)


def test_a_watcher_that_fails_is_remembered_and_asked_no_more() -> None:
    said = Said()
    judging = Judging(said.watcher)
    judging.put(passed(target="no bytes"))  # type: ignore[arg-type]
    judging.put(passed())
    judging.close()
    assert isinstance(judging.failed, TypeError | AttributeError)
    assert said.watcher.sightings.exchanges == 0
