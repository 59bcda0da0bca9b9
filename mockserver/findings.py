"""Judging an exchange against the stored contract, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from ..openapi.validation import Problem, Validator
from .checks import check_request
from .compiled import CompiledOperation, CompiledProvider
from .exchange import Exchange
from .faults import MUTE
from .refusal import Refused
from .request import Request


def findings_of(exchange: Exchange, providers: Mapping[str, CompiledProvider]) -> list[dict[str, Any]]:
    """Return what is wrong with the request and with the answer of `exchange`."""
    provider = providers.get(exchange.provider)
    operation = None if provider is None else provider.operations.get(exchange.operation)
    if operation is None:
        return []
    found = [*_request_findings(operation, exchange.request), *_answer_findings(operation, exchange)]
    exchange.request.forget_parsed()
    return found


def _request_findings(operation: CompiledOperation, request: Request) -> list[dict[str, Any]]:
    try:
        check_request(operation, request)
    except Refused as refused:
        return [{"direction": "request", "condition": refused.condition, "problem": refused.problem}]
    return []


def _answer_findings(operation: CompiledOperation, exchange: Exchange) -> list[dict[str, Any]]:
    answer = exchange.answer
    if exchange.fault is not None and exchange.fault.does["fault"] in MUTE:
        return [_finding("", f"no answer in HTTP: {exchange.fault.name} was played", "an answer")]
    documented = operation.owner.provider.contract.responses(operation.contract)
    response = documented.get(str(answer.status)) or documented.get(f"{answer.status // 100}XX")
    response = response or documented.get("default")
    if response is None:
        return [_finding("", f"status {answer.status} is not documented", ", ".join(documented))]
    content = response.get("content", {})
    schema = next((media.get("schema") for kind, media in content.items() if "json" in kind), None)
    if schema is None:
        return []
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        return [_finding("", f"the body is no JSON: {error}", "JSON")]
    whole, *branches = _validators(operation, exchange.answer.status)
    if whole.is_valid(body):
        return []
    # Of several documented forms, the one that the answer says it has is told of: that whose fixed values it holds.
    told = min(((each.problems(body) for each in branches)), key=_strangeness, default=None) or whole.problems(body)
    return [_told(problem) for problem in told]


def _strangeness(problems: list[Problem]) -> tuple[bool, int]:
    return any(each.keyword in {"enum", "const", "not"} for each in problems), len(problems)


@lru_cache(maxsize=512)
def _validators(operation: CompiledOperation, status: int) -> list[Validator]:
    """Return the validator of an answer with `status`, and those of its forms where it may have several."""
    contract = operation.owner.provider.contract
    documented = contract.responses(operation.contract)
    response = documented.get(str(status)) or documented.get(f"{status // 100}XX") or documented["default"]
    schema = next(media["schema"] for kind, media in response["content"].items() if "json" in kind)
    forms = contract.resolve(schema)
    forms = forms.get("oneOf") or forms.get("anyOf") or [] if isinstance(forms, dict) else []
    return [Validator(each, contract.components) for each in (schema, *forms)]


def _told(problem: Problem) -> dict[str, Any]:
    return _finding(problem.pointer, problem.sentence, problem.expected)


def _finding(pointer: str, problem: str, expected: str) -> dict[str, Any]:
    return {"direction": "response", "pointer": pointer, "problem": problem, "expected": expected}
