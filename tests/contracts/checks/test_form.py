from typing import Any

import pytest
from understudy.contracts.checks.exchange import Exchange
from understudy.contracts.checks.oracle import Observation

from .traffic import NAMES, answered, changed, found, reached, seen_of


def put(*path: str | int, value: Any) -> Any:
    """Return a change that puts `value` at `path`."""

    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


def with_header(seen: Observation, name: str, value: str | None) -> Observation:
    """Return the same exchange with another header in its answer."""
    kept = tuple(each for each in seen.exchange.answer_headers if each[0] != name)
    return changed(seen, answer_headers=kept if value is None else (*kept, (name, value)))


@pytest.mark.parametrize("kind", ["creation", "poll", "unknown"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_in_an_answer_as_documented_and_its_form_is_judged(name: str, kind: str) -> None:
    seen = seen_of(name, kind)
    assert found(seen) == {}
    assert {"status-documented", "content-type-documented", "json-parses", "body-conforms"} <= reached(seen)


@pytest.mark.parametrize("name", NAMES)
def test_a_status_that_is_not_documented_is_found(name: str) -> None:
    finding = found(changed(seen_of(name, "poll"), status=299))["status-documented"]
    assert "answered HTTP 299; documented are 200" in finding.sentence
    assert isinstance(finding.evidence[0], Exchange)
    assert finding.evidence[0].status == 299


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("sent", "told"), [("text/html", "'text/html'"), (None, "without a content type")])
def test_a_content_type_that_is_not_documented_is_found(name: str, sent: str | None, told: str) -> None:
    findings = found(with_header(seen_of(name, "creation"), "content-type", sent))
    assert set(findings) == {"content-type-documented"}
    assert told in findings["content-type-documented"].sentence


def test_parameters_and_case_of_a_content_type_do_not_matter() -> None:
    assert found(with_header(seen_of("kie", "poll"), "content-type", "Application/JSON; charset=utf-8")) == {}


def test_a_required_header_that_is_missing_is_found() -> None:
    finding = found(with_header(seen_of("acme", "creation"), "location", None))["headers-documented"]
    assert finding.sentence == "createPictures, HTTP 201: the header location is missing"
    assert finding.pointer == "/headers/location"


@pytest.mark.parametrize(
    ("name", "header", "value"), [("acme", "location", "over there"), ("mulerouter", "traceparent", "none")]
)
def test_a_header_that_does_not_fit_is_found(name: str, header: str, value: str) -> None:
    assert set(found(with_header(seen_of(name, "creation"), header, value))) == {"headers-documented"}


@pytest.mark.parametrize(("body", "told"), [(b'{"code": 200', "begins with"), (b"", "is empty"), (b"\xff", "begins")])
@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_no_json_is_found(name: str, body: bytes, told: str) -> None:
    findings = found(changed(seen_of(name, "creation"), answer=body))
    assert "json-parses" in findings
    assert told in findings["json-parses"].sentence


WRONG: list[tuple[str, Any, str, str]] = [
    ("kie", put("data", "createTime", value="yesterday"), "body-conforms", "/data/createTime"),
    ("kie", lambda data: data["data"].pop("taskId"), "body-conforms", ""),
    ("kie", put("data", "state", value="exploded"), "value-documented", "/data/state"),
    ("kie", put("data", "state", value=7), "body-conforms", "/data/state"),
    ("kie", put("data", "mood", value="fine"), "fields-documented", "/data/mood"),
    ("kie", put("trace_id", value="x"), "fields-documented", "/trace_id"),
    ("kie", put("data", "param", value="{model"), "inner-json-parses", "/data/param"),
    ("kie", put("data", "resultJson", value="[1"), "inner-json-parses", "/data/resultJson"),
    ("apikley", put("msg", value="success"), "fields-documented", "/msg"),
    ("crun", put("data", "create_at", value="2026"), "body-conforms", "/data/create_at"),
    ("mulerouter", put("task_info", "status", value="sleeping"), "value-documented", "/task_info/status"),
    ("mulerouter", put("images", value=["no link"]), "body-conforms", "/images/0"),
    ("acme", put("seconds", value=-1), "body-conforms", "/seconds"),
    ("acme", put("colour", value="red"), "body-conforms", "/colour"),
]


@pytest.mark.parametrize(("name", "change", "check", "pointer"), WRONG)
def test_a_body_that_does_not_fit_is_found_where_it_does_not(name: str, change: Any, check: str, pointer: str) -> None:
    findings = found(answered(seen_of(name, "poll"), change))
    assert findings[check].pointer == pointer
    assert set(findings) <= {check, "status-word-known"}


def test_more_fields_are_no_matter_where_the_document_allows_them() -> None:
    assert found(answered(seen_of("mulerouter", "poll"), put("task_info", "worker", value=7))) == {}


def test_a_text_that_is_still_empty_is_no_broken_json() -> None:
    seen = answered(seen_of("kie", "poll"), put("data", "resultJson", value=""))
    assert "inner-json-parses" not in found(seen)


def test_a_request_that_is_no_operation_has_no_documented_form() -> None:
    seen = changed(seen_of("kie", "poll"), path="/nowhere")
    assert reached(seen).isdisjoint({"status-documented", "body-conforms", "fields-documented", "headers-documented"})
