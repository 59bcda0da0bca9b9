"""`understudy drift`: the command. What it does lies in `contracts`."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..contracts.severity import SEVERITIES
from ..openapi.errors import LoadError
from .ending import fail
from .options import option

FORMATS = ("text", "json", "junit", "sarif", "github")
LEVELS = (*SEVERITIES, "never")


@click.command()
@click.argument("base")
@click.argument("revision", required=False)
@option(
    "--format", "shape", type=click.Choice(FORMATS), default="text", show_default=True, help="Format of the report."
)
@option("--fail-on", type=click.Choice(LEVELS), default="warning", show_default=True,
        help="End with status 1 where a finding is at least this grave.")  # fmt: skip
@option("--accept", "accepted", metavar="FILE", help="Findings that were accepted, with reason and date.")
@option(
    "--page", "pages", multiple=True, metavar="PAGE", help="Documentation page to compare BASE with; may be repeated."
)
@option("--seen", metavar="FILE|journal|-", help="Compare the provider BASE with recorded traffic.")
@option("--write-overlay", "proposed", metavar="FILE",
        help="With --seen: propose an overlay with which the contract tells what was seen.")  # fmt: skip
@option("--overlay", metavar="FILE", help="With --seen: apply this overlay to the contract first.")
@option("--base-url", "base_urls", multiple=True, metavar="URL",
        help="With --seen: where the provider was reached, beside what its folder says; may be repeated.")  # fmt: skip
@option("--allow-remote", is_flag=True, help="Fetch documents that references name by URL.")
@option("--no-witness", is_flag=True, help="Search for no payloads that show a finding.")
def drift(  # noqa: PLR0913 - one argument for each option
    *, base: str, revision: str | None, shape: str, fail_on: str, accepted: str | None, pages: tuple[str, ...],
    allow_remote: bool, no_witness: bool, seen: str | None, proposed: str | None, overlay: str | None,
    base_urls: tuple[str, ...],
) -> None:  # fmt: skip
    """Tell what changed from BASE to REVISION, and whether it breaks a client of BASE.

    Each is an OpenAPI file, a documentation page with OpenAPI inside, a folder, a URL, or the name of a provider.
    With --seen, tell what recorded traffic with the provider BASE holds that its contract does not.
    Ends with status 0 where nothing is as grave as --fail-on, 1 where something is, 2 where it could not run.
    """
    if [revision is not None, bool(pages), seen is not None].count(True) != 1:
        raise click.UsageError("give BASE and REVISION, or BASE and --page, or BASE and --seen")
    if seen is None and (proposed or overlay or base_urls):
        raise click.UsageError("--write-overlay, --overlay and --base-url go with --seen")
    try:
        if seen is not None:
            from .seen import compare_with_seen  # noqa: PLC0415 - documents are compared without

            sys.exit(compare_with_seen(base, seen, shape, fail_on, accepted, proposed, overlay, base_urls))
        ended = _documents(
            base, revision, pages, shape, fail_on, accepted, allow_remote=allow_remote, prove=not no_witness
        )
    except LoadError as error:
        fail(str(error))
    sys.exit(ended)


def _documents(  # noqa: PLR0913 - what the command line says
    base: str, revision: str | None, pages: tuple[str, ...], shape: str, fail_on: str, accepted: str | None, *,
    allow_remote: bool, prove: bool,
) -> int:  # fmt: skip
    from ..contracts.drift import compare_sides  # noqa: PLC0415 - the other uses of the command do without
    from ..contracts.findings import reaches  # noqa: PLC0415
    from ..contracts.reading import read_pages, read_side  # noqa: PLC0415

    one = read_side(base, allow_remote=allow_remote)
    other = read_pages(pages) if revision is None else read_side(revision, allow_remote=allow_remote)
    findings: list[Any] = compare_sides(one, other)
    stale: list[Any] = []
    if accepted is not None:
        from ..contracts.accept import read_accepted, settle  # noqa: PLC0415

        findings, stale = settle(findings, read_accepted(accepted))
    if prove and any(each.claim is not None and each.severity != "info" for each in findings):
        from ..contracts.samples import keep_out_of_the_way  # noqa: PLC0415 - only a proof needs Hypothesis
        from ..contracts.witness import with_witnesses  # noqa: PLC0415

        keep_out_of_the_way()
        findings = with_witnesses(findings, one, other)
    from ..contracts.report import REPORTS  # noqa: PLC0415

    click.echo(REPORTS[shape](findings, stale, one.name, other.name), nl=False)
    return int(any(reaches(each, fail_on) for each in findings))
