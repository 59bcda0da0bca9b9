"""Faults on the wire, as far as they can be told without one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.answer import Answer
from understudy.mockserver.faults import LOSSY, MUTE, as_bytes, break_connection, delay_seconds, spoil
from understudy.mockserver.scenario import Play, Repertoire, built_in_scenarios

from .stage import provider_of

ANSWER = Answer(200, ((b"content-type", b"application/json"),), b'{"code":200,"data":{"taskId":"1"}}')


def play(name: str, **given: str) -> Play:
    """Return a scenario ready to be played."""
    return Repertoire(built_in_scenarios()).bind(name, given, provider_of("kie").behaviour)


class Recorder:
    """A connection that keeps what is done to it; it may be closed by the peer after so many writes."""

    def __init__(self, leaves_after: int = 1000) -> None:
        self.written: list[bytes] = []
        self.done = ""
        self._leaves_after = leaves_after

    def write(self, data: bytes) -> None:
        """Keep `data`."""
        self.written.append(data)

    def close(self) -> None:
        """Keep that it was closed."""
        self.done = "closed"

    def closing(self) -> bool:
        """Tell whether the peer is gone."""
        return len(self.written) >= self._leaves_after

    def reset(self) -> None:
        """Keep that it was reset."""
        self.done = "reset"


def broken(fault: Play, wire: Recorder, **more: Any) -> Recorder:
    """Play `fault` on `wire`; the peer sends one more message before it goes."""
    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    asyncio.run(break_connection(fault, ANSWER, wire, receive, bytes(range(40)), **more))
    assert next(messages, None) is None
    return wire


def test_each_fault_does_its_own_thing_to_the_connection() -> None:
    whole = as_bytes(ANSWER)
    assert (broken(play("reset"), wire := Recorder()).done, wire.written) == ("reset", [])
    assert (broken(play("empty-reply"), wire := Recorder()).done, wire.written) == ("closed", [])
    assert (broken(play("hang"), wire := Recorder()).done, wire.written) == ("", [])
    assert broken(play("truncated-body"), Recorder()).written == [whole[: len(whole) - len(ANSWER.body) // 2]]
    assert broken(play("truncated-body"), Recorder(), head=True).written == [whole[: -len(ANSWER.body) - 1]]
    (garbage,) = broken(play("garbage"), Recorder()).written
    assert all(byte >= 0x80 for byte in garbage[:-4])
    dribbled = broken(play("dribble", bytes_per_second="100000"), Recorder()).written
    assert b"".join(dribbled) == whole
    assert broken(play("dribble", bytes_per_second="100"), Recorder(leaves_after=2)).written == [whole[:5], whole[5:10]]


@pytest.mark.parametrize("name", ["reset", "empty-reply", "truncated-body", "garbage", "dribble"])
def test_nothing_is_done_to_a_connection_that_is_gone(name: str) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    wire = Recorder(leaves_after=0)
    asyncio.run(break_connection(play(name), ANSWER, wire, receive, bytes(range(40))))
    assert (wire.written, wire.done) == ([], "")


def test_an_answer_on_the_wire_says_how_long_it_is_and_that_it_is_the_last() -> None:
    head, _, body = as_bytes(Answer(455, ((b"x", b"y"),), b"abc")).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [b"HTTP/1.1 455 Unknown", b"x: y", b"content-length: 3", b"connection: close"]
    assert body == b"abc"


@given(st.binary(min_size=40, max_size=40))
def test_delays_are_within_their_bounds(random: bytes) -> None:
    assert delay_seconds(play("delay", fixed="250ms"), random) == 0.25
    assert 0.1 <= delay_seconds(play("delay", uniform="100ms..2s"), random) <= 2
    assert delay_seconds(play("delay", lognormal="1s"), random) > 0
    assert delay_seconds(play("delay", lognormal="1s", sigma="999999999"), random) >= 0


def test_a_lognormal_delay_has_its_median_and_a_tail() -> None:
    from understudy.mockserver.chance import draw  # noqa: PLC0415

    fault = play("delay", lognormal="100ms", sigma="1")
    drawn = sorted(delay_seconds(fault, draw(0, "x", number)) for number in range(2001))
    assert drawn[1000] == pytest.approx(0.1, rel=0.1)
    assert drawn[1900] > 0.3
    assert sum(drawn) / len(drawn) > 0.12


def test_a_body_that_breaks_off_is_never_whole() -> None:
    assert spoil(play("malformed-json"), Answer(200, (), b"")).body == b'{"'
    assert spoil(play("malformed-json"), ANSWER).body == ANSWER.body[: len(ANSWER.body) * 2 // 3]
    assert spoil(play("reset"), ANSWER) is ANSWER


def test_every_fault_that_loses_an_answer_is_known_as_one() -> None:
    faults = {each.does["fault"] for each in built_in_scenarios().values() if each.kind == "wire"}
    assert faults - LOSSY == {"delay", "dribble"}
    assert faults > MUTE
