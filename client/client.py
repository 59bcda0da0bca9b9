"""The two clients: thin loops that do what the flows ask for, one with threads in mind and one with tasks."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import anyio
import httpx

from .errors import ConfigurationError, ProtocolViolation, TransportFailed, UnderstudyError
from .flows import Flows, OnPoll
from .steps import Answer, Exchange, Flow, Pause, T
from .target import ProviderLike, find_target
from .task import Task

log = logging.getLogger("understudy.client")

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Base:
    """What both clients are made of."""

    def __init__(  # noqa: PLR0913 - settings that people have opinions on
        self, provider: ProviderLike, *, api_key: str | None, base_url: str | None, timeout: float, retries: int,
        validate: bool, now: Callable[[], float],
    ) -> None:  # fmt: skip
        if not timeout > 0:
            raise ConfigurationError(f"timeout is {timeout!r}; expected seconds above 0")
        if retries < 0:
            raise ConfigurationError(f"retries is {retries!r}; expected 0 or more")
        target = find_target(provider, api_key, base_url)
        self._flows = Flows(target, timeout=timeout, retries=retries, validate=validate, now=now)
        self._now = now

    def __repr__(self) -> str:
        target = self._flows.target
        return f"{type(self).__name__}({target.provider.name!r}, base_url={target.base_url!r})"

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._flows.target.provider.name

    @property
    def base_url(self) -> str:
        """What the provider's URLs begin with."""
        return self._flows.target.base_url

    def read_input(self, model: str, texts: Mapping[str, str], *, operation: str | None = None) -> dict[str, Any]:
        """Return input that was given as text, as on a command line, with the types that the stored schema names.

        Raises:
            InvalidRequest: the provider has no such model.
            ConfigurationError: no such operation creates a task of it.
        """
        return self._flows.read_input(model, texts, operation)

    def _told(self, step: Exchange, answer: Answer, began: float) -> Answer:
        # The path alone: what stands behind it may be a signature.
        log.debug("%s %s: %d after %.3f s", *_shown(step), answer.status, self._now() - began)
        return answer

    def _check_time(self, step: Exchange, began: float) -> None:
        if self._now() - began > step.timeout:
            raise _late(step)


class Client(_Base):
    """A client of one provider, for use from any number of threads.

    ``with Client("acme", api_key="…") as client: done = client.wait(client.create("brush-2", prompt="a heron"))``

    Args:
        provider: the name of one that comes with understudy, or the path of a provider's folder.
        api_key: the key; ``UNDERSTUDY_<PROVIDER>_API_KEY`` by default.
        base_url: what the provider's URLs begin with; ``UNDERSTUDY_<PROVIDER>_BASE_URL``, or the documented one, by
            default.
        timeout: seconds that one request may take.
        retries: how often a request is repeated that failed in a way that may pass.
        validate: whether input is checked against the stored schema before it is sent.
        http: an HTTP client to send with, which stays open when this one is closed.
        sleep: waits for so many seconds.
        now: returns a time in seconds; only differences matter.

    Raises:
        ConfigurationError: the provider is unknown, or there is no usable key or URL.
    """

    def __init__(  # noqa: PLR0913 - settings that people have opinions on
        self, provider: ProviderLike, *, api_key: str | None = None, base_url: str | None = None, timeout: float = 30.0,
        retries: int = 2, validate: bool = True, http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(
            provider, api_key=api_key, base_url=base_url, timeout=timeout, retries=retries, validate=validate, now=now
        )
        self._http = http or httpx.Client()
        self._owns_http = http is None
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections, unless they are those of an HTTP client that was passed in."""
        if self._owns_http:
            self._http.close()

    def create(
        self, model: str, *, operation: str | None = None, callback_url: str | None = None,
        allow_duplicate: bool = False, validate: bool | None = None, fields: Mapping[str, Any] | None = None,
        **input: Any,  # noqa: A002 - it is the word
    ) -> Task:  # fmt: skip
        """Create a task.

        Args:
            model: the model's name.
            operation: which of several creating operations, such as ``"edit"``; the first by default.
            callback_url: where the provider is to tell of the task's end.
            allow_duplicate: whether to send it again where it may have been accepted, and paid, already.
            validate: as for the client; None leaves it at that.
            fields: input whose names are taken here.
            input: the input, by the provider's names or by those that work with every provider: ``prompt``,
                ``aspect_ratio``, ``resolution``, ``output_format``, ``images``, ``count``.

        Raises:
            InvalidRequest: the input is wrong, as found here or by the provider.
            Refused: the provider said no for another reason.
            TransportFailed: no answer came; `sent` tells whether the task may exist all the same.
            ProtocolViolation: the answer tells no task.
            ConfigurationError: the provider can't do what was asked.
        """
        return self._run(
            self._flows.create(
                model, {**(fields or {}), **input}, operation=operation, callback_url=callback_url,
                allow_duplicate=allow_duplicate, validate=validate,
            )
        )  # fmt: skip

    def get(self, task: Task | str, *, model: str | None = None, operation: str | None = None) -> Task:
        """Poll once, and return the task as it stands; a failed one is returned like any other.

        Args:
            task: the task, or its id.
            model: the model, where an id alone does not tell which operation to ask.
            operation: the creating operation, likewise.

        Raises:
            NotFound: the provider knows no such task.
            Refused: it said no for another reason.
            TransportFailed: no answer came.
            ProtocolViolation: the answer is none.
        """
        return self._run(self._flows.get(task, model=model, operation=operation))

    def wait(
        self, task: Task | str, timeout: float | None = None, *, poll_every: float | None = None,
        on_poll: OnPoll | None = None,
    ) -> Task:  # fmt: skip
        """Poll as the provider advises until the task is completed, and return it.

        Args:
            task: the task, or its id.
            timeout: seconds after which to give up; as the provider advises by default.
            poll_every: seconds between polls; the provider's limits are kept all the same.
            on_poll: called with the task after every poll.

        Raises:
            TaskFailed: it failed, or was cancelled.
            WaitTimedOut: it has not ended in time.
            NotFound: the provider does not know it, and it is not new any more.
            Refused: the provider said no in a way that asking again won't change.
            ProtocolViolation: three polls in a row were answered with something else.
        """
        return self._run(self._flows.wait(task, timeout=timeout, poll_every=poll_every, on_poll=on_poll))

    def cancel(self, task: Task | str, *, model: str | None = None, operation: str | None = None) -> Task:
        """Cancel a task, and return it as it stands then.

        Raises:
            ConfigurationError: the provider cancels nothing.
            Refused: it is too late, or the provider said no for another reason.
            TransportFailed: no answer came.
        """
        return self._run(self._flows.cancel(task, model=model, operation=operation))

    def credits(self) -> float:
        """Return the balance of the account.

        Raises:
            ConfigurationError: the provider does not tell it.
            Refused: it said no.
            TransportFailed: no answer came.
        """
        return self._run(self._flows.credits())

    def upload(self, path: str | os.PathLike[str]) -> str:
        """Upload a file, and return the URL by which a creation's input can name it.

        Raises:
            ConfigurationError: the provider takes no uploads.
            InvalidRequest: it does not take this file.
            Refused: it said no for another reason.
            TransportFailed: no answer came.
            OSError: the file can't be read.
        """
        return self._run(self._flows.upload(Path(path)))

    def download(self, task: Task, folder: str | os.PathLike[str], *, timeout: float = 300.0) -> list[Path]:
        """Fetch the results of a completed task into `folder`, which is made if need be, and return their paths.

        A download that breaks off is gone on with; a file has its name only once it is whole and of the right kind.

        Args:
            task: the task.
            folder: where the files go.
            timeout: seconds that one file may take.

        Raises:
            NotFound: a link is no longer good.
            ProtocolViolation: what is there is no picture, video or sound, or not a whole one.
            TransportFailed: it could not be fetched.
            TaskFailed: the task has no results and never will.
            ConfigurationError: it has none yet.
            OSError: the folder can't be written to.
        """
        return self._run(self._flows.download(task, Path(folder), timeout=timeout))

    def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    answer = self._exchange(step)
                except UnderstudyError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def _exchange(self, step: Exchange) -> Answer:
        began = self._now()
        try:
            with self._http.stream(**_arguments(step)) as response:
                step.sink.begin(response.status_code, _lowered(response.headers))
                for chunk in response.iter_bytes():
                    step.sink.feed(chunk)
                    self._check_time(step, began)
            return self._told(step, step.sink.end(), began)
        except httpx.HTTPError as error:
            raise _translated(error, step) from error


class AsyncClient(_Base):
    """The same as `Client`, awaited: the same arguments, methods and errors.

    ``async with AsyncClient("acme", api_key="…") as client: …``

    `http` is an `httpx.AsyncClient` here, and `sleep` is awaited: `asyncio.sleep` by default.
    """

    def __init__(  # noqa: PLR0913 - settings that people have opinions on
        self, provider: ProviderLike, *, api_key: str | None = None, base_url: str | None = None, timeout: float = 30.0,
        retries: int = 2, validate: bool = True, http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(
            provider, api_key=api_key, base_url=base_url, timeout=timeout, retries=retries, validate=validate, now=now
        )
        self._http = http or httpx.AsyncClient()
        self._owns_http = http is None
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        """Return this client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the connections, unless they are those of an HTTP client that was passed in."""
        if self._owns_http:
            await self._http.aclose()

    async def create(
        self, model: str, *, operation: str | None = None, callback_url: str | None = None,
        allow_duplicate: bool = False, validate: bool | None = None, fields: Mapping[str, Any] | None = None,
        **input: Any,  # noqa: A002 - it is the word
    ) -> Task:  # fmt: skip
        """Create a task; see `Client.create`."""
        return await self._run(
            self._flows.create(
                model, {**(fields or {}), **input}, operation=operation, callback_url=callback_url,
                allow_duplicate=allow_duplicate, validate=validate,
            )
        )  # fmt: skip

    async def get(self, task: Task | str, *, model: str | None = None, operation: str | None = None) -> Task:
        """Poll once; see `Client.get`."""
        return await self._run(self._flows.get(task, model=model, operation=operation))

    async def wait(
        self, task: Task | str, timeout: float | None = None, *, poll_every: float | None = None,  # noqa: ASYNC109
        on_poll: OnPoll | None = None,
    ) -> Task:  # fmt: skip
        """Poll until the task is completed; see `Client.wait`."""
        return await self._run(self._flows.wait(task, timeout=timeout, poll_every=poll_every, on_poll=on_poll))

    async def cancel(self, task: Task | str, *, model: str | None = None, operation: str | None = None) -> Task:
        """Cancel a task; see `Client.cancel`."""
        return await self._run(self._flows.cancel(task, model=model, operation=operation))

    async def credits(self) -> float:
        """Return the balance of the account; see `Client.credits`."""
        return await self._run(self._flows.credits())

    async def upload(self, path: str | os.PathLike[str]) -> str:
        """Upload a file; see `Client.upload`."""
        return await self._run(self._flows.upload(Path(path)))

    async def download(
        self, task: Task, folder: str | os.PathLike[str], *, timeout: float = 300.0  # noqa: ASYNC109
    ) -> list[Path]:  # fmt: skip
        """Fetch the results of a completed task; see `Client.download`."""
        return await self._run(self._flows.download(task, Path(folder), timeout=timeout))

    async def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    answer = await self._exchange(step)
                except UnderstudyError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    async def _exchange(self, step: Exchange) -> Answer:
        began = self._now()
        try:
            # httpx bounds each read alone; here one more bound holds for all of them together.
            with anyio.fail_after(step.timeout):
                async with self._http.stream(**_arguments(step)) as response:
                    step.sink.begin(response.status_code, _lowered(response.headers))
                    async for chunk in response.aiter_bytes():
                        step.sink.feed(chunk)
                        self._check_time(step, began)
            return self._told(step, step.sink.end(), began)
        except httpx.HTTPError as error:
            raise _translated(error, step) from error
        except TimeoutError as error:
            raise _late(step) from error


def _arguments(step: Exchange) -> dict[str, Any]:
    ask = step.ask
    return {
        "method": ask.method, "url": ask.url, "headers": dict(ask.headers), "content": ask.content or None,
        "timeout": step.silence, "follow_redirects": step.follow,
    }  # fmt: skip


def _lowered(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _shown(step: Exchange) -> tuple[str, str]:
    parts = urlsplit(step.ask.url)
    return step.ask.method, f"{parts.hostname}{parts.path}"


def _named(step: Exchange) -> str:
    return " ".join(_shown(step))


def _late(step: Exchange) -> TransportFailed:
    return TransportFailed(f"{_named(step)} took longer than {step.timeout:g} s", sent=True, timed_out=True)


def _translated(error: httpx.HTTPError, step: Exchange) -> UnderstudyError:
    """Return our error for httpx's; its text names neither headers nor query."""
    if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects):
        kind = "an answer that can be decoded" if isinstance(error, httpx.DecodingError) else "fewer redirects"
        return ProtocolViolation("", kind, "none")
    timed_out = isinstance(error, httpx.TimeoutException)
    what = f"took longer than {step.silence:g} s" if timed_out else f"failed ({type(error).__name__}: {error})"
    sent = not isinstance(error, _NEVER_SENT)
    return TransportFailed(f"{_named(step)} {what}", sent=sent, timed_out=timed_out)
