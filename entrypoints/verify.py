"""`understudy verify`: the command. What it does lies in `contracts`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from ..openapi.errors import LoadError
from .ending import fail
from .options import Amount, load_providers, option

if TYPE_CHECKING:
    from ..contracts.runs.report import Verified
    from ..contracts.runs.target import Target
    from ..contracts.runs.verification import Verification, VerifySettings
    from ..openapi.provider import Provider

FORMATS = ("text", "json", "junit", "github")
_IN_PROCESS = "http://127.0.0.1:4020"
_BEGAN = 1_767_225_600_000
"""When the clocks of the emulator in process start, in milliseconds: what is shown is the same every time."""
_CALLBACK_SECONDS = 10
"""How long an attempt of a callback may take in process: the receiver hangs up sooner, however busy the machine is."""


@click.command()
@click.argument("provider")
@option("--url", metavar="URL", help="Where the provider is; its emulator, in this process, where none is given.")
@click.option("--key", metavar="KEY", help="Key of the account that everything is done with.")
@click.option("--other-key", metavar="KEY", help="Key of a second account; derived from --key where none is given.")
@click.option("--live", is_flag=True, help="Verify the real provider, within a budget; keys come from the environment.")
@click.option("--har", metavar="FILE", help="Judge a recording instead.")
@option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides what is drawn.")
@option("--max-examples", type=click.IntRange(min=1), default=25, show_default=True,
        help="Requests drawn for each schema.")  # fmt: skip
@option("--max-wait", type=Amount(min=0, min_open=True), metavar="SECONDS",
        help="Longest wait where no clock can be turned; 30, and with --live what the provider advises.")  # fmt: skip
@option("--max-tasks", type=click.IntRange(min=0), default=3, show_default=True, help="Tasks created with --live.")
@option("--max-credits", type=Amount(min=0), default=50, show_default=True, help="Credits spent with --live.")
@option("--callback-url", metavar="URL", help="Where the provider reaches the receiver of callbacks.")
@option("--callback-listen", metavar="HOST:PORT", default="127.0.0.1:4021", show_default=True,
        help="Where the receiver listens that --callback-url leads to.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do what --live plans without asking.")
@option("--set", "chosen", multiple=True, metavar="PROVIDER.OPTION=VALUE", help="Choose a documented contradiction.")
@option("--format", "shape", type=click.Choice(FORMATS), default="text", show_default=True,
        help="Format of the report.")  # fmt: skip
def verify(provider: str, **given: Any) -> None:
    """Tell whether PROVIDER, a name or a folder, does what its stored contract says.

    Without --url its emulator is verified, in this process. Ends with status 0 where nothing is wrong, 1 where there is
    a finding of severity warning or error, 2 where it could not run.
    """
    loaded = load_providers([provider], given["chosen"])[0]
    _check(loaded, given)
    from ..contracts.runs.report import REPORTS  # noqa: PLC0415 - the other uses of the command do without
    from ..contracts.runs.target import UnreachableError  # noqa: PLC0415
    from ..contracts.samples import keep_out_of_the_way  # noqa: PLC0415

    keep_out_of_the_way()
    try:
        verified = _verified(loaded, given)
    except (UnreachableError, LoadError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        click.echo("understudy: interrupted", err=True)
        sys.exit(130)
    click.echo(REPORTS[given["shape"]](verified), nl=False)
    sys.exit(int(verified.result.failed))


def _verified(provider: Provider, given: dict[str, Any]) -> Verified:
    if given["har"] is not None:
        return _recorded(provider, given)
    if given["live"]:
        return _live(provider, given)
    return _emulator(provider, given) if given["url"] is None else _elsewhere(provider, given)


def _check(provider: Provider, given: dict[str, Any]) -> None:
    """End the program where an option can't be meant as it is given."""
    for name in ("har", "key", "other_key"):
        if given[name] == "":
            fail(f"--{name.replace('_', '-')} is empty")
    for name in ("key", "other_key"):
        _check_key(f"--{name.replace('_', '-')}", given[name] or "")
    if given["other_key"] and given["other_key"] == (given["key"] or _default_key(provider)):
        fail("--other-key is the same as --key; expected the key of a second account")
    if given["callback_url"]:
        _checked(given["callback_url"], "--callback-url", query=True)
    _listen(given)


def _check_key(name: str, key: str) -> None:
    """End the program, without telling the key, where no header can show it."""
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        fail(f"{name} holds what no header can: expected printable ASCII without spaces around it")


def _default_key(provider: Provider) -> str:
    """Return the key that is shown where none is given."""
    return f"{provider.behaviour.key_prefix}understudy"


def _recorded(provider: Provider, given: dict[str, Any]) -> Verified:
    """Judge a recording; nothing is asked."""
    from ..contracts.checks.oracle import Oracle  # noqa: PLC0415
    from ..contracts.recordings.reading import read_bytes  # noqa: PLC0415
    from ..contracts.recordings.recording import read_recording  # noqa: PLC0415
    from ..contracts.runs.recorded import judge_recording  # noqa: PLC0415
    from ..contracts.runs.report import Verified  # noqa: PLC0415

    if given["live"]:
        raise click.UsageError("--har and --live exclude each other: a recording is judged, nothing is asked")
    bases = [] if given["url"] is None else [_checked(given["url"])]
    oracle = Oracle(provider)
    text, name = read_bytes(given["har"])
    recording = read_recording(text, name, oracle, bases)
    if not recording.exchanges and not recording.callbacks:
        left = "".join(f"; {each}" for each in recording.sentences())
        fail(f"{name} has nothing of {provider.behaviour.title}{left}")
    base = bases[0] if bases else provider.behaviour.base_url
    return Verified(provider.name, name, base, judge_recording(oracle, recording), given["seed"])


def _emulator(provider: Provider, given: dict[str, Any]) -> Verified:
    """Verify the provider's emulator, in this process."""
    from ..contracts.runs.target import Target  # noqa: PLC0415
    from ..mockserver import Settings, create_app  # noqa: PLC0415

    settings = Settings(seed=given["seed"], start=_BEGAN, callback_timeout=_CALLBACK_SECONDS, public_url=_IN_PROCESS)
    app = create_app([provider], settings)
    target = Target(f"{_IN_PROCESS}/{provider.name}", app=app)
    return _run(provider, target, "its emulator in process", given)


def _elsewhere(provider: Provider, given: dict[str, Any]) -> Verified:
    url = _checked(given["url"])
    if urlsplit(url).hostname in _real_hosts(provider):
        fail(f"{url} is the real {provider.behaviour.title}: verify it with --live, which keeps to a budget")
    from ..contracts.runs.target import Target  # noqa: PLC0415

    return _run(provider, Target(url), url, given)


def _real_hosts(provider: Provider) -> set[str | None]:
    urls = (provider.behaviour.base_url, *provider.contract.servers)
    return {urlsplit(each).hostname for each in urls} - {None, "127.0.0.1", "localhost"}


def _checked(url: str, name: str = "--url", *, query: bool = False) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        fail(f"{name} {url}: {error}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        fail(f"{name} {url}: expected http://HOST… or https://HOST…")
    if (parts.query and not query) or parts.fragment or parts.username:
        fail(f"{name} {parts.scheme}://{parts.hostname}…: expected no user{'' if query else ', query'} or fragment")
    return url.rstrip("/")


def _settings(provider: Provider, given: dict[str, Any]) -> VerifySettings:
    from ..contracts.runs.verification import VerifySettings  # noqa: PLC0415

    key = given["key"] or _default_key(provider)
    wait = given["max_wait"] or 30
    return VerifySettings(
        key, given["other_key"] or "", given["seed"], given["max_examples"], round(wait * 1000),
        given["callback_url"] or "", _listen(given),
    )  # fmt: skip


def _listen(given: dict[str, Any]) -> tuple[str, int]:
    from ..mockserver.allowance import parse_allowed  # noqa: PLC0415

    try:
        host, port = parse_allowed(given["callback_listen"])
    except ValueError as error:
        fail(f"--callback-listen: {error}")
    if port is None:
        fail(f"--callback-listen {given['callback_listen']}: expected HOST:PORT")
    return host, port


def _run(provider: Provider, target: Target, shown: str, given: dict[str, Any]) -> Verified:
    from ..contracts.runs.verification import verify as verify_provider  # noqa: PLC0415

    settings = _settings(provider, given)
    with target, _progress() as said:
        result = verify_provider(provider, target, settings, said=said)
    return _made(provider, target, shown, result, given)


def _made(provider: Provider, target: Target, shown: str, result: Verification, given: dict[str, Any]) -> Verified:
    from ..contracts.runs.report import Verified  # noqa: PLC0415

    return Verified(provider.name, shown, target.base_url, result, given["seed"])


def _live(provider: Provider, given: dict[str, Any]) -> Verified:
    """Verify the real provider, once the plan is accepted."""
    from dataclasses import replace  # noqa: PLC0415

    from ..contracts.runs.live import Budget, make_plan, verify_live  # noqa: PLC0415
    from ..contracts.runs.target import Target  # noqa: PLC0415

    url = _checked(given["url"] or provider.behaviour.base_url)
    key, other = _live_keys(provider, given)
    budget = Budget(given["max_tasks"], given["max_credits"])
    wait = given["max_wait"] or provider.behaviour.polling.give_up / 1000
    settings = replace(_settings(provider, given), key=key, other_key=other, max_wait=round(wait * 1000))
    plan = make_plan(provider, budget, settings)
    click.echo("\n".join(plan.lines(url)), err=True)
    _accept(given)
    target = Target(url)
    with target, _progress() as said:
        result = verify_live(provider, target, plan, budget, settings, said=said)
    return _made(provider, target, url, result, given)


def _live_keys(provider: Provider, given: dict[str, Any]) -> tuple[str, str]:
    """Return the keys, which come from the environment: others can read a command line."""
    name = "".join(char if char.isalnum() else "_" for char in provider.name).upper()
    variables = {"key": f"UNDERSTUDY_{name}_API_KEY", "other_key": f"UNDERSTUDY_{name}_OTHER_API_KEY"}
    for what, variable in variables.items():
        if given[what]:
            fail(f"--{what.replace('_', '-')} can be read by others: with --live set {variable} instead")
    key = os.environ.get(variables["key"], "")
    if not key:
        fail(f"no key for the real {provider.behaviour.title}: set {variables['key']}")
    other = os.environ.get(variables["other_key"], "")
    for what, held in (("key", key), ("other_key", other)):
        _check_key(variables[what], held)
    if other == key:
        fail(f"{variables['other_key']} is the same as {variables['key']}; expected the key of a second account")
    return key, other


def _accept(given: dict[str, Any]) -> None:
    if given["yes"]:
        return
    if not sys.stdin.isatty():
        fail("nothing was sent: accept the plan with --yes")
    if not click.confirm("Send it?", err=True):
        fail("nothing was sent")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done, in one line that changes; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    screen = Console(stderr=True, highlight=False)
    with screen.status("") as status:
        yield lambda sentence: status.update(Text(sentence, no_wrap=True, overflow="ellipsis"))
