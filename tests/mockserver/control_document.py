"""The control API's own document, and the judge of answers by it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import httpx
from understudy.mockserver import control
from understudy.openapi.source import read_source
from understudy.openapi.validation import Validator

DOCUMENT = read_source(control._DOCUMENT).data
METHODS = ("get", "post", "put", "delete")


def operations() -> dict[tuple[str, str], Any]:
    """Return the documented operations by method and path."""
    return {
        (method.upper(), path): item[method]
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item
    }


def resolved(node: Any) -> Any:
    """Return what `node` stands for, a reference or itself."""
    while isinstance(node, dict) and "$ref" in node:
        found = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


@lru_cache(maxsize=256)
def _validator(method: str, path: str, status: str, media_type: str) -> Validator:
    responses = operations()[method, path]["responses"]
    documented = resolved(responses.get(status) or responses.get("default"))
    assert documented, f"{method} {path}: status {status} is not documented"
    content = documented["content"]
    assert media_type in content, f"{method} {path}: {media_type} is not documented"
    return Validator(content[media_type]["schema"], DOCUMENT["components"])


def _path_meant(method: str, path: str) -> str:
    fixed = [each for known, each in operations() if known == method and each == path]
    fitting = [
        each
        for known, each in operations()
        if known == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(each)), path)
    ]
    assert fitting, f"{method} {path} is not documented"
    return (fixed or fitting)[0]


def judge(response: httpx.Response) -> None:
    """Fail where an answer of the control API is not what its document says; other answers are none of ours."""
    request = response.request
    path = request.url.path
    if not path.startswith("/_understudy/") or (response.status_code in {404, 405} and not _is_known(request)):
        return
    response.read()
    media_type = response.headers["content-type"].partition(";")[0]
    meant = _path_meant("GET" if request.method == "HEAD" else request.method, path)
    validator = _validator(
        "GET" if request.method == "HEAD" else request.method, meant, str(response.status_code), media_type
    )
    if request.method == "HEAD":
        assert response.content == b""
        return
    data = response.json() if media_type == "application/json" else response.text
    assert not validator.problems(data), (request.method, path, list(map(str, validator.problems(data))))


def _is_known(request: httpx.Request) -> bool:
    return any(
        method == request.method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), request.url.path)
        for method, path in operations()
    )


async def judge_async(response: httpx.Response) -> None:
    """Do what `judge` does, as a hook of an asynchronous client."""
    await response.aread()
    judge(response)
