"""`understudy import`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..openapi.errors import LoadError
from .ending import fail
from .options import option

if TYPE_CHECKING:
    from ..contracts.importing import Imported


@click.command("import")
@click.argument("pages", nargs=-1, required=True, metavar="PAGE...")
@option(
    "--into", "folder", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="Folder to write into."
)
def import_pages(*, pages: tuple[str, ...], folder: Path) -> None:
    """Write the OpenAPI documents in PAGEs into FOLDER, and a behaviour file to be filled in.

    Each PAGE is a file or a URL. Nothing that is there is overwritten. Ends with status 2 where a page holds nothing
    that can be recovered; the others are written all the same.
    """
    from ..contracts.importing import behaviour_to_fill_in  # noqa: PLC0415 - `--help` does without

    taken = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    documents, lost = _read(pages, taken)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in documents:
            (folder / each.name).write_text(each.text, encoding="utf-8")
            click.echo(f"{folder / each.name}: {each.text.splitlines()[0].removeprefix('# ')}")
        behaviour = folder / "behaviour.yaml"
        if documents and not behaviour.exists():
            behaviour.write_text(behaviour_to_fill_in(documents), encoding="utf-8")
            click.echo(f"{behaviour}: what is left to say")
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
    for problem in lost:
        click.echo(f"understudy: {problem}", err=True)
    sys.exit(2 if lost else 0)


def _read(pages: tuple[str, ...], taken: list[str]) -> tuple[list[Imported], list[str]]:
    from ..contracts.importing import imported  # noqa: PLC0415
    from ..contracts.reading import read_page  # noqa: PLC0415

    day = datetime.now(UTC).date().isoformat()
    documents: list[Imported] = []
    lost: list[str] = []
    for page in pages:
        try:
            address, found = read_page(page)
        except LoadError as error:
            lost.append(str(error))
            continue
        for each in found:
            documents.append(imported(each, address, day, [*taken, *(done.name for done in documents)]))
    return documents, lost
