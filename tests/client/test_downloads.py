"""Fetching results: named, whole, of the right kind, resumed where it broke off, and never half there."""

from __future__ import annotations

import hashlib
import io
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from understudy.client import (
    ConfigurationError,
    NotFound,
    Phase,
    ProtocolViolation,
    RateLimited,
    Refused,
    Task,
    TaskFailed,
    TransportFailed,
    Unavailable,
    UnderstudyError,
)
from understudy.client.downloads import sniff

from .faulty import Act, FaultyServer, Received, answer, raw, reset
from .speakers import ACME, Connect, FakeTime, Speaker


def picture(kind: str = "PNG", size: int = 64) -> bytes:
    """Return a picture of noise, which no compression makes smaller."""
    noise = b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(size * size // 8))
    held = io.BytesIO()
    Image.frombytes("RGB", (size, size), noise[: size * size * 3]).save(held, kind)
    return held.getvalue()


PNG = picture()
PICTURES = {kind: picture(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")}


def done(*outputs: str, phase: Phase = Phase.COMPLETED, task_id: str = "pic_1") -> Task:
    """Return a task with these outputs."""
    return Task(task_id, "acme", "brush-2", "done", phase, outputs=outputs)


def file(content: bytes = PNG, kind: str = "image/png", status: int = 200, **headers: str) -> Act:
    """Answer with a file."""
    return answer(status, raw=content, content_type=kind, **headers)


def broken(content: bytes = PNG, at: int = 5000, cut: Act = reset, **headers: str) -> Act:
    """Answer with a file that breaks off after `at` bytes."""

    def act(connection: socket.socket, received: Received) -> None:
        told = {"content-type": "image/png", "content-length": str(len(content)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
        connection.sendall(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + content[:at])
        cut(connection, received)

    return act


def gently(connection: socket.socket, _: Received) -> None:
    """Close as if all were said: what was sent arrives."""
    connection.shutdown(socket.SHUT_WR)


def rest(content: bytes = PNG, kind: str = "image/png", **headers: str) -> Act:
    """Answer with what is asked for of a file."""

    def act(connection: socket.socket, received: Received) -> None:
        start = int(received.headers["range"].removeprefix("bytes=").rstrip("-"))
        told = {"content_range": f"bytes {start}-{len(content) - 1}/{len(content)}", **headers}
        file(content[start:], kind, 206, **told)(connection, received)

    return act


@pytest.fixture
def fetch(connect: Connect, faulty: FaultyServer, tmp_path: Path) -> Callable[..., list[Path]]:
    """Return a function that fetches one result from a server that plays these acts."""

    def fetching(*acts: Act, **settings: Any) -> list[Path]:
        faulty.plays(*acts)
        client: Speaker = connect(ACME, api_key="key-of-mine", base_url=faulty.url)
        paths: list[Path] = client.download(done(f"{faulty.url}/0.png?sig=1"), tmp_path / "out", **settings)
        return paths

    return fetching


Fetch = Callable[..., list[Path]]


def left(folder: Path) -> set[str]:
    """Return the names of the files in the folder."""
    return {each.name for each in (folder / "out").iterdir()} if (folder / "out").exists() else set()


@pytest.mark.parametrize("kind", PICTURES)
def test_a_result_is_named_after_its_task_and_its_kind(kind: str, fetch: Fetch, tmp_path: Path) -> None:
    (path,) = fetch(file(PICTURES[kind], f"image/{kind.lower()}"))
    assert path == tmp_path / "out" / f"pic_1-1.{'jpg' if kind == 'JPEG' else kind.lower()}"
    assert path.read_bytes() == PICTURES[kind]
    assert left(tmp_path) == {path.name}


def test_the_key_is_not_sent_to_where_results_are(fetch: Fetch, faulty: FaultyServer) -> None:
    fetch(file())
    assert "key-of-mine" not in str(faulty.received[0].headers)
    assert faulty.received[0].path == "/0.png?sig=1"


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (PICTURES["JPEG"], "image/png", "pic_1-1.jpg"),
        (PNG, "application/octet-stream", "pic_1-1.png"),
        (PNG, "", "pic_1-1.png"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4", "pic_1-1.mp4"),
        (b"\x00\x00\x00\x20ftypisom", "binary/octet-stream", "pic_1-1.mp4"),
        (b"whatever", "video/x-of-tomorrow", "pic_1-1.x-of-tomorrow"),
        (b"whatever", "audio/mpeg; rate=1", "pic_1-1.mp3"),
        (b"whatever", "image/", "pic_1-1.bin"),
    ],
)
def test_the_content_says_what_it_is_and_else_the_type(content: bytes, kind: str, name: str, fetch: Fetch) -> None:
    assert fetch(file(content, kind))[0].name == name


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"<html>", "text/html; charset=utf-8", "of type text/html; expected a picture, a video or a sound"),
        (b"{}", "application/json", "of type application/json"),
        (b"<html>", "image/png", "the answer is something else; expected image/png"),
        (b"<html>", "application/octet-stream", "expected application/octet-stream"),
        (b"<html>", "", "expected a picture, a video or a sound"),
        (b"", "image/png", "expected image/png"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    content: bytes, kind: str, message: str, fetch: Fetch, tmp_path: Path
) -> None:
    with pytest.raises(ProtocolViolation, match=message):
        fetch(file(content, kind))
    assert left(tmp_path) == set()


@pytest.mark.parametrize("kind", PICTURES)
def test_half_a_picture_is_asked_for_again_and_refused_when_it_stays_half(
    kind: str, fetch: Fetch, faulty: FaultyServer, tmp_path: Path
) -> None:
    content = PICTURES[kind]
    half = file(content[: len(content) // 2].replace(b";", b":"), f"image/{kind.lower()}")
    (path,) = fetch(half, file(content, f"image/{kind.lower()}"))
    assert path.read_bytes() == content
    path.unlink()
    with pytest.raises(ProtocolViolation, match=f"cut short: the image/{kind.lower()} ends early"):
        fetch(half)
    assert left(tmp_path) == set()


def test_a_download_that_breaks_off_is_gone_on_with(fetch: Fetch, faulty: FaultyServer, tmp_path: Path) -> None:
    (path,) = fetch(broken(etag='"v1"', at=5000, cut=gently), rest())
    assert path.read_bytes() == PNG
    first, second = faulty.received
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=5000-", '"v1"')
    assert left(tmp_path) == {path.name}


def test_a_download_is_gone_on_with_by_its_date_where_it_has_no_tag(fetch: Fetch, faulty: FaultyServer) -> None:
    fetch(broken(last_modified="Wed, 01 Jan 2025 00:00:00 GMT", etag='W/"v1"', cut=gently), rest())
    assert faulty.received[1].headers["if-range"] == "Wed, 01 Jan 2025 00:00:00 GMT"


def test_without_a_version_it_begins_anew(fetch: Fetch, faulty: FaultyServer) -> None:
    assert fetch(broken(cut=gently), file())[0].read_bytes() == PNG
    assert "range" not in faulty.received[1].headers


def test_a_file_that_has_changed_comes_whole(fetch: Fetch) -> None:
    other = picture(size=72)
    assert fetch(broken(etag='"v1"', cut=gently), file(other, etag='"v2"'))[0].read_bytes() == other


def test_the_next_call_goes_on_where_the_last_one_gave_up(fetch: Fetch, faulty: FaultyServer, tmp_path: Path) -> None:
    with pytest.raises(TransportFailed):
        fetch(broken(etag='"v1"', cut=gently), reset)
    assert left(tmp_path) == {".pic_1-1.part", ".pic_1-1.part.version"}
    faulty.received.clear()
    (path,) = fetch(rest())
    assert path.read_bytes() == PNG
    assert faulty.received[0].headers["range"] == "bytes=5000-"
    assert left(tmp_path) == {path.name}


def test_what_is_left_without_a_version_is_not_gone_on_with(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".pic_1-1.part").write_bytes(b"of another file")
    assert fetch(file())[0].read_bytes() == PNG


def test_a_range_that_can_not_be_had_begins_anew(fetch: Fetch, faulty: FaultyServer) -> None:
    (path,) = fetch(broken(etag='"v1"', cut=gently), answer(416), file())
    assert path.read_bytes() == PNG
    assert "range" not in faulty.received[2].headers


@pytest.mark.parametrize("told", ["bytes 0-9/10", "bytes 4999-9/10", "items 1-2/3", "", "bytes */10"])
def test_another_range_than_was_asked_for_is_no_answer(told: str, fetch: Fetch, tmp_path: Path) -> None:
    with pytest.raises(ProtocolViolation, match="expected the bytes from 5000 on"):
        fetch(broken(etag='"v1"', cut=gently), file(b"x", status=206, content_range=told))
    assert left(tmp_path) == set()


def test_a_rest_whose_end_is_not_told_is_taken_for_the_end(fetch: Fetch) -> None:
    whole = rest(content_range=f"bytes 5000-{len(PNG) - 1}/*")
    assert fetch(broken(etag='"v1"', cut=gently), whole)[0].read_bytes() == PNG


def test_a_rest_that_is_cut_short_itself_is_asked_for_again(fetch: Fetch, faulty: FaultyServer) -> None:
    def some(connection: socket.socket, received: Received) -> None:
        told = {"content_range": f"bytes 5000-5999/{len(PNG)}"}
        file(PNG[5000:6000], status=206, **told)(connection, received)

    assert fetch(broken(etag='"v1"', cut=gently), some, rest())[0].read_bytes() == PNG
    assert [each.headers.get("range") for each in faulty.received] == [None, "bytes=5000-", "bytes=6000-"]


@pytest.mark.parametrize(
    ("act", "kind", "count"),
    [
        (answer(403), NotFound, 1),
        (answer(404), NotFound, 1),
        (answer(410), NotFound, 1),
        (answer(401), Refused, 1),
        (answer(408), Unavailable, 3),
        (answer(429), RateLimited, 3),
        (answer(500), Unavailable, 3),
        (answer(502, raw=b"<html>"), Unavailable, 3),
        (answer(429, retry_after="31"), RateLimited, 1),
        (raw(b"no HTTP at all\r\n\r\n"), TransportFailed, 3),
        (reset, TransportFailed, 3),
    ],
)
def test_a_refusal_or_a_broken_connection_is_told(
    act: Act, kind: type[UnderstudyError], count: int, fetch: Fetch, faulty: FaultyServer, tmp_path: Path
) -> None:
    with pytest.raises(kind) as caught:
        fetch(act)
    assert type(caught.value) is kind
    assert len(faulty.received) == count
    assert left(tmp_path) == set()


def test_a_refusal_that_passes_is_passed(fetch: Fetch) -> None:
    assert fetch(answer(503), reset, file())[0].read_bytes() == PNG


def test_a_redirect_is_followed_but_not_for_ever(fetch: Fetch, faulty: FaultyServer) -> None:
    assert fetch(answer(302, location="/elsewhere.png"), file())[0].read_bytes() == PNG
    assert faulty.received[1].path == "/elsewhere.png"
    with pytest.raises(ProtocolViolation, match="expected fewer redirects"):
        fetch(answer(302, location="/round"))


def test_a_download_that_takes_too_long_is_given_up(fetch: Fetch, time: FakeTime) -> None:
    def slow(connection: socket.socket, received: Received) -> None:
        time.moment += 20
        file()(connection, received)

    with pytest.raises(TransportFailed, match="took longer than") as caught:
        fetch(slow, timeout=10)
    assert caught.value.timed_out


def test_a_server_that_never_answers_is_given_up(fetch: Fetch, faulty: FaultyServer) -> None:
    with pytest.raises(TransportFailed) as caught:
        fetch(faulty.hang, timeout=0.2)
    assert caught.value.timed_out


LINKS = ["", "picture.png", "ftp://a.example/b", "file:///etc/passwd", "http://", "http://[", "data:image/png,x", "//a"]


@pytest.mark.parametrize("link", LINKS)
def test_what_is_no_link_is_not_fetched(link: str, connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(ProtocolViolation, match="expected a link that begins with http:// or https://"):
        connect(ACME).download(done(link), tmp_path)


def test_an_id_can_not_lead_out_of_the_folder(connect: Connect, faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.plays(file())
    client = connect(ACME, base_url=faulty.url)
    task = done(faulty.url, task_id="../../etc/pic 1")
    (path,) = client.download(task, tmp_path / "out")
    assert path == tmp_path / "out" / "_.._etc_pic_1-1.png"


def test_only_a_completed_task_has_results(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no results yet: its status is done; wait for it first"):
        connect(ACME).download(done(phase=Phase.PROCESSING), tmp_path)
    with pytest.raises(TaskFailed):
        connect(ACME).download(done(phase=Phase.FAILED), tmp_path)


def test_a_folder_that_can_not_be_written_to_is_an_error_of_the_system(
    connect: Connect, faulty: FaultyServer, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    faulty.plays(file())
    with pytest.raises(OSError, match="taken"):
        connect(ACME, base_url=faulty.url).download(done(faulty.url), tmp_path / "taken")


def test_a_length_that_is_none_is_not_believed(fetch: Fetch) -> None:
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    assert fetch(raw(head + chunked))[0].read_bytes() == PNG


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI ", None),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"OggS", "audio/ogg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"", None),
        (b"<svg", None),
    ],
)
def test_a_file_tells_its_kind_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind
