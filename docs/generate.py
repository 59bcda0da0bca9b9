"""Writes the generated tables of the documentation anew, or tells which are not current.

    uv run python docs/generate.py [--check]

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; what it holds comes from the code and the folders.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.clients.contract import CLIENT_CHECKS
from understudy.entrypoints.facts import facts_of, options_of
from understudy.entrypoints.serve import serve
from understudy.entrypoints.verify import verify
from understudy.mockserver.scenario import ANY_STATUS, Parameter, as_text, built_in_scenarios, why_not
from understudy.openapi.behaviour import NAMES
from understudy.openapi.conditions import CONDITIONS, FALLBACKS
from understudy.openapi.provider import built_in_names, load_provider
from understudy.openapi.source import read_source

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # for `benchmarks`, which is never installed
MEASURED = ("goals", "ratios", "costs", "lateness", "resources", "callbacks", "contract", "growth")
KILLED = ROOT / "docs" / "kill-matrix.jsonl"
FILES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def flags(command: click.Command) -> str:
    """Return every flag of `command`, with its variable, its default and what it does."""
    options = [each for each in command.params if isinstance(each, click.Option)]
    return table(("flag", "variable", "default", "what it does"), map(_flag, options))


def _flag(option: click.Option) -> tuple[str, str, str, str]:
    name = next(each for each in option.opts if each.startswith("--"))
    shape = option.metavar or {"choice": "|".join(getattr(option.type, "choices", ()))}.get(option.type.name, "")
    value = "" if option.is_flag else f" {shape or option.type.name.split()[0].upper()}"
    default = option.default if isinstance(option.default, (str, int, float)) and not option.is_flag else ""
    shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default != "" else ""
    return f"`{name}{value}`", f"`{option.envvar}`" if option.envvar else "", shown, option.help or ""


def options() -> str:
    """Return every option of every provider that comes with understudy."""
    rows = []
    for name in built_in_names():
        for option in options_of(load_provider(name)):
            rows.append((f"`{option['name']}`", "", option["about"], option["provenance"]))
            for value, about in option["values"].items():
                default = " (default)" if value == option["default"] else ""
                rows.append(("", f"`{value}`", about + default, ""))
    return table(("option", "value", "meaning", "provenance"), rows)


def providers() -> str:
    """Return the providers that come with understudy."""
    rows = []
    for name in built_in_names():
        facts = facts_of(load_provider(name))
        models = ", ".join(f"`{model['name']}`" for model in facts["models"])
        rows.append((f"`{name}`", facts["title"], facts["base_url"], models))
    return table(("name", "provider", "stands in for", "models"), rows)


def conditions() -> str:
    """Return the conditions that an error may name, and what is told where none names them."""
    rows = [
        (f"`{name}`", about, f"`{FALLBACKS[name]}`" if name in FALLBACKS else "") for name, about in CONDITIONS.items()
    ]
    return table(("condition", "when", "without an error, as"), rows)


def names() -> str:
    """Return the names that templates may use, by where they stand."""
    apart = {"price", "callback"}
    common = frozenset.intersection(*(NAMES[each] for each in NAMES if each not in apart))
    rows = [
        (f"`{place}`", _listed(known if place in apart else known - common) or "none") for place, known in NAMES.items()
    ]
    return f"Everywhere but in `price` and `callback`: {_listed(common)}. Beside these:\n\n" + table(
        ("in", "names"), rows
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def scenarios() -> str:
    """Return every built-in scenario, its parameters, and the providers that can express it."""
    behaviours = {name: load_provider(name).behaviour for name in built_in_names()}
    rows = []
    for scenario in built_in_scenarios().values():
        values = {each.name: each.default for each in scenario.parameters.values() if each.default is not None}
        played = ["n/a" if why_not(scenario, values, behaviour) else "yes" for behaviour in behaviours.values()]
        taken = "<br>".join(map(_parameter, scenario.parameters.values()))
        rows.append((f"`{scenario.name}`", scenario.about, taken, *played))
    return table(("scenario", "what happens", "parameters", *behaviours), rows)


def _parameter(parameter: Parameter) -> str:
    name = "*STATUS*" if parameter.name == ANY_STATUS else f"`{parameter.name}`"
    shown = "|".join(parameter.words) or parameter.type
    default = "" if parameter.default is None else f", `{as_text(parameter.default)}`"
    return f"{name} ({shown}{default}): {parameter.about}"


def refusals() -> str:
    """Return the entries of each provider's error catalogue, which are scenarios too."""
    rows = []
    for name in built_in_names():
        errors = load_provider(name).behaviour.errors.values()
        rows.append((f"`{name}`", ", ".join(f"`{each.name}` ({each.code})" for each in errors)))
    return table(("provider", "refusals, and their codes"), rows)


def routes() -> str:
    """Return the operations of the control API."""
    paths = read_source(ROOT / "openapi" / "control.yaml").data["paths"]
    rows = [
        (f"`{method.upper()} {path.removeprefix('/_understudy')}`", operation["summary"])
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    return table(("operation", "what it does"), rows)


def checks() -> str:
    """Return the checks that providers are judged by."""
    rows = [(f"`{each.id}`", each.family, each.severity, each.sentence) for each in CHECKS]
    return table(("check", "family", "severity", "what holds"), rows)


def client_checks() -> str:
    """Return the checks that clients are judged by."""
    rows = [(f"`{each.id}`", each.severity, each.sentence) for each in CLIENT_CHECKS]
    return table(("check", "severity", "what holds"), rows)


def _killed() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in KILLED.read_bytes().splitlines()]


def kill_figures() -> str:
    """Return what the stored nightly run of the kill matrix has played."""
    told = {
        "defect": "emulators with a defect, each caught by the check that claims it",
        "harmless": "harmless variants, met with silence",
        "right": "emulators with nothing wrong, options varied, met with silence",
        "draws": "emulators with nothing wrong and 10,000 draws a schema, met with silence",
    }
    rows = []
    for kind, what in told.items():
        of_kind = [each for each in _killed() if each["kind"] == kind]
        sums = (sum(each[name] for each in of_kind) for name in ("exchanges", "callbacks", "judged"))
        rows.append((f"{len(of_kind)} {what}", *(f"{each:,}" for each in sums)))
    return table(("played", "exchanges", "callbacks", "judgements"), rows)


def kill_matrix() -> str:
    """Return which defect is caught by which check, and by which providers it was shown."""
    found: dict[str, dict[str, list[str]]] = {each.id: {} for each in CHECKS}
    for each in _killed():
        if each["kind"] == "defect":
            found[each["claims"]].setdefault(each["defect"], []).append(each["style"])
    shown = {
        check: ", ".join(f"{defect} ({', '.join(sorted(styles))})" for defect, styles in sorted(defects.items()))
        for check, defects in found.items()
    }
    return table(("check", "catches"), [(f"`{check}`", defects) for check, defects in shown.items()])


def measured(name: str) -> str:
    """Return a table of the stored run of the benchmarks."""
    from benchmarks.figures import stored  # noqa: PLC0415 - the folder is found from here on
    from benchmarks.report import tables  # noqa: PLC0415

    told = tables(stored()).get(name)
    return "Not measured." if told is None else f"{told.title}:\n\n" + table(told.columns, told.rows)


def measured_on() -> str:
    """Return where the stored run of the benchmarks was made."""
    from benchmarks.figures import stored  # noqa: PLC0415 - see above
    from benchmarks.report import conditions  # noqa: PLC0415

    return conditions(stored())


TABLES: dict[str, Callable[[], str]] = {
    "scenarios": scenarios, "refusals": refusals, "routes": routes, "client_checks": client_checks, "checks": checks,
    "flags": partial(flags, serve), "verify_flags": partial(flags, verify), "options": options, "providers": providers,
    "kill_figures": kill_figures, "kill_matrix": kill_matrix, "conditions": conditions, "names": names,
    "measured_on": measured_on,
    **{name: partial(measured, name) for name in MEASURED},
}  # fmt: skip
_PLACE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def regenerated(text: str) -> str:
    """Return `text` with its tables made anew."""
    return _PLACE.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n\n{match[3]}", text)


def main() -> None:
    """Rewrite the files; with `--check`, end with 1 where one would change."""
    changed = [path for path in FILES if regenerated(path.read_text()) != path.read_text()]
    if "--check" not in sys.argv[1:]:
        for path in changed:
            path.write_text(regenerated(path.read_text()))
    for path in changed:
        print(path.relative_to(ROOT))
    if changed and "--check" in sys.argv[1:]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
