"""The behaviour file as frozen values: what OpenAPI cannot say of a provider.

The file's shape is told by ``behaviour.schema.yaml``, its meaning by ``docs/behaviour.md``. Here it is read once
into typed values; expressions are compiled when first rendered, or all at once by `Behaviour.compile`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Literal

from .callbacks import Callbacks, Setting
from .contract import DEFAULT_PROVENANCE, Naming, OperationKey
from .pointer import join
from .polling import Polling, Step
from .reads import Read, compile_reads
from .signing import Signature
from .template import Render, TemplateError, compile_template, names_in
from .times import parse_duration

Does = Literal[
    "create", "poll", "cancel", "list", "balance", "estimate", "upload", "presign", "store", "link", "answer"
]


Meaning = Literal[
    "unauthorized", "insufficient-credits", "not-found", "rate-limited", "unavailable", "invalid-request", "refused"
]
"""What a refusal means to who asked. `unavailable` may pass; `refused` is whatever is none of the others."""


class Phase(StrEnum):
    """Our word for what a provider's status means."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    terminal: bool
    """Whether a task in this phase stays in it."""

    def __init__(self, word: str) -> None:
        self.terminal = word in {"completed", "failed", "cancelled"}

    __hash__ = str.__hash__  # an enumeration's own is Python, and phases are looked up with every request


CALL_NAMES = frozenset({"request", "now", "base", "balance"})
"""The names of expressions that tell of a request and of who sent it."""
NAMES: dict[str, frozenset[str]] = {
    "create": CALL_NAMES | {"task", "price"},
    "poll": CALL_NAMES | {"task"},
    "cancel": CALL_NAMES | {"task"},
    "list": CALL_NAMES | {"tasks", "total", "page_size", "next_page"},
    "balance": CALL_NAMES,
    "estimate": CALL_NAMES | {"model", "price", "affordable"},
    "upload": CALL_NAMES | {"file"},
    "presign": CALL_NAMES | {"file"},
    "store": CALL_NAMES | {"file"},
    "link": CALL_NAMES | {"file"},
    "answer": CALL_NAMES | {"models", "model"},
    "refusal": CALL_NAMES | {"error", "problem", "field", "missing", "price", "retry_after", "new_id", "task"},
    "price": frozenset({"input", "model"}),
    "callback": frozenset({"task", "event", "delivery_id", "now", "base", "balance"}),
}
"""The names that an expression may use, by what its operation does."""


class Template:
    """A template of the behaviour file, compiled when first rendered.

    Attributes:
        pointer: where it stands in the file, for messages.
        data: the template as written.
        uses: the words in its expressions; every name that it uses is among them.
    """

    __slots__ = ("_names", "_render", "data", "pointer", "uses")

    def __init__(self, data: Any, names: frozenset[str], pointer: str) -> None:
        self.data = data
        self.pointer = pointer
        self.uses = names_in(data)
        self._names = names
        self._render: Render | None = None

    def compile(self) -> Render:
        """Compile now, if that has not happened yet.

        Raises:
            TemplateError: an expression is malformed; its pointer is the place in the behaviour file.
        """
        if self._render is None:
            try:
                self._render = compile_template(self.data, self._names)
            except TemplateError as error:
                raise TemplateError(self.pointer + error.pointer, error.problem) from None
        return self._render

    def __call__(self, context: Mapping[str, Any]) -> Any:
        """Return the data that the template makes of `context`."""
        return (self._render or self.compile())(context)


@dataclass(frozen=True, slots=True)
class Status:
    """A status word of the provider.

    Attributes:
        lasts: the least and the most milliseconds that it lasts by default.
        next: the words that may follow it; None stands for every later and every terminal one.
    """

    name: str
    phase: Phase
    lasts: tuple[int, int]
    provenance: str
    next: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed: the provider's code and sentence, and facts of the provider's own (a title)."""

    code: str | int
    message: str
    facts: Mapping[str, Any]
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status, headers and body; `by_phase` holds bodies that replace it for tasks in a phase."""

    status: int
    headers: Template | None
    body: Template | None
    by_phase: Mapping[Phase, Template]


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a refusal is told, and read back: the pointers of its code and message, the codes that are none."""

    status: Template
    content_type: str
    body: Template
    code: tuple[str, ...]
    message: tuple[str, ...]
    accepted: tuple[Any, ...]
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Error:
    """An entry of the error catalogue.

    Attributes:
        when: the conditions that raise it without being asked to.
        means: what it means to who asked, one of `MEANINGS`, or None where that follows from the rest.
    """

    name: str
    code: str | int
    status: int | None
    message: Template
    headers: Template | None
    body: Template | None
    facts: Mapping[str, Any]
    when: tuple[str, ...]
    provenance: str
    means: Meaning | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls of the `operations` together in any `per` milliseconds."""

    operations: tuple[str, ...]
    count: int
    per: int
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Retention:
    """How many milliseconds the provider keeps things; None keeps them for ever."""

    tasks: int | None
    results: int | None
    uploads: int | None
    links: int | None
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class InputPointers:
    """Where a creation's body says what the picture should be."""

    prompt: tuple[str, ...] = ()
    ratio: tuple[str, ...] = ()
    resolution: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    count: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadPlaces:
    """Where an upload's request keeps its parts, as runtime expressions; `source` is base64, url or form."""

    source: str
    content: str | None
    content_type: str | None
    folder: str | None
    name: str | None
    extension: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class PagePlaces:
    """Where the request of a list says how many tasks it wants, and how many of the newest to skip."""

    size: str | None = None
    start: str | None = None


@dataclass(frozen=True, slots=True)
class OperationBehaviour:
    """What one operation does, where it finds what it needs, and what it answers."""

    name: str
    key: OperationKey
    does: Does
    model: str | None
    variant: str | None
    creates: tuple[str, ...]
    task_id: str | None
    file: str | None
    slashes: frozenset[str]
    input: InputPointers
    model_id: str | None
    upload: UploadPlaces | None
    page: PagePlaces
    answer: Reply
    reads: Mapping[str, Read]
    refusal: Refusal
    raises: Mapping[str, str]
    provenance: str | None
    idempotency: str | None = None
    items: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its price in credits (a number, or an expression over the request's body) and what it can't vary."""

    name: str
    credits: float | Template
    fixed: Mapping[str, str]
    about: Mapping[str, Any]
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Option:
    """A documented contradiction, or a choice left open, as a named option."""

    name: str
    about: str
    default: str
    values: Mapping[str, str]
    provenance: str = DEFAULT_PROVENANCE


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything a behaviour file says, with the chosen options applied."""

    title: str
    base_url: str
    key_prefix: str
    models: Mapping[str, Model]
    id_format: str
    statuses: Mapping[str, Status]
    failures: Mapping[str, Failure]
    refusal: Refusal
    errors: Mapping[str, Error]
    limits: tuple[Limit, ...]
    retention: Retention
    headers: Template | None
    sizes: Mapping[str, int]
    longest_side: bool
    operations: Mapping[str, OperationBehaviour]
    options: Mapping[str, Option]
    key_provenance: str = DEFAULT_PROVENANCE
    id_provenance: str = DEFAULT_PROVENANCE
    settings: Mapping[str, Setting] = field(default_factory=dict)
    callbacks: Callbacks | None = None
    polling: Polling = field(default_factory=Polling)

    def namings(self) -> list[Naming]:
        """Return what the contract's reader needs to know of each operation."""
        return [Naming(each.name, each.key, each.variant) for each in self.operations.values()]

    def links(self) -> dict[str, dict[str, Any]]:
        """Return OpenAPI Link Objects: from each operation that creates a task to those that ask for one."""
        return {
            creator.name: {
                asker.name: {
                    "operationId": asker.name,
                    "parameters": {
                        asker.task_id.rpartition(".")[2]: f"$response.body#{creator.reads['id'].pointers[0]}"
                    },
                }
                for asker in self.operations.values()
                if asker.task_id
                and asker.task_id.startswith(("$request.query.", "$request.path."))
                and (not asker.creates or creator.name in asker.creates)
            }
            for creator in self.operations.values()
            if creator.does == "create" and "id" in creator.reads
        }

    def compile(self) -> None:
        """Compile every template now.

        Raises:
            TemplateError: one of them is malformed.
        """
        for template in _templates(self):
            template.compile()

    def uses(self, name: str) -> bool:
        """Tell whether a template may use `name`."""
        return any(name in template.uses for template in _templates(self))


def _templates(value: Any) -> Iterator[Template]:
    if isinstance(value, Template):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from _templates(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _templates(each)


def build_behaviour(data: Mapping[str, Any]) -> Behaviour:
    """Return the behaviour that `data`, of the right shape, describes.

    Raises:
        KeyError: an operation is `like` one that is not there.
        ValueError: an operation lacks what it does needs; the first argument is its pointer, the second says what.
    """
    refusal = _refusal(data["refusal"], "/refusal", {})
    operations = {
        name: _operation(name, _inherited(data["operations"], name), data["refusal"]) for name in data["operations"]
    }
    return Behaviour(
        title=data["title"],
        base_url=data["base_url"].rstrip("/"),
        key_prefix=data.get("key", {}).get("prefix", ""),
        models={name: _model(name, each) for name, each in data.get("models", {}).items()},
        id_format=data["id"]["format"],
        statuses={name: _status(name, each) for name, each in data["statuses"].items()},
        failures={name: _failure(each) for name, each in data["failures"].items()},
        refusal=refusal,
        errors={name: _error(name, each) for name, each in data["errors"].items()},
        limits=tuple(_limit(each) for each in data.get("limits", ())),
        retention=_retention(data.get("retention", {})),
        headers=_optional_template(data.get("headers"), "refusal", "/headers"),
        sizes=data.get("sizes", {"1K": 1 << 20, "2K": 1 << 22, "4K": 1 << 24}),
        longest_side=data.get("longest_side", False),
        operations=operations,
        options={name: _option(name, each) for name, each in data.get("options", {}).items()},
        key_provenance=_provenance(data.get("key", {})),
        id_provenance=_provenance(data["id"]),
        settings={name: _setting(name, each) for name, each in data.get("settings", {}).items()},
        callbacks=None if "callbacks" not in data else _callbacks(data["callbacks"]),
        polling=_polling(data["polling"]) if "polling" in data else Polling(),
    )


def _provenance(data: Mapping[str, Any]) -> str:
    return str(data.get("provenance", DEFAULT_PROVENANCE))


def _duration(text: str | None) -> int | None:
    return None if text is None else parse_duration(text)


def _optional_template(data: Any, names: str, pointer: str) -> Template | None:
    return None if data is None else Template(data, NAMES[names], pointer)


def _model(name: str, data: Mapping[str, Any]) -> Model:
    price = data.get("credits", 1)
    if isinstance(price, str):
        price = Template(price, NAMES["price"], join("models", name, "credits"))
    return Model(name, price, data.get("fixed", {}), data.get("about", {}), _provenance(data))


def _status(name: str, data: Mapping[str, Any]) -> Status:
    lasts = _range(data.get("lasts", "0s"), join("statuses", name, "lasts"))
    following = tuple(data["next"]) if "next" in data else None
    return Status(name, Phase(data["phase"]), lasts, _provenance(data), following)


def _range(text: str, pointer: str) -> tuple[int, int]:
    first, _, second = text.partition("..")
    least, most = parse_duration(first), parse_duration(second or first)
    if least > most:
        raise ValueError(pointer, f"is {text!r}", "the shorter duration first")
    return least, most


def _failure(data: Mapping[str, Any]) -> Failure:
    facts = {key: value for key, value in data.items() if key not in {"code", "message", "provenance"}}
    return Failure(data["code"], data["message"], facts, _provenance(data))


def _error(name: str, data: Mapping[str, Any]) -> Error:
    pointer = join("errors", name)
    known = {"code", "status", "message", "headers", "body", "when", "means", "provenance"}
    return Error(
        name=name,
        code=data["code"],
        status=data.get("status"),
        message=Template(data.get("message", "{{ problem }}"), NAMES["refusal"], pointer + "/message"),
        headers=_optional_template(data.get("headers"), "refusal", pointer + "/headers"),
        body=_optional_template(data.get("body"), "refusal", pointer + "/body"),
        facts={key: value for key, value in data.items() if key not in known},
        when=tuple(data.get("when", ())),
        provenance=_provenance(data),
        means=data.get("means"),
    )


def _limit(data: Mapping[str, Any]) -> Limit:
    return Limit(tuple(data["operations"]), data["count"], parse_duration(data["per"]), _provenance(data))


def _retention(data: Mapping[str, Any]) -> Retention:
    return Retention(
        tasks=_duration(data.get("tasks")),
        results=_duration(data.get("results")),
        uploads=_duration(data.get("uploads")),
        links=_duration(data.get("links")),
        provenance=_provenance(data),
    )


def _option(name: str, data: Mapping[str, Any]) -> Option:
    values = {key: each["about"] for key, each in data["values"].items()}
    return Option(name, data["about"], data["default"], values, _provenance(data))


def _polling(data: Mapping[str, Any]) -> Polling:
    every = data["every"].items()
    steps = (Step(parse_duration(age), *_range(pause, join("polling", "every", age))) for age, pause in every)
    return Polling(
        steps=tuple(sorted(steps, key=lambda step: step.since)),
        give_up=parse_duration(data.get("give_up", "15m")),
        grace=parse_duration(data.get("grace", "5s")),
        provenance=_provenance(data),
    )


def _setting(name: str, data: Mapping[str, Any]) -> Setting:
    return Setting(name, data["about"], data.get("secret", False), _provenance(data))


def _callbacks(data: Mapping[str, Any]) -> Callbacks:
    url, received = data["url"], data.get("received", "2xx")
    return Callbacks(
        url=url if isinstance(url, str) else None,
        setting=None if isinstance(url, str) else url["setting"],
        on={Phase(phase): event for phase, event in data["on"].items()},
        body=Template(data["body"], NAMES["callback"], "/callbacks/body"),
        headers=_optional_template(data.get("headers"), "callback", "/callbacks/headers"),
        signature=_signature(data.get("signature", {"scheme": "none"})),
        timeout=parse_duration(data["timeout"]),
        retries=tuple(map(parse_duration, data.get("retries", ()))),
        jitter=data.get("jitter", 0.0),
        received=frozenset(range(200, 300) if received == "2xx" else received),
        reads=compile_reads(data.get("reads", {})),
        provenance=_provenance(data),
    )


def _signature(data: Mapping[str, Any]) -> Signature | None:
    if data["scheme"] == "none":
        return None
    return Signature(data["scheme"], data["secret"], **data["headers"])


def _refusal(data: Mapping[str, Any], pointer: str, default: Mapping[str, Any]) -> Refusal:
    data = {**default, **data}
    reads = data.get("reads", {})
    return Refusal(
        status=Template(data.get("status", "{{ error.status or error.code }}"), NAMES["refusal"], pointer + "/status"),
        content_type=data.get("content_type", "application/json"),
        body=Template(data.get("body"), NAMES["refusal"], pointer + "/body"),
        code=_pointers(reads.get("code")),
        message=_pointers(reads.get("message")),
        accepted=tuple(reads.get("accepted", ())),
        provenance=_provenance(data),
    )


def _pointers(value: str | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _inherited(operations: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the fields of operation `name` laid over those of the one it is like, and so on."""
    made: dict[str, Any] = {}
    seen = [name]
    current = operations[name]
    while True:
        made = {**current, **made}
        model = current.get("like")
        if model is None:
            return made
        if model not in operations or model in seen:
            raise ValueError(join("operations", seen[-1], "like"), f"is {model!r}", ", ".join(operations))
        seen.append(model)
        current = operations[model]


_NEEDS: dict[str, tuple[str, ...]] = {
    "poll": ("task_id",), "cancel": ("task_id",), "link": ("file",), "upload": ("upload",), "presign": ("upload",),
    "store": ("file", "upload"),
}  # fmt: skip


def _operation(name: str, data: Mapping[str, Any], refusal: Mapping[str, Any]) -> OperationBehaviour:
    pointer = join("operations", name)
    for need in _NEEDS.get(data["does"], ()):
        if need not in data:
            raise ValueError(pointer, f"does {data['does']} and has no {need!r}", f"{need!r}")
    method, _, path = data["on"].partition(" ")
    upload = data.get("upload")
    return OperationBehaviour(
        name=name,
        key=OperationKey(method, path),
        does=data["does"],
        model=data.get("model"),
        variant=data.get("variant"),
        creates=tuple(data.get("creates", ())),
        task_id=data.get("task_id"),
        file=data.get("file"),
        slashes=frozenset(data.get("slashes", ())),
        input=InputPointers(**{key: _pointers(value) for key, value in data.get("input", {}).items()}),
        model_id=data.get("model_id"),
        upload=None if upload is None else _upload(upload),
        page=PagePlaces(**data.get("page", {})),
        answer=_reply(data.get("answer", {}), data["does"], pointer + "/answer"),
        reads=compile_reads(data.get("reads", {})),
        refusal=_refusal(data.get("refusal", {}), pointer + "/refusal", refusal),
        raises=data.get("raises", {}),
        provenance=data.get("provenance"),
        idempotency=data.get("idempotency"),
        items=data.get("items"),
    )


def _upload(data: Mapping[str, Any]) -> UploadPlaces:
    places = (data.get(key) for key in ("content", "content_type", "folder", "name", "extension", "signature"))
    return UploadPlaces(data.get("from", "raw"), *places)


def _reply(data: Mapping[str, Any], does: str, pointer: str) -> Reply:
    by_phase = {
        Phase(phase): Template(body, NAMES[does], f"{pointer}/by_phase/{phase}")
        for phase, body in data.get("by_phase", {}).items()
    }
    return Reply(
        status=data.get("status", 200),
        headers=_optional_template(data.get("headers"), does, pointer + "/headers"),
        body=_optional_template(data.get("body"), does, pointer + "/body"),
        by_phase=by_phase,
    )
