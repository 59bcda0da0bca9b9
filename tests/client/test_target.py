"""Which provider, where, with which key: from arguments, from the environment, and what is refused."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from understudy.client import AsyncClient, Client, ConfigurationError
from understudy.client.target import Parts, Target, find_target

from .speakers import ACME, URL, Connect, FakeTime, loaded


def target(name: str = "kie", base_url: str | None = None) -> Target:
    """Return a target with a key."""
    return find_target(loaded(name), "key-of-mine", base_url, {})


def test_key_and_url_come_from_the_environment_where_they_are_not_passed() -> None:
    environment = {"UNDERSTUDY_KIE_API_KEY": "from-there", "UNDERSTUDY_KIE_BASE_URL": "http://127.0.0.1:4020/kie/"}
    found = find_target("kie", None, None, environment)
    assert (found.key, found.base_url) == ("from-there", "http://127.0.0.1:4020/kie")
    passed = find_target("kie", "from-here", "http://127.0.0.1:1/x", environment)
    assert (passed.key, passed.base_url) == ("from-here", "http://127.0.0.1:1/x")


def test_the_variables_of_a_folder_with_an_odd_name_are_spelled_plainly(tmp_path: Path) -> None:
    shutil.copytree(ACME, tmp_path / "acme-2.eu")
    with pytest.raises(ConfigurationError, match="pass api_key or set UNDERSTUDY_ACME_2_EU_API_KEY"):
        find_target(tmp_path / "acme-2.eu", None, None, {})


def test_the_documented_host_is_asked_unless_another_is_named() -> None:
    behaviour = loaded("kie").behaviour
    balance, upload = behaviour.operations["credit"], behaviour.operations["uploadStream"]
    there = target()
    assert there.ask(balance, Parts()).url == "https://api.kie.ai/api/v1/chat/credit"
    assert there.ask(upload, Parts()).url == "https://kieai.redpandaai.co/api/file-stream-upload"
    here = target(base_url="http://127.0.0.1:4020/kie")
    assert here.ask(upload, Parts()).url == "http://127.0.0.1:4020/kie/api/file-stream-upload"


def test_the_key_goes_where_the_documents_say() -> None:
    for name, header, value in (
        ("kie", "Authorization", "Bearer key-of-mine"),
        ("crun", "x-api-key", "key-of-mine"),
        ("acme", "X-Acme-Key", "key-of-mine"),
    ):
        there = target(name)
        ask = there.ask(there.doing("balance")[0], Parts())
        assert ask.headers[header] == value
    storing = loaded("crun").behaviour.operations["putFile"]
    assert "x-api-key" not in target("crun").ask(storing, Parts(path={"name": "a.png"})).headers


def test_what_goes_into_a_path_or_query_is_escaped() -> None:
    there = target("crun")
    operations = there.behaviour.operations
    ask = there.ask(operations["describeModel"], Parts(path={"model": "a/b c"}))
    assert ask.url.endswith("/Models/a/b%20c")
    ask = there.ask(operations["putFile"], Parts(path={"name": "../a b"}, query={"signature": "x&y=z"}))
    assert ask.url.endswith("/put/..%2Fa%20b?signature=x%26y%3Dz")


@pytest.mark.parametrize(
    "expression", ["$request.body#/a/b", "$request.query.q", "$request.path.p", "$request.header.h"]
)
def test_every_place_of_a_request_can_be_filled(expression: str) -> None:
    parts = Parts()
    parts.put(expression, "v")
    filled = {"a": {"b": "v"}} if "body" in expression else {expression[-1]: "v"}
    assert filled in (parts.body, parts.query, parts.path, parts.headers)


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'\$response.body#/x' is no place in a request"):
        Parts().put("$response.body#/x", 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provider": "kei"}, "is no folder and no built-in provider (did you mean 'kie'?)"),
        ({"provider": "/nowhere/acme"}, "/nowhere/acme"),
        ({"api_key": ""}, "no key for acme: pass api_key or set UNDERSTUDY_ACME_API_KEY"),
        ({"api_key": "two words"}, "the key for acme holds characters that no header can carry"),
        ({"api_key": "schlüssel"}, "the key for acme holds characters that no header can carry"),
        ({"base_url": "127.0.0.1:4020"}, "the base URL '127.0.0.1:4020' is none"),
        ({"base_url": "http://127.0.0.1:99999"}, "the base URL 'http://127.0.0.1:99999' is none"),
        ({"base_url": "http://acme.example/?a=1"}, "is none; expected one such as http://127.0.0.1:4020/acme"),
        ({"base_url": "http://user:secret@acme.example"}, "the base URL holds a user name"),
        ({"timeout": 0}, "timeout is 0; expected seconds above 0"),
        ({"retries": -1}, "retries is -1; expected 0 or more"),
    ],
)
def test_what_can_not_work_is_refused_at_once(settings: dict[str, object], message: str, connect: Connect) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(**{"provider": ACME, **settings})
    assert message in str(caught.value)
    assert "two words" not in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_a_provider_with_a_broken_folder_is_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "behaviour.yaml").write_text("understudy: 1\ntitle: [\n")
    with pytest.raises(ConfigurationError, match=r"behaviour\.yaml:\d+: broken YAML"):
        Client(tmp_path, api_key="x")


def test_a_provider_with_a_broken_document_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    shutil.copytree(ACME, tmp_path / "acme")
    (tmp_path / "acme" / "pictures.yaml").write_text("openapi: 2.0.0")
    with pytest.raises(ConfigurationError, match=r"pictures\.yaml:1: /openapi: is '2.0.0'"):
        Client(tmp_path / "acme", api_key="x")


def test_a_key_in_the_query_is_refused_since_logs_would_hold_it() -> None:
    provider = loaded("acme")
    schemes = dict(provider.contract.components["securitySchemes"])
    schemes["AcmeKey"] = {"type": "apiKey", "in": "query", "name": "key"}
    components = {**provider.contract.components, "securitySchemes": schemes}
    object.__setattr__(provider.contract, "components", components)
    there = find_target(provider, "key", URL, {})
    with pytest.raises(ConfigurationError, match="wants its key in a way that the client can't"):
        there.ask(there.doing("balance")[0], Parts())


def test_the_key_is_shown_nowhere(connect: Connect) -> None:
    client = connect("kie", api_key="key-of-mine-0123456789")
    shown = [repr(client), repr(target()), repr(target().ask(target().doing("balance")[0], Parts()))]
    assert not any("key-of-mine" in each for each in shown)
    assert target().hide("the key key-of-mine is wrong") == "the key key-… is wrong"


def test_a_client_tells_whom_it_speaks_to(connect: Connect) -> None:
    client = connect("kie", base_url="http://127.0.0.1:4020/kie/")
    assert (client.provider, client.base_url) == ("kie", "http://127.0.0.1:4020/kie")
    assert repr(client).endswith("Client('kie', base_url='http://127.0.0.1:4020/kie')")


def test_an_http_client_that_was_passed_in_stays_open(time: FakeTime) -> None:
    http = httpx.Client()
    with Client("kie", api_key="x", http=http):
        pass
    assert not http.is_closed
    http.close()
    with Client("kie", api_key="x") as own:
        assert own.provider == "kie"


async def _use(http: httpx.AsyncClient) -> None:
    async with AsyncClient("kie", api_key="x", http=http):
        pass
    assert not http.is_closed
    await http.aclose()
    async with AsyncClient("kie", api_key="x") as own:
        assert own.provider == "kie"


def test_an_async_http_client_that_was_passed_in_stays_open() -> None:
    asyncio.run(_use(httpx.AsyncClient()))


def test_importing_the_client_warns_of_nothing_and_loads_no_other_room() -> None:
    program = (
        "import sys, understudy.client;"
        "print([name for name in sys.modules if name.startswith(('understudy.mockserver', 'understudy.contracts',"
        " 'understudy.entrypoints'))])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
