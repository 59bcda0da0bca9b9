"""Exchanges and callbacks written by hand from the documents: the right ones are silent, the wrong ones are caught.

The kit shares its reader and its signer with the emulator, so that neither shows a mistake of both; these do.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.checks.exchange import Callback, Exchange, Headers
from understudy.contracts.checks.oracle import Oracle
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.trace import Circumstances, make_trace
from understudy.openapi.provider import built_in_names, load_provider

GOLDEN = Path(__file__).parent / "golden"
FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(GOLDEN.glob("*.yaml"))}
CASES = [
    pytest.param(stem, case, id=f"{stem}: {case['name']}") for stem, file in FILES.items() for case in file["cases"]
]


@lru_cache(maxsize=32)
def oracle_of(name: str, *options: tuple[str, str]) -> Oracle:
    """Return the oracle of a built-in provider, or of a folder beside the golden files."""
    return Oracle(load_provider(name if name in built_in_names() else (GOLDEN / name).resolve(), dict(options)))


def headers_of(given: dict[str, str]) -> Headers:
    """Return headers as the wire has them."""
    return tuple((name.lower(), value) for name, value in given.items())


def exchange_of(given: dict[str, Any], headers: dict[str, str]) -> Exchange:
    """Return the exchange that a case writes down."""
    method, _, target = given["request"].partition(" ")
    path, _, query = target.partition("?")
    at = given.get("at", 1_765_178_600_000)
    answer_headers = {"content-type": given.get("type", "application/json"), **given.get("answer_headers", {})}
    return Exchange(
        method, path, query, headers_of(given.get("headers", headers)), given.get("body", "").encode(), at, at + 50,
        given.get("status", 200), headers_of(answer_headers), given["answer"].encode(),
    )  # fmt: skip


def found(file: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """Return the ids of the checks that find something in a case."""
    oracle, tally = oracle_of(file["provider"], *case.get("options", {}).items()), Tally(CHECKS)
    seen = [oracle.observe(exchange_of(each, file.get("headers", {}))) for each in case.get("exchanges", ())]
    letters = [
        Callback(headers_of(each["headers"]), each["body"].encode(), each["at"], each["at"], 200)
        for each in case.get("callbacks", ())
    ]
    until = max([0, *(each.exchange.ended for each in seen), *(each.came for each in letters)])
    for each in seen:
        tally.judge_exchange(oracle, each)
    tally.judge_trace(oracle, make_trace(oracle, seen, letters, Circumstances(until, secret=case.get("secret", ""))))
    return sorted({each.check for each in tally.findings})


@pytest.mark.parametrize(("stem", "case"), CASES)
def test_what_is_right_is_silent_and_what_is_wrong_is_caught(stem: str, case: dict[str, Any]) -> None:
    assert found(FILES[stem], case) == sorted(case["finds"])


def test_every_provider_has_right_and_wrong_ones_and_those_that_call_back_have_callbacks() -> None:
    for name in built_in_names():
        cases = FILES[name]["cases"]
        assert {bool(case["finds"]) for case in cases} == {True, False}
        assert oracle_of(name).behaviour.callbacks is None or any("callbacks" in case for case in cases)
