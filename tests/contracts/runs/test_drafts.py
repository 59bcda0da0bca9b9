"""Valid requests of every operation: drawn, simplest, and as the contract's examples show."""

from __future__ import annotations

from pathlib import Path

import pytest
from understudy.contracts.checks.exchange import header
from understudy.contracts.checks.oracle import Oracle
from understudy.contracts.runs.ask import exchange_of, make_ask
from understudy.contracts.runs.drafts import PIXEL, Draft, Drafts, Form
from understudy.contracts.runs.drawing import drawn
from understudy.openapi.provider import load_provider

from .strangers import ACME, FOLIO

ORACLES = {
    Path(each).name: Oracle(load_provider(each)) for each in ("kie", "crun", "apikley", "mulerouter", ACME, FOLIO)
}
KIE = ORACLES["kie"]
URL = "http://127.0.0.1:9/callback"


def forms(name: str, *, url: str = URL) -> list[tuple[Drafts, Form]]:
    drafts = Drafts(ORACLES[name], url)
    return [(drafts, form) for each in ORACLES[name].operations.values() for form in drafts.forms(each)]


@pytest.mark.parametrize("name", ORACLES)
def test_whatever_is_drawn_is_valid_as_it_is_sent(name: str) -> None:
    for drafts, form in forms(name):
        for draft in drawn(form.drafts, 5, 0):
            assert drafts.is_valid(form, draft), form.name


@pytest.mark.parametrize("name", ORACLES)
def test_every_creation_has_a_valid_example(name: str) -> None:
    for drafts, form in forms(name):
        if form.operation.behaviour.does == "create":
            assert drafts.examples(form)
            assert all(drafts.is_valid(form, each) for each in drafts.examples(form))


def test_every_variant_is_a_form_of_its_own() -> None:
    assert [form.name for _, form in forms("kie") if form.variant] == [
        "createTask of nano-banana-pro",
        "createTask of google/nano-banana",
    ]


def test_callbacks_of_drawn_requests_go_nowhere_but_to_the_receiver() -> None:
    for url in (URL, ""):
        for _, form in forms("kie", url=url):
            if form.operation.name == "createTask":
                named = [each.body.get("callBackUrl") for each in drawn(form.drafts, 30, 0)]
                assert set(named) - {None} == ({URL} if url else set())


def test_what_would_make_of_two_creations_one_is_in_no_draft_but_those_with_everything() -> None:
    drafts = Drafts(ORACLES["folio"], URL)
    creation = ORACLES["folio"].operations["fileJob"]
    for everything in (False, True):
        for form in drafts.forms(creation, everything=everything):
            keyed = ["request_key" in each.body for each in drawn(form.drafts, 20, 0)]
            assert set(keyed) == {everything}


def test_a_number_that_no_machine_word_holds_is_sent_as_it_is() -> None:
    operation = ORACLES["acme"].operations["listPictures"]
    assert make_ask(operation, "k", parameters={("query", "offset"): 10**30}).query == f"offset={10**30}"
    assert make_ask(operation, "k", body={"n": 10**30}).body == b'{"n":%d}' % 10**30


def test_uploads_have_content_that_can_be_read() -> None:
    for _, form in forms("kie"):
        bodies = [each.body for each in drawn(form.drafts, 3, 0)]
        if form.operation.name == "uploadBase64":
            assert all(each["base64Data"].startswith("iVBOR") for each in bodies)
        if form.operation.name == "uploadUrl":
            assert {each["fileUrl"] for each in bodies} == {"https://example.com/picture.png"}
        if form.operation.name == "uploadStream":
            sent = exchange_of(form.ask(Draft({}, bodies[0]), "k"))
            assert "multipart/form-data; boundary=" in (header(sent.headers, "content-type") or "")
            assert PIXEL in sent.body


def test_a_parameter_that_names_a_model_names_one_there_is() -> None:
    for _, form in forms("crun"):
        if form.operation.name == "describeModel":
            named = {value for each in drawn(form.drafts, 10, 0) for value in each.parameters.values()}
            assert named == set(ORACLES["crun"].behaviour.models)
