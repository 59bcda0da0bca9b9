"""Valid requests: how each operation may be asked by its stored contract, drawn or as its examples show."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ...openapi.contract import Parameter
from ...openapi.pointer import MISSING, resolve, split
from ..checks.documented import DocumentedOperation
from ..checks.oracle import Oracle
from ..flat import SchemaError
from ..strategies import Strategies
from .ask import JSON, Ask, exchange_of, make_ask

MULTIPART = "multipart/form-data"
_BOUNDARY = "understudy-boundary"
# A picture of one pixel: what is uploaded has to be one for some providers.
PIXEL = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE_URL = "https://example.com/picture.png"
"""What is uploaded by its URL: drawn ones would send a provider anywhere."""

Parameters = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class Draft:
    """What is to be asked of an operation, before a key is shown.

    Attributes:
        parameters: values by place (query, path or header) and name.
        body: data, bytes, or `MISSING`.
    """

    parameters: Parameters = field(default_factory=dict)
    body: Any = MISSING


@dataclass(frozen=True, eq=False)
class Form:
    """One way to ask an operation: with one content type, for one variant. Each is equal to itself alone.

    Attributes:
        operation: what is asked.
        variant: the value that picks the variant, None where nothing does.
        content_type: of the body, "" where there is none.
        schema: of the body.
        drafts: what may be asked.
    """

    operation: DocumentedOperation
    variant: str | None
    content_type: str
    schema: Any
    drafts: SearchStrategy[Draft]

    @property
    def name(self) -> str:
        """The operation's name, with the variant's where there is one."""
        return self.operation.name if self.variant is None else f"{self.operation.name} of {self.variant}"

    def ask(self, draft: Draft, key: str | None) -> Ask:
        """Return the request that `draft` is, showing `key`.

        Raises:
            NoKeyPlaceError: see `make_ask`.
        """
        body, content_type = draft.body, self.content_type
        if content_type.startswith(MULTIPART) and isinstance(body, dict):
            body, content_type = _multipart(body), f"{MULTIPART}; boundary={_BOUNDARY}"
        if isinstance(body, bytes):
            made = make_ask(self.operation, key, parameters=draft.parameters)
            return replace(made.with_header("content-type", content_type), body=body)
        return make_ask(self.operation, key, parameters=draft.parameters, body=body, content_type=content_type)


class Drafts:
    """Makes the forms of one provider's operations.

    Args:
        oracle: the provider's.
        callback_url: what stands wherever a request says where callbacks go; "" leaves that out.
    """

    def __init__(self, oracle: Oracle, callback_url: str = "") -> None:
        self._oracle = oracle
        self._callback_url = callback_url
        document = oracle.contract.document("")
        self.some = Strategies(document, direction="sent")
        self.all = Strategies(document, direction="sent", everything=True)
        self._forms: dict[tuple[str, bool], list[Form]] = {}
        self._simplest: dict[Form, Draft | None] = {}
        self._examples: dict[Form, list[Draft]] = {}

    def forms(self, operation: DocumentedOperation, *, everything: bool = False) -> list[Form]:
        """Return the ways to ask `operation`; with `everything`, drafts leave out nothing that may be there.

        Raises:
            SchemaError: nothing can be drawn for a schema.
        """
        asked = operation.name, everything
        if asked not in self._forms:
            self._forms[asked] = self._made(operation, everything=everything)
        return self._forms[asked]

    def _made(self, operation: DocumentedOperation, *, everything: bool) -> list[Form]:
        strategies = self.all if everything else self.some
        parameters = self._parameters(operation, strategies, everything=everything)
        made = []
        for variant, content_type, schema in self._schemas(operation):
            bodies = self._bodies(operation, content_type, schema, strategies)
            made.append(Form(operation, variant, content_type, schema, st.builds(Draft, parameters, bodies)))
        return made or [Form(operation, None, "", None, st.builds(Draft, parameters, st.just(MISSING)))]

    @staticmethod
    def _schemas(operation: DocumentedOperation) -> Iterator[tuple[str | None, str, Any]]:
        variants = operation.operation.variants
        for variant, schemas in variants.items():
            yield from ((variant, content_type, schema) for content_type, schema in schemas.items())
        if not variants:
            yield from ((None, content_type, schema) for content_type, schema in operation.body_schemas[1].items())

    def _parameters(
        self, operation: DocumentedOperation, strategies: Strategies, *, everything: bool
    ) -> SearchStrategy[Parameters]:
        always: dict[tuple[str, str], SearchStrategy[Any]] = {}
        sometimes: dict[tuple[str, str], SearchStrategy[Any]] = {}
        for parameter, _, _ in operation.parameters:
            place = parameter.where, parameter.name
            if operation.behaviour.idempotency == f"$request.{'.'.join(place)}" and not everything:
                continue  # drawn values come again, and would make of two creations one
            values = self._values_of(operation, parameter, strategies)
            (always if parameter.required or everything else sometimes)[place] = values
        return st.fixed_dictionaries(always, optional=sometimes)

    def _values_of(
        self, operation: DocumentedOperation, parameter: Parameter, strategies: Strategies
    ) -> SearchStrategy[Any]:
        if operation.behaviour.model_id == f"$request.{parameter.where}.{parameter.name}":
            return st.sampled_from(list(self._oracle.behaviour.models))
        values = strategies.values(parameter.schema)
        if parameter.where == "header":
            return values.filter(_fits_header)
        return values.filter(lambda value: value not in ("", ".", "..")) if parameter.where == "path" else values

    def _bodies(
        self, operation: DocumentedOperation, content_type: str, schema: Any, strategies: Strategies
    ) -> SearchStrategy[Any]:
        kind = content_type.partition(";")[0]
        if kind not in {MULTIPART, JSON} and not kind.endswith("+json"):
            return st.just(PIXEL)
        everything = strategies is self.all
        return strategies.values(schema).map(lambda body: self.settled(operation, body, everything=everything))

    def settled(self, operation: DocumentedOperation, body: Any, *, everything: bool = False) -> Any:
        """Return `body` with what leads somewhere else led where it can be reached: callbacks, content of uploads.

        What would make of two creations one is taken away, but for drafts with `everything`.
        """
        repeatable = operation.behaviour.idempotency
        if repeatable is not None and repeatable.startswith("$request.body#") and not everything:
            body = _put(body, repeatable, MISSING)
        callbacks = self._oracle.behaviour.callbacks
        if operation.behaviour.does == "create" and callbacks is not None and callbacks.url is not None:
            body = _put(body, callbacks.url, self._callback_url or MISSING)
        upload = operation.behaviour.upload
        if upload is not None and upload.content is not None and upload.source == "base64":
            body = _put(body, upload.content, base64.b64encode(PIXEL).decode())
        elif upload is not None and upload.content is not None and upload.source == "form":
            body = _put(body, upload.content, PIXEL)
        elif upload is not None and upload.content is not None and upload.source == "url":
            body = _put(body, upload.content, PICTURE_URL)
        return body

    def examples(self, form: Form) -> list[Draft]:
        """Return what the contract's examples ask, as far as that is valid; where there are none, the simplest."""
        if form not in self._examples:
            shown = [Draft({}, self.settled(form.operation, body)) for body in self._documented(form)]
            found = [each for each in shown if self.is_valid(form, each)]
            self._examples[form] = found or [each for each in [self.simplest(form)] if each is not None]
        return self._examples[form]

    def _documented(self, form: Form) -> Iterator[Any]:
        operation, contract = form.operation, form.operation.contract
        body = contract.resolve(operation.operation.effective.get("requestBody", {}))
        media = body.get("content", {}).get(form.content_type, {})
        values = [media[name] for name in ("example",) if name in media]
        values += [contract.resolve(each).get("value", MISSING) for each in media.get("examples", {}).values()]
        for value in values:
            told = None if form.variant is None else resolve(value, operation.behaviour.variant or "")
            if value is not MISSING and told == form.variant:
                yield value

    def simplest(self, form: Form) -> Draft | None:
        """Return the simplest draft of `form`, None where there is none."""
        from .drawing import drawn  # noqa: PLC0415 - only who draws needs Hypothesis's machinery

        if form not in self._simplest:
            self._simplest[form] = next(iter(drawn(form.drafts, 1, 0)), None)
        return self._simplest[form]

    def is_valid(self, form: Form, draft: Draft) -> bool:
        """Tell whether the stored contract has nothing against `draft`, as it would be sent."""
        seen = self._oracle.observe(exchange_of(form.ask(draft, None)))
        return not seen.request_problems


def _fits_header(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and value.isascii() and value.isprintable())


def _put(body: Any, expression: str, value: Any) -> Any:
    """Return `body` with `value` where `expression` has something already; `MISSING` takes that away."""
    pointer = expression.partition("#")[2]
    if not isinstance(body, dict) or resolve(body, pointer) in (MISSING, None):
        return body
    first, *others = split(pointer)
    made = dict(body)
    if others:
        made[first] = _put(body[first], "#" + "".join(f"/{each}" for each in others), value)
    elif value is MISSING:
        del made[first]
    else:
        made[first] = value
    return made


def _multipart(body: Mapping[str, Any]) -> bytes:
    parts = []
    for name, value in body.items():
        quoted = str(name).replace('"', "%22").replace("\r", "").replace("\n", "")
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{quoted}"'
        if isinstance(value, bytes):
            head += '; filename="picture.png"\r\nContent-Type: image/png'
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        parts.append(head.encode() + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


__all__ = ["Draft", "Drafts", "Form", "SchemaError"]
