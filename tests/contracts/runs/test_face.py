"""`provider_contract`: a provider's contract as ordinary tests."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.contracts import provider_contract
from understudy.mockserver import create_app

FAULTY = """
    import orjson
    from understudy.contracts import provider_contract
    from understudy.mockserver import create_app

    inner = create_app(["crun"])

    async def app(scope, receive, send):
        async def changed(message):
            if b'"task_id"' in message.get("body", b"") and scope.get("path", "").endswith("/CreateTask"):
                data = orjson.loads(message["body"])
                message = {**message, "body": orjson.dumps({**data, "surprise": 1})}
            elif message["type"] == "http.response.start":
                message = {**message, "headers": [each for each in message["headers"] if each[0] != b"content-length"]}
            await send(message)
        await inner(scope, receive, changed)
"""


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    quiet = ("-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist", "-p", "no:hypothesispytest", "-rs")
    return pytester.runpytest_subprocess(*quiet, *arguments)


def test_each_check_is_a_test_against_the_plugins_own_emulator(pytester: pytest.Pytester) -> None:
    text = "from understudy.contracts import provider_contract\ntest_it = provider_contract('crun', max_examples=1)"
    result = ran(pytester, text)
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] > 40
    assert "failed" not in outcomes
    result.stdout.fnmatch_lines(["SKIPPED*never reached*"])


def test_a_finding_fails_the_test_of_its_check_unless_it_is_allowed_and_is_kept_for_the_next_night(
    pytester: pytest.Pytester,
) -> None:
    allowed = "allow=['fields-documented'], profile='ci'"
    text = f"""
    test_it = provider_contract('crun', app=app, max_examples=2)
    test_allowed = provider_contract('crun', app=app, max_examples=1, {allowed})
"""
    result = ran(pytester, FAULTY + text, "--understudy-profile=nightly", "-k", "fields-documented or key-required")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*fields-documented*", "*surprise*", "*curl *", "*seed *"])
    assert list((pytester.path / ".hypothesis" / "examples").rglob("*"))


def test_a_target_that_is_not_there_fails_in_one_line(pytester: pytest.Pytester) -> None:
    text = "from understudy.contracts import provider_contract\n"
    result = ran(pytester, text + "test_it = provider_contract('crun', url='http://127.0.0.1:9/crun')", "-x")
    result.stdout.fnmatch_lines(["*127.0.0.1:9*"])
    assert result.parseoutcomes()["failed"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"profile": "nightyl"}, "no profile 'nightyl' .did you mean 'nightly'..; known: ci, nightly"),
        ({"allow": ["field-documented"]}, "no check 'field-documented' .did you mean 'fields-documented'.."),
        ({"url": "http://127.0.0.1:1", "app": create_app(["crun"])}, "either app or url"),
    ],
)
def test_wrong_use_is_told_when_the_test_is_made(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        provider_contract("crun", **arguments)
