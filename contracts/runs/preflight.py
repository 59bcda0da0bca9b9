"""Looking before leaping: is there a provider at all, is it this one, and does it take the key?"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...openapi.errors import cut
from ...openapi.pointer import MISSING
from ..checks.documented import DocumentedOperation
from ..checks.exchange import Exchange, header
from ..checks.oracle import Observation, Oracle
from .ask import Ask, ask_for_task, make_ask
from .target import Target, UnreachableError

UNKNOWN_ID = "understudy-unknown-id"
_SECONDS = 5.0
_NAMESPACE = re.compile(r"(/~[^/]+)(/.*)?$")
"""The path of an emulator below which the name, not the key, says whose everything is."""


def look(oracle: Oracle, target: Target, key: str) -> list[Observation]:
    """Ask what costs nothing, and return what was answered.

    Raises:
        UnreachableError: there is no such provider at the target, or it does not take the key.
    """
    namespace = _NAMESPACE.match(urlsplit(target.base_url).path)
    if namespace is not None:
        same = f"below {namespace[1]} every key is the same account; expected"
        raise UnreachableError(f"{target.base_url}: {same} {target.root}{namespace[2] or ''}")
    seen = [_answered(oracle, target, ask) for ask in _questions(oracle, key)]
    keyless = [_answered(oracle, target, ask) for ask in _questions(oracle, None)]
    # One answer that is like the provider's will do: whoever is wrong in the others is to be told of all of it.
    if not any(is_familiar(each) for each in (*seen, *keyless)):
        raise UnreachableError(_who(oracle, target, seen[-1].exchange))
    if all(is_refusing_the_key(each) for each in seen):
        message = next((each.refusal.message for each in seen if each.refusal), "")
        raise UnreachableError(f"{target.base_url} refuses the key: {message or f'HTTP {seen[0].exchange.status}'}")
    return seen


def _answered(oracle: Oracle, target: Target, ask: Ask) -> Observation:
    exchange = target.ask(ask)
    if exchange.status is None:
        raise UnreachableError(f"{target.base_url} {_why(target, exchange)}")
    return oracle.observe(exchange)


def takes(oracle: Oracle, target: Target, key: str) -> bool:
    """Tell whether the target takes `key`."""
    return not all(is_refusing_the_key(oracle.observe(target.ask(ask))) for ask in _questions(oracle, key))


def _questions(oracle: Oracle, key: str | None) -> Iterator[Ask]:
    """Yield requests that change nothing: the balance, and the polls of a task that does not exist."""
    for operation in oracle.doing("balance"):
        yield make_ask(operation, key)
    for operation in oracle.doing("poll")[:1]:
        yield ask_for_task(operation, key, unknown_id(operation))


def unknown_id(operation: DocumentedOperation) -> str:
    """Return an id of the right form that no task has, as far as the contract tells the form."""
    from ..strategies import Strategies  # noqa: PLC0415 - only here is anything drawn
    from .drawing import drawn  # noqa: PLC0415

    place = (operation.behaviour.task_id or "").removeprefix("$request.").partition(".")
    schema = next((each.schema for each, _, _ in operation.parameters if each.name == place[2]), None)
    if schema is None:
        return UNKNOWN_ID
    told = operation.contract.resolve(schema)
    if isinstance(told, dict) and not {"pattern", "format", "enum", "const", "allOf", "maxLength"} & set(told):
        return UNKNOWN_ID
    values = drawn(Strategies(operation.contract.document("")).values(schema), 2, 1)
    return str(values[-1]) if values else UNKNOWN_ID


def _who(oracle: Oracle, target: Target, shown: Exchange) -> str:
    """Return who answers like `shown`, in a sentence."""
    url, asked = target.base_url, f"{shown.method} {shown.path}"
    if 300 <= (shown.status or 0) <= 399:
        place = header(shown.answer_headers, "location") or "nowhere"
        return f"{url} redirects to {cut(place, 200)}; give that as --url"
    kind = (header(shown.answer_headers, "content-type") or "").partition(";")[0].strip().lower()
    if kind == "text/html" or shown.answer.lstrip()[:1] == b"<":
        return f"{url} answers {asked} with HTML (HTTP {shown.status}); expected an API"
    text = cut(shown.answer.decode("utf-8", "replace"), 100)
    told = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return (
        f"{url} is another provider than {oracle.behaviour.title}: {asked} was answered HTTP {shown.status} {told}"
    ).rstrip()


def _why(target: Target, exchange: Exchange) -> str:
    secure = target.base_url.startswith("https:")
    if secure and any(each in exchange.error for each in ("WRONG_VERSION_NUMBER", "record layer failure")):
        return "speaks no TLS; try http://"
    if not secure and not exchange.error.startswith("ConnectError") and target.run(_speaks_tls(target.base_url)):
        return "speaks TLS; try https://"
    return f"can't be reached: {cut(exchange.error, 200)}"


async def _speaks_tls(url: str) -> bool:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # only who speaks TLS says in TLS that it will not
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def is_familiar(seen: Observation) -> bool:
    """Tell whether an answer looks like the provider's: one that its documents describe, or a refusal it knows."""
    if seen.documented is None or seen.exchange.status is None:
        return False
    if seen.refusal is not None:
        worded = seen.refusal.code is not None or not (seen.operation and seen.operation.behaviour.refusal.code)
        return worded and seen.refusal.entry is not None and "path-unknown" not in _only(seen)
    validator = seen.documented.body(header(seen.exchange.answer_headers, "content-type") or "")
    if validator is None:
        return not seen.documented.bodies
    return seen.data is not MISSING and validator.is_valid(seen.data)


def _only(seen: Observation) -> tuple[str, ...]:
    """Return the condition that the refusal is raised by, where there is but one."""
    entry = seen.refusal.entry if seen.refusal else None
    return entry.when if entry is not None and len(entry.when) == 1 else ()


def is_refusing_the_key(seen: Observation) -> bool:
    """Tell whether an answer says that the key is none."""
    return seen.refusal is not None and seen.refusal.meaning == "unauthorized"
