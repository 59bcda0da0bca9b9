import pytest
from understudy.contracts.checks.exchange import Callback
from understudy.contracts.checks.finding import Finding
from understudy.contracts.checks.oracle import Observation
from understudy.contracts.checks.strays import unknown_id_refused
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.trace import Circumstances, make_trace
from understudy.contracts.runs.ask import Ask

from .traffic import NAMES, changed, found, reached, seen_of, session


def stray(name: str, **other: str) -> Observation:
    """Return what is seen of a poll with another method or path."""
    shared, asked = session(name), seen_of(name, "poll").exchange
    method, path = other.get("method", asked.method), other.get("path", asked.path)
    return shared.ask(Ask(method, path, asked.query, asked.headers))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("other", "check"), [({"method": "PATCH"}, "unknown-method-refused"), ({"path": "/v9/x"}, "unknown-path-refused")]
)
def test_a_path_or_method_that_no_document_has_is_refused_in_the_documented_form(
    name: str, other: dict[str, str], check: str
) -> None:
    seen = stray(name, **other)
    assert found(seen) == {}
    assert {check, "stray-refused-as-documented", "no-server-error"} <= reached(seen)
    accepted = changed(seen, status=200, answer=seen_of(name, "poll").exchange.answer)
    assert set(found(accepted)) == {check}
    assert set(found(changed(seen, status=503, answer=b"{}"))) == {"no-server-error"}
    page = changed(seen, answer=b"<p>no</p>", answer_headers=(("content-type", "text/html"),))
    assert set(found(page)) == {"stray-refused-as-documented"}


def test_the_code_of_a_refused_method_is_that_of_the_catalogue() -> None:
    seen = changed(stray("mulerouter", method="PUT"), answer=b'{"error":{"code":2001,"title":"","detail":""}}')
    assert found(seen)["stray-refused-as-documented"].sentence.endswith(
        "with the code 2001; documented is 1005 (method-not-allowed)"
    )


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_what_a_server_may_answer_on_its_own_is_not_judged(method: str) -> None:
    seen = changed(seen_of("kie", "poll"), method=method, status=200)
    assert reached(seen).isdisjoint({"unknown-method-refused", "stray-refused-as-documented"})


def test_a_page_beside_the_provider_that_is_asked_for_without_a_key_is_not_judged() -> None:
    seen = changed(seen_of("kie", "poll"), path="/index.html", headers=(), status=200, answer=b"")
    assert reached(seen).isdisjoint({"unknown-path-refused", "stray-refused-as-documented"})


def of_trace(name: str, *seen: Observation, whole: bool, callbacks: tuple[Callback, ...] = ()) -> list[Finding]:
    """Return what is found about unknown tasks in what was seen."""
    shared = session(name)
    trace = make_trace(shared.oracle, seen, callbacks, Circumstances(shared.clock.now(), whole=whole))
    return Tally([unknown_id_refused]).judge_trace(shared.oracle, trace)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_that_nobody_created_and_that_is_there_is_found(name: str) -> None:
    created, polled, unknown = (seen_of(name, kind) for kind in ("creation", "poll", "unknown"))
    assert of_trace(name, created, polled, unknown, whole=True) == []
    (finding,) = of_trace(name, polled, unknown, whole=True)
    assert finding.evidence == (polled.exchange,)
    assert "which nobody created, was answered HTTP 200" in finding.sentence


def test_a_task_may_be_older_than_a_recording_of_it() -> None:
    polled = seen_of("kie", "poll")
    assert of_trace("kie", polled, whole=False) == []
    earlier = changed(polled, began=0)
    assert len(of_trace("kie", earlier, whole=False)) == 1  # it tells to have been created since


@pytest.mark.parametrize(("name", "code"), [("kie", 400), ("kie", 501)])
def test_an_unknown_task_that_is_refused_as_something_else_is_found(name: str, code: int) -> None:
    body = f'{{"code":{code},"msg":"so","data":null}}'.encode()
    (finding,) = of_trace(name, changed(seen_of(name, "unknown"), answer=body), whole=True)
    assert finding.sentence.endswith("documented is not-found")


@pytest.mark.parametrize("code", [401, 404, 429, 455])
def test_an_unknown_task_may_be_refused_for_other_reasons(code: int) -> None:
    body = f'{{"code":{code},"msg":"so","data":null}}'.encode()
    assert of_trace("kie", changed(seen_of("kie", "unknown"), answer=body), whole=True) == []
