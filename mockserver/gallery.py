"""Files by link: pictures made when they are first fetched, and what users uploaded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from .account import StoredFile
from .answer import Answer, text_answer
from .emulator import Emulator
from .links import Link, read_link, sign
from .namespace import Namespace
from .picture import PictureSpec, inspect, media_type, render
from .pictures import asked, full_body, picture_of, result_names
from .scenario import Play
from .task import Task

CACHE_BYTES = 64 * 1024 * 1024


def staged(answer: Answer, status: int, *, cut: bool) -> Answer:
    """Return the answer to a request for a result as a scenario has it: refused with `status`, or `cut` in half."""
    if status:
        return text_answer(status, "the link has expired" if status == 404 else "the link may not be used")
    return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]) if cut else answer


class Gallery:
    """Serves files; pictures are drawn off the event loop, each once, and kept within a bound."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._cache: OrderedDict[PictureSpec, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._drawing: dict[PictureSpec, asyncio.Future[bytes]] = {}

    async def fetch(self, link: Link) -> Answer:
        """Return the file that `link` names, or why it can't be had."""
        emulator = self._emulator
        namespace = emulator.namespaces.of_id(link.namespace)
        provider = emulator.providers.get(link.provider)
        if namespace is None or provider is None:
            return text_answer(404, f"{link.name} is not here: its account is unknown")
        if link.until is not None and link.signature != sign(link, emulator.settings.seed):
            return text_answer(403, "the link's signature is wrong")
        if link.until is not None and namespace.clock.now() >= link.until:
            return text_answer(403, "the link has expired")
        if link.name.startswith("uploads/"):
            return self._uploaded(namespace, link)
        return await self._result(namespace, link)

    def _uploaded(self, namespace: Namespace, link: Link) -> Answer:
        file = self._file(namespace, link)
        if file is None:
            return text_answer(404, f"{link.name} was never uploaded, or is no longer kept")
        return Answer(200, ((b"content-type", file.media_type.encode("latin-1", "replace")),), file.content)

    def _file(self, namespace: Namespace, link: Link) -> StoredFile | None:
        kept_for = self._emulator.providers[link.provider].behaviour.retention.uploads
        return namespace.account(link.provider).file(link.name, namespace.clock.now(), kept_for)

    async def _result(self, namespace: Namespace, link: Link) -> Answer:
        task_id = link.name.removeprefix("results/").rpartition("/")[0]
        task = namespace.account(link.provider).tasks.get(task_id)
        names = [] if task is None else result_names(task, full_body(task))
        if task is None or link.name not in names:
            return text_answer(404, f"{link.name} is no result of a task that is kept")
        state = task.state(namespace.clock.now())
        kept = task.operation.owner.behaviour.retention.results
        if task.operation.phase_of(state.status) != "completed":
            return text_answer(404, f"the task is {state.status} and has no results")
        if kept is not None and namespace.clock.now() >= state.since + kept:
            return text_answer(404, "the link has expired")
        staging = task.staging
        if staging is not None and staging.result_status:
            return staged(Answer(200, (), b""), staging.result_status, cut=False)
        content, kind = await self._content(task, names.index(link.name))
        answer = Answer(200, ((b"content-type", kind.encode()),), content)
        return answer if staging is None else staged(answer, 0, cut=staging.truncated)

    async def _content(self, task: Task, number: int) -> tuple[bytes, str]:
        """Return a result's bytes and media type: the picture that a scenario brought, or one made for the task."""
        if task.staging is not None and task.staging.file is not None:
            return task.staging.file
        spec = self._spec(task, number)
        return await self._draw(spec), media_type(spec.format)

    def plays_for(self, link: Link) -> list[Play]:
        """Return what was laid up for fetching the result that `link` names, and count it as played."""
        namespace = self._emulator.namespaces.of_id(link.namespace)
        account = None if namespace is None else namespace.accounts.get(link.provider)
        task_id = link.name.removeprefix("results/").rpartition("/")[0]
        task = None if account is None else account.tasks.get(task_id)
        return task.staging.take("result") if task is not None and task.staging is not None else []

    def _spec(self, task: Task, number: int) -> PictureSpec:
        body = full_body(task)
        ratio = self._first_input(task, body) if asked(task.operation, body, "ratio") == "auto" else None
        return picture_of(task, body, number, ratio)

    def _first_input(self, task: Task, body: object) -> tuple[int, int] | None:
        """Return width and height of the first input picture, where it was uploaded here."""
        found = asked(task.operation, body, "images")
        url = found[0] if isinstance(found, list) and found else found
        link = read_link(url, self._emulator.settings.public_url) if isinstance(url, str) else None
        namespace = None if link is None else self._emulator.namespaces.of_id(link.namespace)
        # Whether it is still kept does not matter: the picture is what it was when the task was created.
        file = None if link is None or namespace is None else namespace.account(link.provider).files.get(link.name)
        known = None if file is None else inspect(file.content)
        return None if known is None else (known.width, known.height)

    async def _draw(self, spec: PictureSpec) -> bytes:
        picture = self._cache.get(spec)
        if picture is not None:
            self._cache.move_to_end(spec)
            return picture
        drawing = self._drawing.get(spec)
        if drawing is None:
            drawing = asyncio.get_running_loop().run_in_executor(None, render, spec)
            self._drawing[spec] = drawing
            drawing.add_done_callback(lambda done: self._drawn(spec, done))
        return await asyncio.shield(drawing)

    def _drawn(self, spec: PictureSpec, drawing: asyncio.Future[bytes]) -> None:
        del self._drawing[spec]
        if drawing.cancelled() or drawing.exception():
            return
        self._cache[spec] = drawing.result()
        self._cached_bytes += len(drawing.result())
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
