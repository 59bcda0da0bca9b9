"""What is not the provider is told in one line, before anything else is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from understudy.contracts.checks.oracle import Oracle
from understudy.contracts.runs.preflight import look, takes, unknown_id
from understudy.contracts.runs.target import Target, UnreachableError
from understudy.mockserver import MockServer, Settings, create_app
from understudy.openapi.provider import load_provider

from .strangers import ACME, answering, closed_port, speaking_tls

KIE = Oracle(load_provider("kie"))
KEYS = frozenset({"sk-right"})


def said(url: str, oracle: Oracle = KIE, key: str = "sk-right") -> str:
    with Target(url) as target, pytest.raises(UnreachableError) as told:
        look(oracle, target, key)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.fixture(scope="module")
def emulator() -> Iterator[MockServer]:
    with MockServer(settings=Settings(keys=KEYS)) as server:
        yield server


def test_a_target_that_is_down_can_not_be_reached() -> None:
    assert "can't be reached: ConnectError" in said(f"http://127.0.0.1:{closed_port()}")


def test_a_target_that_speaks_tls_is_told_from_one_that_is_down() -> None:
    with speaking_tls() as url:
        assert said(url) == f"{url} speaks TLS; try https://"


def test_a_target_that_speaks_no_tls_is_told_so(emulator: MockServer) -> None:
    url = emulator.url.replace("http://", "https://")
    assert said(url) == f"{url} speaks no TLS; try http://"


def test_a_redirect_is_not_followed_but_told() -> None:
    with answering(301, b"", "text/plain", Location="https://elsewhere.example/api") as url:
        assert said(url) == f"{url} redirects to https://elsewhere.example/api; give that as --url"


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_page_is_no_api(content_type: str) -> None:
    with answering(200, b"<!DOCTYPE html><title>Welcome</title>", content_type) as url:
        assert said(url) == f"{url} answers GET /api/v1/jobs/recordInfo with HTML (HTTP 200); expected an API"


def test_another_api_is_another_provider() -> None:
    with answering(404, b'{"error": "no such thing"}', "application/json") as url:
        assert f"{url} is another provider than kie.ai: " in said(url)


@pytest.mark.parametrize("name", ["crun", "mulerouter", "apikley", "acme"])
def test_every_other_provider_is_another_one(name: str) -> None:
    providers = [load_provider(ACME if each == "acme" else each) for each in ("kie", "crun", "mulerouter", "acme")]
    app = create_app(providers)
    wanted = Oracle(load_provider(ACME if name == "acme" else name))
    # apikley is kie's like in everything that can be asked for free.
    others = [each.name for each in providers if each.name != name and (name, each.name) != ("apikley", "kie")]
    for other in others:
        with (
            Target(f"http://127.0.0.1:4020/{other}", app=app) as target,
            pytest.raises(UnreachableError, match="is another provider than"),
        ):
            look(wanted, target, "acme-key")


def test_a_wrong_key_is_told_in_the_provider_s_words(emulator: MockServer) -> None:
    url = f"{emulator.url}/kie"
    assert said(url, key="sk-wrong") == f"{url} refuses the key: The API key is missing or not valid"


def test_the_provider_itself_is_familiar(emulator: MockServer) -> None:
    with Target(f"{emulator.url}/kie") as target:
        assert look(KIE, target, "sk-right")
        assert takes(KIE, target, "sk-right")
        assert not takes(KIE, target, "sk-wrong")


def test_an_unknown_id_has_the_form_that_the_contract_tells() -> None:
    acme = Oracle(load_provider(ACME))
    assert unknown_id(acme.operations["getPictures"]).startswith("pic_")
    assert unknown_id(KIE.operations["recordInfo"]) == "understudy-unknown-id"
