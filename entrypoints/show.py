"""`understudy providers` and `understudy show`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ..openapi.errors import LoadError
from ..openapi.provider import Provider, built_in_names
from .ending import fail
from .facts import facts_of
from .options import load_providers, option, provider_name

_format = option(
    "--format",
    "shown_as",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to show it.",
)


@click.command()
@_format
def providers(shown_as: str) -> None:
    """List the providers that come with understudy."""
    facts = [_facts(provider) for provider in load_providers([], [])]
    if shown_as == "json":
        _print_json({"providers": facts})
        return
    from .tables import print_providers  # noqa: PLC0415 - JSON is printed without it

    print_providers(facts)


@click.command()
@click.argument("name", metavar="NAME|FOLDER")
@option("--set", "chosen", multiple=True, metavar="PROVIDER.OPTION=VALUE", help="Choose an option of the provider.")
@_format
def show(name: str, chosen: tuple[str, ...], shown_as: str) -> None:
    """Show what a provider does: operations, models, statuses, errors, options, limits."""
    facts = _facts(load_providers([name], _concerning(name, chosen))[0])
    if shown_as == "json":
        _print_json(facts)
        return
    from .tables import print_provider  # noqa: PLC0415 - JSON is printed without it

    print_provider(facts)


def _concerning(name: str, chosen: Iterable[str]) -> list[str]:
    """Return what `chosen` says, but for the other built-in providers: the environment may set theirs too."""
    others = set(built_in_names()) - {provider_name(name)}
    return [text for text in chosen if text.partition(".")[0] not in others]


def _facts(provider: Provider) -> dict[str, object]:
    try:
        return facts_of(provider)
    except LoadError as error:
        fail(str(error))


def _print_json(data: object) -> None:
    import orjson  # noqa: PLC0415 - tables are printed without it

    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
