"""What a provider's folder says, as plain data: what `understudy show` prints and the documentation's tables hold.

Which error a request meets is asked of the emulator itself, so that what is shown is what is played.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..mockserver.compiled import CompiledOperation, CompiledProvider
from ..openapi.behaviour import NAMES, Behaviour, Error, Model, Status, Template
from ..openapi.conditions import CONDITIONS
from ..openapi.provider import Provider
from ..openapi.times import format_duration

Facts = dict[str, Any]

_DOES = {
    "create": "Start a task", "poll": "Look up a task", "cancel": "Cancel a task", "list": "List the tasks",
    "balance": "Look up the balance", "estimate": "Ask what a task would cost", "upload": "Upload a file",
    "presign": "Ask where to upload a file", "store": "Upload the bytes of a file", "link": "Get a link to a file",
    "answer": "Look something up",
}  # fmt: skip
_FIXED_STATUS = {"path-unknown": 404, "method-unknown": 405}
"""Conditions whose HTTP status is the same with every provider and option."""


def facts_of(provider: Provider) -> Facts:
    """Return everything that is shown of `provider`, with its options as they were chosen."""
    compiled = CompiledProvider(provider)
    behaviour = provider.behaviour
    header, scheme = compiled.key_place
    return {
        "name": provider.name,
        "title": behaviour.title,
        "base_url": behaviour.base_url,
        "key": {
            "header": header, "scheme": scheme, "prefix": behaviour.key_prefix, "provenance": behaviour.key_provenance,
        },
        "id": {"format": behaviour.id_format, "provenance": behaviour.id_provenance},
        "operations": [_operation(each) for each in compiled.operations.values()],
        "models": [_model(each, compiled) for each in behaviour.models.values()],
        "statuses": [_status(each) for each in behaviour.statuses.values()],
        "failures": [
            {"name": name, "code": each.code, "message": each.message, "provenance": each.provenance}
            for name, each in behaviour.failures.items()
        ],
        "errors": _errors(compiled),
        "options": options_of(provider),
        "limits": [
            {"operations": list(each.operations), "count": each.count, "per": format_duration(each.per),
             "provenance": each.provenance}
            for each in behaviour.limits
        ],
        "retention": _retention(behaviour),
    }  # fmt: skip


def options_of(provider: Provider) -> list[Facts]:
    """Return the options of `provider`: what each is about, its values, and which of them is chosen."""
    return [
        {
            "name": f"{provider.name}.{option.name}",
            "about": option.about,
            "default": option.default,
            "chosen": provider.options[option.name],
            "values": dict(option.values),
            "provenance": option.provenance,
        }
        for option in provider.behaviour.options.values()
    ]


def _operation(operation: CompiledOperation) -> Facts:
    behaviour, contract = operation.behaviour, operation.contract
    summary = contract.effective.get("summary")
    return {
        "name": operation.name,
        "method": behaviour.key.method,
        "path": behaviour.key.path,
        "does": behaviour.does,
        "about": summary if summary and summary != operation.name else _DOES[behaviour.does],
        "variants": list(contract.variants),
        "documents": list(contract.documents),
        "provenance": behaviour.provenance or contract.provenance,
    }


def _model(model: Model, provider: CompiledProvider) -> Facts:
    price = model.credits
    return {
        "name": model.name,
        "credits": price.data if isinstance(price, Template) else price,
        "fixed": dict(model.fixed),
        "created_by": [
            name
            for name, each in provider.operations.items()
            if each.behaviour.does == "create" and model.name in (*each.contract.variants, each.behaviour.model)
        ],
        "provenance": model.provenance,
    }


def _status(status: Status) -> Facts:
    least, most = map(format_duration, status.lasts)
    return {
        "name": status.name,
        "phase": status.phase.value,
        "lasts": None if status.phase.terminal else least if least == most else f"{least}..{most}",
        "provenance": status.provenance,
    }


def _retention(behaviour: Behaviour) -> Facts:
    kept = behaviour.retention
    durations = {"tasks": kept.tasks, "results": kept.results, "uploads": kept.uploads, "links": kept.links}
    told = {name: None if each is None else format_duration(each) for name, each in durations.items()}
    return {**told, "provenance": kept.provenance if any(told.values()) else None}


def _errors(provider: CompiledProvider) -> list[Facts]:
    raised = _raised(provider)
    return [
        {
            "name": name,
            "code": error.code,
            "message": error.message.data,
            "raised": [
                {"condition": condition, "when": CONDITIONS[condition], "http_status": status, "operations": operations}
                for (raised_name, condition, status), operations in raised.items()
                if raised_name == name
            ],
            "provenance": error.provenance,
        }
        for name, error in provider.behaviour.errors.items()
    ]


def _raised(provider: CompiledProvider) -> Mapping[tuple[str, str, int], list[str]]:
    """Return the operations that answer a condition with an error and an HTTP status, by these three."""
    raised: dict[tuple[str, str, int], list[str]] = {}
    for condition in CONDITIONS:
        for operation in provider.operations.values():
            if condition in _FIXED_STATUS or condition in _conditions(operation):
                error = operation.error(condition)
                status = _FIXED_STATUS.get(condition) or _http_status(operation, error)
                raised.setdefault((error.name, condition, status), []).append(operation.name)
    return raised


def _conditions(operation: CompiledOperation) -> set[str]:
    """Return the conditions that requests for `operation` can meet."""
    behaviour, provider = operation.behaviour, operation.owner.behaviour
    task_id, does = behaviour.task_id or "", behaviour.does
    checked = [each for each, _, _ in operation.parameters if task_id != f"$request.{each.where}.{each.name}"]
    met = {
        ("server-failed",): True,
        ("key-missing", "key-refused"): operation.needs_key,
        ("rate-exceeded",): any(operation.name in limit.operations for limit in provider.limits),
        ("body-malformed", "body-too-large", "type-unsupported"): operation.bodies,
        ("request-invalid",): operation.bodies or checked,
        ("model-unknown",): behaviour.variant or behaviour.model_id,
        ("credits-spent",): does == "create",
        ("input-refused",): does == "create" and behaviour.input.images,
        ("id-malformed", "id-unknown"): task_id,
        ("id-missing",): task_id and not task_id.startswith("$request.path."),
        ("file-unknown",): does in {"link", "store"},
        ("signature-refused",): behaviour.upload and behaviour.upload.signature,
        ("cancel-late",): does == "cancel",
    }
    return {condition for conditions, can_be in met.items() if can_be for condition in conditions}


def _http_status(operation: CompiledOperation, error: Error) -> int:
    shown = {"code": error.code, "status": error.status, "name": error.name, **error.facts}
    context = dict.fromkeys(NAMES["refusal"]) | {"error": shown}
    return int(operation.behaviour.refusal.status(context))
