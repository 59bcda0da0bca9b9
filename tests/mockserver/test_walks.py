"""The life of a task with each provider, over a real socket, from its creation to the bytes of its picture."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image
from understudy.openapi.provider import built_in_names

BEARER = {"Authorization": "Bearer walker"}
CRUN = {"x-api-key": "ak_0123456789abcdef0123456789abcdef"}


def until_ended(http: httpx.Client, url: str, headers: dict[str, str], pending: set[str], status_at: str) -> Any:
    """Poll `url` until the status at the dotted path is none of `pending`; return the answer's body."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        response = http.get(url, headers=headers)
        assert response.status_code == 200
        value = body = response.json()
        for step in status_at.split("."):
            value = value[step]
        if value not in pending:
            return body
    raise AssertionError(f"{url} did not end: {body}")


def picture_at(http: httpx.Client, url: str) -> Image.Image:
    """Fetch a picture and decode it."""
    response = http.get(url)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("image/")
    picture = Image.open(BytesIO(response.content))
    picture.load()
    return picture


@pytest.mark.parametrize("provider", ["kie", "apikley"])
def test_a_task_is_created_polled_and_fetched_in_the_manner_of_kie(http: httpx.Client, provider: str) -> None:
    asked = {"model": "nano-banana-pro", "input": {"prompt": "a lighthouse", "aspect_ratio": "16:9"}}
    created = http.post(f"/{provider}/api/v1/jobs/createTask", json=asked, headers=BEARER).json()
    task_id = created["data"]["taskId"]
    assert created == {"code": 200, "msg": "success", "data": {"taskId": task_id}}
    assert task_id.startswith("task_nano-banana-pro_17")
    url = f"/{provider}/api/v1/jobs/recordInfo?taskId={task_id}"
    ended = until_ended(http, url, BEARER, {"waiting", "queuing", "generating"}, "data.state")["data"]
    assert ended["state"] == "success"
    assert orjson.loads(ended["param"]) == asked
    assert ended["costTime"] == ended["completeTime"] - ended["createTime"]
    assert ended["creditsConsumed"] == 18
    picture = picture_at(http, orjson.loads(ended["resultJson"])["resultUrls"][0])
    assert picture.format == "PNG"
    assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.02)


@pytest.mark.parametrize("model", ["nano-banana-pro", "nano-banana"])
@pytest.mark.parametrize("kind", ["generation", "edit"])
def test_a_task_is_created_polled_and_fetched_in_the_manner_of_mulerouter(
    http: httpx.Client, model: str, kind: str
) -> None:
    url = f"/mulerouter/vendors/google/v1/{model}/{kind}"
    asked: dict[str, Any] = {"prompt": "a lighthouse", "aspect_ratio": "4:5"}
    if kind == "edit":
        asked["images"] = ["https://example.com/a.png"]
    created = http.post(url, json=asked, headers=BEARER)
    assert created.status_code == 202
    task = created.json()["task_info"]
    assert task["status"] == "pending"
    ended = until_ended(http, f"{url}/{task['id']}", BEARER, {"pending", "processing"}, "task_info.status")
    assert ended["task_info"]["status"] == "completed"
    assert ended["task_info"]["created_at"] == task["created_at"]
    picture = picture_at(http, ended["images"][0])
    assert picture.width / picture.height == pytest.approx(4 / 5, rel=0.02)


@pytest.mark.parametrize(("model", "format_"), [("google/nano-banana", "JPEG"), ("google/nano-banana-v2", "PNG")])
def test_a_task_is_created_polled_and_fetched_in_the_manner_of_crun(
    http: httpx.Client, model: str, format_: str
) -> None:
    asked = {"model": model, "input": {"prompt": "a lighthouse", "output_format": "jpeg", "aspect_ratio": "3:2"}}
    created = http.post("/crun/api/v1/client/job/CreateTask", json=asked, headers=CRUN).json()
    assert created["message"] == "success"
    url = f"/crun/api/v1/client/job/TaskInfo?task_id={created['data']['task_id']}"
    ended = until_ended(http, url, CRUN, {"pending", "running"}, "data.status")["data"]
    assert ended["status"] == "success"
    assert ended["param"] == asked
    assert ended["complete_at"] >= ended["create_at"]
    picture = picture_at(http, ended["result"]["media_urls"][0])
    assert picture.format == format_
    assert picture.width / picture.height == pytest.approx(3 / 2, rel=0.02)


def test_a_file_is_uploaded_to_crun_in_two_steps(http: httpx.Client) -> None:
    query = {"content_type": "image/png", "ext": ".png"}
    prepared = http.get("/crun/api/v1/client/files/upload-url", params=query, headers=CRUN).json()["data"]
    stored = http.put(prepared["presigned_url"], content=b"bytes", headers={"content-type": "image/png"})
    assert stored.status_code == 200
    assert http.get(prepared["file_url"]).content == b"bytes"


def test_every_built_in_provider_has_a_walk() -> None:
    assert built_in_names() == ["apikley", "crun", "kie", "mulerouter"]
