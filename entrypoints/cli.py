"""The command line: `understudy serve`, `providers`, `show`."""

from __future__ import annotations

from importlib import import_module

import click

from ..openapi.errors import nearest
from .version import VERSION

_COMMANDS = {
    "serve": ("serve", "Play providers over HTTP."),
    "providers": ("show", "List the providers that come with understudy."),
    "show": ("show", "Show what a provider does: operations, statuses, errors, options."),
}


class _Commands(click.Group):
    """Subcommands whose modules are imported when they are run: none pays for another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand `cmd_name`."""
        if cmd_name not in _COMMANDS:
            raise click.UsageError(
                f"no command {cmd_name!r}{nearest(cmd_name, _COMMANDS)}; known: {', '.join(_COMMANDS)}"
            )
        module = import_module(f".{_COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="understudy")
def main() -> None:
    """A stand-in for providers of asynchronous generation APIs."""
