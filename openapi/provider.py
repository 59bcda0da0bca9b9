"""A provider, loaded from its folder: stored contract, corrections, behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .behaviour import NAMES, Behaviour, Phase, build_behaviour
from .contract import Contract, OperationKey, UndescribedError, read_contract
from .errors import LoadError, nearest, shorten
from .pointer import join
from .shape import BEHAVIOUR, check_shape
from .signing import SecretError, check_secret
from .source import Source, read_source
from .template import TemplateError

BUILT_IN = Path(__file__).parent / "providers"
BEHAVIOUR_FILE = "behaviour.yaml"
CORRECTIONS = "corrections.overlay.yaml"


class OptionError(ValueError):
    """An option that the provider does not have, or a value that the option does not."""


class Provider:
    """A provider as its folder describes it, with options chosen.

    The behaviour is read at once, the documents when the contract is first asked for: a server of many
    providers starts no slower than one of a single provider.

    Attributes:
        folder: where it is stored.
        name: the folder's name.
        behaviour: what its behaviour file says, with the chosen options applied.
        options: the value of each of its options, chosen or by default.
        settings: the account settings that were chosen.
    """

    def __init__(
        self, folder: Path, source: Source, behaviour: Behaviour, overlays: list[str], chosen: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.name = folder.name
        self.behaviour = behaviour
        self.options = {name: chosen.get(name, option.default) for name, option in behaviour.options.items()}
        self.settings = {name: value for name, value in chosen.items() if name in behaviour.settings}
        self._source = source
        self._overlays = overlays

    def __repr__(self) -> str:
        return f"Provider({self.name!r})"

    @cached_property
    def contract(self) -> Contract:
        """The stored contract with corrections and the chosen options' overlays applied.

        Raises:
            LoadError: a document or an overlay is broken.
        """
        documents, overlays = self.sources()
        namings, title = self.behaviour.namings(), self.behaviour.title
        try:
            return read_contract(documents, overlays, namings, title, trusted=self._built_in)
        except UndescribedError as error:
            hint = nearest(str(error.naming.key), error.described)
            raise self._source.error(join("operations", error.naming.name, "on"), f"{error}{hint}") from None

    def sources(self) -> tuple[dict[str, Source], list[Source]]:
        """Return the stored documents by file name, as documented, and the overlays that correct them, in order.

        Raises:
            LoadError: one of them is broken.
        """
        documents = {path.name: read_source(path, self._shown(path)) for path in _document_files(self.folder)}
        if not documents:
            raise LoadError(str(self.folder), "holds no OpenAPI document", expected="at least one .yaml or .json")
        return documents, [self._read_overlay(name) for name in self._overlays]

    @cached_property
    def other_statuses(self) -> Mapping[str, Phase]:
        """The status words of options that were not chosen, which the real provider may use all the same."""
        options = self._source.data.get("options", {}).values()
        choices = [choice.get("behaviour") or {} for option in options for choice in option["values"].values()]
        words = [choice.get("statuses") or {} for choice in [self._source.data, *choices]]
        return {
            name: Phase(status["phase"])
            for each in words
            for name, status in each.items()
            if status is not None and name not in self.behaviour.statuses
        }

    def check(self) -> None:
        """Load and compile everything that is otherwise done when first needed.

        Raises:
            LoadError: something in the folder is broken.
        """
        _ = self.contract
        try:
            self.behaviour.compile()
        except TemplateError as error:
            raise self._source.error(error.pointer, error.problem) from None
        self._check_parameters()
        self._check_statuses()

    def _check_parameters(self) -> None:
        """Check that operations have the parameters in which they find a task's id or the key of a repetition."""
        for name, operation in self.behaviour.operations.items():
            for word, expression in (("task_id", operation.task_id), ("idempotency", operation.idempotency)):
                self._check_parameter(name, word, expression or "")

    def _check_parameter(self, operation: str, word: str, expression: str) -> None:
        place, _, parameter = expression.removeprefix("$request.").partition(".")
        if place not in {"path", "query", "header"}:
            return
        described = self.contract.operations[operation]
        known = [each.name for each in self.contract.parameters(described) if each.where == place]
        if parameter not in known:
            hint = nearest(parameter, known)
            problem = f"{described.key} has no {place} parameter {parameter!r}{hint}"
            raise self._source.error(join("operations", operation, word), problem)

    def _check_statuses(self) -> None:
        """Check that every entry of the error catalogue comes with an HTTP status, whichever operation tells it."""
        names = dict.fromkeys(NAMES["refusal"])
        for refusal in (self.behaviour.refusal, *(each.refusal for each in self.behaviour.operations.values())):
            for error in self.behaviour.errors.values():
                shown = {"code": error.code, "status": error.status, "name": error.name, **error.facts}
                try:
                    status = refusal.status({**names, "error": shown})
                except Exception as failure:  # whatever an expression of the folder's can raise
                    status = f"{type(failure).__name__}: {failure}"
                if not isinstance(status, int) or not 200 <= status <= 599:
                    problem = f"is told with the HTTP status {status!r} ({refusal.status.data})"
                    raise self._source.error(join("errors", error.name), problem, "a status from 200 to 599")

    def _shown(self, path: Path) -> str:
        return f"{self.name}/{path.name}" if self._built_in else str(path)

    @property
    def _built_in(self) -> bool:
        return self.folder.parent == BUILT_IN

    def _read_overlay(self, name: str) -> Source:
        path = self.folder / name
        return read_source(path, self._shown(path))


def built_in_names() -> list[str]:
    """Return the names of the providers that come with understudy."""
    return sorted(path.name for path in BUILT_IN.iterdir() if (path / BEHAVIOUR_FILE).is_file())


def load_provider(folder: Path | str, options: Mapping[str, str] | None = None) -> Provider:
    """Load the provider in `folder`, or the built-in one of that name, with `options` chosen by name.

    Raises:
        LoadError: the behaviour file is missing or broken, or there is no such provider.
        OptionError: an option or its value is not one of the provider's, or a secret can't be used.
    """
    path = _folder(folder)
    built_in = path.parent == BUILT_IN
    file = path / BEHAVIOUR_FILE
    source = read_source(file, f"{path.name}/{BEHAVIOUR_FILE}" if built_in else None)
    data = source.data
    if not built_in:  # the tests check our own: the start of a server need not
        check_behaviour(source)
    data, overlays = _with_options(source, data, options or {}, trusted=built_in)
    if (path / CORRECTIONS).is_file():
        overlays.insert(0, CORRECTIONS)
    try:
        behaviour = build_behaviour(data)
    except ValueError as error:
        pointer, problem, *expected = error.args if len(error.args) > 1 else ("", str(error))
        raise source.error(pointer, problem, *expected) from None
    _check_names(source, behaviour)
    for name, value in (options or {}).items():
        check_setting(behaviour, name, value)
    return Provider(path, source, behaviour, overlays, options or {})


def _folder(folder: Path | str) -> Path:
    path = Path(folder)
    if isinstance(folder, str) and folder in built_in_names():
        return BUILT_IN / folder
    if not path.is_dir():
        names = built_in_names()
        problem = f"is no folder and no built-in provider{nearest(str(folder), names)}"
        raise LoadError(
            str(folder), problem, expected=f"a folder with a {BEHAVIOUR_FILE}, or one of {', '.join(names)}"
        )
    return path.resolve()


def _document_files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml", ".json"})
    return [path for path in files if path.name != BEHAVIOUR_FILE and ".overlay." not in path.name]


def check_behaviour(source: Source) -> None:
    """Check the shape of a behaviour file.

    Raises:
        LoadError: the first thing that is wrong, with its line and what was expected.
    """
    check_shape(source, source.data, BEHAVIOUR)


def _with_options(source: Source, data: Any, chosen: Mapping[str, str], *, trusted: bool) -> tuple[Any, list[str]]:
    options = data.get("options", {})
    for name, value in chosen.items():
        if name in data.get("settings", {}):
            continue
        if name not in options:
            known = [*options, *data.get("settings", {})]
            raise OptionError(f"no option {name!r}{nearest(name, known)}; known: {', '.join(known) or 'none'}")
        values = options[name]["values"]
        if value not in values:
            raise OptionError(f"{name} has no value {value!r}{nearest(value, values)}; known: {', '.join(values)}")
    overlays = []
    for name, option in options.items():
        value = chosen.get(name, option["default"])
        if value not in option["values"]:
            expected = ", ".join(option["values"])
            raise source.error(join("options", name, "default"), f"is {shorten(value)}", expected)
        choice = option["values"][value]
        if "behaviour" in choice:
            data = merge_patch(data, choice["behaviour"])
            if not trusted:
                check_shape(source, data, BEHAVIOUR, join("options", name, "values", value, "behaviour"))
        if "overlay" in choice:
            overlays.append(choice["overlay"])
    return data, overlays


def check_setting(behaviour: Behaviour, name: str, value: str) -> None:
    """Check the value of an account's setting before anything relies on it.

    Raises:
        OptionError: it is the secret of signatures, and can't be used with their scheme, or it should be a URL.
    """
    callbacks = behaviour.callbacks
    if callbacks is None:
        return
    if callbacks.setting == name and not _is_url(value):
        raise OptionError(f"{name}: {shorten(value)} is no URL")
    if callbacks.signature is not None and callbacks.signature.secret == name:
        try:
            check_secret(callbacks.signature.scheme, value)
        except SecretError as error:
            raise OptionError(f"{name}: {error}") from None


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        return False


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` changed by `patch` as RFC 7396 has it: objects merge, null removes, the rest replaces."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made


def _check_names(source: Source, behaviour: Behaviour) -> None:
    """Check the names that one part of the file uses of another."""
    phases = [status.phase for status in behaviour.statuses.values()]
    for phase in (Phase.COMPLETED, Phase.FAILED):
        if phase not in phases:
            raise source.error("/statuses", f"no status has the phase {phase.value!r}", "at least one")
    _check_edges(source, behaviour)
    _check_operations(source, behaviour)
    _check_callbacks(source, behaviour)
    for number, limit in enumerate(behaviour.limits):
        for name in limit.operations:
            if name not in behaviour.operations:
                hint = nearest(name, behaviour.operations)
                raise source.error(join("limits", number, "operations"), f"no operation {name!r}{hint}")


def _check_edges(source: Source, behaviour: Behaviour) -> None:
    """Check that statuses are followed by words that there are, and those that a task stays in by none."""
    for name, status in behaviour.statuses.items():
        for number, following in enumerate(status.next or ()):
            if following not in behaviour.statuses:
                hint = nearest(following, behaviour.statuses)
                raise source.error(join("statuses", name, "next", number), f"no status {following!r}{hint}")
        if status.phase.terminal and status.next:
            problem = f"a task stays in {name!r}, whose phase is {status.phase.value}"
            raise source.error(join("statuses", name, "next"), problem, "no status")


def _check_operations(source: Source, behaviour: Behaviour) -> None:
    named: dict[OperationKey, str] = {}
    for name, operation in behaviour.operations.items():
        other = named.setdefault(operation.key, name)
        if other != name:
            raise source.error(join("operations", name, "on"), f"is that of {other!r} too", "an operation of its own")
        for condition, error in operation.raises.items():
            if error not in behaviour.errors:
                hint = nearest(error, behaviour.errors)
                raise source.error(join("operations", name, "raises", condition), f"no error {error!r}{hint}")
        for created in operation.creates:
            if created not in behaviour.operations:
                hint = nearest(created, behaviour.operations)
                raise source.error(join("operations", name, "creates"), f"no operation {created!r}{hint}")


def _check_callbacks(source: Source, behaviour: Behaviour) -> None:
    callbacks = behaviour.callbacks
    if callbacks is None:
        return
    signature = callbacks.signature
    used = {"url/setting": callbacks.setting, "signature/secret": None if signature is None else signature.secret}
    for place, name in used.items():
        if name is not None and name not in behaviour.settings:
            hint = nearest(name, behaviour.settings)
            raise source.error(f"/callbacks/{place}", f"no setting {name!r}{hint}", "one of `settings`")
    phases = {status.phase for status in behaviour.statuses.values()}
    for phase in callbacks.on:
        if phase not in phases:
            known = ", ".join(sorted(phases))
            raise source.error(join("callbacks", "on", phase.value), "no status has this phase", f"one of {known}")
