"""Namespaces: one for each key, bounded, shown by an id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.clock import Clock
from understudy.mockserver.namespace import Namespaces, namespace_id
from understudy.mockserver.scenario import Play

KEYS = st.text(st.characters(codec="utf-8"), max_size=30)


def made(said: list[str] | None = None) -> Namespaces:
    """Return namespaces that tell `said` what they say."""
    return Namespaces(Clock, (said if said is not None else []).append)


@given(KEYS, KEYS)
def test_a_key_has_one_namespace_and_another_key_another(one: str, other: str) -> None:
    namespaces = made()
    assert namespaces.of_key(one) is namespaces.of_key(one)
    assert (namespaces.of_key(one) is namespaces.of_key(other)) == (one == other)
    assert namespaces.of_id(namespace_id(one)) is namespaces.of_key(one)


@given(KEYS.filter(lambda key: len(key) > 4))
def test_a_key_can_not_be_told_from_what_is_shown_of_it(key: str) -> None:
    namespace = made().of_key(key)
    assert key not in namespace.masked_key
    assert len(namespace.id) == 12
    assert set(namespace.id) <= set("0123456789abcdef")


def test_an_unknown_id_has_none() -> None:
    assert made().of_id("0123456789ab") is None


def test_accounts_are_opened_when_first_asked_for_and_stay() -> None:
    namespace = made().of_key("a")
    assert namespace.accounts == {}
    assert namespace.account("acme") is namespace.account("acme") is not namespace.account("other")


def test_the_one_idle_longest_goes_first_and_using_one_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.mockserver.namespace.MAX_NAMESPACES", 2)
    said: list[str] = []
    namespaces = made(said)
    ids = {key: namespaces.of_key(key).id for key in ("a", "b", "a", "c")}
    assert [each.id for each in namespaces] == [ids["a"], ids["c"]]
    assert namespaces.of_id(ids["b"]) is None
    assert said == [f"namespace {ids['b']} (key …) was idle longest and is gone: at most 2 are kept"]


def test_who_comes_again_after_being_forgotten_starts_anew() -> None:
    namespaces = made()
    one, other = namespaces.of_key("a"), namespaces.of_key("b")
    one.created = 5
    namespaces.forget(one)
    assert namespaces.of_key("a").created == 0
    assert namespaces.of_key("b") is other
    namespaces.forget(None)
    assert list(namespaces) == []


def test_what_is_to_happen_so_many_times_happens_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    namespace = made().of_key("a")
    twice, always = Play("fail", "life", {}, times=2, text="fail;times=2"), Play("fail", "life", {}, text="fail")
    assert [namespace.may_play(twice) for _ in range(4)] == [True, True, False, False]
    assert all(namespace.may_play(always) for _ in range(4))
    monkeypatch.setattr("understudy.mockserver.namespace._MAX_COUNTED", 1)
    assert namespace.may_play(twice)
