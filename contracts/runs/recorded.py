"""Judging what somebody recorded: the same checks over traffic that the kit did not make."""

from __future__ import annotations

from time import perf_counter

from ..checks.oracle import Oracle
from ..recordings.recording import Recording
from .verification import Verification


def judge_recording(oracle: Oracle, recording: Recording) -> Verification:
    """Return what all checks say of `recording`, and in its notes what was left out of it."""
    began = perf_counter()
    result = Verification(notes=recording.sentences())
    seen = [oracle.observe(each) for each in recording.exchanges]
    for each in seen:
        result.tally.judge_exchange(oracle, each)
    result.tally.judge_trace(oracle, recording.trace(oracle, seen))
    result.exchanges, result.callbacks = len(seen), len(recording.callbacks)
    accounts = dict.fromkeys(each.account for each in seen if each.account)
    result.keys = {key: f"KEY_{number}" if number > 1 else "KEY" for number, key in enumerate(accounts, start=1)}
    result.seconds = perf_counter() - began
    return result
