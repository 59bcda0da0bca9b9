"""Requests judged against the stored contract: what is refused, and in which words."""

from __future__ import annotations

import time
from typing import Any

import pytest
from understudy.mockserver.checks import tell
from understudy.openapi.validation import Problem

from .stage import NAMES, SIMPLE, Stage, as_json, creators, refused_with

JSON = {"content-type": "application/json"}
INVALID = {"kie": 422, "apikley": 422, "crun": 422, "mulerouter": 2001, "acme": "https://acme.example/problems/invalid"}


def kie(**inputs: Any) -> dict[str, Any]:
    """Return a creation of the larger model with these inputs."""
    return {"model": "nano-banana-pro", "input": {"prompt": "x", **inputs}}


@pytest.mark.parametrize(
    ("provider", "body", "sentence"),
    [
        ("kie", {"model": "nano-banana-pro"}, "input is missing; expected a value"),
        ("kie", {"model": "nano-banana-pro", "input": {}}, "input.prompt is missing; expected a value"),
        ("kie", {"model": "nano-banana-pro", "input": []}, "input is [], of type array; expected object"),
        ("kie", kie(prompt=None), "input.prompt is null, of type null; expected string"),
        ("kie", kie(prompt="x" * 10_001), "input.prompt has 10001 characters; expected at most 10000"),
        (
            "kie",
            kie(aspect_ratio="16:8"),
            "input.aspect_ratio is '16:8' (did you mean '16:9'?); expected one of '1:1', '2:3'",
        ),
        (
            "kie",
            kie(resolution="8K"),
            "input.resolution is '8K' (did you mean '4K'?); expected one of '1K', '2K', '4K'",
        ),
        (
            "kie",
            kie(output_format="jpeg"),
            "input.output_format is 'jpeg' (did you mean 'jpg'?); expected one of 'png', 'jpg'",
        ),
        ("kie", kie(image_input=["not a link"]), "input.image_input.0 is 'not a link'; expected a uri"),
        (
            "kie",
            kie(image_input=["https://example.com/a.png"] * 9),
            "input.image_input has 9 items; expected at most 8",
        ),
        ("kie", {**kie(), "callBackUrl": 7}, "callBackUrl is 7, of type integer; expected string"),
        (
            "crun",
            {"model": "google/nano-banana", "input": {"prompt": "x", "aspect_ratio": "wide"}},
            "input.aspect_ratio is 'wide'",
        ),
        ("mulerouter", {}, "prompt is missing; expected a value"),
        ("mulerouter", {"prompt": "x", "resolution": "4K"}, "resolution is '4K'"),
        ("mulerouter", [], "is [], of type array; expected object"),
        ("kie", kie(resolution=4), "input.resolution is 4; expected one of '1K', '2K', '4K'"),
        ("acme", {"prompt": ""}, "prompt has 0 characters; expected at least 1"),
        ("acme", {"prompt": "x", "n": 5}, "n is 5; expected at most 4"),
        ("acme", {"prompt": "x", "n": True}, "n is true, of type boolean; expected integer"),
        ("acme", {"prompt": "x", "priority": 0}, "priority is 0; expected more than 0"),
        (
            "acme",
            {"prompt": "x", "promt": "y"},
            "promt is not known (did you mean 'prompt'?); expected one of prompt, n, shape",
        ),
    ],
)
def test_a_refusal_names_the_field_what_was_sent_and_what_was_expected(provider: str, body: Any, sentence: str) -> None:
    code, message = refused_with(provider, Stage(provider).create(provider, body))
    assert code == INVALID[provider]
    assert message.startswith(sentence)


def test_several_problems_are_told_and_many_are_counted() -> None:
    bad = kie(aspect_ratio=1, resolution=2, output_format=3, image_input=4) | {"callBackUrl": 5}
    message = refused_with("kie", Stage("kie").create("kie", bad))[1]
    assert message.count("; expected ") == 3
    assert message.endswith("; and 2 more")


@pytest.mark.parametrize("count", [1, 3])
def test_few_problems_are_told_in_full(count: int) -> None:
    problems = [Problem(f"/{number}", "type", 1, "string", "is 1", "") for number in range(count)]
    assert tell(problems) == "; ".join(f"{number} is 1" for number in range(count))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"model": "nano-banana-por", "input": {"prompt": "x"}},
            "model is 'nano-banana-por' (did you mean 'nano-banana-pro'?)",
        ),
        ({"input": {"prompt": "x"}}, "model is missing"),
        ({"model": None}, "model is null"),
        ({"model": ["nano-banana-pro"]}, "model is ['nano-banana-pro']"),
        ([], "model is missing"),
        ("nano-banana-pro", "model is missing"),
        (7, "model is missing"),
    ],
)
def test_an_unknown_model_is_refused_with_those_that_are_known(body: Any, sentence: str) -> None:
    code, message = refused_with("kie", Stage("kie").create("kie", body))
    assert code == 422
    assert message.startswith(sentence)
    assert message.endswith("; expected one of 'nano-banana-pro', 'google/nano-banana'")


@pytest.mark.parametrize(
    "model", ["x" * 2_000_000, ["x"] * 400_000, {"x": "y" * 2_000_000}], ids=["text", "list", "object"]
)
def test_a_long_value_is_neither_told_in_full_nor_compared_for_long(model: Any) -> None:
    stage = Stage("kie")
    began = time.process_time()
    response = stage.create("kie", {"model": model, "input": {"prompt": "x"}})
    assert refused_with("kie", response)[0] == 422
    assert len(response.content) < 1000
    assert time.process_time() - began < 1


@pytest.mark.untraced
@pytest.mark.parametrize(
    "values",
    [["a"] * 45_000, [{"a": number} for number in range(18_000)], "y" * 190_000],
    ids=["texts", "objects", "text"],
)
def test_a_body_with_thousands_of_faults_is_explained_in_time(values: Any) -> None:
    stage = Stage("kie")
    began = time.process_time()
    code, message = refused_with("kie", stage.create("kie", kie(image_input=values, aspect_ratio=values)))
    assert code == 422
    assert "input." in message
    assert len(message) < 1500
    assert time.process_time() - began < 2


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize(
    "sent", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", "", "application/jsonp"]
)
def test_another_content_type_is_refused(provider: str, sent: str) -> None:
    response = Stage(provider).create(provider, None, content=as_json(SIMPLE[provider]), headers={"content-type": sent})
    message = refused_with(provider, response)[1]
    assert response.status_code == 415 or provider in {"kie", "apikley", "crun"}
    assert message == f"the content type is {sent.partition(';')[0]!r}; expected application/json" or not sent


@pytest.mark.parametrize(
    "sent", ["application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;x=y", "application/json;"]
)
def test_a_content_type_is_read_in_any_case_and_with_parameters(sent: str) -> None:
    stage = Stage("kie")
    assert stage.create("kie", None, content=as_json(kie()), headers={"content-type": sent}).json()["code"] == 200


@pytest.mark.parametrize("provider", NAMES)
def test_a_missing_content_type_is_refused(provider: str) -> None:
    response = Stage(provider).create(provider, None, content=as_json(SIMPLE[provider]))
    assert refused_with(provider, response)[1] == "the content type is missing; expected application/json"


MALFORMED = {
    "kie": 400,
    "apikley": 400,
    "crun": 422,
    "mulerouter": 2001,
    "acme": "https://acme.example/problems/unreadable",
}
NOT_JSON = {
    "half": b'{"prompt":',
    "nothing": b"",
    "words": b"prompt=x",
    "not a number": b'{"prompt": NaN}',
    "infinite": b'{"prompt": Infinity}',
    "not UTF-8": b'{"prompt": "\xff\xfe"}',
    "UTF-16": '{"prompt": "x"}'.encode("utf-16"),
    "lone surrogate": b'{"prompt": "\\ud800"}',
    "mark": b'\xef\xbb\xbf{"prompt": "x"}',
    "two": b'{"prompt": "x"}{}',
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "open": b'{"a":' * 10_000,
    "comma": b'{"prompt": "x",}',
    "control": b'{"prompt": "\n"}',
    "byte": b"\x00",
}


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_no_json_is_refused_as_documented(provider: str, body: str) -> None:
    code, message = refused_with(provider, Stage(provider).create(provider, None, content=NOT_JSON[body], headers=JSON))
    assert code == MALFORMED[provider]
    assert "the body is n" in message
    assert len(message) < 200


@pytest.mark.parametrize("query", ["", "taskId=", "taskId", "taskid=x", "&&&", "=x"])
def test_a_query_without_the_id_is_refused_as_documented(query: str) -> None:
    response = Stage("kie").ask("GET", f"/kie/api/v1/jobs/recordInfo?{query}")
    assert response.json() == {"code": 400, "msg": "taskId parameter is required", "data": None}


def test_of_a_parameter_given_twice_the_first_counts() -> None:
    stage = Stage("kie")
    task = stage.created("kie", kie())
    assert stage.ask("GET", f"/kie/api/v1/jobs/recordInfo?taskId={task}&taskId=x").json()["data"]["taskId"] == task


@pytest.mark.parametrize("query", ["", "content_type=image/png"])
def test_a_missing_parameter_is_named(query: str) -> None:
    message = refused_with("crun", Stage("crun").ask("GET", f"/crun/api/v1/client/files/upload-url?{query}"))[1]
    assert message.startswith("the query parameter ")
    assert message.endswith(" is missing")


@pytest.mark.parametrize("provider", NAMES)
def test_a_body_where_none_is_documented_does_not_matter(provider: str) -> None:
    stage = Stage(provider)
    task = stage.created(provider, SIMPLE[provider])
    asked = stage.poll(provider, task).request
    response = stage.ask("GET", str(asked.url), content=b"\xff", headers={"content-type": "nonsense"})
    assert response.content == stage.poll(provider, task).content


@pytest.mark.parametrize("extra", [{"input": {"prompt": "x", "later": 1}}, {"later": {"a": None}}])
def test_fields_that_the_document_does_not_forbid_are_accepted(extra: Any) -> None:
    stage = Stage("kie")
    task = stage.created("kie", {**kie(), **extra})
    assert "later" in stage.poll("kie", task).json()["data"]["param"]


@pytest.mark.parametrize("provider", NAMES)
def test_a_body_beyond_the_bound_is_refused(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.mockserver.emulator.MAX_BODY_BYTES", 100)
    response = Stage(provider).create(provider, None, content=b"x" * 101, headers=JSON)
    assert refused_with(provider, response)[1] == "the body is larger than 100 bytes"


@pytest.mark.parametrize("provider", NAMES)
def test_a_key_is_looked_at_before_the_body(provider: str) -> None:
    stage = Stage(provider)
    first, second = (
        stage.create(provider, None, key=None, content=body, headers=JSON) for body in (b"{", as_json(SIMPLE[provider]))
    )
    assert refused_with(provider, first) == refused_with(provider, second)


@pytest.mark.parametrize("provider", NAMES)
def test_every_creation_has_a_body_that_must_be_there(provider: str) -> None:
    stage = Stage(provider)
    for operation in creators(stage, provider):
        assert operation.body_required
        response = stage.ask("POST", f"/{provider}{operation.behaviour.key.path}")
        assert refused_with(provider, response)
