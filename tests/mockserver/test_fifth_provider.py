"""A provider that is nothing but a folder, of another style than those that come with understudy."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings
from understudy.openapi.errors import LoadError
from understudy.openapi.provider import load_provider

from .stage import ACME, Stage, provider_of

KEY = {"X-Acme-Key": "walker"}
ORDER: dict[str, Any] = {"prompt": "a heron", "n": 3, "shape": "16:9", "detail": "sketch", "file_type": "webp"}


@pytest.fixture(scope="module")
def acme() -> Iterator[httpx.Client]:
    """The provider on a real socket, with clocks a hundred thousand times faster than real time."""
    with (
        MockServer([provider_of("acme")], Settings(speed=100_000, limits=False)) as server,
        httpx.Client(base_url=server.url, headers=KEY, trust_env=False) as client,
    ):
        yield client


def followed(http: httpx.Client, url: str) -> dict[str, Any]:
    """Poll `url` until its task has ended."""
    for _ in range(1000):
        body: dict[str, Any] = http.get(url).json()
        if body["status"] not in {"queued", "painting"}:
            return body
    raise AssertionError(f"{url} did not end: {body}")


def test_a_task_is_created_polled_and_fetched_by_the_urls_in_the_answers(acme: httpx.Client) -> None:
    created = acme.post("/acme/v2/pictures", json=ORDER)
    assert created.status_code == 201
    assert created.headers["location"] == created.json()["poll_url"]
    ended = followed(acme, created.headers["location"])
    assert ended["status"] == "done"
    assert ended["coins"] == 3
    pictures = [Image.open(BytesIO(acme.get(url).content)) for url in ended["files"]]
    assert [picture.format for picture in pictures] == ["WEBP"] * 3
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert pictures[0].width / pictures[0].height == pytest.approx(16 / 9, rel=0.02)


def test_the_urls_lead_back_to_the_namespace_that_asked(acme: httpx.Client) -> None:
    created = acme.post("/~worker 7/acme/v2/pictures", json=ORDER)
    assert "/~worker%207/acme/v2/pictures/pic_" in created.headers["location"]
    assert followed(acme, created.headers["location"])["status"] == "done"
    assert acme.get(created.headers["location"].replace("/~worker%207", "")).status_code == 404
    listed = acme.get("/~worker 7/acme/v2/pictures").json()["items"]
    assert [each["poll_url"] for each in listed] == [created.headers["location"]]


@pytest.mark.parametrize("prefix", ["", "/~worker"])
def test_at_the_root_the_urls_have_no_name_in_them(prefix: str) -> None:
    stage = Stage("acme", root="acme", public_url="https://tunnel.example/deep")
    created = stage.ask("POST", f"{prefix}/v2/pictures", json=ORDER)
    assert created.headers["location"].startswith(f"https://tunnel.example/deep{prefix}/v2/pictures/pic_")
    path = created.headers["location"].removeprefix("https://tunnel.example/deep")
    assert stage.ask("GET", path).json()["poll_url"] == created.headers["location"]
    assert stage.ask("GET", path.replace("/v2/", "/acme/v2/")).status_code == 200


def test_a_task_is_cancelled_once_and_its_price_comes_back() -> None:
    stage = Stage("acme")
    url = stage.ask("POST", "/acme/v2/pictures", json=ORDER).json()["poll_url"]
    stage.wait(0.4)
    assert stage.ask("GET", "/acme/v2/account").json() == {"coins": 9997}
    cancelled = stage.ask("POST", url + "/cancel")
    assert cancelled.json()["status"] == stage.ask("GET", url).json()["status"] == "cancelled"
    assert cancelled.json()["seconds"] == 0.4
    assert cancelled.json()["coins"] == 0
    assert stage.ask("GET", "/acme/v2/account").json() == {"coins": 10_000}
    assert stage.ask("POST", url + "/cancel").status_code == 409


def test_a_finished_task_can_not_be_cancelled() -> None:
    stage = Stage("acme")
    url = stage.ask("POST", "/acme/v2/pictures", json=ORDER).json()["poll_url"]
    stage.wait(60)
    late = stage.ask("POST", url + "/cancel")
    assert late.status_code == 409
    assert late.headers["content-type"] == "application/problem+json"
    assert late.json() == {
        "type": "https://acme.example/problems/too-late", "title": "Too late", "status": 409,
        "detail": "the task is done and can't be cancelled",
    }  # fmt: skip


def test_a_list_is_read_page_by_page_newest_first() -> None:
    stage = Stage("acme", limits=False)
    urls = [stage.ask("POST", "/acme/v2/pictures", json=ORDER).json()["poll_url"] for _ in range(7)]
    page, seen = "/acme/v2/pictures?limit=3", []
    while page:
        body = stage.ask("GET", page).json()
        assert body["total"] == 7
        seen.append([each["poll_url"] for each in body["items"]])
        page = body["next"]
    assert [len(each) for each in seen] == [3, 3, 1]
    assert [url for each in seen for url in each] == urls[::-1]


@pytest.mark.parametrize(("query", "shown"), [("", 10), ("limit=2e0", 2), ("limit=50&offset=11", 1), ("offset=99", 0)])
def test_the_length_of_a_page_is_as_asked_or_as_documented(query: str, shown: int) -> None:
    stage = Stage("acme", limits=False)
    for _ in range(12):
        stage.ask("POST", "/acme/v2/pictures", json=ORDER)
    body = stage.ask("GET", f"/acme/v2/pictures?{query}").json()
    assert len(body["items"]) == shown
    assert body["total"] == 12


@pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=two", "limit=", "offset=-1", "limit=1.5"])
def test_a_page_that_can_not_be_is_refused(query: str) -> None:
    refused = Stage("acme").ask("GET", f"/acme/v2/pictures?{query}")
    assert refused.status_code == refused.json()["status"] == 422
    assert query.partition("=")[0] in refused.json()["detail"]


def test_a_list_forgets_what_is_no_longer_kept_and_shows_nobody_elses() -> None:
    stage = Stage("acme")
    stage.ask("POST", "/acme/v2/pictures", json=ORDER)
    stage.wait(6 * 24 * 3600)
    stage.ask("POST", "/acme/v2/pictures", json=ORDER)
    stage.ask("POST", "/acme/v2/pictures", "another", json=ORDER)
    assert stage.ask("GET", "/acme/v2/pictures").json()["total"] == 2
    stage.wait(24 * 3600)
    assert stage.ask("GET", "/acme/v2/pictures").json()["total"] == 1


@pytest.mark.parametrize("sent", [2, 2.0])
def test_a_number_of_pictures_is_the_same_however_it_is_written(sent: float) -> None:
    stage = Stage("acme", instant=True)
    ended = stage.ask("POST", "/acme/v2/pictures", json=ORDER | {"n": sent}).json()
    assert len(ended["files"]) == ended["coins"] == 2


def test_a_sixth_one_tells_its_refusals_in_a_200_and_takes_the_key_of_a_repetition_in_the_body() -> None:
    stage = Stage(load_provider(ACME.with_name("folio")))
    order = {"model": "folio-line", "spec": {"prompt": "a heron"}, "request_key": "heron-1"}
    first, again = (stage.ask("POST", "/folio/jobs", json=order).json()["job"]["number"] for _ in range(2))
    assert first == again
    assert stage.ask("GET", "/folio/jobs").json()["shelf"]["held"] == 1
    url = f"/folio/jobs/{first}"
    cancelled, late = stage.ask("DELETE", url), stage.ask("DELETE", url)
    assert [each.status_code for each in (cancelled, late)] == [200, 200]
    assert (cancelled.json()["job"]["state"], late.json()["outcome"]) == ("void", "job.ended")
    assert stage.ask("GET", url, "another").json()["outcome"] == "job.unknown"


def test_it_is_served_from_the_command_line() -> None:
    command = [sys.executable, "-c", "from understudy.entrypoints.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--provider", str(ACME), "--instant"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"UNDERSTUDY_QUIET": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        greeting = process.stdout.readline()
        found = re.search(r"acme +(http://\S+) +x-acme-key: <any key>", greeting)
        assert found, greeting
        answer = httpx.post(f"{found[1]}/v2/pictures", json=ORDER, headers=KEY, trust_env=False)
        assert answer.json()["status"] == "done"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


@pytest.mark.parametrize("format_", ["pic", "pic_{seconds}", "{hex32", "{model}", "{0}{ms}"])
def test_ids_that_would_repeat_or_can_not_be_made_stop_the_start(tmp_path: Path, format_: str) -> None:
    folder = shutil.copytree(ACME, tmp_path / "acme")
    file = folder / "behaviour.yaml"
    file.write_text(file.read_text().replace("pic_{hex32}", format_))
    with pytest.raises(LoadError) as error:
        load_provider(folder)
    assert f"behaviour.yaml:{error.value.line}: /id/format: is '{format_}'; expected text that matches" in str(
        error.value
    )
    assert format_ in file.read_text().splitlines()[(error.value.line or 0) - 1]
