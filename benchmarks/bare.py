"""Bare applications to compare with: `python -m benchmarks.bare NAME PORT FOLDER POLLS`.

`raw` is ASGI and nothing else: it reads the request and answers with the bytes from FOLDER, whatever was asked;
`refusing` is the same, and refuses every creation.
`starlette` routes, reads JSON and writes JSON, and believes everything. `checked` is what a team writes for itself:
key, validation by a compiled schema, tasks in a dict that end after POLLS polls.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


KEY = "Bearer test"


def raw(folder: Path, creation: str) -> ASGIApp:
    """Return an application that does nothing but answer; to a creation, with what stands in the file `creation`."""
    created = _answer(folder / creation)
    by_path = {
        "/kie/api/v1/jobs/createTask": created,
        "/kie/api/v1/jobs/recordInfo": _answer(folder / "polled.json"),
        "/_files/kie/picture.png": _answer(folder / "picture.png"),
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        start, body = by_path.get(scope["path"], created)
        await send(start)
        await send(body)

    return app


def _answer(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    content = file.read_bytes()
    kind = b"image/png" if file.suffix == ".png" else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": content}


class Tasks:
    """What the Starlette applications do; where they are `checked`, with key, validation and a state of their own."""

    def __init__(self, folder: Path, polls: int, *, checked: bool) -> None:
        import jsonschema_rs  # noqa: PLC0415 - the raw application starts without it

        self._validator = jsonschema_rs.validator_for(json.loads((folder / "schema.json").read_bytes()))
        self._polled: dict[str, Any] = json.loads((folder / "polled.json").read_bytes())["data"]
        self._polls = polls
        self._checked = checked
        self._tasks: dict[str, dict[str, Any]] = {}
        self._count = 0

    def create(self, key: str | None, body: Any) -> dict[str, Any]:
        """Answer a creation."""
        self._count += 1
        task = f"task_nano-banana-pro_{self._count}"
        if self._checked:
            if key != KEY:
                return refused(401, "The API key is missing or not valid")
            if not self._validator.is_valid(body):
                return refused(422, "the body is not valid")
            self._tasks[task] = {"body": body, "polls": 0}
        return {"code": 200, "msg": "success", "data": {"taskId": task}}

    def poll(self, key: str | None, id_: str) -> dict[str, Any]:
        """Answer a poll."""
        import orjson  # noqa: PLC0415 - see above

        if not self._checked:
            return {"code": 200, "msg": "success", "data": {**self._polled, "taskId": id_}}
        if key != KEY:
            return refused(401, "The API key is missing or not valid")
        task = self._tasks.get(id_)
        if task is None:
            return refused(422, "recordInfo is null")
        task["polls"] += 1
        ended = {"state": "success"} if task["polls"] > self._polls else {"state": "generating", "resultJson": ""}
        data = {**self._polled, "taskId": id_, "param": orjson.dumps(task["body"]).decode(), **ended}
        return {"code": 200, "msg": "success", "data": data}


def refused(code: int, why: str) -> dict[str, Any]:
    """Return a refusal."""
    return {"code": code, "msg": why, "data": None}


def starlette(folder: Path, polls: int, *, checked: bool) -> ASGIApp:
    """Return a Starlette application around `Tasks`."""
    import orjson  # noqa: PLC0415 - see above
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    tasks = Tasks(folder, polls, checked=checked)
    picture = (folder / "picture.png").read_bytes()

    async def create(request: Request) -> Response:
        body = orjson.loads(await request.body())
        answer = tasks.create(request.headers.get("authorization"), body)
        return Response(orjson.dumps(answer), media_type="application/json")

    async def poll(request: Request) -> Response:
        answer = tasks.poll(request.headers.get("authorization"), request.query_params.get("taskId", ""))
        return Response(orjson.dumps(answer), media_type="application/json")

    async def download(_: Request) -> Response:
        return Response(picture, media_type="image/png")

    return Starlette(
        routes=[
            Route("/kie/api/v1/jobs/createTask", create, methods=["POST"]),
            Route("/kie/api/v1/jobs/recordInfo", poll),
            Route("/_files/kie/{name}", download),
        ]
    )


def main() -> None:
    """Serve until ended."""
    name, port, folder, polls = sys.argv[1:]
    if name in {"raw", "refusing"}:
        app = raw(Path(folder), "created.json" if name == "raw" else "refused.json")
    else:
        app = starlette(Path(folder), int(polls), checked=name == "checked")
    uvicorn.run(
        app, port=int(port), http="httptools", loop="uvloop", lifespan="off", log_config=None, access_log=False,
        backlog=4096,
    )  # fmt: skip


if __name__ == "__main__":
    main()
