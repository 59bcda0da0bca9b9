"""Requests with a single fault: one for each constraint of body and parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...openapi.contract import Parameter
from ...openapi.pointer import MISSING
from ..mutants import Fault, Mutants
from .ask import JSON, exchange_of
from .drafts import Draft, Form
from .drawing import drawn
from .explore import forms_of
from .run import Run

_BASES = 3


def faults(run: Run) -> None:
    """Send every request that breaks exactly one constraint of a valid one."""
    for operation in run.oracle.operations.values():
        for form in forms_of(run, operation):
            found = list(_of_form(run, form))
            if found:
                with run.part(f"{form.name}: {len(found)} requests with a single fault"):
                    for draft in found:
                        run.ask(form.ask(draft, run.key))


def _of_form(run: Run, form: Form) -> Iterator[Draft]:
    """Yield the faulty drafts of `form`, the smallest first, each that its request shows to be at fault."""
    sent: set[tuple[str, str, str]] = set()
    for base in _bases(run, form):
        for where, fault, draft in _of_draft(run, form, base):
            mark = where + fault.pointer, fault.keyword, json.dumps(fault.value, sort_keys=True, default=str)
            if mark not in sent and _is_wrong(run, form, draft):
                sent.add(mark)
                yield draft


def _bases(run: Run, form: Form) -> list[Draft]:
    """Return valid drafts that have between them all that may be there."""
    simple = run.drafts.simplest(form)
    full = [each for each in forms_of(run, form.operation, everything=True) if _same(each, form)]
    whole = [draft for each in full for draft in drawn(each.drafts, _BASES, run.settings.seed)]
    return [each for each in [simple, *whole] if each is not None and run.drafts.is_valid(form, each)]


def _same(one: Form, other: Form) -> bool:
    return (one.variant, one.content_type) == (other.variant, other.content_type)


def _of_draft(run: Run, form: Form, base: Draft) -> Iterator[tuple[str, Fault, Draft]]:
    mutants = Mutants(run.drafts.some)
    if base.body is not MISSING and form.content_type.partition(";")[0] == JSON:
        for fault in mutants.faults(form.schema, base.body):
            yield "body", fault, Draft(base.parameters, fault.payload)
    for parameter, _, _ in form.operation.parameters:
        for fault in _of_parameter(mutants, parameter, base):
            held = dict(base.parameters)
            place = parameter.where, parameter.name
            if fault.keyword == "absent":
                held.pop(place, None)
            else:
                held[place] = fault.value
            yield f"{parameter.where} {parameter.name} ", fault, Draft(held, base.body)


def _of_parameter(mutants: Mutants, parameter: Parameter, base: Draft) -> Iterator[Fault]:
    place = parameter.where, parameter.name
    if parameter.required and parameter.where != "path":
        yield Fault("", "absent", None, None)
    if place not in base.parameters:
        return
    for fault in mutants.faults(parameter.schema, base.parameters[place]):
        text = fault.value if isinstance(fault.value, str) else json.dumps(fault.value)
        sendable = text.isascii() and text.isprintable() and text == text.strip()
        if parameter.where == "query" or (sendable and text not in ("", ".", "..")):
            yield fault


def _is_wrong(run: Run, form: Form, draft: Draft) -> bool:
    """Tell whether the contract has anything against `draft` as it would be sent."""
    try:
        ask = form.ask(draft, run.key)
    except UnicodeEncodeError:
        return False
    seen = run.oracle.observe(exchange_of(ask))
    return seen.operation is form.operation and bool(seen.request_problems)
