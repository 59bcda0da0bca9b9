"""Is it right what a server answers? Asked once before anything is measured, and read with care."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any

from . import jobs

HEADERS = {"Authorization": "Bearer test", "Content-Type": "application/json"}


class WrongAnswerError(Exception):
    """A server does not do its job: nothing of it is measured."""


def check(port: int, job: str, *, keeps: bool, state: str = "success") -> None:
    """Do a job once, and look at every answer.

    Args:
        port: where the server is.
        job: what to do.
        keeps: whether the server keeps tasks, and so must tell of the one that is asked for.
        state: where a polled task is to stand.

    Raises:
        WrongAnswerError: an answer is not what it should be.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        if job == "refusal":
            _, refusal = _asked(connection, "POST", jobs.CREATE, jobs.WRONG_PARAM)
            _expect("a refusal", (refusal.get("code"), refusal.get("data")), (422, None))
            return
        status, creation = _asked(connection, "POST", jobs.CREATE, jobs.PARAM)
        task = (creation.get("data") or {}).get("taskId")
        _expect("a creation", (status, creation.get("code"), bool(task)), (200, 200, True))
        if job == "creation":
            return
        for _ in range(jobs.POLLS if job == "life" else 1):
            status, poll = _asked(connection, "GET", f"{jobs.POLL}?taskId={task}")
        data = poll.get("data") or {}
        expected = task if keeps else jobs.TASK
        _expect("a poll", (status, data.get("taskId"), data.get("state")), (200, expected, state))
        _expect("a poll's param", json.loads(data["param"]), jobs.PARAM)
        if job == "life":
            link = json.loads(data["resultJson"])["resultUrls"][0]
            path = "/" + link.split("/", 3)[3]
            connection.request("GET", path)
            _expect("a download", connection.getresponse().read() == jobs.picture(), expected=True)


def _asked(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection.request(method, path, None if body is None else jobs.as_json(body), HEADERS)
    answer = connection.getresponse()
    text = answer.read()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise WrongAnswerError(f"{method} {path}: {text[:100]!r}; expected an object")
    return answer.status, told


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise WrongAnswerError(f"{what} is {str(found)[:200]}; expected {expected}")
