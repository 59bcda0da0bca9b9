"""Options that subcommands share, each also read from the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..openapi.errors import LoadError, nearest
from ..openapi.times import parse_time
from .ending import fail

if TYPE_CHECKING:
    from ..openapi.provider import Provider


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return a click option that can also be given in the environment, as UNDERSTUDY_NAME."""
    name = next(each for each in names if each.startswith("--")).partition("/")[0]
    variable = "UNDERSTUDY_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


class Amount(click.FloatRange):
    """A number in a range; neither infinite nor none at all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


class Time(click.ParamType[int]):
    """A time such as 2026-01-01T12:00:00Z, or Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds since the epoch."""
        if isinstance(value, int):
            return value
        try:
            return parse_time(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def load_providers(names: Iterable[str], settings: Iterable[str]) -> list[Provider]:
    """Load the providers of `names` (all that are built in where there are none) with `settings` of ``--set``.

    Ends the program where one is broken or unknown, or a setting is.
    """
    from ..openapi.provider import built_in_names  # noqa: PLC0415 - commands that play no provider load none

    chosen = _chosen(settings)
    loaded = [_loaded(name, chosen.pop(provider_name(name), {})) for name in list(names) or built_in_names()]
    if chosen:
        unknown = next(iter(chosen))
        known = [provider.name for provider in loaded]
        fail(
            f"--set {unknown}.…: no provider {unknown!r} is served{nearest(unknown, known)}; served: {', '.join(known)}"
        )
    if len({provider.name for provider in loaded}) < len(loaded):
        fail(f"two providers have the same name: {', '.join(provider.name for provider in loaded)}")
    return loaded


def provider_name(given: str) -> str:
    """Return the name of the provider that `given`, a name or a folder, stands for."""
    return Path(given).resolve().name


def _loaded(name: str, chosen: dict[str, str]) -> Provider:
    from ..openapi.provider import OptionError, built_in_names, load_provider  # noqa: PLC0415

    try:
        provider = load_provider(name, chosen)
        if name not in built_in_names():
            provider.check()
    except OptionError as error:
        fail(f"--set {provider_name(name)}.…: {error}")
    except LoadError as error:
        fail(str(error))
    return provider


def _chosen(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    chosen: dict[str, dict[str, str]] = {}
    for text in settings:
        place, equals, value = text.partition("=")
        provider, dot, name = place.partition(".")
        if not (equals and dot and provider and name):
            fail(f"--set {text}: expected PROVIDER.OPTION=VALUE")
        chosen.setdefault(provider, {})[name] = value
    return chosen
