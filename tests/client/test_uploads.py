"""Uploads in every manner: as a form, as base64, and in two steps, the second of which takes no key along."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from understudy.client import ConfigurationError, NotFound, ProtocolViolation, TransportFailed, Unavailable

from .faulty import Act, FaultyServer, answer, close
from .speakers import Connect, Speaker, loaded

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 60
LINK = "https://files.example.com/a.png"
UPLOADED = answer(200, {"success": True, "code": 200, "msg": "", "data": {"downloadUrl": LINK}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file whose name has no extension of its kind."""
    made = tmp_path / "a heron.dat"
    made.write_bytes(PNG)
    return made


def without(connect: Connect, faulty: FaultyServer, name: str, *operations: str) -> Speaker:
    """Return a client of a provider that lacks these operations."""
    provider = loaded(name)
    _ = provider.contract  # which would miss them
    for each in operations:
        del provider.behaviour.operations[each]  # type: ignore[attr-defined]
    return connect(provider, base_url=faulty.url, api_key="key-of-mine")


def test_a_form_is_preferred(connect: Connect, faulty: FaultyServer, path: Path) -> None:
    faulty.plays(UPLOADED)
    assert connect("kie", base_url=faulty.url).upload(str(path)) == LINK
    (received,) = faulty.received
    assert received.path == "/api/file-stream-upload"
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="uploadPath"\r\n\r\nunderstudy\r\n' in received.body
    assert b'name="file"; filename="a heron.dat"\r\nContent-Type: image/png\r\n\r\n' + PNG in received.body


def test_base64_is_next(connect: Connect, faulty: FaultyServer, path: Path) -> None:
    faulty.plays(UPLOADED)
    assert without(connect, faulty, "kie", "uploadStream").upload(path) == LINK
    assert faulty.received[0].json == {
        "uploadPath": "understudy",
        "fileName": "a heron.dat",
        "base64Data": "data:image/png;base64," + base64.b64encode(PNG).decode(),
    }


def test_a_file_without_a_name_for_its_kind_is_sent_as_bytes(
    connect: Connect, faulty: FaultyServer, tmp_path: Path
) -> None:
    (tmp_path / "heron").write_bytes(b"what it is nobody knows")
    faulty.plays(UPLOADED)
    without(connect, faulty, "kie", "uploadStream").upload(tmp_path / "heron")
    assert faulty.received[0].json["base64Data"].startswith("data:application/octet-stream;base64,")


def prepared(faulty: FaultyServer, where: str | None = None) -> Act:
    """Answer where the bytes go."""
    data = {"presigned_url": where or f"{faulty.url}/bucket?signature=s", "file_url": LINK}
    return answer(200, {"code": 200, "message": "success", "data": data})


def test_two_steps_are_taken_and_the_second_carries_no_key(connect: Connect, faulty: FaultyServer, path: Path) -> None:
    faulty.plays(prepared(faulty), answer(200))
    assert connect("crun", base_url=faulty.url, api_key="key-of-mine").upload(path) == LINK
    first, second = faulty.received
    assert first.path == "/api/v1/client/files/upload-url?content_type=image%2Fpng&ext=dat"
    assert (second.method, second.path, second.body) == ("PUT", "/bucket?signature=s", PNG)
    assert second.headers["content-type"] == "image/png"
    assert "key-of-mine" in str(first.headers)
    assert "key-of-mine" not in str(second.headers)


def test_without_an_operation_that_stores_it_is_a_put(connect: Connect, faulty: FaultyServer, path: Path) -> None:
    faulty.plays(prepared(faulty), answer(201))
    assert without(connect, faulty, "crun", "putFile").upload(path) == LINK
    assert faulty.received[1].method == "PUT"


@pytest.mark.parametrize(
    ("act", "kind", "count"), [(answer(403), NotFound, 1), (answer(503), Unavailable, 3), (close, TransportFailed, 3)]
)
def test_a_second_step_that_fails_is_told(
    act: Act, kind: type[Exception], count: int, connect: Connect, faulty: FaultyServer, path: Path
) -> None:
    faulty.plays(prepared(faulty), act)
    with pytest.raises(kind):
        connect("crun", base_url=faulty.url).upload(path)
    assert len(faulty.received) == 1 + count


@pytest.mark.parametrize("link", ["", "no link", "ftp://a.example/b", None, 7])
def test_where_the_bytes_go_has_to_be_a_link(link: Any, connect: Connect, faulty: FaultyServer, path: Path) -> None:
    data = {"presigned_url": link, "file_url": LINK}
    faulty.plays(answer(200, {"code": 200, "message": "success", "data": data}))
    with pytest.raises(ProtocolViolation):
        connect("crun", base_url=faulty.url).upload(path)


def test_a_provider_without_a_place_for_the_parts_is_told(connect: Connect, faulty: FaultyServer, path: Path) -> None:
    client = without(connect, faulty, "crun")
    operation = client._flows.target.behaviour.operations["uploadUrl"]
    object.__setattr__(operation, "upload", None)
    with pytest.raises(ConfigurationError, match="uploadUrl does not say where the parts of an upload go"):
        client.upload(path)


def test_a_file_that_can_not_be_read_is_an_error_of_the_system(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        connect("kie").upload(tmp_path / "nothing.png")
