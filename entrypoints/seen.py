"""`understudy drift PROVIDER --seen`: what recorded traffic holds that the contract does not tell."""

from __future__ import annotations

from pathlib import Path

import click

from ..contracts.accept import Stale, read_accepted, settle
from ..contracts.findings import reaches
from ..contracts.recordings.reading import read_bytes
from ..contracts.recordings.recording import Recording, read_recording
from ..contracts.report import REPORTS
from ..contracts.seen.documents import Documents
from ..contracts.seen.judge import Judge
from ..contracts.seen.proposal import as_overlay, propose
from ..contracts.seen.sightings import Sightings
from ..openapi.source import read_source
from .ending import fail
from .options import load_providers


def compare_with_seen(  # noqa: PLR0913, PLR0917 - what the command line says
    name: str, seen: str, shape: str, fail_on: str, accepted: str | None, proposed: str | None, overlay: str | None,
    base_urls: tuple[str, ...],
) -> int:  # fmt: skip
    """Write the report on standard output; return the status to end with.

    Raises:
        LoadError: the recording, the provider's folder or another file can't be used.
    """
    if proposed is not None and Path(proposed).is_file():
        fail(f"--write-overlay {proposed}: is there already, and may have been reviewed; expected a new file")
    provider = load_providers([name], ())[0]
    given = None if overlay is None else read_source(Path(overlay), overlay)
    judge = Judge(Documents.of(provider, given))
    recording = read_recording(*read_bytes(seen), judge.oracle, base_urls)
    sightings = _judged(judge, recording)
    _say([*recording.sentences(), *sightings.notes()])
    if not (recording.exchanges or recording.callbacks):
        fail(f"{seen}: no traffic with {provider.name}; expected requests to {provider.behaviour.base_url}, "
             f"to /{provider.name} of an emulator, or to --base-url")  # fmt: skip
    findings, stale = sightings.findings(), list[Stale]()
    if accepted is not None:
        findings, stale = settle(findings, read_accepted(accepted))
    click.echo(REPORTS[shape](findings, stale, provider.name, _told(seen, recording)), nl=False)
    if proposed is not None:
        _propose(judge.documents, recording, proposed, seen)
    return int(any(reaches(each, fail_on) for each in findings))


def _judged(judge: Judge, recording: Recording) -> Sightings:
    sightings = Sightings(judge)
    trace = recording.trace(judge.oracle)
    for observation in trace.observations:
        sightings.exchange(observation)
    for letter in trace.received:
        sightings.callback(letter)
    return sightings


def _told(seen: str, recording: Recording) -> str:
    name = {"-": "standard input"}.get(seen, seen)
    return f"{name} ({counted(len(recording.exchanges), len(recording.callbacks))})"


def counted(exchanges: int, callbacks: int) -> str:
    """Return how much was judged, in words."""
    words = {"exchange": exchanges, "callback": callbacks}
    told = [f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in words.items() if count]
    return ", ".join(told) or "nothing"


def _propose(documents: Documents, recording: Recording, path: str, seen: str) -> None:
    proposal = propose(documents, recording.exchanges, recording.callbacks)
    if not proposal.actions:
        _say(["nothing to propose: no overlay was written"])
        return
    _write(Path(path), as_overlay(proposal, documents.provider.name, Path(seen).name))
    left = f"; {len(proposal.left):,} deviations are left, which no document can tell" if proposal.left else ""
    count = len(proposal.actions)
    _say([f"{path}: {count} action{'' if count == 1 else 's'} to review{left}"])


def _write(path: Path, text: str) -> None:
    """Write `text` whole or not at all, to a new file or to a pipe; end the program where it can't be written."""
    try:
        if path.exists():
            path.write_text(text, encoding="utf-8")
            return
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(f"understudy: {sentence}", err=True)
