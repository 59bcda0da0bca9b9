"""Judging a request against the stored contract, before anything is done about it."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from ..openapi.errors import nearest, shorten
from ..openapi.pointer import MISSING, resolve
from ..openapi.validation import Problem, Validator
from .compiled import CompiledOperation
from .forms import MULTIPART, URLENCODED, as_data, parse_form
from .refusal import Refused
from .request import Request

_MAX_TOLD = 3
_EXPLAINED_BYTES = 200_000
"""Explaining a refusal of 30 MB takes seconds; the verdict itself a tenth of one."""


def check_request(operation: CompiledOperation, request: Request) -> str | None:
    """Judge parameters, content type and body; return the value that picks the variant, where there are any.

    Raises:
        Refused: the provider would refuse the request.
    """
    if operation.parameters:
        _check_parameters(operation, request)
    if not operation.bodies:
        return None
    if not request.body and not operation.body_required:
        return None
    content_type = _check_content_type(operation, request)
    if content_type in {MULTIPART, URLENCODED}:
        request.form = parse_form(request.headers.get(b"content-type") or "", request.body)
        _check_body(operation.bodies[content_type], as_data(request.form), 0)
        return None
    if content_type not in {None, "application/json"} and not content_type.endswith("+json"):
        return None
    return _check_json(operation, request, content_type or "application/json")


def _check_parameters(operation: CompiledOperation, request: Request) -> None:
    for parameter, validator, read in operation.parameters:
        is_id = operation.behaviour.task_id == f"$request.{parameter.where}.{parameter.name}"
        text = _parameter_text(parameter.where, parameter.name, request)
        if text is None or (is_id and text == ""):
            if parameter.required:
                condition = "id-missing" if is_id else "request-invalid"
                raise Refused(condition, f"the {parameter.where} parameter {parameter.name} is missing")
            continue
        value = read(text)
        if not validator.is_valid(value):
            problems = validator.problems(value)
            condition = "id-malformed" if is_id else "request-invalid"
            raise Refused(condition, f"{parameter.name} {problems[0]}")


def _parameter_text(where: str, name: str, request: Request) -> str | None:
    if where == "query":
        return request.query.get(name)
    if where == "path":
        return request.path_values.get(name)
    return request.headers.get(name.lower().encode()) if where == "header" else None


def _check_content_type(operation: CompiledOperation, request: Request) -> str:
    header = request.headers.get(b"content-type")
    if header is not None and header in operation.bodies:
        return header
    # RFC 9110 lets the recipient of content without a type take it for bytes.
    sent = (header or "application/octet-stream").partition(";")[0].strip().lower()
    for documented in operation.bodies:
        if fnmatch(sent, documented):
            return documented
    what = f"the content type is {shorten(sent)}" if header else "the content type is missing"
    raise Refused("type-unsupported", f"{what}; expected {' or '.join(operation.bodies)}")


def _check_json(operation: CompiledOperation, request: Request, content_type: str) -> str | None:
    body = request.json
    pointer = operation.behaviour.variant
    if pointer is None:
        _check_body(operation.bodies[content_type], body, len(request.body))
        return None
    value = resolve(body, pointer)
    validators = operation.variants.get(value) if isinstance(value, str) else None
    if validators is not None:
        _check_body(validators[content_type], body, len(request.body))
        return str(value)
    raise _unknown_variant(operation, pointer, value)


def _unknown_variant(operation: CompiledOperation, pointer: str, value: Any) -> Refused:
    name = pointer.lstrip("/").replace("/", ".")
    known = ", ".join(map(repr, operation.variants))
    if value is MISSING:
        return Refused("request-invalid", f"{name} is missing; expected one of {known}")
    if not isinstance(value, str):
        return Refused("request-invalid", f"{name} is {shorten(value)}; expected one of {known}")
    return Refused(
        "model-unknown", f"{name} is {shorten(value)}{nearest(value, operation.variants)}; expected one of {known}"
    )


def _check_body(validator: Validator, body: Any, size: int) -> None:
    if not validator.is_valid(body):
        problems = validator.problems(body, brief=size > _EXPLAINED_BYTES)
        missing = problems[0].value is MISSING
        raise Refused("request-invalid", tell(problems), field=problems[0].field, missing=missing)


def tell(problems: list[Problem]) -> str:
    """Return one sentence for `problems`, one for each place; of many, the first few and how many more there are."""
    places: dict[str, Problem] = {}
    for problem in problems:
        if problem.pointer not in places or problem.keyword in {"enum", "const"}:  # more telling than the type
            places[problem.pointer] = problem
    told = "; ".join(map(str, list(places.values())[:_MAX_TOLD]))
    more = len(places) - _MAX_TOLD
    return f"{told}; and {more} more" if more > 0 else told
