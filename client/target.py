"""Which provider is spoken to, where, and with which key; and requests to its operations, as values."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from ..openapi.behaviour import Behaviour, OperationBehaviour
from ..openapi.contract import Operation
from ..openapi.errors import LoadError
from ..openapi.masking import mask
from ..openapi.pointer import split
from ..openapi.provider import OptionError, Provider, load_provider
from .errors import ConfigurationError
from .steps import Ask

ProviderLike = str | os.PathLike[str] | Provider
_RUNTIME_EXPRESSION = re.compile(r"\$request\.(body#|query\.|path\.|header\.)(.*)", re.DOTALL)
_KEY = re.compile(r"[!-~]+")


def load(provider: ProviderLike) -> Provider:
    """Return the provider called, stored in, or already being `provider`.

    Raises:
        ConfigurationError: there is none, or its folder is broken.
    """
    try:
        loaded = provider if isinstance(provider, Provider) else load_provider(os.fspath(provider))
        _ = loaded.contract  # now: what is wrong with the documents should not wait for the first request
    except (LoadError, OptionError) as error:
        raise ConfigurationError(str(error)) from error
    return loaded


@dataclass(slots=True)
class Parts:
    """What goes into a request, gathered from places named by runtime expressions."""

    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def put(self, expression: str, value: Any) -> None:
        """Put `value` where the runtime expression finds it.

        Raises:
            ConfigurationError: it finds nothing in a request.
        """
        match = _RUNTIME_EXPRESSION.fullmatch(expression)
        if match is None:
            raise ConfigurationError(f"{expression!r} is no place in a request")
        where, place = match.groups()
        if where == "body#":
            put_at(self.body, place, value)
        else:
            {"query.": self.query, "path.": self.path, "header.": self.headers}[where][place] = str(value)


def put_at(data: dict[str, Any], pointer: str, value: Any) -> None:
    """Put `value` at `pointer` in `data`; objects on the way are made."""
    *way, last = split(pointer)
    for token in way:
        data = data.setdefault(token, {})
    data[last] = value


@dataclass(frozen=True)
class Target:
    """A provider, where it is reached, and the key.

    Attributes:
        provider: the provider.
        base_url: what its URLs begin with.
        redirected: whether that is the caller's choice, and holds for operations with a host of their own too.
    """

    provider: Provider
    base_url: str
    redirected: bool
    key: str = field(repr=False)

    @property
    def behaviour(self) -> Behaviour:
        """What OpenAPI does not say of the provider."""
        return self.provider.behaviour

    def contract_of(self, operation: OperationBehaviour) -> Operation:
        """Return what the stored documents say of `operation`."""
        return self.provider.contract.operations[operation.name]

    def doing(self, what: str) -> list[OperationBehaviour]:
        """Return the operations that do `what`, in the order of the behaviour file."""
        return [each for each in self.behaviour.operations.values() if each.does == what]

    def ask(self, operation: OperationBehaviour, parts: Parts, content: bytes | None = None) -> Ask:
        """Return the request to `operation`; the body of `parts` is sent as JSON unless `content` is given.

        Raises:
            ConfigurationError: the operation wants a key in a way that is not known here.
        """
        headers = {"Accept": "application/json", "User-Agent": _user_agent(), **parts.headers}
        if content is None and self.provider.contract.body(self.contract_of(operation))[1]:
            headers["Content-Type"] = "application/json"
            content = orjson.dumps(parts.body)
        return Ask(
            operation.key.method, self._url(operation, parts), headers | self._key_header(operation), content or b""
        )

    def hide(self, text: str) -> str:
        """Return `text` with the key masked, should a provider have repeated it."""
        return text.replace(self.key, mask(self.key))

    def _url(self, operation: OperationBehaviour, parts: Parts) -> str:
        own = self.contract_of(operation).server
        base = own.rstrip("/") if own and not self.redirected else self.base_url
        path = operation.key.path
        for name, value in parts.path.items():
            safe = "/" if name in operation.slashes else ""
            path = path.replace(f"{{{name}}}", quote(value, safe=safe))
        return f"{base}{path}" + (f"?{urlencode(parts.query)}" if parts.query else "")

    def _key_header(self, operation: OperationBehaviour) -> dict[str, str]:
        schemes = self.provider.contract.security_schemes(self.contract_of(operation))
        for scheme in schemes:
            if scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer":
                return {"Authorization": f"Bearer {self.key}"}
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                return {scheme["name"]: self.key}
        if schemes:
            # A key in the query would end up in logs of every machine on the way.
            raise ConfigurationError(
                f"{operation.name} wants its key in a way that the client can't: expected a header"
            )
        return {}


def find_target(
    provider: ProviderLike, api_key: str | None, base_url: str | None, environment: Mapping[str, str] = os.environ
) -> Target:
    """Return the target that the arguments name, with what they leave open from the environment.

    ``UNDERSTUDY_<PROVIDER>_API_KEY`` and ``UNDERSTUDY_<PROVIDER>_BASE_URL`` are read, the provider's name in capitals.

    Raises:
        ConfigurationError: the provider is unknown, there is no key, or key or URL are malformed.
    """
    loaded = load(provider)
    prefix = "UNDERSTUDY_" + re.sub(r"[^A-Z0-9]", "_", loaded.name.upper())
    key = api_key if api_key is not None else environment.get(f"{prefix}_API_KEY")
    if not key:
        raise ConfigurationError(f"no key for {loaded.name}: pass api_key or set {prefix}_API_KEY")
    if not _KEY.fullmatch(key):
        raise ConfigurationError(f"the key for {loaded.name} holds characters that no header can carry")
    chosen = base_url if base_url is not None else environment.get(f"{prefix}_BASE_URL")
    return Target(loaded, _checked(chosen or loaded.behaviour.base_url), bool(chosen), key)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        right = False
        parts = urlsplit("")
    if parts.username is not None:
        raise ConfigurationError("the base URL holds a user name, which would replace the key; pass the key as api_key")
    if not right:
        raise ConfigurationError(f"the base URL {url!r} is none; expected one such as http://127.0.0.1:4020/acme")
    return url.rstrip("/")


@cache
def _user_agent() -> str:
    return f"understudy/{version('understudy')}"
