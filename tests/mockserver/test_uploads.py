"""Uploads in four manners, links to them, and input pictures that are among them."""

from __future__ import annotations

import base64
import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from understudy.openapi.provider import load_provider

from .stage import START, Stage, refused_with


def picture(format_: str = "PNG", size: tuple[int, int] = (30, 20)) -> bytes:
    """Return a real picture."""
    buffer = BytesIO()
    Image.new("RGB", size, "teal").save(buffer, format_)
    return buffer.getvalue()


def upload(stage: Stage, manner: str, content: Any, key: str = "test", **fields: Any) -> httpx.Response:
    """Upload to the provider that has three manners."""
    body = {"uploadPath": "in", **fields}
    if manner == "stream":
        return stage.ask("POST", "/kie/api/file-stream-upload", key, data=body, files={"file": content})
    name = {"base64": "base64Data", "url": "fileUrl"}[manner]
    return stage.ask("POST", f"/kie/api/file-{manner}-upload", key, json={name: content, **body})


def link_to(stage: Stage, content: bytes, name: str = "a.png", key: str = "test") -> str:
    """Upload a file and return its link."""
    return str(upload(stage, "stream", (name, content), key, fileName=name).json()["data"]["downloadUrl"])


# --- manners ------------------------------------------------------------------------------------------------


def test_base64_is_kept_and_fetched_as_it_was() -> None:
    stage, content = Stage("kie"), picture()
    answer = upload(stage, "base64", base64.b64encode(content).decode(), fileName="a.png").json()
    url = answer["data"].pop("downloadUrl")
    assert answer == {
        "success": True, "code": 200, "msg": "File uploaded successfully",
        "data": {"fileName": "a.png", "filePath": "in/a.png", "fileSize": len(content), "mimeType": "image/png",
                 "uploadedAt": "2025-12-08T07:23:20.000Z"},
    }  # fmt: skip
    fetched = stage.ask("GET", url, None)
    assert (fetched.content, fetched.headers["content-type"]) == (content, "image/png")


@pytest.mark.parametrize(("prefix", "kind"), [("", "application/octet-stream"), ("data:text/csv;base64,", "text/csv"),
    ("data:text/plain;charset=utf-8;base64,", "text/plain")])  # fmt: skip
def test_a_data_url_names_the_type(prefix: str, kind: str) -> None:
    assert upload(Stage("kie"), "base64", prefix + "aGk=").json()["data"]["mimeType"] == kind


@pytest.mark.parametrize(
    ("format_", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", "gif"), ("BMP", "bin")]
)
def test_a_file_without_a_name_is_given_one(format_: str, ending: str) -> None:
    stage = Stage("kie")
    names = {
        upload(stage, "base64", base64.b64encode(picture(format_)).decode()).json()["data"]["fileName"]
        for _ in range(3)
    }
    assert len(names) == 3
    assert all(name.endswith(f".{ending}") for name in names)


def test_a_stream_is_kept_under_its_own_name_or_that_of_the_field() -> None:
    stage = Stage("kie")
    answers = [
        upload(stage, "stream", ("own.txt", b"hi", "text/plain"), **more).json()["data"]
        for more in ({}, {"fileName": "other.txt"})
    ]
    assert [each["filePath"] for each in answers] == ["in/own.txt", "in/other.txt"]
    assert stage.ask("GET", answers[1]["downloadUrl"], None).headers["content-type"] == "text/plain"


def test_a_foreign_file_is_never_fetched_but_made_up_and_always_the_same() -> None:
    stage = Stage("kie")
    urls = [
        "https://example.invalid/a/harbour.png?size=2",
        "https://example.invalid/a/harbour.png?size=2",
        "https://example.invalid/",
    ]
    answers = [upload(stage, "url", url).json()["data"] for url in urls]
    assert [each["fileName"] for each in answers[:2]] == ["harbour.png"] * 2
    assert answers[2]["fileName"] == "example.invalid"
    pictures = [stage.ask("GET", each["downloadUrl"]).content for each in answers]
    assert pictures[0] == pictures[1] != pictures[2]
    assert Image.open(BytesIO(pictures[0])).format == "PNG"


def test_an_upload_in_two_steps_is_kept_for_the_key_that_prepared_it() -> None:
    stage = Stage("crun")
    query = {"content_type": "image/png", "ext": ".png"}
    prepared = stage.ask("GET", "/crun/api/v1/client/files/upload-url", params=query).json()["data"]
    assert stage.ask("GET", prepared["file_url"]).status_code == 404
    put = stage.ask("PUT", prepared["presigned_url"], None, content=picture())
    assert (put.status_code, put.content) == (200, b"")
    fetched = stage.ask("GET", prepared["file_url"], None)
    assert (fetched.content, fetched.headers["content-type"]) == (picture(), "image/png")


def test_two_uploads_are_never_prepared_at_the_same_place() -> None:
    stage = Stage("crun", frozen=True)
    places = {
        stage.ask("GET", "/crun/api/v1/client/files/upload-url?content_type=image/png&ext=png", key).text
        for key in "aabb"
    }
    assert len(places) == 4


@pytest.mark.parametrize("spoilt", ["signature=0", "", "signature=", "signature=%FF"])
def test_a_wrong_signature_is_http_403(spoilt: str) -> None:
    stage = Stage("crun")
    prepared = stage.ask("GET", "/crun/api/v1/client/files/upload-url?content_type=image/png&ext=png").json()["data"]
    put = stage.ask("PUT", prepared["presigned_url"].partition("?")[0] + "?" + spoilt, None, content=b"x")
    assert put.status_code == (403 if spoilt else 422)
    assert stage.ask("GET", prepared["file_url"]).status_code == 404


@pytest.mark.parametrize("name", ["x.png", "0123456789ab-x.png", "-", "%00"])
def test_a_place_that_was_never_prepared_is_http_404(name: str) -> None:
    put = Stage("crun").ask("PUT", f"/crun/api/v1/client/files/put/{name}?signature=x", None, content=b"x")
    assert (put.status_code, put.json()["code"]) == (404, 404)


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent", ["a", "a===", "!!!!", "aGk", "data:;base64,aGk=", "data:text/html\r\nX: y;base64,aGk=", "aGk=\n", ""]
)
def test_what_is_no_base64_is_refused(sent: str) -> None:
    refused = upload(Stage("kie"), "base64", sent)
    assert refused.json()["success"] is False
    assert refused.json()["code"] in {400, 422}
    assert "base64Data" in refused.json()["msg"]


@pytest.mark.parametrize("field", ["base64Data", "uploadPath"])
def test_a_missing_field_is_refused_in_the_documented_words(field: str) -> None:
    body = {"base64Data": "aGk=", "uploadPath": "in"}
    del body[field]
    refused = Stage("kie").ask("POST", "/kie/api/file-base64-upload", json=body)
    assert refused.json() == {"success": False, "code": 400, "msg": f"Missing required parameter: {field}"}


def test_a_missing_file_is_refused_in_the_documented_words() -> None:
    refused = Stage("kie").ask("POST", "/kie/api/file-stream-upload", data={"uploadPath": "in"}, files={"other": b"x"})
    assert refused.json() == {"success": False, "code": 400, "msg": "Missing required parameter: file"}


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("/a//b/", "c.png", "a/b/c.png"), ("../..", "../c.png", "c.png"), ("a/./b", "c d.png", "a/b/c d.png"),
        ("a?b#c", "50%.png", "a?b#c/50%.png"), ("ü", "日本.png", "ü/日本.png"), ("a", "x" * 300, "a/" + "x" * 300),
        ("a\\b", "c\r\nd", "a\\b/c\r\nd"), (" ", "~", " /~"), ("a", "b/c/", "a/b/c"), ("%2e%2e", "%2F", "%2e%2e/%2F"),
    ],
)  # fmt: skip
def test_a_file_is_found_again_whatever_it_is_called(folder: str, name: str, path: str) -> None:
    stage = Stage("kie")
    data = upload(stage, "base64", "aGk=", uploadPath=folder, fileName=name).json()["data"]
    assert data["filePath"] == path
    assert stage.ask("GET", data["downloadUrl"], None).content == b"hi"


@pytest.mark.parametrize(("folder", "name"), [("..", ".."), ("/", "/"), (".", "./../.")])
def test_a_file_whose_name_comes_to_nothing_is_given_one(folder: str, name: str) -> None:
    stage = Stage("kie")
    data = upload(stage, "base64", "aGk=", uploadPath=folder, fileName=name).json()["data"]
    assert data["fileName"] == data["filePath"] != ""
    assert stage.ask("GET", data["downloadUrl"]).content == b"hi"


def test_a_file_of_the_same_name_replaces_the_first_and_another_keys_stays() -> None:
    stage = Stage("kie")
    links = [link_to(stage, content, key=key) for content, key in ((b"1", "a"), (b"2", "a"), (b"3", "b"))]
    assert links[0] == links[1] != links[2]
    assert [stage.ask("GET", link).content for link in links] == [b"2", b"2", b"3"]


# --- how long -----------------------------------------------------------------------------------------------


def test_an_upload_is_kept_for_three_days() -> None:
    stage = Stage("kie")
    link = link_to(stage, b"hi")
    stage.wait(3 * 24 * 3600 - 1)
    assert stage.ask("GET", link).content == b"hi"
    stage.wait(1)
    assert stage.ask("GET", link).status_code == 404


def test_a_download_link_works_for_twenty_minutes() -> None:
    stage = Stage("kie")
    link = link_to(stage, b"hi")
    made = stage.ask("POST", "/kie/api/v1/common/download-url", json={"url": link}).json()
    assert (made["code"], made["msg"]) == (200, "success")
    assert made["data"].startswith(link + "?until=")
    stage.wait(20 * 60 - 1)
    assert stage.ask("GET", made["data"], None).content == b"hi"
    stage.wait(1)
    assert (stage.ask("GET", made["data"]).status_code, stage.ask("GET", link).status_code) == (403, 200)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url[:-1] + "x",
        lambda url: url.replace("until=1", "until=2"),
        lambda url: url.replace("a.png", "b.png"),
    ],
)
def test_a_download_link_that_was_tampered_with_is_refused(spoil: Any) -> None:
    stage = Stage("kie")
    link, _ = link_to(stage, b"hi"), link_to(stage, b"other", "b.png")
    made = stage.ask("POST", "/kie/api/v1/common/download-url", json={"url": link}).json()["data"]
    assert stage.ask("GET", spoil(made)).text == "the link's signature is wrong"


@pytest.mark.parametrize("until", ["9" * 5000, "-1", "x", "%C2%B2", ""])
def test_a_download_link_with_an_odd_end_does_no_harm(until: str) -> None:
    stage = Stage("kie")
    assert stage.ask("GET", f"{link_to(stage, b'hi')}?until={until}&signature=x").status_code in {200, 403}


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "http://127.0.0.1:4020/",
        "http://127.0.0.1:4020/_files/kie/x/y",
        "{link}x",
        "{other}",
        "{link}/../b",
    ],
)
def test_a_download_link_is_for_files_of_ones_own_only(url: str) -> None:
    stage = Stage("kie")
    asked = url.format(link=link_to(stage, b"hi"), other=link_to(stage, b"hi", key="other"))
    code, message = refused_with("kie", stage.ask("POST", "/kie/api/v1/common/download-url", json={"url": asked}))
    assert code == 404
    assert "is no file of this provider's" in message


def test_a_download_link_is_made_for_a_result() -> None:
    stage = Stage("kie", instant=True)
    task = stage.created("kie", {"model": "nano-banana-pro", "input": {"prompt": "x"}})
    (result,) = stage.facts("kie", task)["outputs"]
    made = stage.ask("POST", "/kie/api/v1/common/download-url", json={"url": result}).json()["data"]
    assert stage.ask("GET", made).content == stage.ask("GET", result).content


# --- inputs -------------------------------------------------------------------------------------------------


def asked_with(stage: Stage, *urls: str) -> httpx.Response:
    """Ask for a picture made from others."""
    return stage.create("kie", {"model": "nano-banana-pro", "input": {"prompt": "x", "image_input": list(urls)}})


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_an_uploaded_picture_is_taken_as_input(format_: str) -> None:
    stage = Stage("kie")
    assert asked_with(stage, link_to(stage, picture(format_))).json()["code"] == 200


def test_foreign_pictures_are_taken_unseen() -> None:
    assert asked_with(Stage("kie"), "https://example.invalid/a.png", "https://127.0.0.1:1/b").json()["code"] == 200


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"hello", "is image/png; expected a jpeg, png or webp picture"),
        (picture("GIF"), "expected a jpeg, png or webp picture"),
        (picture()[:40], "expected a jpeg, png or webp picture"),
    ],
)
def test_an_uploaded_file_that_is_no_such_picture_is_refused(content: bytes, why: str) -> None:
    stage = Stage("kie")
    code, message = refused_with("kie", asked_with(stage, "https://example.com/a.png", link_to(stage, content)))
    assert code == 422
    assert message.endswith(why)
    assert stage.ask("GET", "/kie/api/v1/chat/credit").json()["data"] == 10_000


def test_an_uploaded_picture_beyond_thirty_megabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.mockserver.uploads.MAX_INPUT_BYTES", 50)
    stage = Stage("kie")
    message = refused_with("kie", asked_with(stage, link_to(stage, picture())))[1]
    assert message.endswith(f"a.png' is {len(picture())} bytes; expected at most 50")


def test_an_uploaded_picture_that_is_not_there_is_refused() -> None:
    stage = Stage("kie")
    link = link_to(stage, picture())
    assert "b.png' does not exist" in refused_with("kie", asked_with(stage, link.replace("a.png", "b.png")))[1]
    nobodys = link.replace(stage.emulator.namespaces.of_key("test").id, "0123456789ab")
    assert "does not exist" in refused_with("kie", asked_with(stage, nobodys))[1]


def test_an_uploaded_picture_that_is_no_longer_kept_is_refused() -> None:
    stage = Stage("kie")
    link = link_to(stage, picture())
    stage.wait(3 * 24 * 3600)
    assert "does not exist" in refused_with("kie", asked_with(stage, link))[1]


def test_one_input_picture_may_stand_alone() -> None:
    stage = Stage("kie", "acme")
    refused = stage.create("acme", {"prompt": "x", "reference": link_to(stage, b"no picture")})
    assert refused.json()["detail"].endswith("expected a jpeg, png or webp picture")


def test_the_time_of_a_stored_file_is_that_of_the_account_it_belongs_to() -> None:
    stage = Stage("crun")
    stage.emulator.namespaces.of_key("test").clock.set(START + 5_000_000)
    prepared = stage.ask("GET", "/crun/api/v1/client/files/upload-url?content_type=image/png&ext=png").json()["data"]
    stage.ask("PUT", prepared["presigned_url"], None, content=b"x")
    (file,) = stage.emulator.namespaces.of_key("test").account("crun").files.values()
    assert file.stored == START + 5_000_000


def test_a_form_may_bring_a_file_as_text() -> None:
    stage = Stage("kie")
    parts = {"file": (None, "hé"), "uploadPath": (None, "in"), "fileName": (None, "a")}
    data = stage.ask("POST", "/kie/api/file-stream-upload", files=parts).json()["data"]
    assert stage.ask("GET", data["downloadUrl"]).content == "hé".encode()


LENIENT = """
understudy: 1
title: Lenient
base_url: https://api.acme.example
id: { format: "{hex32}" }
statuses: { waiting: { phase: pending }, done: { phase: completed }, broken: { phase: failed } }
failures: { failed: { code: 1, message: It broke } }
refusal: { status: 400, body: { why: "{{ problem }}" }, reads: { code: /why, message: /why } }
errors:
  bad: { code: 1, message: "{{ problem }}", when: [request-invalid, path-unknown, key-missing, server-failed] }
operations:
  upload:
    on: POST /files
    does: upload
    upload: { from: base64, content: $request.body#/data }
    answer: { body: { url: "{{ file.url }}" } }
    reads: { url: /url }
"""
LENIENT_DOCUMENT = """
openapi: 3.1.0
info: { title: Lenient, version: 1.0.0 }
paths:
  /files:
    post:
      requestBody: { required: true, content: { application/json: { schema: { type: object } } } }
      responses: { "200": { description: Kept } }
"""


@pytest.mark.parametrize("sent", ["a", "!", 5, None])
def test_where_the_document_takes_any_text_base64_that_does_not_decode_is_refused(tmp_path: Path, sent: Any) -> None:
    folder = tmp_path / "lenient"
    folder.mkdir()
    (folder / "behaviour.yaml").write_text(LENIENT)
    (folder / "lenient.yaml").write_text(LENIENT_DOCUMENT)
    answer = Stage(load_provider(folder)).ask("POST", "/lenient/files", json={"data": sent})
    assert answer.status_code == (400 if isinstance(sent, str) else 200)
    assert answer.is_success or answer.json()["why"].startswith("the base64 does not decode: ")


def test_nothing_foreign_is_ever_looked_up_or_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *place, **_: reached.append(place))
    monkeypatch.setattr(socket.socket, "connect", lambda _, place: reached.append(place))
    stage = Stage("kie", instant=True)
    assert upload(stage, "url", "http://127.0.0.1:9/a.png").json()["code"] == 200
    created = asked_with(stage, "https://example.com/a.png", "http://localhost:9/b").json()
    (link,) = stage.facts("kie", created["data"]["taskId"])["outputs"]
    assert stage.ask("GET", link).status_code == 200
    assert reached == []


def test_links_show_whose_they_are_without_showing_the_key() -> None:
    stage = Stage("kie", instant=True)
    link = link_to(stage, picture(), key="a-secret-key")
    assert "secret" not in link
    assert stage.emulator.namespaces.of_key("a-secret-key").id in link
