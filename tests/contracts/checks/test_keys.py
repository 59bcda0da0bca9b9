import pytest
from understudy.contracts.checks.exchange import Exchange
from understudy.contracts.checks.keys import KeyShown, key_shown
from understudy.contracts.checks.oracle import Observation

from .traffic import NAMES, changed, found, reached, seen_of


def with_key(name: str, shown: str | None, kind: str = "poll") -> Observation:
    """Return what is seen of an accepted request whose key is `shown` instead, None for none."""
    seen = seen_of(name, kind)
    ((place, _),) = seen.oracle.key_places
    kept = tuple(each for each in seen.exchange.headers if each[0] != place)
    return changed(seen, headers=kept if shown is None else (*kept, (place, shown)))


def bearer(name: str, key: str) -> str:
    """Return what stands in the header of a provider for `key`."""
    ((_, scheme),) = seen_of(name, "poll").oracle.key_places
    return scheme + key


@pytest.mark.parametrize("name", NAMES)
def test_what_is_done_without_a_key_is_found(name: str) -> None:
    finding = found(with_key(name, None))["key-required"]
    assert finding.sentence.endswith("was done without a key")
    assert "key-required" not in reached(seen_of(name, "poll"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["", "invalid-key"])
def test_what_is_done_with_a_wrong_key_is_found(name: str, key: str) -> None:
    assert set(found(with_key(name, bearer(name, key)))) == {"wrong-key-refused"}


@pytest.mark.parametrize("name", ["kie", "apikley", "mulerouter"])
@pytest.mark.parametrize("shown", ["Basic eDp5", "sk-only", "Token x"])
def test_what_is_done_with_a_key_of_another_scheme_is_found(name: str, shown: str) -> None:
    finding = found(with_key(name, shown))["wrong-key-refused"]
    assert finding.sentence.endswith("was done with something that is no key")


def test_the_scheme_may_be_written_in_any_case() -> None:
    assert found(with_key("kie", "bearer key-1")) == {}


def test_a_missing_key_that_is_refused_as_something_else_is_found() -> None:
    seen = changed(with_key("kie", None), answer=b'{"code":422,"msg":"so","data":null}')
    assert found(seen)["key-required"].sentence == (
        "recordInfo, asked without a key, refused that as not-found (422); expected is unauthorized"
    )
    assert found(changed(seen, answer=b'{"code":401,"msg":"so","data":null}')) == {}


def test_a_missing_key_that_is_told_as_the_servers_fault_is_found_once() -> None:
    seen = changed(with_key("mulerouter", None), status=500, answer=b'{"error":{"code":1100,"title":"","detail":""}}')
    assert set(found(seen)) == {"no-server-error"}
    assert found(seen)["no-server-error"].sentence.endswith("; the key is missing")


def test_an_operation_that_wants_no_key_is_not_judged() -> None:
    oracle = seen_of("crun", "poll").oracle
    put = oracle.operations["putFile"]
    assert not put.needs_key
    path = put.behaviour.key.path.replace("{name}", "a.png")
    seen = oracle.observe(Exchange("PUT", path, "signature=x", (), b"x", 0, 1, 200))
    assert key_shown(seen) is KeyShown.RIGHT
    assert reached(seen).isdisjoint({"key-required", "wrong-key-refused"})
