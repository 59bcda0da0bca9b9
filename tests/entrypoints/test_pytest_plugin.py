"""The fixture `understudy`, used as a reader of the README would."""

from __future__ import annotations

from typing import Any

import httpx


class MyApp:
    """An application under test: starts a generation and tells how it went."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._jobs = f"{base_url}/api/v1/jobs"
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def start(self, prompt: str) -> str:
        body = {"model": "nano-banana-pro", "input": {"prompt": prompt}}
        response = httpx.post(f"{self._jobs}/createTask", json=body, headers=self._headers)
        return str(response.json()["data"]["taskId"])

    def status(self, job: str) -> str:
        response = httpx.get(f"{self._jobs}/recordInfo", params={"taskId": job}, headers=self._headers)
        return {"success": "done", "fail": "failed"}.get(response.json()["data"]["state"], "running")


def test_my_app_survives_a_failed_generation(understudy: Any) -> None:
    kie = understudy.account("kie")
    kie.play("fail", code=501)
    job = MyApp(base_url=kie.base_url, api_key=kie.api_key).start("a lighthouse")
    kie.clock.advance(minutes=2)
    assert MyApp(base_url=kie.base_url, api_key=kie.api_key).status(job) == "failed"
    kie.verify("createTask", times=1)
