"""The engine: what is due when, in which order, how often, how many at once, and who may steer it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.mockserver.chance import draw
from understudy.mockserver.deliveries import CONNECTIONS_PER_RECEIVER
from understudy.mockserver.delivery import altered, next_due, spoiled_signature
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.headers import Headers
from understudy.mockserver.outbox import MAX_KEPT
from understudy.mockserver.request import Request
from understudy.mockserver.settings import Settings
from understudy.openapi.callbacks import Callbacks
from understudy.openapi.provider import built_in_names, load_provider

from ..processes import serving
from .post import Post
from .receiver import Answer, Received, Receiver, wait_until
from .stage import SIMPLE, START, as_json, provider_of

ATTEMPTS = {"kie": 4, "mulerouter": 10, "crun": 1, "apikley": 1}
"""Attempts before a callback is given up: one, and one more for each pause that the provider's folder tells."""


def callbacks_of(provider: str) -> Callbacks:
    """Return what a provider's folder says of its callbacks."""
    found = load_provider(provider).behaviour.callbacks
    assert found is not None
    return found


# --- the plan of attempts -----------------------------------------------------------------------------------


@given(
    provider=st.sampled_from(sorted(ATTEMPTS)), random=st.binary(min_size=40, max_size=40), attempts=st.integers(1, 15)
)
def test_the_next_attempt_is_due_within_the_jitter_of_its_pause_and_after_the_last_there_is_none(
    provider: str, random: bytes, attempts: int
) -> None:
    callbacks = callbacks_of(provider)
    due = next_due(callbacks, attempts, START, random)
    if attempts >= ATTEMPTS[provider]:
        assert due is None
    else:
        assert due is not None
        pause = callbacks.retries[attempts - 1]
        assert abs(due - START - pause) <= callbacks.jitter * pause + 1


def test_the_jitter_comes_from_the_seed() -> None:
    callbacks = callbacks_of("kie")
    found = {next_due(callbacks, 1, START, draw(seed, "n", 1)) for seed in range(50)}
    assert len(found) > 40
    assert next_due(callbacks, 1, START, draw(1, "n", 1)) == next_due(callbacks, 1, START, draw(1, "n", 1))


@given(st.binary())
def test_an_altered_body_is_another_one(body: bytes) -> None:
    assert altered(body) != body


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["", "v1,"]))
def test_a_spoiled_signature_has_the_same_form_and_is_another_one(digest: bytes, version: str) -> None:
    import base64  # noqa: PLC0415

    right = version + base64.b64encode(digest).decode()
    wrong = spoiled_signature(right)
    assert wrong != right
    assert len(wrong) == len(right)
    assert wrong.startswith(version)


@pytest.mark.parametrize("provider", built_in_names())
def test_a_receiver_that_refuses_everything_is_given_up_after_the_documented_attempts(provider: str) -> None:
    with Post(provider, behave=500) as post:
        task = post.created(provider)
        for _ in range(5):
            post.advance("30d" if provider == "mulerouter" else "1d")
        last = post.deliveries(task)[-1]
        assert last["state"] == "given-up"
        assert len(last["attempts"]) == ATTEMPTS[provider]
        assert last["reason"] == f"after {ATTEMPTS[provider]} attempts: answered 500"
        assert len(post.receiver.received) == ATTEMPTS[provider] * len(post.deliveries(task))
        times = [parsed(each["time"]) for each in last["attempts"]]
        for (earlier, later), pause in zip(pairwise(times), callbacks_of(provider).retries, strict=True):
            assert 0.89 * pause <= later - earlier <= 1.11 * pause


def parsed(text: str) -> int:
    """Return milliseconds since the epoch."""
    from understudy.openapi.times import parse_time  # noqa: PLC0415

    return parse_time(text)


@pytest.mark.parametrize(("provider", "status", "received"), [
    ("kie", 200, True), ("kie", 201, False), ("kie", 204, False), ("mulerouter", 204, True), ("mulerouter", 299, True),
    ("mulerouter", 300, False), ("crun", 200, True), ("crun", 202, False), ("apikley", 404, False),
])  # fmt: skip
def test_what_counts_as_received_is_what_the_folder_says(provider: str, status: int, received: bool) -> None:
    with Post(provider, behave=status) as post:
        task = post.created(provider)
        post.advance("1m")
        assert (post.deliveries(task)[-1]["state"] == "delivered") is received


# --- many ---------------------------------------------------------------------------------------------------


class Crowd:
    """An emulator, and receivers, all in one loop: nothing but the engine and its sockets takes time."""

    def __init__(self, **settings: Any) -> None:
        self.emulator = Emulator(
            [provider_of("kie")], Settings(frozen=True, limits=False, credits=1e9, callback_timeout=5, **settings)
        )
        self.namespace = self.emulator.namespaces.of_key("test")

    def create(self, url: str, count: int) -> list[str]:
        """Create tasks whose callbacks go to `url`."""
        headers = Headers([(b"content-type", b"application/json"), (b"authorization", b"Bearer test")])
        body = as_json({**SIMPLE["kie"], "callBackUrl": url})
        made = []
        for _ in range(count):
            request = Request("POST", "/kie/api/v1/jobs/createTask", b"", headers, body)
            made.append(self.emulator.handle(request).task)
        assert all(made)
        return made


@pytest.mark.untraced
def test_of_five_thousand_none_is_lost_and_none_is_sent_again_after_a_200() -> None:
    crowd = Crowd(instant=True)
    seen: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    order: dict[str, int] = {}

    def refuse_some(came: Received) -> int:
        task = came.data["data"]["taskId"]
        seen[task] += 1
        number = order[task]
        if number % 3 == 0 and seen[task] <= 1 + number // 3 % 2:
            return 500
        accepted[task] += 1
        return 200

    async def play() -> None:
        receiver = Receiver(refuse_some)
        server = await receiver.listen()
        order.update({task: number for number, task in enumerate(crowd.create(receiver.url, 5000))})
        await crowd.emulator.advance(crowd.namespace, 600_000)
        await crowd.emulator.deliveries.close()
        server.close()
        assert receiver.most_open <= CONNECTIONS_PER_RECEIVER

    asyncio.run(play())
    deliveries = list(crowd.namespace.outbox.all.values())
    assert Counter(each.state for each in deliveries) == {"delivered": 5000}
    assert set(accepted.values()) == {1}
    assert len(accepted) == 5000
    assert sum(len(each.attempts) for each in deliveries) == seen.total() == 5000 + 1667 + 833
    assert {each.task.id: len(each.attempts) for each in deliveries} == dict(seen)


@pytest.mark.untraced
def test_advancing_an_hour_drains_a_thousand_in_order_within_three_seconds() -> None:
    crowd = Crowd()

    async def play() -> float:
        receiver = Receiver()
        server = await receiver.listen()
        crowd.create(receiver.url, 1000)
        await crowd.emulator.advance(crowd.namespace, 1)  # what is imported is imported
        began = time.process_time()  # others use this machine as well
        await crowd.emulator.advance(crowd.namespace, 3_600_000)
        took = time.process_time() - began
        await crowd.emulator.deliveries.close()
        server.close()
        ends = [each.data["data"]["completeTime"] for each in receiver.received]
        assert len(ends) == 1000
        assert ends == sorted(ends)
        return took

    assert asyncio.run(play()) < 3


@pytest.mark.untraced
def test_ten_thousand_pending_deliveries_cost_a_heap() -> None:
    crowd = Crowd()

    async def play() -> None:
        before = len(asyncio.all_tasks())
        crowd.create("http://127.0.0.1:1/", 10_000)
        assert crowd.emulator.deliveries.pending() == 10_000
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= before + 1
        crowd.emulator.reset()
        assert crowd.emulator.deliveries.pending() == 0
        await crowd.emulator.deliveries.close()

    asyncio.run(play())


@pytest.mark.untraced
def test_deliveries_that_ended_are_let_go_of_and_pending_ones_never() -> None:
    crowd = Crowd()
    outbox = crowd.namespace.outbox
    crowd.create("http://127.0.0.1:1/", 2000)
    for each in list(outbox.all.values())[:1500]:
        each.end("delivered")
    began = time.process_time()
    crowd.create("http://127.0.0.1:1/", MAX_KEPT + 1000)
    assert time.process_time() - began < 5
    assert sum(1 for each in outbox.all.values() if each.state == "pending") == MAX_KEPT + 1500
    assert not [each for each in outbox.all.values() if each.state == "delivered"]


def test_at_most_eight_connections_go_to_one_receiver_and_a_slow_one_holds_up_no_other() -> None:
    release = asyncio.Event()

    async def slowly(_: Received) -> Answer:
        await release.wait()
        return 200

    async def play() -> None:
        crowd = Crowd(instant=True)
        slow, quick = Receiver(slowly), Receiver()
        servers = [await slow.listen(), await quick.listen()]
        crowd.create(slow.url, 30)
        crowd.create(quick.url, 30)
        advanced = asyncio.ensure_future(crowd.emulator.advance(crowd.namespace, 1000))
        await until(lambda: len(quick.received) == 30 and slow.open == CONNECTIONS_PER_RECEIVER)
        assert len(slow.received) == CONNECTIONS_PER_RECEIVER
        release.set()
        await advanced
        assert (len(slow.received), slow.most_open) == (30, CONNECTIONS_PER_RECEIVER)
        await crowd.emulator.deliveries.close()
        for server in servers:
            server.close()

    asyncio.run(asyncio.wait_for(play(), 10))


# --- clocks -------------------------------------------------------------------------------------------------


def test_a_clock_that_stands_still_sends_nothing_even_of_what_is_due() -> None:
    with Post("kie", instant=True) as post:
        post.created("kie")
        post.control("GET", "/health")
        post.run(asyncio.sleep(0.02))
        assert post.receiver.received == []
        post.advance("0ms")
        assert len(post.receiver.received) == 1


@pytest.mark.parametrize("turn", [{"resume": True}, {"speed": 1000, "resume": True}])
def test_a_clock_that_runs_again_sends_what_is_due(turn: dict[str, Any]) -> None:
    with Post("kie", instant=True) as post:
        post.created("kie")
        post.run(asyncio.sleep(0.01))
        post.control("POST", "/clock", json=turn)
        post.run(until(lambda: post.receiver.received))
        assert len(post.receiver.received) == 1


async def until(condition: Any) -> None:
    """Wait until a condition holds, in the loop of the stage."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.002)


def test_a_clock_that_was_set_sends_what_was_passed_over_when_it_runs_or_is_advanced() -> None:
    with Post("kie") as post:
        post.created("kie")
        later = post.control("GET", "/clock").json()["clocks"][0]["now"].replace("T07", "T09")
        post.control("POST", "/clock", json={"set": later})
        assert post.receiver.received == []
        post.advance("0ms")
        assert len(post.receiver.received) == 1


def test_advance_waits_for_what_is_already_out() -> None:
    async def slowly(came: Received) -> Answer:
        await asyncio.sleep(0.1)
        return 500 if came.number == 1 else 200

    with Post("kie", behave=slowly, frozen=False, instant=True) as post:
        task = post.created("kie")
        post.run(until(lambda: post.receiver.received))
        post.advance("1m")
        assert post.deliveries(task)[0]["state"] == "delivered"
        assert len(post.receiver.received) == 2


def test_each_namespace_is_sent_by_a_clock_of_its_own() -> None:
    with Post("kie") as post:
        post.created("kie", key="one")
        post.created("kie", key="two")
        post.advance(key="two")
        assert len(post.receiver.received) == 1
        assert post.deliveries(key="one")[0]["state"] == "pending"
        assert len(post.deliveries(key=None)) == 2


# --- tasks that are moved -----------------------------------------------------------------------------------


def test_a_task_that_polls_move_tells_its_end() -> None:
    with Post("kie") as post:
        task = post.created("kie", "success; progress=polls; n=1")
        while post.stage.facts("kie", task)["status"] != "success":
            pass
        post.advance("0ms")
        assert [each.data["data"]["state"] for each in post.receiver.received] == ["success"]


@pytest.mark.parametrize(("to", "status"), [("completed", "success"), ("failed", "fail")])
def test_a_task_that_is_moved_by_hand_tells_that_end_and_not_the_planned_one(to: str, status: str) -> None:
    with Post("kie") as post:
        task = post.created("kie")
        assert post.control("POST", f"/tasks/{task}/advance", json={"to": to}).status_code == 200
        post.advance()
        assert [each.data["data"]["state"] for each in post.receiver.received] == [status]
        assert [each["state"] for each in post.deliveries(task)] == ["cancelled", "delivered"]


def test_a_task_that_is_moved_into_the_middle_of_its_plan_tells_its_end_when_that_comes() -> None:
    with Post("kie") as post:
        task = post.created("kie")
        assert post.control("POST", f"/tasks/{task}/advance", json={"to": "generating"}).status_code == 200
        post.advance()
        (came,) = post.receiver.received
        assert came.data["data"]["completeTime"] == post.stage.facts("kie", task)["completed"]
        assert parsed(post.deliveries(task)[-1]["attempts"][0]["time"]) == came.data["data"]["completeTime"]


def test_events_of_one_moment_each_tell_what_they_are_about() -> None:
    with Post("mulerouter") as post:
        task = post.created("mulerouter")
        post.control("POST", f"/tasks/{task}/advance", json={"to": "completed"})
        post.advance("1s")
        told = {
            each.data["type"]: each.data["data"]["payload"]["task_info"]["status"] for each in post.receiver.received
        }
        assert told == {"task.created": "pending", "task.succeeded": "completed"}


def test_resetting_a_namespace_cancels_what_was_pending() -> None:
    with Post("kie") as post:
        post.created("kie")
        kept = list(post.stage.emulator.namespaces.of_key("test").outbox.all.values())
        post.control("POST", "/reset")
        post.advance()
        assert [(each.state, each.reason) for each in kept] == [("cancelled", "its namespace was reset")]
        assert post.receiver.received == []
        assert post.deliveries() == []


# --- steering -----------------------------------------------------------------------------------------------


def steer(post: Post, delivery: dict[str, Any], word: str) -> Any:
    """Redeliver or cancel a delivery."""
    return post.control("POST", f"/deliveries/{delivery['id']}/{word}")


def test_a_deliverys_life_is_shown_with_every_attempt_and_below_the_tasks_creation() -> None:
    with Post("kie", behave=lambda each: 500 if each.number == 1 else 200) as post:
        task = post.created("kie")
        before = post.deliveries(task)[0]
        assert (before["state"], before["attempts"], before["url"]) == ("pending", [], f"{post.receiver.url}/kie")
        assert before["due"] is not None
        post.advance()
        delivery = post.deliveries(task)[0]
        assert [each["status"] for each in delivery["attempts"]] == [500, 200]
        assert delivery["attempts"][0]["error"] == "answered 500"
        assert delivery["attempts"][1]["error"] is None
        first = delivery["attempts"][0]
        assert first["body"].encode() == post.receiver.received[0].body
        assert first["response"] == "{}"
        assert first["headers"]["content-type"] == "application/json"
        assert first["milliseconds"] > 0
        assert first["time"].startswith("2025-12-08T07:2")
        assert first["real_time"] > first["time"]
        exchanges = post.control("GET", "/exchanges", params={"operation": "createTask"}).json()["exchanges"]
        assert exchanges[0]["deliveries"] == [delivery]


def test_a_delivery_is_sent_once_more_by_hand_whatever_became_of_it() -> None:
    with Post("kie", behave=500) as post:
        task = post.created("kie")
        post.advance()
        given_up = post.deliveries(task)[0]
        assert given_up["state"] == "given-up"
        post.receiver.behave = lambda _: 200
        assert steer(post, given_up, "redeliver").json()["state"] == "pending"
        assert steer(post, given_up, "redeliver").status_code == 200  # twice before it is out is once
        post.advance("0ms")
        again = post.deliveries(task)[0]
        assert (again["state"], len(again["attempts"])) == ("delivered", 5)
        assert len({each.body for each in post.receiver.received}) == 1


def test_a_delivery_that_is_sent_by_hand_before_its_task_has_ended_is_not_lost() -> None:
    with Post("kie") as post:
        task = post.created("kie")
        (early,) = post.deliveries(task)
        assert steer(post, early, "redeliver").json()["state"] == "pending"
        post.advance("100ms")
        assert post.deliveries(task)[0]["state"] == "pending"
        post.advance()
        assert [post.deliveries(task)[0]["state"], len(post.receiver.received)] == ["delivered", 1]


def test_a_delivery_can_be_cancelled_while_it_is_pending() -> None:
    with Post("kie") as post:
        task = post.created("kie")
        delivery = post.deliveries(task)[0]
        assert steer(post, delivery, "cancel").json()["reason"] == "by hand"
        post.advance()
        assert post.receiver.received == []
        refused = steer(post, delivery, "cancel")
        assert (refused.status_code, refused.json()["error"]) == (409, "the delivery is cancelled already")


@pytest.mark.parametrize(("answer", "state"), [(500, "cancelled"), (200, "delivered")])
def test_what_is_cancelled_while_it_is_out_is_not_tried_again(answer: int, state: str) -> None:
    with Post("kie", instant=True, frozen=False) as post:
        emulator = post.stage.emulator

        def cancel(_: Received) -> Answer:
            for each in emulator.namespaces.of_key("test").outbox.all.values():
                emulator.deliveries.cancel(each)
            return answer

        post.receiver.behave = cancel
        task = post.created("kie", "callback-duplicate, callback-out-of-order")
        post.run(until(lambda: post.receiver.received))
        post.advance("1h")
        assert len(post.receiver.received) == 1
        assert [each["state"] for each in post.deliveries(task)] == [state]


@pytest.mark.parametrize("key", ["test", None])
def test_while_deliveries_are_paused_nothing_is_sent(key: str | None) -> None:
    with Post("kie") as post:
        assert post.control("POST", "/deliveries/pause", key).json() == {"paused": True}
        post.created("kie")
        post.created("kie", "callback-early")
        post.created("kie", key="other")
        post.advance()
        post.advance(key="other")
        assert len(post.receiver.received) == (1 if key else 0)
        assert post.control("POST", "/deliveries/resume", key).json() == {"paused": False}
        post.advance("0ms")
        post.advance("0ms", key="other")
        assert len(post.receiver.received) == 3


def test_what_waits_for_a_connection_when_deliveries_are_paused_waits_on() -> None:
    with Post("kie", instant=True) as post:
        emulator = post.stage.emulator

        def pause(_: Received) -> Answer:
            emulator.deliveries.pause(emulator.namespaces.of_key("test"))
            return 200

        post.receiver.behave = pause
        for _ in range(20):
            post.created("kie")
        post.advance("1s")
        assert 1 <= len(post.receiver.received) <= CONNECTIONS_PER_RECEIVER
        post.receiver.behave = lambda _: 200
        post.control("POST", "/deliveries/resume")
        post.advance("1s")
        assert len(post.receiver.received) == 20


@pytest.mark.parametrize("word", ["redeliver", "cancel"])
def test_a_delivery_that_nobody_knows_is_a_404(word: str) -> None:
    with Post("kie") as post:
        assert steer(post, {"id": "nonsense"}, word).status_code == 404


def test_deliveries_are_told_by_state_task_and_provider() -> None:
    with Post("kie", "crun") as post:
        lost = post.created("kie", "callback-lost")
        post.created("crun")
        assert [each["task"] for each in post.deliveries(state="cancelled")] == [lost]
        assert [each["provider"] for each in post.deliveries(provider="crun")] == ["crun"]
        assert [each["task"] for each in post.deliveries(lost)] == [lost]
        for filters in ({"state": "delivred"}, {"provider": "kei"}, {"tsk": "x"}):
            refused = post.control("GET", "/deliveries", params=filters)
            assert (refused.status_code, "did you mean" in refused.json()["error"]) == (400, True)


def test_a_body_that_can_not_be_rendered_stops_nothing() -> None:
    with Post("kie") as post:
        broken, whole = post.created("kie"), post.created("kie")
        deliveries = post.stage.emulator.deliveries
        render = deliveries._render

        def fail(namespace: Any, delivery: Any, now: int) -> bytes:
            if delivery.task.id == broken:
                raise ZeroDivisionError("a template")
            return render(namespace, delivery, now)

        deliveries._render = fail  # type: ignore[method-assign]
        post.advance()
        assert post.deliveries(broken)[0]["state"] == "given-up"
        assert "ZeroDivisionError" in post.deliveries(broken)[0]["reason"]
        assert post.deliveries(whole)[0]["state"] == "delivered"
        assert any("could not be sent" in each for each in post.stage.said)


def test_a_secret_that_can_not_sign_ends_the_delivery() -> None:
    with Post("mulerouter") as post:
        task = post.created("mulerouter")
        post.stage.emulator.namespaces.of_key("test").settings["mulerouter", "webhook_secret"] = "no base64!"
        post.advance()
        assert {each["state"] for each in post.deliveries(task)} == {"given-up"}
        assert "whsec_" in post.deliveries(task)[0]["reason"]
        assert "no base64!" not in post.control("GET", "/deliveries").text


# --- the program --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_a_server_that_stops_says_how_many_callbacks_were_pending(count: int) -> None:
    import signal  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    with serving("--frozen", "--provider", "kie", "--callback-timeout", "2", "--set", "kie.webhook_key=x") as server:
        headers = {"Authorization": "Bearer test"}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
            for _ in range(count):
                body = {**SIMPLE["kie"], "callBackUrl": "http://127.0.0.1:1/"}
                client.post("/kie/api/v1/jobs/createTask", json=body)
        assert server.stop(signal.SIGTERM) == 0
        assert server.err[-1] == f"understudy: stopped with {count} callback{'s' * (count > 1)} pending"


@pytest.mark.parametrize(("arguments", "problem"), [
    (("--callback-allow", "http://x"), "'http://x' is no host; expected HOST or HOST:PORT"),
    (("--callback-timeout", "0"), "0"), (("--callback-timeout", "nan"), "no finite number"),
    (("--set", "clock.signatures=maybe"), "expected clock.signatures=real or clock.signatures=virtual"),
    (("--set", "mulerouter.webhook_url=nowhere"), "'nowhere' is no URL"),
    (("--set", "mulerouter.webhook_secret=sECRET!"), "whsec_"),
])  # fmt: skip
def test_options_that_can_not_be_meant_are_refused(arguments: tuple[str, ...], problem: str) -> None:
    with serving(*arguments) as server:
        assert server.ended() != 0
        text = "\n".join(server.err)
        assert problem in text
        assert "sECRET" not in text


def test_a_loop_of_the_engine_that_is_gone_is_started_anew() -> None:
    with Post("kie", frozen=False, instant=True) as post:
        post.created("kie")
        wait_until(lambda: post.run(asyncio.sleep(0.005)) or post.receiver.received)
        assert post.stage.emulator.deliveries._loop_task is not None
        post.stage.emulator.deliveries._loop_task.cancel()
        post.run(asyncio.sleep(0))
        post.created("kie")
        wait_until(lambda: post.run(asyncio.sleep(0.005)) or len(post.receiver.received) == 2)
