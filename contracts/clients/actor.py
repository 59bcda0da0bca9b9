"""Runs an adapter where it can neither stop nor break anything else: in threads of its own, with a limit."""

from __future__ import annotations

import asyncio
import gc
import inspect
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from typing import Any

from .adapter import Factory, Said, documented_errors, is_reported

_STUCK: list[threading.Thread] = []
"""Threads that a client never gave back; what they still do can't be told from what others do."""


def any_stuck() -> bool:
    """Tell whether an earlier client still runs although its time was up."""
    _STUCK[:] = [each for each in _STUCK if each.is_alive()]
    return bool(_STUCK)


class Actor:
    """An adapter at work. Calls are made one after the other in one thread; what is awaited runs on a loop of its own.

    Args:
        factory: makes the adapter.
        base_url: what the factory is given.
        key: likewise.
        seconds: how long a call may take.
    """

    def __init__(self, factory: Factory, base_url: str, key: str, seconds: float) -> None:
        self._seconds = seconds
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._errors: tuple[type[BaseException], ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looping: threading.Thread | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.hung = False
        self.adapter: Any = None
        self.made = self._call(lambda: factory(base_url, key))
        if self.made.kind == "completed":
            self.adapter = self.made.value
            self.made = self._call(lambda: self._keep(documented_errors(self.adapter)))  # and holds it no longer

    def _keep(self, errors: tuple[type[BaseException], ...]) -> None:
        self._errors = errors

    def generate(self, prompt: str, **more: Any) -> Said:
        """Let the client generate; a call that does not end in time is left behind."""
        return self._call(lambda: self.adapter.generate(prompt, **more))

    def callback(self, headers: dict[str, str], body: bytes) -> Said:
        """Hand a callback over, as a web server would: while the client waits, and from another thread."""
        return self._waited(_started(lambda: self._done(lambda: self.adapter.callback(headers, body))))

    def close(self) -> Said | None:
        """Let the client end; return None where it has no way to."""
        close = getattr(self.adapter, "close", None)
        if close is None:
            return None
        return self._waited(_started(lambda: self._done(close))) if self.hung else self._call(close)

    def forget(self) -> None:
        """Let go of the adapter: one that can't be closed is closed so."""
        self.adapter = None
        gc.collect()

    def release(self) -> None:
        """End the threads unless the client holds them."""
        self.adapter = None
        self._jobs.put(None)
        self._thread.join(0.0 if self.hung else 1.0)
        if self._thread.is_alive():
            _STUCK.append(self._thread)
        if self._loop is not None and self._looping is not None:
            asyncio.run_coroutine_threadsafe(_cancelled(), self._loop).add_done_callback(
                lambda _, loop=self._loop: loop.call_soon_threadsafe(loop.stop)  # type: ignore[misc]
            )
            self._looping.join(1.0)
            if self._looping.is_alive():
                _STUCK.append(self._looping)
            else:
                self._loop.close()

    def _call(self, make: Callable[[], Any]) -> Said:
        future: Future[Any] = Future()
        self._jobs.put((lambda: self._done(make), future))
        return self._waited(future)

    def _waited(self, future: Future[Any]) -> Said:
        began = time.monotonic()
        try:
            value = future.result(self._seconds)
        except Late:
            if future.done():  # the client's own
                return self._failed(future.exception(), time.monotonic() - began)
            self.hung = True
            return Said("hung", seconds=time.monotonic() - began)
        except BaseException as error:  # whatever a client raises is a finding
            return self._failed(error, time.monotonic() - began)
        return Said("completed", value, seconds=time.monotonic() - began)

    def _failed(self, error: BaseException | None, seconds: float) -> Said:
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        reported = error is not None and is_reported(error, self._errors)
        return Said("reported" if reported else "crashed", None, told, seconds)

    def _done(self, make: Callable[[], Any]) -> Any:
        value = make()
        if not inspect.isawaitable(value):
            return value
        return asyncio.run_coroutine_threadsafe(_awaited(value), self._running_loop()).result()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._looping = threading.Thread(target=self._loop.run_forever, daemon=True)
                self._looping.start()
            return self._loop

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _settle(*job)


def _started(make: Callable[[], Any]) -> Future[Any]:
    future: Future[Any] = Future()
    threading.Thread(target=_settle, args=(make, future), daemon=True).start()
    return future


def _settle(make: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(make())
    except BaseException as error:  # whoever waits for the result is told
        future.set_exception(error)


async def _awaited(value: Any) -> Any:
    return await value


async def _cancelled() -> None:
    """Cancel whatever the client left running on the loop."""
    others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
    for each in others:
        each.cancel()
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 0.5)
    await asyncio.get_running_loop().shutdown_asyncgens()
