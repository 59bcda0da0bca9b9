"""`understudy serve`."""

from __future__ import annotations

import gc
import sys
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from urllib.parse import urlsplit

import click

from ..mockserver.allowance import parse_allowed
from ..mockserver.app import App, Log
from ..mockserver.emulator import Emulator
from ..mockserver.log import json_log, text_log
from ..mockserver.scenario import ScenarioError
from ..mockserver.scenario_file import ScenarioFile
from ..mockserver.server import PortTakenError, address, listen
from ..mockserver.server import serve as serve_app
from ..mockserver.settings import Settings
from ..openapi.errors import LoadError, nearest
from ..openapi.provider import Provider
from .ending import fail
from .options import Amount, Time, load_providers, option
from .version import VERSION

_YOUNG = 200_000
"""How many new containers the cyclic collector lets come before it looks at them."""


@click.command()
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--port", default=4020, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@option("--provider", "names", multiple=True, metavar="NAME|FOLDER", help="Provider to serve; may be repeated.")
@option("--root", metavar="NAME", help="Provider to serve at / as well.")
@option("--set", "chosen", multiple=True, metavar="PROVIDER.OPTION=VALUE", help="Choose an option of a provider.")
@option("--seed", default=0, show_default=True, help="Decides whatever is random.")
@option("--clock", "start", type=Time(), help="Time at which the clocks start, as 2026-01-01T12:00:00Z.")
@option("--frozen", is_flag=True, help="Let the clocks stand still.")
@option("--speed", default=1.0, show_default=True, type=Amount(min=0, min_open=True),
        help="How many times faster than real time the clocks run.")  # fmt: skip
@option("--instant", is_flag=True, help="Tasks are at their end as soon as they are created.")
@option("--keys", metavar="K1,K2", help="Accept only these keys.")
@option("--credits", default=10_000.0, show_default=True, type=Amount(min=0), help="Starting balance of a key.")
@option("--no-limits", is_flag=True, help="Refuse nothing for credits or rate.")
@option(
    "--max-tasks", default=1_000_000, show_default=True, type=click.IntRange(min=1), help="How many tasks are kept."
)
@option("--scenario", default="", metavar="NAME[; PARAMETER=VALUE]", help="What creations are played with by default.")
@option("--scenarios", "scenario_path", type=click.Path(path_type=Path), help="File with scenarios of one's own.")
@option("--callback-allow", "allowed", multiple=True, metavar="HOST[:PORT]",
        help="Host that callbacks may go to beside this machine; may be repeated.")  # fmt: skip
@option("--callback-timeout", type=Amount(min=0, min_open=True), metavar="SECONDS",
        help="Most that an attempt of a callback may take; the provider's own by default.")  # fmt: skip
@option("--control-token", metavar="TOKEN", help="What requests to the control API must show.")
@option("--no-control", is_flag=True, help="Turn the control API off.")
@option("--public-url", metavar="URL", help="What generated links begin with; the address listened on by default.")
@option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format of the log."
)
@option("--quiet", is_flag=True, help="Log no exchanges.")
def serve(  # noqa: PLR0913 - one argument for each option of the command line
    *, host: str, port: int, names: tuple[str, ...], root: str | None, chosen: tuple[str, ...], seed: int,
    start: int | None, frozen: bool, speed: float, instant: bool, keys: str | None, credits: float,  # noqa: A002
    no_limits: bool, max_tasks: int, scenario: str, scenario_path: Path | None, control_token: str | None,
    allowed: tuple[str, ...], callback_timeout: float | None, no_control: bool, public_url: str | None,
    log_format: str, quiet: bool,
) -> None:  # fmt: skip
    """Play providers over HTTP until Ctrl-C."""
    gc.freeze()  # what was imported lives as long as the process: the collector need not look at it again
    chosen, virtual = _clock_options(chosen)
    providers = load_providers(names, chosen)
    known = [provider.name for provider in providers]
    if root is not None and root not in known:
        fail(f"--root {root}: no such provider is served{nearest(root, known)}; served: {', '.join(known)}")
    if not (no_control or control_token or _is_loopback(host)):
        fail(f"--host {host} is open to others: give --control-token TOKEN, or --no-control")
    with _listening(host, port) as listener:
        here = address(listener)
        settings = Settings(
            seed=seed, start=start, frozen=frozen, speed=speed, instant=instant,
            keys=None if keys is None else _keys(keys),
            credits=credits, limits=not no_limits, max_tasks=max_tasks, public_url=_public_url(public_url, here),
            scenario=scenario, control=not no_control, control_token=control_token,
            callback_allow=_allowed(allowed), callback_timeout=callback_timeout, virtual_signatures=virtual,
        )  # fmt: skip
        log: Log | None = None if quiet else (json_log if log_format == "json" else text_log)(sys.stderr)
        file, emulator = _cast(providers, settings, root, scenario_path)
        serve_app(App(emulator, log, file), listener, lambda: _greet(emulator, providers, here, root))
    pending = emulator.deliveries.pending()
    if pending:
        _say(f"stopped with {pending} callback{'s' if pending > 1 else ''} pending")


def _listening(host: str, port: int) -> socket:
    try:
        return listen(host, port)
    except PortTakenError as error:
        fail(str(error))


def _cast(
    providers: list[Provider], settings: Settings, root: str | None, scenarios: Path | None
) -> tuple[ScenarioFile | None, Emulator]:
    """Return the file of scenarios, where there is one, and the emulator that plays them."""
    try:
        file = None if scenarios is None else ScenarioFile(scenarios, _say)
        return file, Emulator(providers, settings, root=root, repertoire=file.repertoire if file else None, said=_say)
    except (LoadError, ScenarioError) as error:
        fail(str(error))


def _allowed(texts: tuple[str, ...]) -> tuple[tuple[str, int | None], ...]:
    try:
        return tuple(parse_allowed(text) for text in texts)
    except ValueError as error:
        fail(f"--callback-allow {error}")


def _clock_options(chosen: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return `chosen` without the options of the clock, and whether callbacks are signed with its time."""
    own = [text.removeprefix("clock.") for text in chosen if text.startswith("clock.")]
    for text in own:
        if text not in {"signatures=real", "signatures=virtual"}:
            fail(f"--set clock.{text}: expected clock.signatures=real or clock.signatures=virtual")
    return tuple(text for text in chosen if not text.startswith("clock.")), own[-1:] == ["signatures=virtual"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(text: str) -> None:
    click.echo(f"understudy: {text}", err=True)


def _keys(given: str) -> frozenset[str]:
    keys = frozenset(key.strip() for key in given.split(",") if key.strip())
    if not keys:
        fail("--keys names no key; expected K1,K2")
    return keys


def _public_url(given: str | None, here: str) -> str:
    if given is None:
        return here
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        fail(f"--public-url {given}: expected an http or https URL")
    return given.rstrip("/")


def _greet(emulator: Emulator, providers: list[Provider], here: str, root: str | None) -> None:
    lines = [f"understudy {VERSION}, seed {emulator.settings.seed}"]
    width = max(len(provider.name) for provider in providers)
    for provider in providers:
        base = here if provider.name == root else f"{here}/{provider.name}"
        header, scheme = emulator.providers[provider.name].key_place
        key = "<any key>" if emulator.settings.keys is None else "<one of --keys>"
        shown = header.title() if scheme else header
        lines.append(
            f"  {provider.name:{width}}  {base:{len(here) + width + 1}}  {shown}: {scheme} {key}".replace(":  ", ": ")
        )
    click.echo("\n".join(lines))
    sys.stdout.flush()
    _settle()


def _settle() -> None:
    """Keep the cyclic collector off what stays.

    What was loaded by now lives as long as the process. Beyond that, tasks and exchanges are many and hold no
    cycles, nor does anything else that a request leaves behind: looking for some as often as Python does by default
    would cost more than a tenth of the time, in long pauses.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
