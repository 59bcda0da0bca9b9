"""A receiver of callbacks on this machine that hands each to the client under test, and answers as that does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from .performance import Taken

_MAX_BODY_BYTES = 1_000_000


class CallbackReceiver:
    """Listens on loopback.

    Args:
        take: hands a callback over; returns the HTTP status that answers it, and what came of it.

    Attributes:
        url: where it is reached.
        taken: what came, in order, and what became of it.
    """

    def __init__(self, take: Callable[[dict[str, str], bytes], tuple[int, Taken]]) -> None:
        self.taken: list[Taken] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length") or 0), _MAX_BODY_BYTES)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, taken = take(headers, body)
                receiver.taken.append(taken)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                answer = b'{"code":200,"msg":"success"}' if status < 300 else b"{}"
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
                """Say nothing."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(ThreadingHTTPServer):
    """Says nothing about connections that break: some are meant to."""

    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""
