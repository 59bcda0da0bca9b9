"""A provider's stored contract: several documents, corrected, as one set of operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .bundle import Bundle, component_name, put
from .dialect import upgrade
from .errors import LoadError, shorten
from .overlay import apply_overlay
from .pointer import MISSING, join, resolve, split
from .shape import DOCUMENT, check_shape
from .source import Source
from .structure import METHODS

DEFAULT_PROVENANCE = "documented"


@dataclass(frozen=True, slots=True)
class OperationKey:
    """What names an operation before it has a name: HTTP method in capitals and path template."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation: `where` is query, path, header or cookie."""

    name: str
    where: str
    required: bool
    schema: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One path and method with everything documented for it.

    Attributes:
        name: the behaviour file's word for it.
        key: HTTP method and path template.
        effective: the OpenAPI Operation Object; references point into the contract's components.
        variants: body schema by content type, by the variant's value; empty where nothing tells variants apart.
        documents: names of the files that describe it.
        provenance: documented, observed or assumed.
        server: the URL of the host that it alone, or its path, is served from; "" where that is the provider's.
    """

    name: str
    key: OperationKey
    effective: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]
    documents: tuple[str, ...]
    provenance: str
    server: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """The operations of a provider, the components they refer to, and its webhooks."""

    title: str
    version: str
    operations: Mapping[str, Operation]
    components: Mapping[str, Any]
    webhooks: Mapping[str, Any]
    security: tuple[Any, ...]
    servers: tuple[str, ...] = field(default=())

    def resolve(self, node: Any) -> Any:
        """Return `node`, or what its `$ref` points to among the components."""
        for _ in range(32):
            if not isinstance(node, dict) or "$ref" not in node:
                return node
            node = resolve({"components": self.components}, node["$ref"].removeprefix("#"))
        return MISSING

    def parameters(self, operation: Operation) -> list[Parameter]:
        """Return the parameters of `operation`, references followed."""
        found = [self.resolve(node) for node in operation.effective.get("parameters", ())]
        return [
            Parameter(node["name"], node["in"], bool(node.get("required")), node.get("schema", {})) for node in found
        ]

    def body(self, operation: Operation) -> tuple[bool, Mapping[str, Any]]:
        """Return whether a request body is required, and its schema by content type."""
        body = self.resolve(operation.effective.get("requestBody", {}))
        return bool(body.get("required")), _schemas(body)

    def responses(self, operation: Operation) -> dict[str, Mapping[str, Any]]:
        """Return the Response Objects by status key (``200``, ``4XX``, ``default``), references followed."""
        return {str(key): self.resolve(node) for key, node in operation.effective.get("responses", {}).items()}

    def security_schemes(self, operation: Operation) -> list[Mapping[str, Any]]:
        """Return the security schemes any one of which `operation` needs; empty where it needs none."""
        needed = operation.effective.get("security", self.security)
        held = self.components.get("securitySchemes", {})
        return [self.resolve(held[name]) for choice in needed for name in choice if name in held]

    def document(self, server: str, links: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the effective OpenAPI 3.1 document, with `server` as its only server.

        `links` are Link Objects by operation and name: where an operation's answer leads to.
        """
        paths: dict[str, Any] = {}
        for operation in self.operations.values():
            path = paths.setdefault(operation.key.path, {})
            linked = self._linked(operation, (links or {}).get(operation.name))
            told = {"operationId": operation.name, "x-provenance": operation.provenance}
            path[operation.key.method.lower()] = linked | told
        made: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": self.title, "version": self.version},
            "servers": [{"url": server}],
            "security": list(self.security),
            "paths": paths,
        }
        if self.webhooks:
            made["webhooks"] = dict(self.webhooks)
        return made | {"components": dict(self.components)}

    def _linked(self, operation: Operation, links: Any) -> dict[str, Any]:
        """Return the Operation Object of `operation` with `links` on its successful answers."""
        effective = dict(operation.effective)
        if links and "responses" in effective:
            responses = {
                status: {**self.resolve(response), "links": links} if status.startswith("2") else response
                for status, response in effective["responses"].items()
            }
            effective["responses"] = responses
        return effective


@dataclass(frozen=True, slots=True)
class Naming:
    """What a behaviour file says of an operation before its documents are joined.

    Attributes:
        name: the operation's name.
        key: method and path.
        variant: JSON Pointer of the body field that picks the variant, or None.
    """

    name: str
    key: OperationKey
    variant: str | None


class UndescribedError(LookupError):
    """An operation is named that no document describes.

    Attributes:
        naming: the operation's name and key.
        described: what the documents do describe.
    """

    def __init__(self, naming: Naming, described: list[str]) -> None:
        super().__init__(f"no document describes {naming.key}")
        self.naming = naming
        self.described = described


def read_contract(
    documents: Mapping[str, Source],
    overlays: list[Source],
    namings: list[Naming],
    title: str,
    *,
    trusted: bool = False,
) -> Contract:
    """Join `documents`, with `overlays` applied, into the operations that `namings` name.

    The shape of documents that are `trusted` is taken to be right.

    Raises:
        LoadError: a document is no OpenAPI 3.0 or 3.1, a reference leads nowhere, an overlay's action matches
            nothing, or an operation is described that has no name.
        UndescribedError: an operation is named that no document describes.
    """
    for source in documents.values():
        _check_version(source)
    corrected: dict[str, Any] = {name: source.data for name, source in documents.items()}
    for overlay in overlays:
        corrected = apply_overlay(corrected, overlay)
    upgraded = {name: upgrade(data) for name, data in corrected.items()}
    if not trusted:
        for name, data in upgraded.items():
            check_shape(documents[name], data, DOCUMENT)
    try:
        return _Joiner(upgraded, namings).joined(title)
    except LoadError as error:
        source = documents[error.file]
        raise source.error(error.pointer, error.problem, error.expected) from None


def _check_version(source: Source) -> None:
    data = source.data
    if not isinstance(data, dict):
        raise LoadError(source.name, "holds no object", expected="an OpenAPI document")
    if "swagger" in data:
        raise source.error("/swagger", f"is Swagger {data['swagger']}", "OpenAPI 3.0 or 3.1")
    version = data.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0.", "3.1.")):
        raise source.error("/openapi", f"is {version!r}", "an OpenAPI version of 3.0.x or 3.1.x")


@dataclass(slots=True)
class _Found:
    """One document's description of an operation, adopted into the bundle."""

    document: str
    operation: dict[str, Any]
    server: str


class _Joiner:
    """Joins upgraded documents; holds the bundle while it grows."""

    def __init__(self, documents: Mapping[str, Any], namings: list[Naming]) -> None:
        self.documents = documents
        self.namings = {naming.key: naming for naming in namings}
        self.bundle = Bundle(documents)
        self.security: list[Any] = next((data["security"] for data in documents.values() if "security" in data), [])

    def joined(self, title: str) -> Contract:
        found: dict[OperationKey, list[_Found]] = {}
        for key, description in self._descriptions():
            found.setdefault(key, []).append(description)
        self._check_names(found)
        operations = {naming.name: self._operation(naming, found[naming.key]) for naming in self.namings.values()}
        first = next(iter(self.documents.values()))
        servers = [server["url"] for data in self.documents.values() for server in data.get("servers", ())]
        return Contract(
            title=title,
            version=str(first.get("info", {}).get("version", "1.0.0")),
            operations=operations,
            components=self._components(),
            webhooks=self._webhooks(),
            security=tuple(self.security),
            servers=tuple(dict.fromkeys(servers)),
        )

    def _descriptions(self) -> Iterator[tuple[OperationKey, _Found]]:
        for name, document in self.documents.items():
            for path, item in document.get("paths", {}).items():
                if not path.startswith("/"):
                    continue
                adopted = self._resolved(self.bundle.adopt(item, "path item", name))
                for method in METHODS:
                    if method in adopted:
                        operation = self._whole(adopted[method], adopted.get("parameters", []), document)
                        servers = adopted[method].get("servers") or adopted.get("servers") or [{"url": ""}]
                        key, found = OperationKey(method.upper(), path), _Found(name, operation, servers[0]["url"])
                        self._check_parameters(key, found)
                        yield key, found

    def _check_parameters(self, key: OperationKey, found: _Found) -> None:
        for parameter in found.operation.get("parameters", ()):
            if None in self._identity(parameter):
                raise _error(found, key, f"has the parameter {shorten(parameter)}", "one with a name and a place")

    def _whole(self, operation: dict[str, Any], shared: list[Any], document: Mapping[str, Any]) -> dict[str, Any]:
        """Return `operation` with what it inherits from its path item and its document."""
        own = operation.get("parameters", [])
        taken = [self._identity(each) for each in own]
        inherited = [each for each in shared if self._identity(each) not in taken]
        whole = operation | ({"parameters": own + inherited} if own or inherited else {})
        whole.pop("servers", None)
        security = document.get("security", [])
        return whole if "security" in whole or security == self.security else whole | {"security": security}

    def _identity(self, parameter: Any) -> tuple[Any, Any]:
        resolved = self._resolved(parameter)
        return (resolved.get("name"), resolved.get("in")) if isinstance(resolved, dict) else (None, None)

    def _check_names(self, found: Mapping[OperationKey, list[_Found]]) -> None:
        for key, naming in self.namings.items():
            if key not in found:
                raise UndescribedError(naming, list(map(str, found)))
        for key, descriptions in found.items():
            if key not in self.namings:
                raise _error(descriptions[0], key, "has no name", "an operation of the behaviour file")

    def _operation(self, naming: Naming, found: list[_Found]) -> Operation:
        first = found[0].operation
        effective = dict(first)
        variants = self._variants(naming, found)
        if len(found) > 1:
            effective["requestBody"] = self._joined_body(naming, variants, found)
            responses = [each.operation.get("responses", {}) for each in found]
            effective["responses"] = _joined(responses, self._join_responses)
            effective["callbacks"] = _joined([each.operation.get("callbacks", {}) for each in found], _first)
            if not effective["callbacks"]:
                del effective["callbacks"]
            effective["summary"] = naming.name
            effective.pop("description", None)
        provenance = str(first.get("x-provenance", DEFAULT_PROVENANCE))
        names = tuple(each.document for each in found)
        return Operation(naming.name, naming.key, effective, variants, names, provenance, found[0].server)

    def _variants(self, naming: Naming, found: list[_Found]) -> dict[str, Mapping[str, Any]]:
        if naming.variant is None:
            if len(found) > 1:
                problem = f"is described in {found[0].document} too"
                raise _error(found[1], naming.key, problem, "a `variant` in the behaviour file to tell them apart")
            return {}
        variants: dict[str, Mapping[str, Any]] = {}
        for each in found:
            schemas = _schemas(self._resolved(each.operation.get("requestBody", {})))
            values = self._values(next(iter(schemas.values()), {}), naming.variant)
            if not values:
                problem = f"has no enum of words at {naming.variant}"
                raise _error(each, naming.key, problem, "the values that tell variants apart")
            if again := [value for value in values if value in variants]:
                raise _error(each, naming.key, f"has the variant {again[0]!r} of another document", "its own values")
            variants |= dict.fromkeys(values, schemas)
        return variants

    def _values(self, schema: Any, pointer: str) -> list[str]:
        for token in split(pointer):
            schema = self._resolved(schema)
            schema = schema.get("properties", {}).get(token) if isinstance(schema, dict) else None
        schema = self._resolved(schema)
        allowed = schema.get("enum", [schema.get("const")]) if isinstance(schema, dict) else []
        return [value for value in allowed if isinstance(value, str)]

    def _joined_body(
        self, naming: Naming, variants: Mapping[str, Mapping[str, Any]], found: list[_Found]
    ) -> dict[str, Any]:
        bodies = [self._resolved(each.operation["requestBody"])["content"] for each in found]
        types = dict.fromkeys(content_type for schemas in variants.values() for content_type in schemas)
        content = {}
        for content_type in types:
            mapping = {
                value: self.bundle.add("schemas", _schema_name(naming.name, value), schemas[content_type])
                for value, schemas in variants.items()
                if content_type in schemas
            }
            schema: dict[str, Any] = {"oneOf": [{"$ref": reference} for reference in mapping.values()]}
            tokens = split(naming.variant or "")
            if len(tokens) == 1:  # OpenAPI's discriminator names a property of the body itself
                schema["discriminator"] = {"propertyName": tokens[0], "mapping": mapping}
            examples = _gathered([_examples(body[content_type]) for body in bodies if content_type in body])
            content[content_type] = {"schema": schema} | ({"examples": examples} if examples else {})
        return {"required": True, "content": content}

    def _join_responses(self, responses: list[Any]) -> Any:
        """Return one response that allows what any of `responses` does."""
        if all(each == responses[0] for each in responses):
            return responses[0]
        whole = [self._resolved(each) for each in responses]
        content = _joined([each.get("content", {}) for each in whole], _join_media)
        headers = _joined([each.get("headers", {}) for each in whole], _first)
        return whole[0] | ({"content": content} if content else {}) | ({"headers": headers} if headers else {})

    def _resolved(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            node = resolve({"components": self.bundle.components}, node["$ref"].removeprefix("#"))
        return node

    def _components(self) -> dict[str, Any]:
        schemes: dict[str, Any] = {}
        for file, document in self.documents.items():
            for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
                schemes[name] = self._resolved(self.bundle.adopt(scheme, "security scheme", file))
        return {**self.bundle.components, **({"securitySchemes": schemes} if schemes else {})}

    def _webhooks(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, document in self.documents.items():
            for webhook, item in document.get("webhooks", {}).items():
                made[webhook] = self.bundle.adopt(item, "path item", name)
        return made


def _error(found: _Found, key: OperationKey, problem: str, expected: str) -> LoadError:
    return LoadError(found.document, f"{key} {problem}", join("paths", key.path, key.method.lower()), expected=expected)


def _schemas(body: Any) -> dict[str, Any]:
    content = body.get("content", {}) if isinstance(body, dict) else {}
    return {content_type: media.get("schema", {}) for content_type, media in content.items()}


def _schema_name(operation: str, variant: str) -> str:
    return component_name(f"{operation}-{variant}")


def _joined(maps: list[Mapping[str, Any]], join: Any) -> dict[str, Any]:
    keys = dict.fromkeys(key for each in maps for key in each)
    return {key: join([each[key] for each in maps if key in each]) for key in keys}


def _first(values: list[Any]) -> Any:
    return values[0]


def _join_media(media: list[Any]) -> Any:
    schemas: list[Any] = []
    for each in media:
        if each.get("schema", {}) not in schemas:
            schemas.append(each.get("schema", {}))
    examples = _gathered([_examples(each) for each in media])
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"schema": schema} | ({"examples": examples} if examples else {})


def _gathered(maps: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what any of `maps` holds; of different values with one name, all but the first get a number."""
    made: dict[str, Any] = {}
    for each in maps:
        for name, value in each.items():
            put(made, name, value)
    return made


def _examples(media: Mapping[str, Any]) -> dict[str, Any]:
    """Return the named examples of a media type; a lone `example` is named after its place."""
    lone = {"example": {"value": media["example"]}} if "example" in media else {}
    return lone | dict(media.get("examples", {}))
