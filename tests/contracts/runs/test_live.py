"""The real provider, which an emulator without a control API plays: planned, accepted, within a budget."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from understudy.contracts.runs.live import Budget, Plan, make_plan, verify_live
from understudy.contracts.runs.target import Target, UnreachableError
from understudy.contracts.runs.verification import Verification, VerifySettings
from understudy.mockserver import MockServer, Settings
from understudy.openapi.provider import Provider, load_provider

from .strangers import ACME, closed_port, impatient

KIE = load_provider("kie")
Played = tuple[MockServer, Provider]
KEYS = VerifySettings("sk-real", "sk-other", max_wait=5_000)


def names(plan: Plan) -> list[str]:
    return [each.form.name for each in plan.creations]


def test_a_plan_tells_what_will_be_sent_and_what_it_may_cost() -> None:
    plan = make_plan(KIE, Budget(), KEYS)
    assert names(plan) == ["createTask of nano-banana-pro", "createTask of google/nano-banana"]
    assert plan.credits == 22
    lines = plan.lines("https://api.kie.ai")
    assert lines[0] == "This will be sent to https://api.kie.ai:"
    assert "  - createTask of google/nano-banana: creates a task, about 4 credits" in lines
    assert lines[-1] == "At most 2 tasks and about 22 credits (prices are assumed)."


def test_a_budget_of_tasks_leaves_out_the_rest() -> None:
    plan = make_plan(KIE, Budget(tasks=1), KEYS)
    assert names(plan) == ["createTask of nano-banana-pro"]
    assert plan.left_out == ("createTask of google/nano-banana: beyond --max-tasks 1",)


def test_a_budget_of_credits_leaves_out_what_is_too_dear() -> None:
    plan = make_plan(KIE, Budget(credits=10), KEYS)
    assert names(plan) == ["createTask of google/nano-banana"]
    assert plan.left_out == ("createTask of nano-banana-pro: beyond --max-credits 10",)


def test_the_cheapest_of_the_examples_is_sent() -> None:
    acme = load_provider(ACME)
    assert [each.price for each in make_plan(acme, Budget(), KEYS).creations] == [2]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    eager = impatient(tmp_path_factory.mktemp("live"))
    keys = frozenset({"sk-real", "sk-other"})
    with MockServer([eager], settings=Settings(control=False, speed=200, keys=keys)) as server:
        yield server, eager


def verified(provider: Played, budget: Budget, settings: VerifySettings) -> Verification:
    server, eager = provider
    plan = make_plan(eager, budget, settings)
    with Target(f"{server.url}/kie") as target:
        return verify_live(eager, target, plan, budget, settings)


def test_every_check_runs_over_one_recorded_trace(provider: Played) -> None:
    port = closed_port()
    settings = VerifySettings(
        "sk-real", "sk-other", max_wait=5_000, callback_url=f"http://127.0.0.1:{port}/callback",
        callback_listen=("127.0.0.1", port),
    )  # fmt: skip
    result = verified(provider, Budget(), settings)
    assert result.tally.findings == []
    assert result.callbacks == 2
    reached = {each for each, count in result.tally.judged.items() if count}
    assert reached >= {"callback-comes", "credits-charged", "own-tasks-only", "ended-stays-readable", "end-frozen"}


def test_without_another_key_no_other_account_is_asked_for(provider: Played) -> None:
    result = verified(provider, Budget(tasks=0), VerifySettings("sk-real"))
    assert "a second account was left out: no other key was given" in result.notes
    assert sum("beyond --max-tasks 0" in each for each in result.notes) == 2
    assert result.tally.judged["credits-charged"] == 0


def test_what_was_spent_counts_whatever_was_assumed(provider: Played) -> None:
    server, eager = provider
    plan = make_plan(eager, Budget(), KEYS)
    with Target(f"{server.url}/kie") as target:
        result = verify_live(eager, target, plan, Budget(credits=18), KEYS)
    assert "createTask of google/nano-banana was left out: 1 tasks and 18 credits were spent" in result.notes
    assert "1 task was created, 18 credits spent by the balance" in result.notes


def test_a_wrong_key_ends_it_before_anything_is_created(provider: Played) -> None:
    with pytest.raises(UnreachableError, match="refuses the key"):
        verified(provider, Budget(), VerifySettings("sk-wrong"))


def test_making_a_plan_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert make_plan(KIE, Budget(), KEYS).creations
