"""Files by link: pictures drawn when first fetched, and what users uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from understudy.mockserver import gallery
from understudy.mockserver.picture import PictureSpec, render
from understudy.openapi.pointer import resolve

from .stage import NAMES, SIMPLE, Stage


def links_of(stage: Stage, provider: str, body: Any) -> list[str]:
    """Create a task, let it end, and return the links to its results."""
    task = stage.created(provider, body)
    stage.wait(60)
    links: list[str] = stage.facts(provider, task)["outputs"]
    return links


def decoded(response: httpx.Response) -> Image.Image:
    """Return the picture in a response."""
    assert response.status_code == 200, response.text
    picture = Image.open(BytesIO(response.content))
    picture.load()
    return picture


@pytest.mark.parametrize("provider", NAMES)
def test_a_result_is_a_picture_of_the_type_that_its_header_names(provider: str) -> None:
    stage = Stage()
    response = stage.ask("GET", links_of(stage, provider, SIMPLE[provider])[0], None)
    assert f"image/{str(decoded(response).format).lower()}" == response.headers["content-type"]


def test_the_same_seed_and_requests_give_the_same_bytes_and_another_seed_gives_others() -> None:
    def bytes_with(seed: int) -> bytes:
        stage = Stage(seed=seed)
        return stage.ask("GET", links_of(stage, "acme", SIMPLE["acme"])[0]).content

    assert bytes_with(1) == bytes_with(1)
    assert bytes_with(1) != bytes_with(2)


@pytest.mark.parametrize(
    "changed",
    ["/1.png", "/00.png", "/0.jpg", "/0", "/%C2%B2.png", f"/{'9' * 5000}.png", "/-1.png", "/x/0.png", "/0.png/"],
)
def test_what_is_no_result_of_the_task_is_not_found(changed: str) -> None:
    stage = Stage()
    link = links_of(stage, "acme", SIMPLE["acme"])[0]
    response = stage.ask("GET", link.removesuffix("/0.png") + changed)
    assert response.status_code == 404
    assert "no result" in response.text or "no link" in response.text


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/_files/", "is no link to a file"),
        ("/_files/kie/0123456789ab/", "is no link to a file"),
        ("/_files/kie/0123456789ab/results/x/0.png", "its account is unknown"),
        ("/_files/nobody/0123456789ab/results/x/0.png", "its account is unknown"),
    ],
)
def test_a_link_that_leads_nowhere_says_why(path: str, why: str) -> None:
    response = Stage().ask("GET", path, None)
    assert response.status_code == 404
    assert why in response.text


def test_a_task_that_has_not_ended_has_no_results() -> None:
    stage = Stage()
    link = links_of(stage, "acme", SIMPLE["acme"])[0]
    stage.time -= 60_000
    assert "the task is queued and has no results" in stage.ask("GET", link).text


@pytest.mark.parametrize(("options", "days"), [((), 14), (("media=24h",), 1)])
def test_results_are_kept_as_long_as_documented(options: tuple[str, ...], days: int) -> None:
    stage = Stage("kie", options=options)
    link = links_of(stage, "kie", SIMPLE["kie"])[0]
    stage.wait(days * 24 * 3600 - 60)
    assert stage.ask("GET", link).status_code == 200
    stage.wait(60)
    gone = stage.ask("GET", link)
    assert (gone.status_code, gone.text) == (404, "the link has expired")


def test_a_method_that_a_file_does_not_have_is_refused() -> None:
    stage = Stage()
    response = stage.ask("POST", links_of(stage, "acme", SIMPLE["acme"])[0])
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"


def test_a_head_request_has_the_headers_of_the_file_and_no_body() -> None:
    stage = Stage()
    link = links_of(stage, "acme", SIMPLE["acme"])[0]
    whole, head = stage.ask("GET", link), stage.ask("HEAD", link)
    assert head.headers == whole.headers
    assert head.content == b""


def watched(monkeypatch: pytest.MonkeyPatch, draw: Callable[[PictureSpec], bytes]) -> list[PictureSpec]:
    """Let pictures be drawn by `draw`; return the list that tells which were."""
    drawn: list[PictureSpec] = []

    def render(spec: PictureSpec) -> bytes:
        drawn.append(spec)
        return draw(spec)

    monkeypatch.setattr(gallery, "render", render)
    return drawn


def test_a_picture_is_drawn_once_for_all_who_ask_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = watched(monkeypatch, render)
    stage = Stage(instant=True)
    link = links_of(stage, "acme", SIMPLE["acme"])[0]

    async def ask_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(stage.app)) as client:
            return await asyncio.gather(*(client.get(link) for _ in range(8)))

    assert len({response.content for response in asyncio.run(ask_at_once())}) == 1
    assert len(drawn) == 1


def test_the_pictures_kept_are_bounded_and_those_used_last_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = watched(monkeypatch, lambda _: b"x" * 40)
    monkeypatch.setattr(gallery, "CACHE_BYTES", 100)
    stage = Stage(instant=True)
    first, second, third = links_of(stage, "acme", {"prompt": "three", "n": 3})
    for link in (first, second, first, third, first, second):
        assert len(stage.ask("GET", link).content) == 40
    assert [spec.seed - drawn[0].seed for spec in drawn] == [0, 1, 2, 1]


def test_a_picture_that_can_not_be_drawn_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(instant=True)
    link = links_of(stage, "acme", SIMPLE["acme"])[0]
    with monkeypatch.context() as broken:
        broken.setattr(gallery, "render", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stage.ask("GET", link)
    assert stage.ask("GET", link).status_code == 200


def uploaded(stage: Stage, width: int, height: int, name: str = "a.png") -> str:
    """Upload a picture of that size and return its link."""
    buffer = BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    body = {"uploadPath": "in", "fileName": name}
    answer = stage.ask("POST", "/kie/api/file-stream-upload", data=body, files={"file": buffer.getvalue()})
    return str(answer.json()["data"]["downloadUrl"])


@pytest.mark.parametrize(
    ("size", "ratio"), [((300, 200), 3 / 2), ((200, 300), 2 / 3), ((16, 4000), 1 / 4), ((4000, 16), 4)]
)
def test_auto_follows_the_first_uploaded_picture(size: tuple[int, int], ratio: float) -> None:
    stage = Stage()
    inputs = [uploaded(stage, *size), uploaded(stage, 100, 100, "b.png")]
    asked = {"prompt": "follow", "aspect_ratio": "auto", "image_input": inputs}
    link = links_of(stage, "kie", {"model": "nano-banana-pro", "input": asked})[0]
    picture = decoded(stage.ask("GET", link))
    assert picture.width / picture.height == pytest.approx(ratio, rel=0.02)


@pytest.mark.parametrize("inputs", [[], ["https://example.com/wide.png"]])
def test_auto_is_square_where_nothing_was_uploaded_here(inputs: list[str]) -> None:
    stage = Stage()
    asked = {"prompt": "follow", "aspect_ratio": "auto", "image_input": inputs}
    link = links_of(stage, "kie", {"model": "nano-banana-pro", "input": asked})[0]
    assert len(set(decoded(stage.ask("GET", link)).size)) == 1


def test_auto_stays_what_it_was_at_creation_when_the_upload_is_gone() -> None:
    stage = Stage()
    asked = {"prompt": "follow", "aspect_ratio": "auto", "image_input": [uploaded(stage, 300, 200)]}
    link = links_of(stage, "kie", {"model": "nano-banana-pro", "input": asked})[0]
    stage.wait(4 * 24 * 3600)
    picture = decoded(stage.ask("GET", link))
    assert picture.width / picture.height == pytest.approx(3 / 2, rel=0.02)


def test_a_link_names_the_task_it_belongs_to() -> None:
    stage = Stage("kie")
    task = stage.created("kie", SIMPLE["kie"])
    stage.wait(60)
    record = stage.poll("kie", task).json()
    assert f"/results/{task}/0.png" in resolve(record, "/data/resultJson#/resultUrls/0")
