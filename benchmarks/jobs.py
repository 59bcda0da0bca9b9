"""The jobs that every server is given: their requests, the right answers, and the scripts that connections follow."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import cycle
from typing import Any

from PIL import Image

from .load import Ask, Script

CREATE = "/kie/api/v1/jobs/createTask"
POLL = "/kie/api/v1/jobs/recordInfo"
FILE = "/_files/kie/picture.png"
PARAM: dict[str, Any] = {
    "model": "nano-banana-pro",
    "input": {"prompt": "a lighthouse", "aspect_ratio": "16:9", "resolution": "2K"},
}
WRONG_PARAM: dict[str, Any] = {**PARAM, "input": {**PARAM["input"], "aspect_ratio": "7:1"}}
TASK = "task_nano-banana-pro_1765178625768"
STATES = {"waiting", "queuing", "generating", "success", "fail"}
POLLS = 5
"""How often a task is polled in its life; by the fourth poll it has ended."""

_AUTHORIZATION = "Bearer test"
_TIMES = {"createTime": 1765178625768, "updateTime": 1765178625768, "creditsConsumed": 18}


def as_json(value: Any) -> bytes:
    """Return `value` as JSON with nothing between its parts."""
    return json.dumps(value, separators=(",", ":")).encode()


def created(task: str = TASK) -> dict[str, Any]:
    """Return the answer to a creation."""
    return {"code": 200, "msg": "success", "data": {"taskId": task}}


def polled(origin: str, task: str = TASK, state: str = "success") -> dict[str, Any]:
    """Return the answer to a poll, as long as this server's own."""
    result = as_json({"resultUrls": [origin + FILE]}).decode() if state == "success" else ""
    param = as_json(PARAM).decode()
    data = {"taskId": task, "model": PARAM["model"], "state": state, "param": param, "resultJson": result}
    ended = {"costTime": 15000, "completeTime": 1765178640768} if state == "success" else {}
    return {"code": 200, "msg": "success", "data": {**data, "failCode": "", "failMsg": "", **ended, **_TIMES}}


def refused() -> dict[str, Any]:
    """Return the answer to a creation that asks for what there is not."""
    return {"code": 422, "msg": "input.aspect_ratio is '7:1'; expected one of '1:1', '16:9'", "data": None}


@cache
def picture() -> bytes:
    """Return the picture that tasks result in: some 60 KB of PNG, always the same."""
    size = 144
    pixels = bytes((x * 7919 + (x * x) // 31) % 251 for x in range(size * size * 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (size, size), pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def request(method: str, path: str, body: bytes = b"", *, headers: str = "") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {_AUTHORIZATION}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + f"\r\n{headers}\r\n").encode() + body


CREATION = Ask(request("POST", CREATE, as_json(PARAM)), b'"taskId"')
REFUSAL = Ask(request("POST", CREATE, as_json(WRONG_PARAM)), b'"code":422')


def poll_of(task: str) -> Ask:
    """Return the poll of a task; the answer may be for another, where the server keeps none."""
    return Ask(request("GET", f"{POLL}?taskId={task}"), b'"state"')


def once(ask: Ask) -> Script:
    """Ask a single time."""
    yield ask


def repeated(ask: Ask) -> Script:
    """Ask the same for ever."""
    while True:
        yield ask


def new_prompts(numbers: Iterator[int]) -> Script:
    """Create tasks for ever, each with a prompt that was not sent before."""
    number = "00000000"
    numbered = {**PARAM, "input": {**PARAM["input"], "prompt": f"{PARAM['input']['prompt']} {number}"}}
    before, _, after = request("POST", CREATE, as_json(numbered)).partition(number.encode())
    for each in numbers:
        yield Ask(b"%b%08d%b" % (before, each, after), CREATION.holds)


def poll_in_turn(tasks: Sequence[str]) -> Callable[[], Script]:
    """Return what makes scripts that poll these tasks for ever, each from another place on."""
    asks = [poll_of(task) for task in tasks]
    starts = iter(range(0, 1 << 30, max(len(asks) // 32, 1)))

    def script() -> Script:
        at = next(starts) % len(asks)
        for ask in cycle(asks[at:] + asks[:at]):  # noqa: UP028 - `yield from` would send the answer to the list
            yield ask

    return script


def creations(tasks: list[str], ask: Ask = CREATION, count: int = sys.maxsize) -> Script:
    """Create `count` tasks, and keep the ids in `tasks`."""
    for _ in range(count):
        come = yield ask
        task = between(come, b'"taskId":"', b'"')
        if task:
            tasks.append(task.decode())


def life(file: bytes) -> Script:
    """Create a task, poll it until it has ended, download the result, which begins with `file`; then the next one."""
    while True:
        come = yield CREATION
        task = between(come, b'"taskId":"', b'"')
        if not task:
            continue
        ask = poll_of(task.decode())
        for _ in range(POLLS - 1):
            yield ask
        come = yield ask._replace(holds=b'"state":"success"')
        path = between(come, b"/_files/", b'\\"').decode()
        yield Ask(request("GET", f"/_files/{path}"), file)


def between(text: bytes, before: bytes, after: bytes) -> bytes:
    """Return what stands between two marks, nothing where they do not stand there."""
    _, found, rest = text.partition(before)
    return rest.partition(after)[0] if found else b""
