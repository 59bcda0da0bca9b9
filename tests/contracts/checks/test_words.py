import pytest

from .test_form import put
from .traffic import answered, changed, found, reached, seen_of


@pytest.mark.parametrize(
    ("name", "path"),
    [("kie", ("data", "state")), ("crun", ("data", "status")), ("mulerouter", ("task_info", "status"))],
)
def test_a_status_that_is_no_word_of_the_provider_is_found(name: str, path: tuple[str, ...]) -> None:
    finding = found(answered(seen_of(name, "poll"), put(*path, value="exploded")))["status-word-known"]
    assert "tells the status 'exploded'; known are" in finding.sentence
    assert finding.pointer == "/" + "/".join(path)


def test_a_word_of_an_option_that_was_not_chosen_is_no_word_of_the_provider_and_is_said_to_be_that() -> None:
    seen = answered(seen_of("mulerouter", "poll"), put("task_info", "status", value="succeeded"))
    assert "'succeeded' (a word of another option)" in found(seen)["status-word-known"].sentence
    assert "status-word-known" not in found(seen_of("mulerouter", "poll", "statuses=guide"))


def test_a_poll_that_tells_no_status_is_found() -> None:
    seen = answered(seen_of("crun", "poll"), lambda data: data["data"].pop("status"))
    assert found(seen)["status-word-known"].sentence == "taskInfo tells no status at /data/status"


def test_a_poll_that_tells_of_another_task_is_found() -> None:
    seen = answered(seen_of("kie", "poll"), put("data", "taskId", value="task_another"))
    assert set(found(seen)) == {"task-asked-for"}
    assert "tells of 'task_another'" in found(seen)["task-asked-for"].sentence


@pytest.mark.parametrize(
    ("name", "path"), [("kie", ("code",)), ("apikley", ("code",)), ("mulerouter", ("error", "code"))]
)
def test_a_refusal_with_a_code_that_no_entry_of_the_catalogue_has_is_found(name: str, path: tuple[str, ...]) -> None:
    finding = found(answered(seen_of(name, "unknown"), put(*path, value=433)))["refusal-code-known"]
    assert "the code '433'" in finding.sentence
    assert finding.severity == "warning"


def test_a_refusal_whose_status_is_not_that_of_its_code_is_found() -> None:
    seen = seen_of("mulerouter", "unknown")
    assert seen.exchange.status == 404
    finding = found(changed(seen, status=400))["refusal-status-documented"]
    assert finding.sentence.endswith("told the code 1004 with HTTP 400; documented is 404")
    over_http = seen_of("kie", "unknown", "errors=http")
    assert over_http.exchange.status == 422
    assert "refusal-status-documented" in found(changed(over_http, status=200))
    assert "refusal-status-documented" in reached(seen_of("kie", "unknown"))
