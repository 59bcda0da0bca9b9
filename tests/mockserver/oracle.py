"""Whether an answer is one that the stored contract documents."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx
import orjson
from understudy.mockserver.compiled import CompiledOperation
from understudy.openapi.contract import Contract
from understudy.openapi.validation import Validator


@lru_cache(maxsize=512)
def _validator(operation: CompiledOperation, status: str, content_type: str) -> Validator:
    contract = operation.owner.provider.contract
    media = _response(contract, operation, status)["content"][content_type]
    return Validator(media.get("schema", {}), contract.components)


def _response(contract: Contract, operation: CompiledOperation, status: str) -> Any:
    documented = contract.responses(operation.contract)
    return documented.get(status) or documented.get(f"{status[0]}XX") or documented.get("default")


def problems_of(operation: CompiledOperation, response: httpx.Response) -> list[str]:
    """Return what the contract does not document of an answer: its status, its type, its headers, its body."""
    contract, status = operation.owner.provider.contract, str(response.status_code)
    documented = _response(contract, operation, status)
    if documented is None:
        return [f"{operation.name} answers an undocumented {status}: {response.text[:200]}"]
    found = []
    for name, header in documented.get("headers", {}).items():
        value = response.headers.get(name)
        if value is None and contract.resolve(header).get("required"):
            found.append(f"{operation.name} {status} lacks the header {name}")
    content_type = response.headers.get("content-type", "").partition(";")[0]
    if content_type not in documented.get("content", {"": None}):
        return [*found, f"{operation.name} {status} is an undocumented {content_type!r}"]
    if content_type:
        problems = _validator(operation, status, content_type).problems(orjson.loads(response.content))
        found += [f"{operation.name} {status}: {problem}" for problem in problems]
    return found
