"""A small client that does everything right, and others that each do one thing wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import httpx

SPEED = 200.0
SECRET = "a webhook key"
_TLS = ssl.create_default_context()


class GaveUp(Exception):  # noqa: N818 - as users name theirs
    """What the small client says where there are no results."""


class Good:
    """Speaks to a provider that tells refusals in the body of a 200, and signs the ids of its callbacks."""

    errors: Any = (GaveUp, httpx.HTTPError)
    secret = SECRET
    give_up = 130 / SPEED
    timeout: float | None = 0.5

    def __init__(self, base_url: str, key: str) -> None:
        self.jobs = f"{base_url}/api/v1/jobs"
        self.http = httpx.Client(
            headers={"Authorization": f"Bearer {key}"}, timeout=self.timeout, verify=_TLS, trust_env=False
        )
        self.told = threading.Event()

    def generate(self, prompt: str, callback_url: str | None = None) -> Any:
        body: dict[str, Any] = {"model": "nano-banana-pro", "input": {"prompt": prompt, "resolution": "1K"}}
        if callback_url:
            body["callBackUrl"] = callback_url
        return self.results(self.wait(self.create(body)))

    def create(self, body: dict[str, Any]) -> str:
        return str(self.data(self.http.post(f"{self.jobs}/createTask", json=body))["taskId"])

    def data(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = response.json()
            if answer["code"] != 200:
                raise GaveUp(f"refused: {answer['code']} {answer['msg']}")
            data: dict[str, Any] = answer["data"]
        except (ValueError, LookupError, TypeError) as error:
            raise GaveUp(f"HTTP {response.status_code}, and no answer") from error
        return data

    def wait(self, task: str) -> dict[str, Any]:
        began, lost = time.monotonic(), 0
        while (age := time.monotonic() - began) < self.give_up:
            self.rest(self.pause(age * SPEED) / SPEED)
            response = None
            try:
                response = self.http.get(f"{self.jobs}/recordInfo", params={"taskId": task})
                state = self.state(self.data(response))
            except (GaveUp, httpx.HTTPError) as error:
                lost += 1
                if lost > 4:
                    raise GaveUp("too many polls were lost") from error
                self.after_refusal(response)
                continue
            if state["state"] == "fail":
                raise GaveUp(f"failed: {state.get('failCode')} {state.get('failMsg')}")
            if state["state"] == "success":
                return state
        raise GaveUp("it took too long")

    def pause(self, age: float) -> float:
        return 2.5 if age < 28 else 8 if age < 115 else 20

    def rest(self, seconds: float) -> None:
        self.told.wait(seconds)

    def state(self, data: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(data.get("state"), str):
            raise GaveUp("no state is told")
        return data

    def after_refusal(self, response: httpx.Response | None) -> None:
        if response is not None and "retry-after" in response.headers:
            time.sleep(int(response.headers["retry-after"]) + 0.02)

    def results(self, state: dict[str, Any]) -> Any:
        try:
            return list(json.loads(state["resultJson"])["resultUrls"])
        except (ValueError, LookupError, TypeError) as error:
            raise GaveUp("no results are told") from error

    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        try:
            task = json.loads(body)["data"]["taskId"]
        except (ValueError, LookupError, TypeError):
            return 400
        stamp = headers.get("x-webhook-timestamp", "0")
        right = base64.b64encode(hmac.digest(SECRET.encode(), f"{task}.{stamp}".encode(), hashlib.sha256)).decode()
        fresh = abs(time.time() - int(stamp)) < 300
        return 200 if fresh and hmac.compare_digest(right, headers.get("x-webhook-signature", "")) else 401

    def close(self) -> None:
        self.http.close()


class Fetching(Good):
    """Fetches the results."""

    def results(self, state: dict[str, Any]) -> list[bytes]:
        return [self.fetch(link) for link in super().results(state)]

    def fetch(self, link: str) -> bytes:
        for _ in range(3):
            try:
                response = httpx.get(link, timeout=3, verify=_TLS, trust_env=False)
            except httpx.HTTPError:
                continue
            if response.status_code == 200 and response.content.endswith(b"IEND\xaeB`\x82"):
                return response.content
        raise GaveUp("the result can't be had")


class HotLoop(Good):
    give_up = 0.5

    def rest(self, seconds: float) -> None:
        pass


class Impatient(Good):
    def pause(self, age: float) -> float:
        return 2.5


class PollsOn(Good):
    def wait(self, task: str) -> dict[str, Any]:
        state = super().wait(task)
        self.http.get(f"{self.jobs}/recordInfo", params={"taskId": task})
        return state


class PollsOnUnseen(Good):
    def wait(self, task: str) -> dict[str, Any]:
        state = super().wait(task)
        threading.Thread(target=self.http.get, args=(f"{self.jobs}/recordInfo?taskId={task}",), daemon=True).start()
        return state


class CreatesAgainBlindly(Good):
    def create(self, body: dict[str, Any]) -> str:
        try:
            return super().create(body)
        except httpx.HTTPError:
            return super().create(body)


class CreatesAgainWhenSlow(Good):
    give_up = 60 / SPEED

    def generate(self, prompt: str, callback_url: str | None = None) -> Any:
        try:
            return super().generate(prompt)
        except GaveUp:
            return super().generate(prompt)


class DeafToRetryAfter(Good):
    def after_refusal(self, response: httpx.Response | None) -> None:
        pass


class KnowsEveryStatus(Good):
    def state(self, data: dict[str, Any]) -> dict[str, Any]:
        known = {"waiting": 0, "queuing": 0, "generating": 0, "success": 1, "fail": 2}
        return {**super().state(data), "number": known[data["state"]]}


class GivesUpOverAStatus(Good):
    def wait(self, task: str) -> dict[str, Any]:
        self.strange = False
        state = super().wait(task)
        if self.strange:
            raise GaveUp("a strange status")
        return state

    def state(self, data: dict[str, Any]) -> dict[str, Any]:
        self.strange |= data.get("state") not in {"waiting", "queuing", "generating", "success", "fail"}
        return super().state(data)


class KnowsEveryField(Good):
    def data(self, response: httpx.Response) -> dict[str, Any]:
        def answer(*, code: int, msg: str, data: dict[str, Any]) -> dict[str, Any]:
            return data

        return answer(**response.json())


class Leaks(Good):
    left: ClassVar[list[httpx.Client]] = []

    def close(self) -> None:
        self.left.append(self.http)


class LeaksUnseen(Good):
    """Has no way to be closed, and a connection that outlives it."""

    left: ClassVar[list[httpx.Client]] = Leaks.left
    close = None  # type: ignore[assignment]

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, key)
        self.left.append(self.http)


class LongTimeout(Good):
    timeout = 0.9


class NoDeadline(Good):
    give_up = 0.9


class RaisesOddThings(Good):
    def wait(self, task: str) -> dict[str, Any]:
        raise SystemExit(7)


class SlipsUnderException(Good):
    errors = (Exception,)

    def results(self, state: dict[str, Any]) -> Any:
        return state["results"]


class NamesNoErrors(Good):
    errors = ("GaveUp",)


class ReturnsOddThings(Good):
    def results(self, state: dict[str, Any]) -> Any:
        return None


class TakesFailureForSuccess(Good):
    def wait(self, task: str) -> dict[str, Any]:
        try:
            return super().wait(task)
        except GaveUp:
            return {"resultJson": '{"resultUrls":[]}'}


class AsksForMore(Good):
    def create(self, body: dict[str, Any]) -> str:
        return super().create(body | {"input": {"prompt": "x", "aspect_ratio": "wide"}})


class AsksElsewhere(Good):
    def create(self, body: dict[str, Any]) -> str:
        self.http.get(f"{self.jobs}/list")
        return super().create(body)


class ShowsAnotherKey(Good):
    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, "another")
        self.give_up = 0.1


class AltersLinks(Good):
    def results(self, state: dict[str, Any]) -> Any:
        return [link + "?" for link in super().results(state)]


class LosesResults(Good):
    def results(self, state: dict[str, Any]) -> Any:
        return []


class HalfAFile(Fetching):
    def fetch(self, link: str) -> bytes:
        content = super().fetch(link)
        return content[: len(content) // 2]


class TakesHalfFiles(Fetching):
    def fetch(self, link: str) -> bytes:
        return httpx.get(link, verify=_TLS, trust_env=False).content


class LosesFiles(Fetching):
    def results(self, state: dict[str, Any]) -> Any:
        super().results(state)
        return Path("nowhere.png")


class FetchesTwice(Fetching):
    def fetch(self, link: str) -> bytes:
        super().fetch(link)
        return super().fetch(link)


class GivesUpAtOnce(Good):
    def after_refusal(self, response: httpx.Response | None) -> None:
        raise GaveUp("a poll was lost")


class WaitsForEveryStatus(Good):
    def wait(self, task: str) -> dict[str, Any]:
        self.working = False
        state = super().wait(task)
        if not self.working:
            raise GaveUp("it was done before it had begun")
        return state

    def state(self, data: dict[str, Any]) -> dict[str, Any]:
        self.working |= data.get("state") == "generating"
        return super().state(data)


class TellsNoReason(Good):
    def wait(self, task: str) -> dict[str, Any]:
        try:
            return super().wait(task)
        except GaveUp:
            raise GaveUp("it failed") from None


class FallsOverDuplicates(Good):
    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        status = super().callback(headers, body)
        if self.told.is_set():
            raise KeyError("not waited for")
        self.told.set()
        return status

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)


class HangsInCallbacks(Good):
    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        time.sleep(0.6)


class BelievesTheLastCallback(Good):
    last = ""

    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        status = super().callback(headers, body)
        self.last = json.loads(body)["data"]["state"]
        return status

    def wait(self, task: str) -> dict[str, Any]:
        state = super().wait(task)
        time.sleep(0.1)
        if self.last not in {"", "success"}:
            raise GaveUp(f"it is {self.last}")
        return state


class BelievesEveryCallback(Good):
    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        return True


class RejectsCallbacks(Good):
    def callback(self, headers: dict[str, str], body: bytes) -> Any:
        return False


class HangsAtTheEnd(Good):
    def close(self) -> None:
        super().close()
        time.sleep(0.6)


class FallsOverAtTheEnd(Good):
    def close(self) -> None:
        super().close()
        raise GaveUp("closed already")


class CantBeMade(Good):
    def __init__(self, base_url: str, key: str) -> None:
        raise KeyError("ACME_HOME")


class Awaited:
    """An awaited client that never comes back."""

    errors = (GaveUp,)

    def __init__(self, base_url: str, key: str) -> None:
        self.good = Good(base_url, key)

    async def generate(self, prompt: str) -> Any:
        self.good.create({"model": "nano-banana-pro", "input": {"prompt": prompt}})
        await asyncio.sleep(60)

    async def close(self) -> None:
        self.good.close()


async def make_awaited(base_url: str, key: str) -> Awaited:
    """Make a client where a loop runs."""
    asyncio.get_running_loop()
    return Awaited(base_url, key)
