"""Serving the emulator over HTTP: in the foreground until told to stop, or in a thread beside a test."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn

from ..openapi.provider import Provider, built_in_names, load_provider
from .app import App, Log
from .emulator import Emulator
from .protocol import Protocol
from .settings import Settings

if TYPE_CHECKING:
    from .handle import Account, ControlClient

_START_SECONDS = 10
_LIBRARIES = {"uvicorn.error": logging.ERROR, "python_multipart": logging.CRITICAL}
"""What libraries may log: their word on what a client does wrong would stand between the lines of our own log."""
_BACKLOG = 4096


class PortTakenError(OSError):
    """The address can't be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; port 0 takes a free one.

    Raises:
        PortTakenError: the port is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)  # of two that start at the same moment, one is told here that it comes too late
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortTakenError(f"can't listen on {host}:{port}: {reason}") from None
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL at which `listener` is reached from this machine."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner, and says when it is ready."""

    def __init__(self, app: App, ready: Callable[[], None]) -> None:
        super().__init__(_configured(app))
        self._app = app
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would raise the signal again when it is done, and end with its status."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop sending, then stop serving; who waits for an answer is cut off."""
        await self._app.emulator.deliveries.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Stop at once, waiting for no answer."""
        self.should_exit = True
        self.force_exit = True


def _configured(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app, http=Protocol, loop="none", lifespan="off", proxy_headers=False, log_config=None,
        access_log=False, server_header=False, backlog=_BACKLOG,
    )  # fmt: skip


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def serve(app: App, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve `app` on `listener` until SIGINT or SIGTERM, which end it at once; `ready` is called when it answers."""
    for name, level in _LIBRARIES.items():
        logging.getLogger(name).setLevel(level)
    server = _Server(app, ready)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        for number in (signal.SIGINT, signal.SIGTERM):
            runner.get_loop().add_signal_handler(number, server.stop)
        runner.run(server.serve(sockets=[listener]))


class MockServer:
    """A server in a thread of its own, for use outside pytest.

    ``with MockServer() as server: httpx.post(server.url + "/acme/…")``
    """

    def __init__(
        self,
        providers: Iterable[Provider | str] | None = None,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
    ) -> None:
        wanted = built_in_names() if providers is None else providers
        self._providers = [load_provider(each) if isinstance(each, str) else each for each in wanted]
        self._settings = settings or Settings()
        self._log = log
        self._started = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._control: ControlClient | None = None
        self._accounts = 0
        self.url = ""
        self.token = self._settings.control_token

    def __enter__(self) -> Self:
        """Start; return when requests are answered."""
        listener = listen("127.0.0.1", 0)
        self.url = address(listener)
        said = logging.getLogger("understudy").warning
        self.emulator = Emulator(self._providers, replace(self._settings, public_url=self.url), said=said)
        self._server = _Server(App(self.emulator, self._log), self._started.set)
        self._thread = threading.Thread(target=self._run, args=(self._server, listener), daemon=True)
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError(f"the server did not start within {_START_SECONDS} s")
        return self

    def account(self, provider: str, key: str | None = None, *, speed: float | None = None) -> Account:
        """Return an account with `provider`, of `key` or of one that nobody else has."""
        from .handle import Account, ControlClient  # noqa: PLC0415 - httpx is needed by those who steer only

        if self._control is None:
            self._control = ControlClient(self.url, self._settings.control_token)
        self._accounts += 1
        return Account(self._control, provider, key or f"account-{self._accounts}", speed=speed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; return when the thread has ended."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()

    @staticmethod
    def _run(server: _Server, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(server.serve(sockets=[listener]))
