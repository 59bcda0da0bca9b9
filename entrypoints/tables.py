"""Facts as tables for a terminal of 80 columns; plain and as wide as that where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .facts import Facts

_WIDTH = 80
_GAP = 2
_LEAST = 20


class _Section(NamedTuple):
    """A table: its heading, its columns, which of them is prose and wraps, and its rows."""

    title: str
    columns: Sequence[str]
    prose: int
    rows: list[tuple[str, ...]]


def print_providers(providers: Sequence[Facts]) -> None:
    """Print one row for each provider."""
    columns = ("name", "stands in for", "models", "options")
    rows = [
        (
            each["name"],
            each["base_url"],
            "\n".join(model["name"] for model in each["models"]),
            "\n".join(option["name"].partition(".")[2] for option in each["options"]),
        )
        for each in providers
    ]
    screen = _console()
    with screen.capture() as captured:
        screen.print(_table(columns, rows, _widths(columns, rows, 3, screen.width)), crop=False)
    _echo(captured.get())


def print_provider(facts: Facts) -> None:
    """Print everything that is known of one provider."""
    screen = _console()
    with screen.capture() as captured:
        _print_head(screen, facts)
        _print_operations(screen, facts["operations"])
        for title, columns, prose, rows in _sections(facts):
            if rows:
                _print_title(screen, title)
                screen.print(_table(columns, rows, _widths(columns, rows, prose, screen.width)), crop=False)
    _echo(captured.get())


def _console() -> Console:
    screen = Console(highlight=False, emoji=False, markup=False)
    screen.width = max(screen.width, _WIDTH) if screen.is_terminal else _WIDTH
    return screen


def _echo(text: str) -> None:
    # The tables' cells are padded, which nobody who pipes them wants.
    click.echo("\n".join(line.rstrip() for line in text.splitlines()))


def _print_title(screen: Console, title: str) -> None:
    screen.print()
    screen.print(Text(title, style="bold"))


def _print_head(screen: Console, facts: Facts) -> None:
    key = facts["key"]
    header = f"{key['header'].title()}: {key['scheme']} <key>" if key["scheme"] else f"{key['header']}: <key>"
    begins = f", which begins with {key['prefix']}" if key["prefix"] else ""
    screen.print(Text(f"{facts['name']}: {facts['title']}", style="bold"))
    screen.print(f"stands in for  {facts['base_url']}")
    screen.print(f"key            {header}{begins} ({key['provenance']})")
    screen.print(f"task ids       {facts['id']['format']} ({facts['id']['provenance']})")


def _print_operations(screen: Console, operations: Sequence[Facts]) -> None:
    """Print two lines for each: a path is often too long to stand beside anything."""
    columns = ("name, method and path", "what it does", "provenance")
    rows = [(each["name"], each["about"], each["provenance"]) for each in operations]
    widths = _widths(columns, rows, 1, screen.width)
    _print_title(screen, "Operations")
    screen.print(_table(columns, [], widths), crop=False)
    for operation, row in zip(operations, rows, strict=True):
        screen.print(_table(None, [row], widths), crop=False)
        screen.print(f"  {operation['method']} {operation['path']}", soft_wrap=True)


def _sections(facts: Facts) -> Iterator[_Section]:
    yield _Section("Models", ("name", "credits", "created by", "provenance"), 1, list(_model_rows(facts["models"])))
    yield _Section("Statuses", ("name", "phase", "lasts", "provenance"), 2, [
        (each["name"], each["phase"], each["lasts"] or "", each["provenance"]) for each in facts["statuses"]
    ])  # fmt: skip
    yield _Section("How a task fails", ("name", "code", "message", "provenance"), 2, [
        (each["name"], str(each["code"]), each["message"], each["provenance"]) for each in facts["failures"]
    ])  # fmt: skip
    yield _Section("Errors", ("name", "code", "HTTP", "when", "provenance"), 3, list(_error_rows(facts["errors"])))
    options = list(_option_rows(facts["options"]))
    yield _Section("Options, chosen with --set OPTION=VALUE", ("option", "value", "meaning", "provenance"), 2, options)
    yield _Section("Limits", ("operations", "calls", "in", "provenance"), 0, [
        (", ".join(each["operations"]), str(each["count"]), each["per"], each["provenance"])
        for each in facts["limits"]
    ])  # fmt: skip
    kept = facts["retention"]
    yield _Section("How long things are kept", ("what", "time", "provenance"), 0, [
        (name, time, kept["provenance"]) for name, time in kept.items() if time and name != "provenance"
    ])  # fmt: skip


def _model_rows(models: Iterable[Facts]) -> Iterator[tuple[str, ...]]:
    for model in models:
        price = str(model["credits"]).removeprefix("{{").removesuffix("}}").strip()
        fixed = ", ".join(f"{name} {value}" for name, value in model["fixed"].items())
        always = f"; always {fixed}" if fixed else ""
        yield model["name"], price + always, "\n".join(model["created_by"]), model["provenance"]


def _error_rows(errors: Iterable[Facts]) -> Iterator[tuple[str, ...]]:
    for error in errors:
        told = [_told(error["raised"], each) for each in error["raised"]] or [("", "nothing by itself")]
        for number, (status, when) in enumerate(told):
            first = (error["name"], str(error["code"]), status, when, error["provenance"])
            yield first if number == 0 else ("", "", status, when, "")


def _told(every: Sequence[Facts], raised: Facts) -> tuple[str, str]:
    """Return status and sentence, with the operations where more of them meet it with another status."""
    others = [each for each in every if each["condition"] == raised["condition"] and each is not raised]
    rare = any(len(each["operations"]) >= len(raised["operations"]) for each in others)
    where = f" ({', '.join(raised['operations'])})" if rare else ""
    return str(raised["http_status"]), raised["when"] + where


def _option_rows(options: Iterable[Facts]) -> Iterator[tuple[str, ...]]:
    for option in options:
        yield option["name"], "", option["about"], option["provenance"]
        for value, about in option["values"].items():
            mark = " (default)" if value == option["default"] else " (chosen)" if value == option["chosen"] else ""
            yield "", value, about + mark, ""


def _widths(columns: Sequence[str], rows: Iterable[Sequence[str]], prose: int, available: int) -> list[int]:
    """Return each column's width: what it needs, but for the one of prose, which takes what is left.

    Where that is too little to read, the widest of the others is narrowed too.
    """
    cells = zip(columns, *rows, strict=True)
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in cells]
    excess = sum(widths) + _GAP * (len(widths) - 1) - available
    narrowed = max(min(widths[prose], widths[prose] - excess), min(widths[prose], _LEAST))
    excess -= widths[prose] - narrowed
    widths[prose] = narrowed
    if excess > 0:
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] = max(widths[widest] - excess, _LEAST)
    return widths


def _table(columns: Sequence[str] | None, rows: Iterable[Sequence[Any]], widths: Sequence[int]) -> Table:
    total = sum(widths) + _GAP * (len(widths) - 1)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim", width=total)
    table.show_header = columns is not None
    for name, width in zip(columns or [""] * len(widths), widths, strict=True):
        table.add_column(name, width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
