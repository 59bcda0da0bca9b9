"""`understudy watch`: a reverse proxy between an application and its provider, which judges what passes by."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from socket import socket

import click

from ..contracts.findings import reaches
from ..contracts.report import REPORTS
from ..contracts.severity import SEVERITIES
from ..contracts.watching.proxy import INBOX, Upstream, parse_upstream
from ..contracts.watching.record import Record
from ..contracts.watching.serving import Judging, make_proxy, serve, yield_often
from ..contracts.watching.watcher import Watcher
from ..openapi.errors import LoadError
from ..openapi.provider import Provider
from .ending import fail
from .options import load_providers, option
from .seen import counted
from .version import VERSION

_PORT = 4021
_GRAVITY = {"error": "breaking", "warning": "warning", "info": "info"}
"""The checks' words for how grave a finding is, in those of drift."""


@click.command()
@click.argument("name", metavar="PROVIDER")
@option("--upstream", metavar="URL", help="Where requests are passed on to; the provider's own address by default.")
@option("--record", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.har",
        help="Write down what passed by, keys masked, when it ends.")  # fmt: skip
@option("--callback-to", metavar="URL", help="Where callbacks are passed on to that come to the inbox.")
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@option("--set", "chosen", multiple=True, metavar="PROVIDER.OPTION=VALUE", help="Choose an option of the provider.")
@option("--fail-on", type=click.Choice([*SEVERITIES, "never"]), default="never", show_default=True,
        help="End with status 1 where a finding is at least this grave.")  # fmt: skip
def watch(  # noqa: PLR0913 - one argument for each option
    *, name: str, upstream: str | None, path: Path | None, callback_to: str | None, host: str, port: int,
    chosen: tuple[str, ...], fail_on: str,
) -> None:  # fmt: skip
    """Stand between an application and PROVIDER until Ctrl-C, and judge what passes by.

    Everything is passed on as it comes. PROVIDER is the name of a provider, or a folder.
    """
    from ..mockserver.server import PortTakenError, address, listen  # noqa: PLC0415 - after the options are read

    provider = load_providers([name], chosen)[0]
    to = _upstream("--upstream", upstream or provider.behaviour.base_url)
    inbox_to = None if callback_to is None else _upstream("--callback-to", callback_to)
    if path is not None and not path.parent.is_dir():
        fail(f"--record {path}: {path.parent} is no folder")
    try:
        listener = listen(host, port)
    except PortTakenError as error:
        fail(str(error))
    with listener:
        here = address(listener)
        watcher = _watcher(provider, to, here, path)
        try:
            status = _watch(watcher, to, inbox_to, listener, _greeting(provider, to, inbox_to, here))
        except BaseException:
            _write(watcher.record, path)  # whatever it was, what passed by is not lost
            raise
    raise SystemExit(_ended(watcher, provider, to, path, fail_on) or status)


def _upstream(word: str, url: str) -> Upstream:
    try:
        return parse_upstream(url)
    except ValueError as error:
        fail(f"{word}: {error}")


def _watcher(provider: Provider, to: Upstream, here: str, path: Path | None) -> Watcher:
    try:
        watcher = Watcher(provider, _tell, None, (to.url.rstrip("/"), here))
    except LoadError as error:
        fail(str(error))
    watcher.record = None if path is None else Record(watcher.key_headers)
    return watcher


def _greeting(provider: Provider, to: Upstream, inbox_to: Upstream | None, here: str) -> str:
    kept = "kept here" if inbox_to is None else f"passed on to {inbox_to.url}"
    return (
        f"understudy {VERSION} watches {provider.name}\n"
        f"  {here} → {to.url}\n"
        f"  {here}{INBOX.decode()}NAME takes callbacks ({kept})"
    )


def _watch(watcher: Watcher, to: Upstream, inbox_to: Upstream | None, listener: socket, greeting: str) -> int:
    """Pass on what comes until a signal; return the status to end with."""
    yield_often()
    judging = Judging(watcher)
    try:
        proxy = make_proxy(to, inbox_to, judging.put)
    except OSError as error:
        fail(f"SSL_CERT_FILE or SSL_CERT_DIR: {error.strerror or error}")

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(proxy, listener, lambda: click.echo(greeting), stop)

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run())
    finally:
        judging.close()
    if judging.dropped:
        _say(f"{judging.dropped:,} came too fast to be judged")
    if judging.failed is not None:
        _say(f"judging broke off: {type(judging.failed).__name__}: {judging.failed}")
        return 2
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return asyncio.new_event_loop
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


def _ended(watcher: Watcher, provider: Provider, to: Upstream, path: Path | None, fail_on: str) -> int:
    """Sum up, and write the record; return the status to end with."""
    try:
        watcher.finish()
        findings = watcher.sightings.findings(never=False)
        checked = watcher.counted()
        seen = watcher.sightings
        told = f"{to.url} ({counted(seen.exchanges, seen.callbacks)})"
        click.echo("\n" + REPORTS["text"](findings, [], provider.name, told), nl=False)
        for severity, sentence, count in checked:
            click.echo(f"  {_GRAVITY[severity]:8}  {sentence}  {'once' if count == 1 else f'{count:,} times'}")
        for note in watcher.notes():
            _say(note)
        grave = any(reaches(each, fail_on) for each in findings) or _reaches(checked, fail_on)
    finally:
        written = _write(watcher.record, path)
    return 2 if not written else int(grave)


def _reaches(checked: list[tuple[str, str, int]], level: str) -> bool:
    if level == "never":
        return False
    return any(SEVERITIES.index(_GRAVITY[severity]) <= SEVERITIES.index(level) for severity, _, _ in checked)


def _write(record: Record | None, path: Path | None) -> bool:
    """Write the record, where there is to be one; tell whether it could be written."""
    if record is None or path is None:
        return True
    try:
        record.write(path, VERSION)
    except OSError as error:
        _say(f"{path}: the record can't be written: {error.strerror or error}")
        return False
    click.echo(f"{path}: {len(record):,} {'entry' if len(record) == 1 else 'entries'}")
    return True


def _tell(severity: str, place: str, sentence: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {_GRAVITY.get(severity, severity):8}  {place}: {sentence}")


def _say(sentence: str) -> None:
    click.echo(f"understudy: {sentence}", err=True)
