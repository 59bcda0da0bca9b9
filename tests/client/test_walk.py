"""A task's whole life through either client, with every provider: created, waited for, fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from understudy.client import ConfigurationError, NotFound, Phase, Refused, Unauthorized

from .conftest import NewAccount
from .speakers import MODELS, Connect, FakeTime, folder_of, loaded

NAMES = tuple(MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_is_created_waited_for_and_fetched(
    name: str, connect: Connect, account: NewAccount, tmp_path: Path
) -> None:
    mine = account(name)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    task = client.create(MODELS[name], prompt="a lighthouse", aspect_ratio="16:9", callback_url=None)
    assert (task.provider, task.model, task.phase) == (name, MODELS[name], Phase.PENDING)
    done = client.wait(task, timeout=600)
    assert (done.id, done.phase, done.error) == (task.id, Phase.COMPLETED, None)
    (path,) = client.download(done, tmp_path / "pictures")
    picture = Image.open(path)
    picture.load()
    assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.02)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", NAMES)
def test_the_emulators_report_finds_nothing_to_say_of_the_client(
    name: str, connect: Connect, account: NewAccount, time: FakeTime, tmp_path: Path
) -> None:
    mine = account(name)
    mine.play("success", progress="polls", n=3)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    done = client.wait(client.create(MODELS[name], prompt="a lighthouse"))
    client.download(done, tmp_path)
    report = mine.report()
    assert {each["task"]: each["polls_after_end"] for each in report["tasks"]} == {done.id: 0}
    assert report["tasks"][0]["polls"] >= 6
    assert (report["repeated_creations"], report["fetched_twice"], report["hurried"]) == ([], {}, [])
    assert min(time.pauses) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_get_polls_once_and_knows_a_task_by_its_id(name: str, connect: Connect, account: NewAccount) -> None:
    mine = account(name)
    mine.play("success", progress="hand")
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    task = client.create(MODELS[name], prompt="a lighthouse")
    seen = client.get(task.id)
    assert (seen.id, seen.model, seen.phase, seen.operation) == (task.id, task.model, Phase.PENDING, task.operation)
    mine.advance_task(task.id, to="processing")
    assert client.get(task).phase is Phase.PROCESSING
    mine.advance_task(task.id, to="failed")
    failed = client.get(task)
    assert failed.phase is Phase.FAILED
    assert failed.error is not None
    assert failed.error.message


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_key_is_unauthorized_wherever_the_refusal_is_told(
    name: str, connect: Connect, account: NewAccount
) -> None:
    client = connect(folder_of(name), api_key="invalid-key-of-mine", base_url=account(name).base_url)
    with pytest.raises(Unauthorized) as caught:
        client.create(MODELS[name], prompt="a lighthouse")
    assert caught.value.name
    assert "invalid-key-of-mine" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_task_is_not_found_whatever_code_says_so(name: str, connect: Connect, account: NewAccount) -> None:
    mine = account(name)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    operation = "edit" if name == "mulerouter" else None
    unknown = "123e4567-e89b-12d3-a456-426614174000"
    with pytest.raises(NotFound):
        client.get(unknown, model=MODELS[name], operation=operation)


@pytest.mark.parametrize("name", NAMES)
def test_credits_are_told_or_it_is_said_that_they_are_not(name: str, connect: Connect, account: NewAccount) -> None:
    mine = account(name)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    if name == "mulerouter":
        with pytest.raises(ConfigurationError, match="mulerouter has no operation that tells the balance"):
            client.credits()
    else:
        assert client.credits() == 10_000


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_uploaded_in_the_providers_manner(
    name: str, connect: Connect, account: NewAccount, tmp_path: Path
) -> None:
    mine = account(name)
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    path = tmp_path / "heron.png"
    Image.new("RGB", (320, 160)).save(path)
    if name in {"kie", "crun"}:
        url = client.upload(path)
        task = client.create(MODELS[name], prompt="a heron", images=[url])
        assert client.wait(task).phase is Phase.COMPLETED
    else:
        with pytest.raises(ConfigurationError, match=f"{name} takes no uploads"):
            client.upload(path)


def test_a_task_is_cancelled_where_the_provider_can(connect: Connect, account: NewAccount) -> None:
    mine = account("acme")
    mine.clock.freeze()
    client = connect(folder_of("acme"), api_key=mine.api_key, base_url=mine.base_url)
    task = client.create("brush-2", prompt="a heron")
    assert client.cancel(task).phase is Phase.CANCELLED
    with pytest.raises(Refused, match="too-late") as caught:
        client.cancel(task)
    assert caught.value.http_status == 409
    with pytest.raises(ConfigurationError, match="kie has no operation that cancels a task"):
        connect("kie").cancel("task_1")


def test_several_results_become_several_files(connect: Connect, account: NewAccount, tmp_path: Path) -> None:
    mine = account("acme")
    client = connect(folder_of("acme"), api_key=mine.api_key, base_url=mine.base_url)
    done = client.wait(client.create("brush-2", prompt="herons", count=3, output_format="webp", resolution="sketch"))
    paths = client.download(done, tmp_path)
    assert [path.name for path in paths] == [f"{done.id}-{number}.webp" for number in (1, 2, 3)]


def test_one_of_several_creating_operations_is_chosen_by_its_last_word(connect: Connect, account: NewAccount) -> None:
    mine = account("mulerouter")
    client = connect("mulerouter", api_key=mine.api_key, base_url=mine.base_url)
    task = client.create("nano-banana", operation="edit", prompt="a heron", images=["https://example.com/a.png"])
    assert task.operation == "createNanoBananaEdit"
    assert client.wait(task).phase is Phase.COMPLETED
    with pytest.raises(ConfigurationError, match=r"no operation 'edits' .*did you mean 'edit'.*generation, edit"):
        client.create("nano-banana", operation="edits", prompt="a heron")


def test_an_id_alone_does_not_say_which_of_several_operations_to_ask(connect: Connect, account: NewAccount) -> None:
    mine = account("mulerouter")
    keys = {"api_key": mine.api_key, "base_url": mine.base_url}
    task = connect("mulerouter", **keys).create("nano-banana", prompt="a heron")
    other = connect("mulerouter", **keys)
    with pytest.raises(ConfigurationError, match="pass the Task itself, or model= and operation="):
        other.get(task.id)
    assert other.get(task).id == task.id
    assert other.get(task.id, model="nano-banana", operation="generation").id == task.id
    assert other.get(task.id, operation="createNanoBananaGeneration").id == task.id
    assert other.wait(task).phase is Phase.COMPLETED


def test_the_model_says_enough_where_one_operation_creates_its_tasks(connect: Connect, account: NewAccount) -> None:
    mine = account("mulerouter")
    provider = loaded("mulerouter")
    client = connect(provider, api_key=mine.api_key, base_url=mine.base_url)
    task = client.create("nano-banana", prompt="a heron")
    for name in ("createNanoBananaEdit", "getNanoBananaEdit"):
        del provider.behaviour.operations[name]  # type: ignore[attr-defined]
    other = connect(provider, api_key=mine.api_key, base_url=mine.base_url)
    assert other.get(task.id, model="nano-banana").id == task.id


def test_a_client_refuses_the_task_of_another_provider(connect: Connect, account: NewAccount) -> None:
    mine = account("kie")
    task = connect("kie", api_key=mine.api_key, base_url=mine.base_url).create("nano-banana-pro", prompt="a heron")
    with pytest.raises(ConfigurationError, match="is kie's, and this client crun's"):
        connect("crun").get(task)


def test_a_client_closes_what_it_opened(connect: Connect, account: NewAccount) -> None:
    mine = account("acme")
    client = connect(folder_of("acme"), api_key=mine.api_key, base_url=mine.base_url, http=None)
    client.create("brush-2", prompt="a heron")
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.create("brush-2", prompt="a heron")
