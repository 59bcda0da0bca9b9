from dataclasses import replace
from typing import Any

import orjson
import pytest
from understudy.contracts.checks.oracle import Observation
from understudy.contracts.runs.ask import make_ask

from .traffic import NAMES, changed, found, reached, seen_of, session

GOOD: dict[str, Any] = {
    "kie": {"code": 200, "msg": "success", "data": {"taskId": "t"}},
    "apikley": {"code": 200, "msg": "success", "data": {"taskId": "t"}},
    "crun": {"code": 200, "message": "success", "data": {"task_id": "t"}},
}
SAYS: dict[str, Any] = {
    "kie": lambda code: {"code": code, "msg": "so", "data": None},
    "apikley": lambda code: {"code": code, "msg": "so", "data": None},
    "crun": lambda code: {"code": code, "message": "so", "data": None},
    "mulerouter": lambda code: {"error": {"code": code, "title": "so", "detail": "so"}},
}


def asked(name: str, body: Any, **more: Any) -> Observation:
    """Return what is seen of a creation with `body`, data or bytes."""
    shared = session(name)
    ask = make_ask(shared.oracle.doing("create")[0], shared.key, body={}, **more)
    return shared.ask(replace(ask, body=body if isinstance(body, bytes) else orjson.dumps(body)))


def accepting(name: str, seen: Observation) -> Observation:
    """Return the same request, done as asked."""
    good = seen_of(name, "creation").exchange
    return changed(seen, status=good.status, answer=good.answer, answer_headers=good.answer_headers)


def refusing(name: str, seen: Observation, code: int, status: int = 200) -> Observation:
    """Return the same request, refused with `code`."""
    return changed(seen, status=status, answer=orjson.dumps(SAYS[name](code)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [b"{}", b"{", b"", b"[]", b'{"prompt": 7, "model": "nano-banana-pro"}'])
def test_a_wrong_request_that_is_accepted_is_found_and_its_refusal_is_right(name: str, body: bytes) -> None:
    seen = asked(name, body)
    assert found(seen) == {}
    assert {"invalid-request-refused", "refused-as-documented", "no-server-error"} <= reached(seen)
    findings = found(accepting(name, seen))
    assert set(findings) == {"invalid-request-refused"}
    assert "accepted a request that breaks its document" in findings["invalid-request-refused"].sentence


@pytest.mark.parametrize("name", NAMES)
def test_a_body_of_another_type_that_is_accepted_is_found(name: str) -> None:
    seen = asked(name, b"a,b", content_type="text/csv")
    assert found(seen) == {}
    findings = found(accepting(name, seen))
    assert set(findings) == {"unknown-type-refused"}
    assert "has the content type text/csv" in findings["unknown-type-refused"].sentence


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [("kie", 401, 200), ("kie", 455, 200), ("kie", 501, 200), ("mulerouter", 1004, 404), ("crun", 404, 200)],
)
def test_a_wrong_request_that_is_refused_as_something_else_is_found(name: str, code: int, status: int) -> None:
    findings = found(refusing(name, asked(name, b"{}"), code, status))
    if code == 501:  # told as the server's fault
        assert set(findings) == {"no-server-error"}
    else:
        assert "refused-as-documented" in findings
        assert "documented is invalid-request" in findings["refused-as-documented"].sentence


@pytest.mark.parametrize(("name", "code"), [("kie", 429), ("kie", 402), ("mulerouter", 1029)])
def test_a_wrong_request_that_came_too_fast_or_without_credits_may_be_refused_for_that(name: str, code: int) -> None:
    status = {"mulerouter": 429}.get(name, 200)
    assert "refused-as-documented" not in found(refusing(name, asked(name, b"{}"), code, status))


@pytest.mark.parametrize(("name", "code", "status"), [("kie", 500, 200), ("kie", 500, 500), ("mulerouter", 1100, 500)])
def test_a_wrong_request_that_is_told_as_the_servers_fault_is_found(name: str, code: int, status: int) -> None:
    finding = found(refusing(name, asked(name, b"{}"), code, status))["no-server-error"]
    assert f"answered HTTP {status}" in finding.sentence
    assert "is missing" in finding.sentence


def test_a_wrong_request_that_is_answered_nothing_is_found() -> None:
    seen = changed(asked("acme", b"{"), status=None, error="ReadError")
    assert found(seen)["no-server-error"].sentence == (
        "createPictures was answered nothing (ReadError); the body is no JSON; expected JSON"
    )


def test_a_right_request_may_meet_a_documented_server_error() -> None:
    assert found(refusing("kie", seen_of("kie", "creation"), 500)) == {}
    assert found(refusing("mulerouter", seen_of("mulerouter", "creation"), 1100, 500)) == {}


@pytest.mark.parametrize(("name", "code", "status"), [("kie", 422, 200), ("kie", 400, 200), ("crun", 422, 200)])
@pytest.mark.parametrize("kind", ["creation"])
def test_a_right_request_that_is_refused_as_invalid_is_found(name: str, kind: str, code: int, status: int) -> None:
    seen = seen_of(name, kind)
    assert "valid-request-accepted" in reached(seen)
    findings = found(refusing(name, seen, code, status))
    assert set(findings) == {"valid-request-accepted"}
    assert f"refused a valid request ({code}: 'so')" in findings["valid-request-accepted"].sentence


@pytest.mark.parametrize(("name", "code"), [("kie", 401), ("kie", 402), ("kie", 429), ("kie", 455), ("crun", 404)])
def test_a_right_request_may_be_refused_for_other_reasons(name: str, code: int) -> None:
    assert "valid-request-accepted" not in found(refusing(name, seen_of(name, "creation"), code))


def test_that_pictures_are_refused_is_only_worth_a_warning() -> None:
    body = {"model": "nano-banana-pro", "input": {"prompt": "x", "image_input": ["https://example.com/a.png"]}}
    seen = asked("kie", body)
    assert "valid-pictures-accepted" in reached(seen)
    findings = found(refusing("kie", seen, 422))
    assert {each.severity for each in findings.values()} == {"warning"}
    assert set(findings) == {"valid-pictures-accepted"}


def test_a_poll_of_a_task_that_is_gone_may_share_its_code_with_an_invalid_request() -> None:
    for name in ("kie", "crun", "apikley"):
        assert found(seen_of(name, "unknown")) == {}


def test_a_body_too_large_or_nested_too_deeply_to_be_judged_may_be_refused() -> None:
    deep: Any = []
    for _ in range(250):
        deep = [deep]
    for extra in ({"deep": deep}, {"long": "x" * 1_100_000}):
        body = {"model": "google/nano-banana", "input": {"prompt": "x"}, **extra}
        seen = asked("kie", body)
        assert seen.request_problems == []
        assert found(refusing("kie", seen, 422)) == {}
