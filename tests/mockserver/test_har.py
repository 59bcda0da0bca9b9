"""The journal as HAR 1.2, judged by the format's own rules."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import orjson
from understudy.mockserver.har import to_har
from understudy.mockserver.server import MockServer
from understudy.openapi.validation import Validator

from .bench import Bench, steered
from .stage import SIMPLE, Stage, provider_of

TEXT, WHOLE, MILLISECONDS = {"type": "string"}, {"type": "integer", "minimum": -1}, {"type": "number", "minimum": -1}


def record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return the schema of an object; fields of one's own begin with an underscore (HAR 1.2, Custom Fields)."""
    return {
        "type": "object", "required": list(required), "properties": required | optional,
        "patternProperties": {"^_": True}, "additionalProperties": False,
    }  # fmt: skip


PAIRS = {"type": "array", "items": record({"name": TEXT, "value": TEXT}, comment=TEXT)}
CONTENT = record(
    {"size": {"type": "integer", "minimum": 0}, "mimeType": TEXT},
    compression=WHOLE,
    text=TEXT,
    encoding=TEXT,
    comment=TEXT,
)
POST_DATA = record({"mimeType": TEXT, "params": {"type": "array"}, "text": TEXT}, comment=TEXT)
REQUEST = record(
    {
        "method": TEXT,
        "url": TEXT | {"format": "uri"},
        "httpVersion": TEXT,
        "cookies": {"type": "array"},
        "headers": PAIRS,
        "queryString": PAIRS,
        "headersSize": WHOLE,
        "bodySize": WHOLE,
    },
    postData=POST_DATA,
    comment=TEXT,
)
RESPONSE = record(
    {
        "status": {"type": "integer", "minimum": 0},
        "statusText": TEXT,
        "httpVersion": TEXT,
        "cookies": {"type": "array"},
        "headers": PAIRS,
        "content": CONTENT,
        "redirectURL": TEXT,
        "headersSize": WHOLE,
        "bodySize": WHOLE,
    },
    comment=TEXT,
)
TIMINGS = record(
    {"send": MILLISECONDS, "wait": MILLISECONDS, "receive": MILLISECONDS},
    blocked=MILLISECONDS, dns=MILLISECONDS, connect=MILLISECONDS, ssl=MILLISECONDS, comment=TEXT,
)  # fmt: skip
ENTRY = record(
    {
        "startedDateTime": TEXT | {"format": "date-time"}, "time": {"type": "number", "minimum": 0}, "request": REQUEST,
        "response": RESPONSE, "cache": record({}, beforeRequest=True, afterRequest=True), "timings": TIMINGS,
    },
    pageref=TEXT, serverIPAddress=TEXT, connection=TEXT, comment=TEXT,
)  # fmt: skip
LOG = record(
    {
        "version": {"const": "1.2"},
        "creator": record({"name": TEXT, "version": TEXT}),
        "entries": {"type": "array", "items": ENTRY},
    },
    browser=True,
    pages={"type": "array"},
    comment=TEXT,
)
HAR = Validator({"type": "object", "required": ["log"], "properties": {"log": LOG}, "additionalProperties": False})
"""After the specification, http://www.softwareishard.com/blog/har-12-spec/."""


def entries(stage: Stage, query: str = "") -> list[dict[str, Any]]:
    """Return the entries of the exported journal, which is well-formed."""
    har = stage.ask("GET", f"/_understudy/exchanges.har?{query}").json()
    assert not HAR.problems(har), list(map(str, HAR.problems(har)))
    found: list[dict[str, Any]] = har["log"]["entries"]
    return found


def test_every_kind_of_exchange_is_well_formed() -> None:
    stage = Stage(instant=True, limits=False)
    for provider in ("kie", "acme", "mulerouter"):
        task = stage.created(provider, SIMPLE[provider])
        stage.poll(provider, task)
    stage.ask("GET", stage.facts("kie", stage.created("kie", SIMPLE["kie"]))["outputs"][0])
    stage.ask("GET", "/kie/no such path/ü?a=b&c=d%20e&f")
    stage.ask("GET", "/nobody")
    stage.ask("GET", "/~name/kie/api/v1/chat/credit")
    files = {"file": ("a.png", b"\x89PNG\xff\xfe", "image/png")}
    stage.ask("POST", "/kie/api/file-stream-upload", files=files, data={"uploadPath": "x"})
    stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "html-502"})
    found = entries(stage)
    assert len(found) == 14
    for entry in found:
        assert urlsplit(entry["request"]["url"]).netloc == "127.0.0.1:4020"
        assert entry["request"]["bodySize"] == len(posted(entry["request"]))


def posted(request: dict[str, Any]) -> bytes:
    """Return the bytes of a request's body."""
    data = request.get("postData", {"text": ""})
    return base64.b64decode(data["text"]) if data.get("_encoding") else str(data["text"]).encode()


def test_an_entry_holds_what_was_sent_and_what_came() -> None:
    stage = Stage("kie", instant=True)
    task = stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", stage.facts("kie", task)["outputs"][0])
    created, polled, fetched = entries(stage)
    assert (created["request"]["method"], created["request"]["url"]) == (
        "POST",
        "http://127.0.0.1:4020/kie/api/v1/jobs/createTask",
    )
    assert orjson.loads(created["request"]["postData"]["text"]) == SIMPLE["kie"]
    assert (created["response"]["status"], created["response"]["statusText"]) == (200, "OK")
    assert polled["request"]["queryString"] == [{"name": "taskId", "value": task}]
    assert polled["_understudy"]["task"] == task
    content = fetched["response"]["content"]
    assert (content["mimeType"], content["encoding"]) == ("image/png", "base64")
    assert base64.b64decode(content["text"]).startswith(b"\x89PNG")
    assert len(base64.b64decode(content["text"])) == content["size"]


def test_filters_are_those_of_the_journal() -> None:
    stage = Stage("kie", "acme", frozen=True)
    stage.created("kie", SIMPLE["kie"])
    stage.created("acme", SIMPLE["acme"])
    assert [each["_understudy"]["provider"] for each in entries(stage, "provider=acme")] == ["acme"]


def test_where_no_answer_came_the_entry_says_so() -> None:
    with MockServer([provider_of("acme")]) as server:
        control = steered(server)
        bench = Bench(server, control, "acme", "har")
        for fault in ("reset", "empty-reply", "garbage"):
            try:
                bench.create(fault)
            except OSError:
                raise
            except Exception:
                pass
        har = control.ask("GET", "/exchanges.har")
        bench.close()
        control.close()
    assert not HAR.problems(har)
    told = [(each["response"]["status"], each["response"]["_error"]) for each in har["log"]["entries"]]
    assert told == [(0, "reset"), (0, "empty-reply"), (0, "garbage")]


def test_an_empty_journal_is_a_log_without_entries() -> None:
    assert not HAR.problems(to_har([], "http://127.0.0.1", "0.1.0"))
