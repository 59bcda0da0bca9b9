"""Accepted findings, and entries that accept nothing any more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from understudy.contracts.accept import read_accepted, settle
from understudy.openapi.errors import LoadError

from .sides import answering, asking, document, drift

FOUND = drift(
    document({**asking({"enum": [1, 2]}), **answering({"enum": [1]})}),
    document({**asking({"enum": [1]}), **answering({"enum": [1, 2]})}),
)


def accepted(tmp_path: Any, text: Any) -> Any:
    file = tmp_path / "accept.yaml"
    file.write_text(text)
    return read_accepted(str(file))


def test_an_accepted_finding_is_no_longer_told(tmp_path: Any) -> None:
    entry = FOUND[0]
    place = f"id: {entry.id}, operation: {entry.operation}, pointer: '{entry.base.pointer}'"  # type: ignore[union-attr]
    entries = accepted(tmp_path, f"accepted:\n- {{{place}, reason: known}}\n")
    assert settle(FOUND, entries) == (FOUND[1:], [])


def test_entries_that_nothing_meets_or_whose_day_has_passed_are_stale(tmp_path: Any) -> None:
    entries = accepted(
        tmp_path,
        f"""
accepted:
  - {{id: {FOUND[0].id}, reason: known, until: 2026-01-31}}
  - {{id: other, operation: GET /a, pointer: /b, reason: known}}
""",
    )
    assert settle(FOUND, entries, date(2026, 1, 31))[0] == FOUND[1:]
    left, stale = settle(FOUND, entries, date(2026, 2, 1))
    assert left == FOUND
    assert [each.sentence for each in stale] == [
        f"{FOUND[0].id} was accepted until 2026-01-31",
        "other GET /a /b is met by no finding",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "/accepted: is no list"),
        ("accepted: [1]", "/accepted/0: is 1; expected an object"),
        ("accepted: [{id: a}]", "/accepted/0/reason: is missing"),
        ("accepted: [{id: a, reason: ' '}]", "/accepted/0/reason: is missing"),
        ("accepted: [{id: a, resaon: b}]", "/accepted/0/resaon: is not known (did you mean 'reason'?)"),
        (
            "accepted: [{id: a, reason: b, until: soon}]",
            "/accepted/0/until: is 'soon'; expected a day such as 2026-12-31",
        ),
    ],
)
def test_a_broken_accept_file_is_refused_with_its_place(tmp_path: Any, text: Any, message: Any) -> None:
    with pytest.raises(LoadError) as caught:
        accepted(tmp_path, text)
    assert message in str(caught.value)
