"""Valid requests, drawn from the stored schemas; what shows a finding is made as small as it still shows it."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.pointer import split
from ..checks.documented import DocumentedOperation
from ..checks.finding import Finding
from .ask import Ask, NoKeyPlaceError, ask_for_task, key_header, poll_of
from .drafts import PIXEL, Draft, Form, SchemaError
from .drawing import Shelf, drawn, shelved, smallest, without_the_rest
from .run import Run, put

_POLLED_ONE_IN = 6
_AGES = (0, 3_000, 10_000, 60_000)
_MOST_SHRUNK = 12
_SHRINKING_DRAWS = 60
_FOR_ONE_ACCOUNT = 200
"""More creations than that would spend an account's credits, and the rest would be refused for that alone."""
_SPECIAL = {"create", "poll", "cancel", "store", "link"}


def explore(run: Run) -> None:
    """Draw valid requests of every operation, and judge what they are answered."""
    for operation in run.oracle.operations.values():
        if operation.behaviour.does == "create" or operation.behaviour.does not in _SPECIAL:
            for form in forms_of(run, operation):
                _explored(run, form)
    _files(run)


def forms_of(run: Run, operation: DocumentedOperation, *, everything: bool = False) -> list[Form]:
    """Return the ways to ask `operation`, none where the kit knows none, which is noted."""
    try:
        key_header(operation, "")
        return run.drafts.forms(operation, everything=everything)
    except (SchemaError, NoKeyPlaceError) as error:
        run.note(f"{operation.name} was left out: {error}")
        return []


def _explored(run: Run, form: Form) -> None:
    before = run.found()
    shelf = _shelf(run, form)
    drafts = shelved(form.drafts, shelf) if shelf else []
    drafts += drawn(form.drafts, run.settings.max_examples, run.settings.seed)
    kept = [each for each in drafts if run.drafts.is_valid(form, each)]
    if len(kept) < len(drafts):
        run.note(
            f"{form.name}: {len(drafts) - len(kept)} of {len(drafts)} drawn requests were left out: "
            "a value that leads nowhere on this machine is not valid in them"
        )
    for first in range(0, len(kept), _FOR_ONE_ACCOUNT):
        with run.part(f"{form.name}: {len(kept)} drawn requests"):
            for number, draft in enumerate(kept[first : first + _FOR_ONE_ACCOUNT]):
                _play(run, form, draft, polled=number % _POLLED_ONE_IN == 0)
    if run.steers and run.settings.shrink:
        for finding in run.new_findings(before):
            _shrink(run, form, finding)


def _shelf(run: Run, form: Form) -> Shelf | None:
    folder = run.settings.examples
    return None if folder is None else Shelf(folder, f"{run.oracle.provider.name} {form.name}")


def _play(run: Run, form: Form, draft: Draft, *, polled: bool) -> None:
    """Ask `draft`; a task that it creates is looked at until it should have ended."""
    seen = run.ask(form.ask(draft, run.key))
    if form.operation.behaviour.does != "create" or not polled or seen.task_id is None:
        return
    poll = poll_of(run.oracle, form.operation.name)
    if poll is None:
        return
    for age in _AGES if run.steers else (0,):
        if age:
            run.wait(age)
        run.ask(ask_for_task(poll, run.key, seen.task_id))


def _shrink(run: Run, form: Form, finding: Finding) -> None:
    """Keep, in place of `finding`, the one that the smallest request shows."""
    if run.shrunk >= _MOST_SHRUNK or not finding.operation:
        return
    run.shrunk += 1
    run.said(f"{form.name}: looking for the smallest request that shows {finding.check}")
    whole = any(each.id == finding.check and each.subject == "trace" for each in run.result.tally.checks)
    last: list[Finding] = []

    def shows(draft: Draft) -> bool:
        if not run.drafts.is_valid(form, draft):
            return False
        with run.trial() as found:
            _play(run, form, draft, polled=whole or finding.operation != form.operation.name)
        same = [each for each in found if each.signature == finding.signature]
        last[:] = same or last
        return bool(same)

    count = max(run.settings.max_examples, _SHRINKING_DRAWS)
    small = smallest(form.drafts, shows, count, run.settings.seed, _shelf(run, form))
    if small is not None:
        body = without_the_rest(small.body, lambda less: shows(Draft(small.parameters, less)))
        without_the_rest(dict(small.parameters), lambda less: shows(Draft(less, body)))
    if last:
        run.result.tally.replace(last[0])


def _files(run: Run) -> None:
    """Put bytes where an upload was prepared, and ask for links to what was uploaded."""
    stores, links = run.oracle.doing("store"), run.oracle.doing("link")
    if not stores and not links:
        return
    with run.part("files: links to uploads, and uploads that were prepared"):
        urls = list(_uploaded(run))
        for operation in links:
            for url in urls:
                run.ask(_with_file(run, operation, url))
        for operation in stores:
            for preparation in run.oracle.doing("presign"):
                _stored(run, operation, preparation)


def _uploaded(run: Run) -> Iterator[str]:
    for operation in run.oracle.doing("upload"):
        for form in forms_of(run, operation):
            for draft in run.drafts.examples(form)[:1]:
                url = run.ask(form.ask(draft, run.key)).facts.get("url")
                if isinstance(url, str):
                    yield url


def _with_file(run: Run, operation: DocumentedOperation, url: str) -> Ask:
    place, _, name = (operation.behaviour.file or "").removeprefix("$request.").partition(".")
    form = forms_of(run, operation)[0]
    if place.startswith("body#"):
        tokens = split((operation.behaviour.file or "").partition("#")[2])
        body = run.drafts.simplest(form)
        held = dict(body.body) if body and isinstance(body.body, dict) else {}
        return form.ask(Draft({}, put(held, tokens, url)), run.key)
    return form.ask(Draft({(place, name): url}), run.key)


def _stored(run: Run, operation: DocumentedOperation, preparation: DocumentedOperation) -> None:
    for form in forms_of(run, preparation):
        draft = run.drafts.simplest(form)
        if draft is None:
            continue
        prepared = run.ask(form.ask(draft, run.key))
        put = prepared.facts.get("upload_to")
        if not isinstance(put, str):
            continue
        if not put.startswith(run.target.base_url + "/"):
            run.note(f"{operation.name} was left out: the upload is to go to another host, {put.partition('?')[0]}")
            continue
        path, _, query = put.removeprefix(run.target.base_url).partition("?")
        run.ask(Ask(operation.behaviour.key.method, path, query, (("content-type", "image/png"),), PIXEL))
