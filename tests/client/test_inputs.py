"""From what a user writes to the body that is sent, and everything that is wrong with it at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from understudy.client import ConfigurationError, InvalidRequest
from understudy.client.inputs import Inputs
from understudy.client.target import find_target

from .conftest import NewAccount
from .speakers import MODELS, URL, Connect, folder_of, loaded


def body(name: str, model: str, operation: str | None = None, *, validate: bool = True, callback_url: str | None = None,
         **fields: Any) -> dict[str, Any]:  # fmt: skip
    """Return the body that creates a task."""
    inputs = Inputs(find_target(loaded(name), "key", URL, {}))
    creation = inputs.creation(model, operation, validate=validate)
    return inputs.parts(creation, model, fields, callback_url=callback_url, validate=validate).body


def problems(name: str, model: str, **fields: Any) -> list[str]:
    """Return what is wrong with the input."""
    with pytest.raises(InvalidRequest) as caught:
        body(name, model, **fields)
    assert str(caught.value) == "; ".join(map(str, caught.value.problems))
    return list(map(str, caught.value.problems))


@pytest.mark.parametrize(
    ("name", "model", "expected"),
    [
        ("kie", "nano-banana-pro", {"model": "nano-banana-pro", "input": {"prompt": "x", "aspect_ratio": "4:3"}}),
        ("kie", "google/nano-banana", {"model": "google/nano-banana", "input": {"prompt": "x", "image_size": "4:3"}}),
        ("crun", "google/nano-banana",
         {"model": "google/nano-banana", "input": {"prompt": "x", "aspect_ratio": "4:3"}}),
        ("mulerouter", "nano-banana", {"prompt": "x", "aspect_ratio": "4:3"}),
        ("acme", "brush-2", {"prompt": "x", "shape": "4:3"}),
    ],
)  # fmt: skip
def test_the_same_words_work_with_every_provider(name: str, model: str, expected: dict[str, Any]) -> None:
    assert body(name, model, prompt="x", aspect_ratio="4:3") == expected


def test_the_providers_own_words_come_first() -> None:
    made = body("acme", "brush-2", prompt="x", shape="16:9", n=2, file_type="webp")
    assert made == {"prompt": "x", "shape": "16:9", "n": 2, "file_type": "webp"}


def test_pictures_are_listed_or_not_as_the_provider_wants_them() -> None:
    link = "https://example.com/a.png"
    assert body("kie", "nano-banana-pro", prompt="x", images=link)["input"]["image_input"] == [link]
    assert body("kie", "nano-banana-pro", prompt="x", images=[link])["input"]["image_input"] == [link]
    assert body("acme", "brush-2", prompt="x", images=[link])["reference"] == link
    assert body("mulerouter", "nano-banana", "edit", prompt="x", images=[link])["images"] == [link]
    assert problems("acme", "brush-2", prompt="x", images=[link, link])


def test_the_callback_url_goes_where_the_provider_looks_for_it() -> None:
    url = "https://example.com/hook"
    assert body("kie", "nano-banana-pro", prompt="x", callback_url=url)["callBackUrl"] == url
    assert body("crun", "google/nano-banana", prompt="x", callback_url=url)["callback_url"] == url


def test_a_provider_that_takes_no_callback_url_says_where_callbacks_go() -> None:
    with pytest.raises(ConfigurationError, match="mulerouter sends callbacks to the account's webhook_url"):
        body("mulerouter", "nano-banana", prompt="x", callback_url="https://example.com")
    silent = loaded("kie")
    object.__setattr__(silent.behaviour, "callbacks", None)
    inputs = Inputs(find_target(silent, "key", URL, {}))
    creation = inputs.creation("nano-banana-pro", None, validate=True)
    with pytest.raises(ConfigurationError, match="kie sends callbacks nowhere"):
        inputs.parts(creation, "nano-banana-pro", {"prompt": "x"}, callback_url="https://example.com", validate=True)


def test_every_problem_is_told_at_once_with_field_value_and_limit() -> None:
    with pytest.raises(InvalidRequest) as caught:
        body("kie", "nano-banana-pro", prompt="x" * 10_001, aspect_ration="16:9", resolution="8K", image_input=["no"])
    told = {each.field: each for each in caught.value.problems}
    assert set(told) == {"input.prompt", "input.aspect_ration", "input.resolution", "input.image_input.0"}
    assert (told["input.resolution"].value, told["input.resolution"].limit) == ("8K", ["1K", "2K", "4K"])
    assert told["input.prompt"].limit == 10_000
    assert caught.value.code is None


def test_a_field_that_is_not_known_is_refused_with_the_nearest_one() -> None:
    assert problems("mulerouter", "nano-banana", prompt="x", aspect="1:1") == [
        "aspect is not known (did you mean 'aspect_ratio'?); expected one of prompt, aspect_ratio"
    ]
    assert problems("acme", "brush-2", prompt="x", aspect_ration="1:1")[0].startswith(
        "aspect_ration is not known (did you mean 'aspect_ratio'?); expected one of prompt, n, shape"
    )


def test_what_is_missing_is_told() -> None:
    assert problems("kie", "nano-banana-pro") == ["input.prompt is missing; expected a value"]


@pytest.mark.parametrize("value", [datetime(2026, 1, 1, tzinfo=UTC), float("nan"), {1, 2}, b"x", "\ud800", [object()]])
def test_what_json_can_not_hold_is_refused(value: Any) -> None:
    (told,) = problems("kie", "nano-banana-pro", prompt=value)
    assert told.startswith("input.prompt is ")
    assert "which JSON can't hold" in told


def test_an_unknown_model_is_refused_with_the_nearest_one() -> None:
    (told,) = problems("kie", "nano-banana-por", prompt="x")
    assert told.startswith("model is 'nano-banana-por' (did you mean 'nano-banana-pro'?); expected one of nano-banana-")


def test_validation_can_be_left_out() -> None:
    made = body("kie", "tomorrows-model", validate=False, prompt=3, mood="calm", callBackUrl="x")
    assert made == {"model": "tomorrows-model", "input": {"prompt": 3, "mood": "calm"}, "callBackUrl": "x"}
    assert body("acme", "brush-2", validate=False, prompt=3) == {"prompt": 3}
    with pytest.raises(InvalidRequest, match="model is 'brush-3'"):  # where the body names no model, none can be new
        body("acme", "brush-3", validate=False, prompt="x")


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_sent_that_is_refused_here(name: str, connect: Connect, account: NewAccount) -> None:
    mine = account(name)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    with pytest.raises(InvalidRequest):
        client.create(MODELS[name], prompt=3)
    mine.verify(times=0)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("per_client", [True, False])
def test_what_is_let_through_the_provider_refuses_with_the_same_error(
    name: str, per_client: bool, connect: Connect, account: NewAccount
) -> None:
    mine = account(name)
    settings = {"validate": False} if per_client else {}
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url, **settings)
    with pytest.raises(InvalidRequest) as caught:
        client.create(MODELS[name], prompt=3, validate=None if per_client else False)
    assert caught.value.problems == ()
    assert "prompt" in caught.value.message
    assert caught.value.code is not None
    mine.verify(times=1)


def test_fields_whose_names_are_taken_can_be_passed_as_a_mapping(connect: Connect, account: NewAccount) -> None:
    mine = account("kie")
    client = connect("kie", api_key=mine.api_key, base_url=mine.base_url)
    with pytest.raises(InvalidRequest, match=r"input\.operation is not known"):
        client.create("nano-banana-pro", fields={"operation": "x"}, prompt="x")


def test_text_is_read_as_the_type_that_the_schema_names(connect_sync: Connect) -> None:
    texts = {"prompt": "3", "n": "3", "priority": "0.5", "shape": "1:1", "count": "many", "mood": "4"}
    read = connect_sync().read_input("brush-2", texts)
    assert read == {"prompt": "3", "n": 3, "priority": 0.5, "shape": "1:1", "count": "many", "mood": "4"}
    images = connect_sync("kie").read_input("nano-banana-pro", {"image_input": '["https://a.example/b.png"]'})
    assert images == {"image_input": ["https://a.example/b.png"]}


def test_a_creation_that_takes_no_json_is_not_for_this_client() -> None:
    provider = loaded("acme")
    operation = provider.contract.operations["createPictures"]
    operation.effective["requestBody"]["content"] = {"text/plain": {"schema": {}}}
    inputs = Inputs(find_target(provider, "key", URL, {}))
    creation = inputs.creation("brush-2", None, validate=True)
    with pytest.raises(ConfigurationError, match="createPictures takes no JSON"):
        inputs.parts(creation, "brush-2", {"prompt": "x"}, callback_url=None, validate=True)


def test_a_schema_that_allows_more_fields_is_believed() -> None:
    provider = loaded("acme")
    provider.contract.components["schemas"]["Order"]["additionalProperties"] = True
    inputs = Inputs(find_target(provider, "key", URL, {}))
    creation = inputs.creation("brush-2", "createPictures", validate=True)
    made = inputs.parts(creation, "brush-2", {"prompt": "x", "mood": "calm"}, callback_url=None, validate=True)
    assert made.body == {"prompt": "x", "mood": "calm"}
