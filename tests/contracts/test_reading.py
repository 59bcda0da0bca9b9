"""Files, folders, pages, providers and URLs become sides; what can't be read is told in one line, soon."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml
from understudy.contracts.drift import compare_sides
from understudy.contracts.reading import read_pages, read_provider, read_side
from understudy.openapi.errors import LoadError

from .sides import answering, asking, document

PICTURE = {"type": "object", "properties": {"id": {"type": "string"}}}
ACME = Path(__file__).parents[1] / "providers" / "acme"


def written(path: Path, data: object) -> str:
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return str(path)


@pytest.fixture
def web() -> Any:
    """A server on the loopback that answers with what `pages` holds, and the URL it is at."""
    pages: dict[str, tuple[int, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, b"gone"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", pages
        server.shutdown()
        thread.join()


def test_a_file_with_its_neighbours(tmp_path: Any) -> None:
    written(
        tmp_path / "parts.yaml", {"P": {"type": "object", "properties": {"n": {"type": "integer", "nullable": True}}}}
    )
    one = read_side(written(tmp_path / "a.yaml", document(asking({"$ref": "./parts.yaml#/P"}), version="3.0.3")))
    other = read_side(written(tmp_path / "b.json", document(asking({"$ref": "parts.yaml#/P"}), version="3.0.3")))
    assert compare_sides(one, other) == []
    assert one.main == ["a.yaml"]


def test_a_folder_of_documents(tmp_path: Any) -> None:
    written(tmp_path / "a.yaml", document(asking(PICTURE)))
    written(tmp_path / "parts.yaml", {"x": 1})
    assert read_side(str(tmp_path)).main == ["a.yaml"]


def test_an_empty_folder_is_refused(tmp_path: Any) -> None:
    with pytest.raises(LoadError, match="holds no OpenAPI document"):
        read_side(str(tmp_path))


def test_a_providers_folder_is_read_with_its_corrections() -> None:
    side = read_side(str(ACME))
    assert side.main
    assert compare_sides(side, read_provider(str(ACME))) == []


def test_pages_tell_of_some_operations_only(tmp_path: Any) -> None:
    body = yaml.safe_dump(document(asking({**PICTURE, "required": ["id"]})))
    page = written(tmp_path / "page.md", f"# Draw\n\n```yaml\n{body}```\n")
    whole = document(asking(PICTURE))
    whole["paths"]["/other"] = {"get": {}}
    whole["webhooks"] = {"ended": {"post": {}}}
    base = read_side(written(tmp_path / "a.yaml", whole))
    for side in (read_pages([page]), read_side(page)):
        (found,) = compare_sides(base, side)
        assert (found.id, found.revision.file) == ("request-body-became-required", page)  # type: ignore[union-attr]
    (found,) = compare_sides(read_pages([page]), base)
    assert found.id == "request-body-became-optional"


def test_a_page_with_something_new_tells_of_it(tmp_path: Any) -> None:
    page = written(tmp_path / "page.md", f"```yaml\n{yaml.safe_dump(document({}))}```\n")
    (found,) = compare_sides(read_side(written(tmp_path / "a.yaml", document())), read_pages([page]))
    assert found.id == "operation-added"


def test_a_url_with_a_document_or_a_page(web: Any) -> None:
    url, pages = web
    text = yaml.safe_dump(document(answering(PICTURE)))
    pages["/a.yaml"], pages["/page"] = (200, text.encode()), (200, f"```yaml\n{text}```".encode())
    assert compare_sides(read_side(f"{url}/a.yaml"), read_side(f"{url}/page")) == []
    assert read_pages([f"{url}/page"]).partial


def test_what_lies_elsewhere_is_fetched_only_when_asked(web: Any, tmp_path: Any) -> None:
    url, pages = web
    pages["/parts.yaml"] = (200, yaml.safe_dump({"P": PICTURE}).encode())
    pages["/a.yaml"] = (200, yaml.safe_dump(document(asking({"$ref": "parts.yaml#/P"}))).encode())
    near = written(tmp_path / "a.yaml", document(asking({"$ref": f"{url}/parts.yaml#/P"})))
    for name in (near, f"{url}/a.yaml"):
        with pytest.raises(LoadError, match="nothing is fetched unasked; expected --allow-remote"):
            read_side(name)
    assert compare_sides(read_side(near, allow_remote=True), read_side(f"{url}/a.yaml", allow_remote=True)) == []


def test_a_document_of_the_web_does_not_read_files(web: Any) -> None:
    url, pages = web
    pages["/a.yaml"] = (200, yaml.safe_dump(document(asking({"$ref": "file:///etc/hostname#/P"}))).encode())
    with pytest.raises(LoadError, match="which is not at hand"):
        read_side(f"{url}/a.yaml", allow_remote=True)


def test_a_url_that_refuses_or_is_not_there(web: Any) -> None:
    url, pages = web
    pages["/latin"] = (200, b"openapi: \xff")
    with pytest.raises(LoadError, match="answered 404"):
        read_side(f"{url}/none")
    with pytest.raises(LoadError, match="not UTF-8"):
        read_side(f"{url}/latin")
    with pytest.raises(LoadError, match="can't be fetched") as caught:
        read_side("http://user:secret@127.0.0.1:9/a.yaml?key=secret")
    assert "secret" not in str(caught.value)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.yaml",
            "openapi: 3.1.0\n  info: {}\n",
            "a.yaml:2: broken YAML: mapping values are not allowed in this context (column 7)",
        ),
        ("a.json", '{"openapi": }', "broken JSON"),
        ("a.yaml", "swagger: '2.0'\n", "is Swagger 2.0; expected OpenAPI 3.0 or 3.1"),
        ("a.yaml", f"openapi: 3.1.0\n{BOMB}", "aliases expand to more than"),
        ("a.yaml", "[" * 5000, "nested deeper"),
        ("a.yaml", "openapi: !!python/object:os.system x\n", "is not allowed"),
        ("a.yaml", "", "is no OpenAPI document: it holds no object"),
        ("a.txt", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "holds no OpenAPI, only prose"),
        ("a.yaml", yaml.safe_dump(document(asking({"$ref": "b.yaml#/x"}))), "b.yaml: No such file or directory"),
        ("a.yaml", yaml.safe_dump(document(asking({"$ref": "/etc/hostname#/x"}))), "a file outside of its folder"),
        (
            "a.md",
            "```yaml\nopenapi: 3.1.0\ncomponents: {schemas: {A: {$ref: 'b.yaml#/x'}}}\n```",
            "which is not part of",
        ),
    ],
)
def test_bad_input_is_told_in_one_line_within_a_second_or_two(
    tmp_path: Any, name: Any, text: Any, message: Any
) -> None:
    begun = process_time()
    with pytest.raises(LoadError) as caught:
        read_side(written(tmp_path / name, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert process_time() - begun < 5


@pytest.mark.parametrize("name", ["big.yaml", "big.md"])
def test_a_file_of_200_mb_is_not_even_read(tmp_path: Any, name: Any) -> None:
    file = tmp_path / name
    with file.open("wb") as stream:
        stream.truncate(200_000_000)
    with pytest.raises(LoadError, match="is 200,000,000 bytes; expected at most"):
        read_side(str(file))


def test_what_is_not_there_is_said(tmp_path: Any) -> None:
    with pytest.raises(LoadError, match="there is no such file"):
        read_side(str(tmp_path / "none.yaml"))
    with pytest.raises(LoadError, match="is no folder and no built-in provider"):
        read_side("nobody")
    with pytest.raises(LoadError, match="No such file"):
        read_pages([str(tmp_path / "none.md")])
    (tmp_path / "latin.md").write_bytes(b"\xff")
    with pytest.raises(LoadError, match="not UTF-8"):
        read_pages([str(tmp_path / "latin.md")])


@pytest.mark.untraced
def test_two_documents_of_2_mb_and_600_operations_compare_soon(tmp_path: Any) -> Any:
    def big(size: int) -> dict:  # type: ignore[type-arg]
        made = document()
        member = {
            f"p{n}": {"type": "string", "maxLength": size + n, "description": "one of many members " * 3}
            for n in range(25)
        }
        for number in range(600):
            schema = {"type": "object", "properties": {**member, "c": {"$ref": f"#/components/schemas/C{number % 50}"}}}
            made["paths"][f"/a{number}"] = {
                "post": {**asking(schema), **answering({"$ref": f"#/components/schemas/C{number % 50}"})}
            }
        made["components"] = {
            "schemas": {
                f"C{n}": {
                    "type": "object",
                    "properties": {"next": {"$ref": f"#/components/schemas/C{(n + 1) % 50}"}, "v": {"maximum": n}},
                }
                for n in range(50)
            }
        }
        return made

    text = yaml.dump(json.loads(json.dumps(big(10))), Dumper=yaml.CSafeDumper)
    assert len(text) > 2_000_000
    one = written(tmp_path / "a.yaml", text)
    other = written(tmp_path / "b.yaml", text.replace("maxLength: 12\n", "maxLength: 11\n", 20))
    begun = process_time()
    found = compare_sides(read_side(one), read_side(other))
    assert len({each.operation for each in found}) == 20
    assert all(each.base.line for each in found)  # type: ignore[union-attr]
    assert process_time() - begun < 30  # a third of that on a machine of its own
