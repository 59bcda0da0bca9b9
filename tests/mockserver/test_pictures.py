"""Which picture a task stands for: ratio, size and format as asked."""

from __future__ import annotations

from io import BytesIO
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from understudy.mockserver.compiled import CompiledOperation
from understudy.mockserver.pictures import (
    asked,
    extension,
    full_body,
    picture_of,
    result_count,
    result_names,
    synthetic,
)
from understudy.mockserver.plan import Plan
from understudy.mockserver.task import Task

from .stage import NAMES, Stage, as_json, creators

STAGE = Stage()
PIXELS = {"1K": 1 << 20, "2K": 1 << 22, "4K": 1 << 24, "sketch": 1 << 18, "painting": 1 << 20}


def task_of(operation: CompiledOperation, model: str, body: Any) -> Task:
    """Return a task as a creation makes it."""
    return Task(
        id="task_1", number=1, operation=operation, model=model, created=0, plan=Plan(("done",), (0,)),
        body=as_json(body), random=bytes(range(40)), price=1,
    )  # fmt: skip


def documented(operation: CompiledOperation, model: str, what: str) -> tuple[str, list[str]]:
    """Return the pointer at which a creation of `model` asks for `what`, and the values listed there."""
    contract = operation.owner.provider.contract
    schemas = operation.contract.variants.get(model) or contract.body(operation.contract)[1]
    for pointer in getattr(operation.behaviour.input, what):
        node = contract.resolve(next(iter(schemas.values())))
        for token in pointer[1:].split("/"):
            node = contract.resolve(contract.resolve(node).get("properties", {}).get(token, {}))
        if node:
            return pointer, list(node.get("enum", []))
    return "", []


def choices(operation: CompiledOperation, model: str) -> list[tuple[str, str, str]]:
    """Return every combination of ratio, resolution and format that the effective document lists for `model`."""
    ratios, resolutions, formats = (
        documented(operation, model, what)[1] or [""] for what in ("ratio", "resolution", "format")
    )
    return list(product(ratios, resolutions, formats))


def body_of(operation: CompiledOperation, model: str, choice: tuple[str, str, str]) -> dict[str, Any]:
    """Return a body that asks for that; what is "" is left out."""
    body: dict[str, Any] = {"model": model} if operation.behaviour.variant else {}
    for value, what in zip(choice, ("ratio", "resolution", "format"), strict=True):
        if value:
            *tokens, last = documented(operation, model, what)[0][1:].split("/")
            holder = body
            for token in tokens:
                holder = holder.setdefault(token, {})
            holder[last] = value
    return body


MODELS = [
    (provider, operation.name, model)
    for provider in NAMES
    for operation in creators(STAGE, provider)
    for model in (operation.contract.variants or [operation.behaviour.model or ""])
]


@pytest.mark.parametrize(("provider", "name", "model"), MODELS)
def test_every_documented_choice_becomes_a_picture_of_that_ratio_size_and_format(
    provider: str, name: str, model: str
) -> None:
    operation = STAGE.operation(provider, name)
    for ratio, resolution, format_ in choices(operation, model):
        task = task_of(operation, model, body_of(operation, model, (ratio, resolution, format_)))
        spec = picture_of(task, full_body(task), 0, None)
        if ratio and ratio != "auto":
            wide, high = map(int, ratio.split(":"))
            assert spec.width / spec.height == pytest.approx(wide / high, rel=0.02)
        assert spec.width % 16 == spec.height % 16 == 0
        fixed = operation.owner.behaviour.models[model].fixed
        wanted = PIXELS[fixed.get("resolution") or resolution or ("painting" if provider == "acme" else "1K")]
        assert spec.width * spec.height == pytest.approx(wanted, rel=0.05)
        assert spec.format == {"jpg": "jpeg", "": "png"}.get(fixed.get("format", format_), fixed.get("format", format_))


def test_every_model_was_looked_at() -> None:
    assert {model for _, _, model in MODELS} >= {
        "google/nano-banana", "google/nano-banana-v2", "nano-banana-pro", "nano-banana", "brush-2",
    }  # fmt: skip
    assert sum(len(choices(STAGE.operation(provider, name), model)) for provider, name, model in MODELS) > 150


@pytest.mark.parametrize(
    ("provider", "body", "size", "format_"),
    [
        (
            "kie",
            {"model": "nano-banana-pro", "input": {"prompt": "x", "aspect_ratio": "21:9", "output_format": "jpg"}},
            (1568, 672),
            "JPEG",
        ),
        ("kie", {"model": "nano-banana-pro", "input": {"prompt": "x", "resolution": "2K"}}, (2048, 2048), "PNG"),
        (
            "kie",
            {"model": "google/nano-banana", "input": {"prompt": "x", "image_size": "9:16", "output_format": "jpeg"}},
            (768, 1360),
            "JPEG",
        ),
        (
            "crun",
            {"model": "google/nano-banana-v2", "input": {"prompt": "x", "output_format": "jpeg"}},
            (1024, 1024),
            "PNG",
        ),
        ("mulerouter", {"prompt": "x", "resolution": "1K", "aspect_ratio": "4:5"}, (912, 1152), "PNG"),
        ("acme", {"prompt": "x", "detail": "sketch", "shape": "3:4", "file_type": "webp"}, (432, 592), "WEBP"),
    ],
)
def test_a_picture_fetched_is_what_was_asked_for(provider: str, body: Any, size: tuple[int, int], format_: str) -> None:
    stage = Stage(provider, instant=True)
    link = stage.facts(provider, stage.created(provider, body))["outputs"][0]
    picture = Image.open(BytesIO(stage.ask("GET", link, None).content))
    picture.load()
    assert picture.format == format_
    assert picture.size == pytest.approx(size, rel=0.05)
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.04)


@pytest.mark.parametrize(
    ("provider", "body", "size"),
    [
        ("kie", {"model": "nano-banana-pro", "input": {"prompt": "x", "aspect_ratio": "16:9"}}, (1024, 576)),
        ("apikley", {"model": "nano-banana-pro", "input": {"prompt": "x", "resolution": "4K"}}, (4096, 4096)),
        ("mulerouter", {"prompt": "x", "aspect_ratio": "2:3"}, (1360, 2048)),
    ],
)
def test_a_resolution_may_mean_the_longest_side_instead(provider: str, body: Any, size: tuple[int, int]) -> None:
    operation = creators(Stage(provider, options=("sizes=longest-side",)), provider)[0]
    task = task_of(operation, body.get("model", "nano-banana-pro"), body)
    spec = picture_of(task, full_body(task), 0, None)
    assert max(spec.width, spec.height) == max(size)
    assert spec.width / spec.height == pytest.approx(size[0] / size[1], rel=0.02)


def test_a_ratio_that_is_none_is_square_whatever_a_resolution_means() -> None:
    operation = creators(Stage("kie", options=("sizes=longest-side",)), "kie")[0]
    body = {"model": "nano-banana-pro", "input": {"prompt": "x", "aspect_ratio": "wide", "resolution": "2K"}}
    assert picture_of(task_of(operation, "nano-banana-pro", body), body, 0, None).lines[2] == "2048 x 2048 png"


def test_prompt_model_size_and_id_are_drawn_on_it() -> None:
    operation = STAGE.operation("kie", "createTask")
    task = task_of(operation, "nano-banana-pro", {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse"}})
    assert picture_of(task, full_body(task), 0, None).lines == (
        "a lighthouse",
        "nano-banana-pro",
        "1024 x 1024 png",
        "task_1",
    )


def test_each_result_of_a_task_looks_different() -> None:
    operation = STAGE.operation("acme", "createPictures")
    task = task_of(operation, "brush-2", {"prompt": "x", "n": 4})
    assert result_names(task, full_body(task)) == [f"results/task_1/{number}.png" for number in range(4)]
    assert len({picture_of(task, full_body(task), number, None).seed for number in range(4)}) == 4


@pytest.mark.parametrize(
    ("wanted", "count"),
    [(None, 1), (3, 3), (3.0, 3), (0, 1), (-1, 1), (17, 1), (16, 16), ("3", 1), ([], 1), (1e300, 1)],
)
def test_a_number_of_results_that_can_not_be_is_one(wanted: Any, count: int) -> None:
    assert result_count(STAGE.operation("acme", "createPictures"), {"n": wanted}) == count


@pytest.mark.parametrize(
    ("wanted", "ending"),
    [("jpg", "jpg"), ("jpeg", "jpeg"), (None, "png"), ("tiff", "png"), (["png"], "png"), ({}, "png"), (7, "png")],
)
def test_a_format_that_is_not_known_is_png(wanted: Any, ending: str) -> None:
    assert extension(STAGE.operation("acme", "createPictures"), {"file_type": wanted}, "brush-2") == ending


def test_what_a_model_can_not_vary_is_as_it_is() -> None:
    operation = STAGE.operation("crun", "createTask")
    body = {"input": {"output_format": "jpeg"}}
    assert asked(operation, body, "format", "google/nano-banana-v2") == "png"
    assert asked(operation, body, "format", "google/nano-banana") == "jpeg"


@given(st.text() | st.none() | st.integers() | st.lists(st.text()), st.text() | st.integers() | st.none())
def test_whatever_is_asked_becomes_a_picture_of_a_sane_size(ratio: Any, resolution: Any) -> None:
    operation = STAGE.operation("acme", "createPictures")
    task = task_of(operation, "brush-2", {"prompt": "x", "shape": ratio, "detail": resolution})
    spec = picture_of(task, full_body(task), 0, None)
    assert 100_000 < spec.width * spec.height < 1_200_000


@given(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)))
def test_auto_follows_a_picture_no_further_from_square_than_one_to_four(size: tuple[int, int]) -> None:
    operation = STAGE.operation("kie", "createTask")
    task = task_of(
        operation, "nano-banana-pro", {"model": "nano-banana-pro", "input": {"prompt": "x", "aspect_ratio": "auto"}}
    )
    spec = picture_of(task, full_body(task), 0, size)
    assert spec.width / spec.height == pytest.approx(min(max(size[0] / size[1], 1 / 4), 4), rel=0.021)


@given(st.text(st.characters()))
def test_a_foreign_picture_is_the_same_each_time_and_tells_what_it_stands_for(url: str) -> None:
    assert synthetic(url) == synthetic(url)
    assert synthetic(url).lines == ("stands for", url)
    assert synthetic(url).seed != synthetic(url + "x").seed
