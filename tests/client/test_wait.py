"""Waiting: as the provider advises, within the deadline, and past whatever may pass."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from understudy.client import (
    AsyncClient,
    Client,
    ConfigurationError,
    NotFound,
    Phase,
    ProtocolViolation,
    RateLimited,
    Refused,
    Task,
    TaskFailed,
    TransportFailed,
    Unauthorized,
    Unavailable,
    WaitTimedOut,
)
from understudy.client.flows import MAX_REMEMBERED

from .conftest import NewAccount
from .faulty import Act, FaultyServer, answer, close, raw
from .speakers import ACME, MODELS, Connect, FakeTime, Speaker, folder_of

ID = "pic_" + "0" * 32
FILE = "https://files.acme.example/0.png"


def told(status: str, **more: Any) -> Act:
    """Answer that the task is in `status`."""
    return answer(200, {"id": ID, "status": status, **more})


CREATED = answer(201, {"id": ID, "status": "queued"})
DONE = told("done", files=[FILE], coins=2)
UNKNOWN = answer(404, {"type": "https://acme.example/problems/no-such-picture"})
GARBAGE = answer(200, raw=b"<html>")


def speaker(connect: Connect, faulty: FaultyServer, *acts: Act, **settings: Any) -> Speaker:
    """Return a client of a server that plays these acts."""
    faulty.plays(*acts)
    return connect(ACME, base_url=faulty.url, **settings)


def test_the_providers_advice_is_followed_with_jitter(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    client = speaker(connect, faulty, CREATED, told("painting"))
    with pytest.raises(WaitTimedOut):
        client.wait(client.create("brush-2", prompt="x"), timeout=600)
    moments = [sum(time.pauses[:number]) for number in range(len(time.pauses))]
    for began, pause in list(zip(moments, time.pauses, strict=True))[:-1]:
        least, most = (2, 3) if began < 30 else (5, 10) if began < 120 else (15, 30)
        assert least <= pause <= most
    assert len(set(time.pauses)) == len(time.pauses)
    assert 597 <= sum(time.pauses) <= 600


def test_what_was_seen_last_is_told_when_the_time_is_up(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    client = speaker(connect, faulty, CREATED, told("painting"))
    with pytest.raises(WaitTimedOut) as caught:
        client.wait(client.create("brush-2", prompt="x"), timeout=60)
    assert (caught.value.task.status, caught.value.task.phase) == ("painting", Phase.PROCESSING)
    assert caught.value.timeout == 60
    assert time.moment <= 1060


def test_results_that_a_creation_that_is_done_at_once_does_not_tell_are_asked_for(
    connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    done_at_once = answer(201, {"id": ID, "status": "done", "files": []})
    client = speaker(connect, faulty, done_at_once, DONE)
    assert client.wait(client.create("brush-2", prompt="x")).outputs == (FILE,)
    assert (time.pauses, len(faulty.received)) == ([], 2)
    faulty.plays(done_at_once, GARBAGE, DONE)
    assert client.wait(client.create("brush-2", prompt="x")).outputs == (FILE,)
    faulty.plays(done_at_once, close)
    with pytest.raises(WaitTimedOut):
        client.wait(client.create("brush-2", prompt="x"), timeout=30)


def test_the_provider_says_when_to_give_up(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    client = speaker(connect, faulty, CREATED, told("painting"))
    with pytest.raises(WaitTimedOut, match="had not ended after 900 s"):
        client.wait(client.create("brush-2", prompt="x"))
    assert 1890 <= time.moment <= 1900


def test_no_time_at_all_is_enough_for_one_poll(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    client = speaker(connect, faulty, CREATED, DONE)
    assert client.wait(client.create("brush-2", prompt="x"), timeout=0).phase is Phase.COMPLETED


@pytest.mark.parametrize("name", MODELS)
def test_polls_keep_to_the_providers_limit_however_often_the_caller_wants_them(
    name: str, connect: Connect, account: NewAccount, time: FakeTime
) -> None:
    mine = account(name)
    mine.play("stuck")
    client = connect(folder_of(name), api_key=mine.api_key, base_url=mine.base_url)
    task = client.create(MODELS[name], prompt="x")
    with pytest.raises(WaitTimedOut):
        client.wait(task, timeout=0.5, poll_every=0)
    polls = mine.report()["tasks"][0]["polls"]
    limited = name in {"kie", "apikley"}  # ten a second; of the others no limit is known
    assert 4 <= polls <= 6 if limited else 40 <= polls <= 51
    assert min(time.pauses) >= (0.1 if limited else 0.01) - 1e-9


def test_several_waits_share_the_limit(account: NewAccount, time: FakeTime) -> None:
    mine = account("kie")
    mine.play("stuck", rule_times=4)
    client = Client("kie", api_key=mine.api_key, base_url=mine.base_url, sleep=time.sleep, now=time.now)
    with client:
        tasks = [client.create("nano-banana-pro", prompt=str(number)) for number in range(4)]
        began = time.moment

        def wait(task: Task) -> None:
            with pytest.raises(WaitTimedOut):
                client.wait(task, timeout=2, poll_every=0.01)

        threads = [threading.Thread(target=wait, args=(task,)) for task in tasks]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    polls = sum(each["polls"] for each in mine.report()["tasks"])
    assert polls <= (time.moment - began) * 10 + 10


def test_many_tasks_are_awaited_at_once(account: NewAccount, time: FakeTime) -> None:
    mine = account("acme")

    async def generate() -> list[Task]:
        async with AsyncClient(
            ACME, api_key=mine.api_key, base_url=mine.base_url, sleep=time.sleep_async, now=time.now
        ) as client:
            tasks = await asyncio.gather(*(client.create("brush-2", prompt=str(number)) for number in range(20)))
            return await asyncio.gather(*(client.wait(task) for task in tasks))

    done = asyncio.run(generate())
    assert {each.phase for each in done} == {Phase.COMPLETED}
    assert len({each.id for each in done}) == 20


def test_a_wait_that_is_cancelled_leaves_nothing_behind(faulty: FaultyServer) -> None:
    faulty.plays(CREATED, faulty.hang)

    async def cancelled() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            client = AsyncClient(ACME, api_key="x", base_url=faulty.url, http=http)
            task = await client.create("brush-2", prompt="x")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.wait(task, poll_every=0.01), 0.1)
            pool = http._transport._pool  # type: ignore[attr-defined]
            assert [each for each in pool.connections if not each.is_closed()] == []

    asyncio.run(cancelled())


@pytest.mark.parametrize(
    "lost",
    [
        [answer(500)] * 6,
        [close] * 6,
        [answer(502, raw=b"<html>"), answer(503), answer(429)],
        [GARBAGE, GARBAGE],
        [GARBAGE, GARBAGE, told("painting"), GARBAGE, GARBAGE],
        [raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"), answer(200, {"id": ID})],
    ],
)
def test_lost_polls_are_survived(lost: list[Act], connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, *lost, DONE)
    done = client.wait(client.create("brush-2", prompt="x"))
    assert (done.phase, done.outputs, done.credits) == (Phase.COMPLETED, (FILE,), 2)
    assert len(faulty.received) == 2 + len(lost)


def test_a_poll_that_was_refused_for_its_rate_waits_as_long_as_it_is_told(
    connect: Connect, faulty: FaultyServer, time: FakeTime
) -> None:
    client = speaker(connect, faulty, CREATED, answer(429, retry_after="20"), DONE)
    client.wait(client.create("brush-2", prompt="x"))
    assert time.pauses[1] >= 20


def test_a_wait_that_is_too_long_is_told_at_once(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, answer(429, retry_after="31"))
    with pytest.raises(RateLimited):
        client.wait(client.create("brush-2", prompt="x"))
    assert len(faulty.received) == 2


@pytest.mark.parametrize(("act", "kind"), [(answer(500), Unavailable), (close, TransportFailed)])
def test_why_polls_were_lost_is_told_with_the_timeout(
    act: Act, kind: type[Exception], connect: Connect, faulty: FaultyServer
) -> None:
    client = speaker(connect, faulty, CREATED, act)
    with pytest.raises(WaitTimedOut) as caught:
        client.wait(client.create("brush-2", prompt="x"), timeout=20)
    assert isinstance(caught.value.__cause__, kind)
    assert caught.value.task.status == "queued"


def test_three_garbled_polls_in_a_row_are_another_protocol(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, GARBAGE)
    with pytest.raises(ProtocolViolation, match="expected JSON"):
        client.wait(client.create("brush-2", prompt="x"))
    assert len(faulty.received) == 4


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (409, Refused), (403, Unauthorized)])
def test_a_refusal_that_stays_ends_the_wait(
    status: int, kind: type[Exception], connect: Connect, faulty: FaultyServer
) -> None:
    client = speaker(connect, faulty, CREATED, answer(status))
    with pytest.raises(kind):
        client.wait(client.create("brush-2", prompt="x"))
    assert len(faulty.received) == 2


def kie(data: Any, code: int = 200) -> Act:
    """Answer in an envelope."""
    return answer(200, {"code": code, "msg": "recordInfo is null" if code == 422 else "success", "data": data})


def test_a_new_task_may_not_be_there_yet(connect: Connect, faulty: FaultyServer) -> None:
    null = kie(None, 422)
    done = kie({"taskId": "t1", "state": "success", "resultJson": '{"resultUrls":["https://a.example/b.png"]}'})
    faulty.plays(kie({"taskId": "t1"}), null, done)
    client = connect("kie", base_url=faulty.url)
    task = client.create("nano-banana-pro", prompt="x")
    assert client.wait(task).outputs == ("https://a.example/b.png",)
    faulty.plays(kie({"taskId": "t1"}), null)
    with pytest.raises(NotFound):
        client.wait(client.create("nano-banana-pro", prompt="x"))


def test_a_task_that_was_there_and_is_gone_is_not_found(connect: Connect, faulty: FaultyServer) -> None:
    seen = kie({"taskId": "t1", "state": "waiting"})
    faulty.plays(kie({"taskId": "t1"}), seen, kie(None, 422))
    client = connect("kie", base_url=faulty.url)
    task = client.create("nano-banana-pro", prompt="x")
    with pytest.raises(NotFound):
        client.wait(task, poll_every=0.5)


def test_an_id_that_is_not_this_clients_gets_no_grace(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    faulty.plays(kie(None, 422))
    with pytest.raises(NotFound):
        connect("kie", base_url=faulty.url).wait("t1")
    assert time.pauses == []


def test_a_task_of_another_client_is_polled_at_once(connect: Connect, faulty: FaultyServer, time: FakeTime) -> None:
    assert speaker(connect, faulty, DONE).wait(ID).phase is Phase.COMPLETED
    assert time.pauses == []


def test_an_unknown_status_is_polled_on(connect: Connect, faulty: FaultyServer) -> None:
    seen: list[Task] = []
    client = speaker(connect, faulty, CREATED, told("varnishing"), DONE)
    done = client.wait(client.create("brush-2", prompt="x"), on_poll=seen.append)
    assert [(each.status, each.phase) for each in seen] == [
        ("varnishing", Phase.UNKNOWN), ("done", Phase.COMPLETED)
    ]  # fmt: skip
    assert done.status == "done"


def test_an_unknown_status_for_ever_ends_at_the_deadline(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, told("varnishing"))
    with pytest.raises(WaitTimedOut) as caught:
        client.wait(client.create("brush-2", prompt="x"), timeout=100)
    assert caught.value.task.phase is Phase.UNKNOWN


def test_the_words_of_another_option_are_understood(connect: Connect, faulty: FaultyServer) -> None:
    def info(status: str, **more: Any) -> Act:
        return answer(202, {"task_info": {"id": "t1", "status": status}, **more})

    faulty.plays(info("queued"), info("running"), info("succeeded", images=["https://a.example/b.png"]))
    client = connect("mulerouter", base_url=faulty.url)
    task = client.create("nano-banana", prompt="x")
    assert task.phase is Phase.PENDING
    assert client.wait(task).outputs == ("https://a.example/b.png",)


def test_a_failed_task_raises_with_the_providers_code_and_sentence(connect: Connect, faulty: FaultyServer) -> None:
    failed = told("broken", problem={"type": "no-paint", "detail": "The brush was dry"})
    client = speaker(connect, faulty, CREATED, failed)
    with pytest.raises(TaskFailed, match=f"task {ID} ended as 'broken': no-paint The brush was dry") as caught:
        client.wait(client.create("brush-2", prompt="x"))
    assert (caught.value.code, caught.value.message) == ("no-paint", "The brush was dry")
    assert caught.value.task.phase is Phase.FAILED


def test_a_cancelled_task_raises_too(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, told("cancelled"))
    with pytest.raises(TaskFailed, match="ended as 'cancelled'") as caught:
        client.wait(client.create("brush-2", prompt="x"))
    assert caught.value.code is None


def test_a_task_that_has_ended_is_not_polled_again(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, DONE)
    done = client.get(ID)
    assert client.wait(done) is not None
    assert len(faulty.received) == 1
    with pytest.raises(TaskFailed):
        client.wait(Task(ID, "acme", phase=Phase.FAILED))
    assert len(faulty.received) == 1


def test_a_hanging_poll_does_not_outlast_the_wait(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, CREATED, faulty.hang)
    with pytest.raises(WaitTimedOut):
        client.wait(client.create("brush-2", prompt="x"), timeout=0.2)


def test_an_answer_about_another_task_is_none(connect: Connect, faulty: FaultyServer) -> None:
    client = speaker(connect, faulty, answer(200, {"id": "pic_1", "status": "done", "files": []}))
    with pytest.raises(ProtocolViolation, match=f"/id of the answer is 'pic_1'; expected '{ID}', the id that was"):
        client.get(ID)


def test_only_so_many_tasks_are_remembered(connect_sync: Connect) -> None:
    flows = connect_sync()._flows
    for number in range(MAX_REMEMBERED + 5):
        flows._remember(str(number), (None, "", 0.0))
    assert flows.origin("4") is None
    assert flows.origin("5") is not None


def test_a_provider_that_can_not_be_asked_for_a_task_is_told(connect: Connect) -> None:
    client = connect(ACME)
    for operation in list(client._flows.target.behaviour.operations.values()):
        if operation.does == "poll":
            del client._flows.target.behaviour.operations[operation.name]
    with pytest.raises(ConfigurationError, match="acme has no operation that looks up a task"):
        client.get("pic_1")
