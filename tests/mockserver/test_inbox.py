"""Inboxes: receivers for those who have none, which answer as badly as they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from understudy.mockserver.control_callbacks import receive
from understudy.mockserver.handle import Account, ControlRefused
from understudy.mockserver.inbox import MAX_INBOXES, MAX_MESSAGE_BYTES, MAX_MESSAGES, Inbox, Inboxes, Letter
from understudy.mockserver.server import MockServer
from understudy.mockserver.settings import Settings

from .stage import SIMPLE


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """A server whose inboxes are real receivers."""
    with MockServer(settings=Settings(callback_timeout=0.3, limits=False)) as running:
        yield running


def create(account: Account, play: str = "", url: str | None = None) -> str:
    """Create a task whose callbacks go to the account's inbox, or to `url`."""
    headers = {"Authorization": f"Bearer {account.api_key}", **({"Understudy-Scenario": play} if play else {})}
    body = {**SIMPLE["kie"], "callBackUrl": url or account.inbox.url}
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{account.base_url}/api/v1/jobs/createTask", json=body, headers=headers)
        return str(answer.json()["data"]["taskId"])


def test_an_inbox_takes_callbacks_and_is_read(server: MockServer) -> None:
    kie = server.account("kie")
    task = create(kie)
    assert kie.inbox.messages() == []
    kie.clock.advance(minutes=2)
    (message,) = kie.inbox.messages()
    assert task in message["body"]
    assert message["headers"]["content-type"] == "application/json"
    assert message["answered"] == "200"


def test_an_inbox_is_waited_for(server: MockServer) -> None:
    kie = server.account("kie", speed=1000)
    create(kie)
    create(kie)
    assert len(kie.inbox.wait(2, timeout=10)) == 2


def test_who_waits_in_vain_is_told_what_came(server: MockServer) -> None:
    kie = server.account("kie")
    with pytest.raises(ControlRefused, match=r"^0 callbacks came within 0.01 s; expected 1$"):
        kie.inbox.wait(timeout=0.01)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(500, "answered 500"), (404, "answered 404"), ("hang", "no answer within 0.3 s"), ("reset", "")],
)
def test_the_next_callbacks_are_answered_as_it_is_told(server: MockServer, answer: int | str, error: str) -> None:
    kie = server.account("kie")
    kie.inbox.answer(answer, times=2)
    task = create(kie)
    kie.clock.advance(hours=1)
    (delivery,) = kie.deliveries(task=task)
    told = [each["error"] for each in delivery["attempts"]]
    assert told[2] is None
    assert all(each and each.startswith(error or ("ReadError", "RemoteProtocolError")) for each in told[:2]), told
    assert [each["answered"] for each in kie.inbox.messages()] == [str(answer), str(answer), "200"]


def test_each_account_has_an_inbox_of_its_own_and_a_reset_empties_it(server: MockServer) -> None:
    one, two = server.account("kie"), server.account("kie")
    for account in (one, two):
        create(account)
        account.clock.advance(minutes=2)
    one.reset()
    assert (len(one.inbox.messages()), len(two.inbox.messages())) == (0, 1)
    two.inbox.clear()
    assert two.inbox.messages() == []


def test_a_callback_is_verified_from_what_the_inbox_shows(server: MockServer) -> None:
    from standardwebhooks import Webhook  # noqa: PLC0415

    secret = "whsec_aGVsbG9oZWxsb2hlbGxvaGVsbG8="
    mule = server.account("mulerouter")
    mule.set(webhook_url=mule.inbox.url, webhook_secret=secret)
    headers = {"Authorization": f"Bearer {mule.api_key}"}
    url = f"{mule.base_url}/vendors/google/v1/nano-banana-pro/generation"
    httpx.post(url, json=SIMPLE["mulerouter"], headers=headers, trust_env=False)
    mule.clock.advance(minutes=2)
    messages = mule.inbox.messages()
    assert len(messages) == 2
    for each in messages:
        assert Webhook(secret).verify(each["body"], each["headers"])


def test_deliveries_are_steered_from_python(server: MockServer) -> None:
    kie = server.account("kie")
    kie.pause_deliveries()
    task = create(kie)
    kie.clock.advance(minutes=2)
    assert kie.inbox.messages() == []
    kie.resume_deliveries()
    kie.clock.advance(seconds=0)
    (delivery,) = kie.deliveries(task=task)
    kie.redeliver(delivery["id"])
    kie.clock.advance(seconds=0)
    assert len(kie.inbox.messages()) == 2
    kie.redeliver(delivery["id"])
    kie.cancel_delivery(delivery["id"])
    assert kie.deliveries(state="cancelled")[0]["id"] == delivery["id"]


def ask(server: MockServer, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask the control API."""
    return httpx.request(method, f"{server.url}/_understudy/inbox/{path}", trust_env=False, timeout=10, **more)


def test_keys_are_masked_and_a_long_message_is_cut(server: MockServer) -> None:
    headers = {"Authorization": "Bearer sk-0123456789", "X-Other": "whole"}
    assert ask(server, "POST", "long", content=b"x" * 3_000_000, headers=headers).status_code == 200
    (message,) = ask(server, "GET", "long").json()["messages"]
    assert len(message["body"]) == MAX_MESSAGE_BYTES
    assert message["headers"]["authorization"] == "Bearer sk-0…"
    assert message["headers"]["x-other"] == "whole"


@pytest.mark.parametrize(
    "query", ["wait=x", "wait=nan", "wait=-1", "wait=61", "wait=inf", "wait=1&count=x", "wait=1&count=-1"]
)
def test_a_wait_that_can_not_be_meant_is_refused(server: MockServer, query: str) -> None:
    refused = ask(server, "GET", f"mine?{query}")
    assert refused.status_code == 400
    assert "wait is a number of seconds up to 60" in refused.json()["error"]


@pytest.mark.parametrize("data", [
    {"answer": 99}, {"answer": 600}, {"answer": "hung"}, {}, {"answer": 500, "times": 0},
    {"answer": 500, "times": True},
    {"answer": 500, "times": 1001}, {"answer": 500, "times": "2"},
])  # fmt: skip
def test_an_answer_that_can_not_be_meant_is_refused(server: MockServer, data: Any) -> None:
    refused = ask(server, "POST", "mine/answer", json=data)
    assert refused.status_code == 400
    assert "expected" in refused.json()["error"]


def test_an_inbox_that_is_told_to_reset_where_there_is_no_connection_lets_it_hang() -> None:
    assert receive.__doc__
    from .post import Post  # noqa: PLC0415

    async def asked(post: Post) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await post.stage._client.post("/_understudy/inbox/x", content=b"{}")

    with Post("kie") as post:
        post.control("POST", "/inbox/x/answer", None, json={"answer": "reset"})
        post.run(asked(post))
        assert post.control("GET", "/inbox/x", None).json()["messages"][0]["answered"] == "reset"


# --- the value ----------------------------------------------------------------------------------------------


def test_who_waits_goes_on_waiting_when_the_inbox_is_emptied() -> None:
    async def play() -> bool:
        inbox = Inbox()
        waiting = asyncio.ensure_future(inbox.wait(1, 5))
        await asyncio.sleep(0)
        inbox.clear()
        inbox.put(Letter(0, {}, "", "200"))
        return await waiting

    assert asyncio.run(play())


def test_inboxes_and_what_they_hold_are_bounded() -> None:
    inboxes = Inboxes()
    for number in range(MAX_INBOXES + 5):
        inboxes.open(str(number)).answers.append("500")
    assert inboxes.open("0").next_answer() == "200"
    assert inboxes.open(str(MAX_INBOXES)).next_answer() == "500"
    for _ in range(MAX_MESSAGES + 5):
        inboxes.open("full").put(Letter(0, {}, "", "200"))
    assert (len(inboxes.open("full").letters), inboxes.open("full").count) == (MAX_MESSAGES, MAX_MESSAGES + 5)
    inboxes.clear()
    assert inboxes.open("full").count == 0
