"""What lives longer than a request, and what goes first when there is too much of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy.mockserver.account import Account, StoredFile
from understudy.mockserver.store import FileStore, TaskStore

from .stage import NAMES, SIMPLE, Stage


def known(stage: Stage, task: str, key: str = "test") -> bool:
    """Tell whether the provider still knows a task."""
    return stage.poll("mulerouter", task, key=key).status_code == 200


def test_of_too_many_tasks_the_oldest_finished_goes_first_and_it_is_said_once() -> None:
    stage = Stage("mulerouter", max_tasks=3)
    old = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(2)]
    stage.wait(60)
    new = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(3)]
    assert [known(stage, each) for each in old + new] == [False, False, True, True, True]
    assert stage.said == [f"--max-tasks 3 reached: the oldest finished tasks go first, from {old[0]} on"]
    assert len(stage.emulator.tasks) == 3


def test_where_no_task_has_finished_the_oldest_goes_and_never_the_one_just_created() -> None:
    stage = Stage("mulerouter", max_tasks=3)
    tasks = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(8)]
    assert [known(stage, each) for each in tasks] == [False] * 5 + [True] * 3


def test_a_task_that_was_not_finished_before_goes_once_it_is() -> None:
    stage = Stage("mulerouter", max_tasks=2)
    first = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(3)]
    stage.wait(60)
    last = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(2)]
    assert [known(stage, each) for each in first + last] == [False, False, False, True, True]


def test_a_task_that_never_finishes_outlives_those_that_do() -> None:
    stage = Stage("mulerouter", max_tasks=2)
    stage.emulator.namespaces.of_key("slow").clock.freeze()
    slow = stage.created("mulerouter", SIMPLE["mulerouter"], key="slow")
    for _ in range(5):
        stage.wait(60)
        stage.created("mulerouter", SIMPLE["mulerouter"])
    assert known(stage, slow, "slow")
    assert len(stage.emulator.tasks) == 2


@given(st.lists(st.sampled_from(["create", "create", "wait"]), max_size=30), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_a_task_goes_only_where_no_older_one_has_finished(steps: list[str], most: int) -> None:
    stage = Stage("acme", max_tasks=most, limits=False)
    account = stage.emulator.namespaces.of_key("test").account("acme")
    for step in steps:
        if step == "wait":
            stage.wait(60)
            continue
        before = {task.id: task.state(stage.time).status == "done" for task in account.tasks.values()}
        new = stage.created("acme", SIMPLE["acme"])
        assert len(account.tasks) <= most
        gone = [each for each in before if each not in account.tasks]
        finished = [each for each, done in before.items() if done]
        full = len(before) == most
        assert gone == ((finished or list(before))[:1] if full else [])
        assert new in account.tasks


@pytest.mark.parametrize("provider", NAMES)
def test_answers_about_ended_tasks_are_kept_bounded_and_told_again_all_the_same(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.mockserver.store._RENDERED_KEPT", 2)
    stage = Stage(provider, limits=False)
    tasks = [stage.created(provider, SIMPLE[provider]) for _ in range(4)]
    account = stage.emulator.namespaces.of_key("test").account(provider)
    for each in tasks:
        stage.poll(provider, each)
    assert not [task for task in account.tasks.values() if task.rendered]
    stage.wait(3600)
    first = [stage.poll(provider, each).content for each in tasks]
    kept = [task for task in account.tasks.values() if task.rendered]
    assert len(kept) == (0 if provider == "acme" else 2)
    assert [stage.poll(provider, each).content for each in tasks] == first


def file(name: str, size: int) -> StoredFile:
    """Return a file of that size."""
    return StoredFile(name, b"x" * size, "text/plain", 0)


def test_of_too_many_bytes_the_oldest_files_go_and_it_is_said() -> None:
    said: list[str] = []
    store, account, other = FileStore(said.append, 100), Account(), Account()
    for owner, name in ((account, "a"), (other, "b"), (account, "c")):
        store.add(owner, file(name, 40))
    assert (list(account.files), list(other.files)) == (["c"], ["b"])
    assert said == ["uploaded files exceed 100 bytes: a is gone"]


def test_a_file_that_was_replaced_does_not_go_twice() -> None:
    said: list[str] = []
    store, account = FileStore(said.append, 100), Account()
    for size in (40, 41, 42):
        store.add(account, file("a", size))
    assert len(account.files["a"].content) == 42
    assert said == []


def test_a_single_file_is_kept_however_large() -> None:
    store, account = FileStore(lambda _: None, 100), Account()
    store.add(account, file("a", 1000))
    assert "a" in account.files


def test_an_empty_store_is_empty() -> None:
    assert len(TaskStore(5, lambda _: None)) == 0


def test_of_hundreds_that_have_not_finished_the_oldest_go_one_by_one() -> None:
    stage = Stage("mulerouter", max_tasks=250, limits=False, frozen=True)
    tasks = [stage.created("mulerouter", SIMPLE["mulerouter"]) for _ in range(260)]
    assert list(stage.emulator.namespaces.of_key("test").account("mulerouter").tasks) == tasks[10:]


def test_tasks_are_forgotten_with_their_namespace() -> None:
    stage = Stage("acme", max_tasks=3)
    for key in ("a", "a", "b", "c"):
        stage.created("acme", SIMPLE["acme"], key=key)
    stage.emulator.tasks.forget(stage.emulator.namespaces.of_key("b"))
    assert len(stage.emulator.tasks) == 2
    stage.emulator.tasks.forget(None)
    assert len(stage.emulator.tasks) == 0
