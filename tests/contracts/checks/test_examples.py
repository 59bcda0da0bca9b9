import shutil
from pathlib import Path

import pytest
from understudy.contracts.checks.examples import examples_valid
from understudy.contracts.checks.oracle import Oracle
from understudy.contracts.checks.tally import Tally
from understudy.openapi.provider import load_provider

from ...mockserver.stage import ACME
from .traffic import choices, chosen


@pytest.mark.parametrize("choice", choices(), ids=" ".join)
def test_every_example_of_the_stored_documents_is_judged_and_fits(choice: tuple[str, ...]) -> None:
    tally = Tally([examples_valid])
    assert tally.judge_contract(chosen(*choice)) == []
    assert tally.judged["examples-valid"] > 10


BROKEN = [
    (
        "n: 3\n",
        "n: 9\n",
        "createPictures",
        "/paths/~1v2~1pictures/post/requestBody/content/application~1json/examples/full",
    ),
    (
        "status: queued\n",
        "status: asleep\n",
        "createPictures",
        "/responses/201/content/application~1json/examples/queued",
    ),
    ("maximum: 50, default: 10", "maximum: 5, default: 10", "listPictures", "/parameters/0/schema/default"),
    ("minimum: 400, maximum: 599", "minimum: 500, maximum: 599", "", "/components/responses/Problem/content/"),
]


@pytest.mark.parametrize(("text", "instead", "operation", "place"), BROKEN)
def test_an_example_that_does_not_fit_is_found_where_it_stands(
    text: str, instead: str, operation: str, place: str, tmp_path: Path
) -> None:
    folder = tmp_path / "acme"
    shutil.copytree(ACME, folder)
    document = (folder / "pictures.yaml").read_text()
    assert text in document
    (folder / "pictures.yaml").write_text(document.replace(text, instead))
    findings = Tally([examples_valid]).judge_contract(Oracle(load_provider(folder)))
    assert [each.operation for each in findings] == [operation]
    assert place in findings[0].pointer
    assert findings[0].severity == "error"
