"""The command line: `understudy serve`, `providers`, `show`."""

from __future__ import annotations

import os
import traceback
from importlib import import_module
from typing import Any, NoReturn

import click

from ..openapi.errors import cut, nearest
from .ending import fail
from .version import VERSION

_COMMANDS = {
    "serve": ("serve", "Play providers over HTTP."),
    "providers": ("show", "List the providers that come with understudy."),
    "show": ("show", "Show what a provider does: operations, statuses, errors, options."),
    "generate": ("generate", "Generate with a provider: create a task, wait for it, fetch its results."),
    "verify": ("verify", "Tell whether a provider, or its emulator, does what its stored contract says."),
    "drift": ("drift", "Tell what changed between two descriptions of a provider, and whether it breaks you."),
    "watch": ("watch", "Stand between an application and its provider, and judge what passes by."),
    "import": ("importing", "Make a provider's folder of documentation pages with OpenAPI inside."),
}
_FUNCTIONS = {"import": "import_pages"}
"""Functions of commands whose names Python keeps for itself."""
_TRACEBACK = "UNDERSTUDY_TRACEBACK"


class _Commands(click.Group):
    """Subcommands whose modules are imported when they are run: none pays for another.

    Incorrect usage is told in one line, like everything else that ends a command; so is what nobody foresaw.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; an error of understudy's own ends it with status 2."""
        try:
            return super().main(*args, **kwargs)
        except Exception as error:
            if os.environ.get(_TRACEBACK):
                traceback.print_exc()
            what = cut(" ".join(f"{type(error).__name__}: {error}".split()), 300)
            fail(f"internal error: {what} (set {_TRACEBACK}=1 to see where)")

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments up to the subcommand."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            _end(error)

    def invoke(self, ctx: click.Context) -> Any:
        """Read the subcommand's arguments and run it."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _end(error)

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
        command: click.Command = getattr(module, _FUNCTIONS.get(cmd_name, cmd_name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _end(error: click.UsageError) -> NoReturn:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        raise error
    see = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
    fail(" ".join(error.format_message().split()).rstrip(".") + see)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="understudy")
def main() -> None:
    """A stand-in for providers of asynchronous generation APIs."""
