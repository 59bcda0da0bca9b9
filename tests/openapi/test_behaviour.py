from collections.abc import Callable
from typing import Any, get_args

import pytest
from understudy.openapi.behaviour import NAMES, Behaviour, Does, Meaning, Phase, Template, build_behaviour
from understudy.openapi.conditions import CONDITIONS
from understudy.openapi.polling import Polling
from understudy.openapi.provider import BUILT_IN, merge_patch
from understudy.openapi.shape import BEHAVIOUR as SCHEMA
from understudy.openapi.source import parse_source, read_source
from understudy.openapi.template import TemplateError

from .folders import BEHAVIOUR

DATA = parse_source(BEHAVIOUR, "behaviour.yaml").data


def acme(patch: Any = None) -> Behaviour:
    """The behaviour of acme, changed by a merge patch."""
    return build_behaviour(merge_patch(DATA, patch or {}))


def test_a_file_becomes_values() -> None:
    made = acme()
    assert (made.title, made.base_url, made.key_prefix, made.id_format) == (
        "Acme",
        "https://api.acme.test",
        "ac_",
        "{uuid}",
    )
    assert (made.key_provenance, made.id_provenance) == ("observed", "assumed")
    assert made.statuses["waiting"].lasts == (1000, 2000)
    assert made.statuses["done"].lasts == (0, 0)
    assert (made.retention.tasks, made.retention.results) == (1_209_600_000, None)
    assert made.limits[0].operations == ("create", "poll")
    assert (made.limits[0].count, made.limits[0].per) == (5, 1000)


def test_what_a_file_leaves_out_has_a_default() -> None:
    left_out = dict.fromkeys(
        ["key", "models", "limits", "retention", "headers", "settings", "callbacks", "polling", "options"]
    )
    made = acme(left_out)
    assert (made.key_prefix, made.models, made.limits, made.headers) == ("", {}, (), None)
    assert (made.callbacks, made.settings, made.options) == (None, {}, {})
    assert made.sizes == {"1K": 1 << 20, "2K": 1 << 22, "4K": 1 << 24}
    assert made.longest_side is False
    assert made.polling.steps[0].since == 0


def test_the_errors_and_failures_keep_the_facts_that_are_the_provider_s_own() -> None:
    made = acme({"errors": {"not-found": {"title": "Not Found", "message": "No {{ problem }}"}}})
    assert made.failures["failed"].facts == {"title": "Broken"}
    error = made.errors["not-found"]
    assert (error.code, error.status, error.when, error.facts) == (404, None, ("id-unknown",), {"title": "Not Found"})
    assert error.message({"problem": "task"}) == "No task"
    assert acme().errors["not-found"].message({"problem": "x is wrong"}) == "x is wrong"


def test_a_price_is_a_number_or_an_expression_over_the_body() -> None:
    models = acme().models
    assert models["small"].credits == 2
    price = models["large"].credits
    assert isinstance(price, Template)
    assert [price({"input": {"size": size}, "model": "large"}) for size in ("big", "small")] == [9, 3]
    assert models["large"].about == {"kind": "picture"}


def test_an_operation_has_the_fields_of_the_one_it_is_like_and_its_own_over_them() -> None:
    operations = acme(
        {"operations": {"more": {"on": "GET /more", "does": "poll", "like": "again", "reads": {}}}}
    ).operations
    poll, again, more = (operations[name] for name in ("poll", "again", "more"))
    assert again.task_id == more.task_id == poll.task_id == "$request.path.id"
    assert (again.creates, more.creates) == (("create",), ("create",))
    assert again.reads == poll.reads
    assert more.reads == {}
    assert str(more.key) == "GET /more"


def test_a_refusal_of_an_operation_is_laid_over_the_one_of_all() -> None:
    made = acme({"operations": {"poll": {"refusal": {"status": 410, "reads": {"accepted": [1]}}}}})
    error = {"error": {"code": 404, "message": "gone"}}
    refusal, own = made.refusal, made.operations["poll"].refusal
    assert (refusal.status(error), own.status(error)) == (404, 410)
    assert own.body(error) == refusal.body(error) == {"code": 404, "message": "gone"}
    assert (refusal.code, refusal.message, refusal.accepted) == (("/code",), ("/message",), ())
    assert (own.code, own.accepted) == ((), (1,))


def test_an_answer_may_differ_by_phase() -> None:
    reply = acme().operations["poll"].answer
    assert reply.status == 200
    assert reply.body is not None
    assert reply.body({"task": {"status": "waiting"}}) == "waiting"
    assert reply.by_phase[Phase.FAILED]({"task": {"id": "t1"}, "now": None}) == {"id": "t1"}


def test_pointers_may_be_one_or_several() -> None:
    places = acme().operations["create"].input
    assert (places.prompt, places.images, places.ratio) == (("/prompt",), ("/image", "/images"), ())


def test_the_parts_of_an_upload_are_where_the_file_says() -> None:
    upload = acme().operations["send"].upload
    assert upload is not None
    assert (upload.source, upload.content, upload.name) == ("base64", "$request.body#/file", None)
    assert acme({"operations": {"send": {"upload": {"from": None}}}}).operations["send"].upload.source == "raw"  # type: ignore[union-attr]


def test_callbacks_become_values() -> None:
    callbacks = acme().callbacks
    assert callbacks is not None
    assert (callbacks.url, callbacks.setting, callbacks.timeout, callbacks.jitter) == (None, "hook", 15_000, 0.0)
    assert callbacks.on == {Phase.COMPLETED: "task.done", Phase.FAILED: None}
    assert callbacks.retries == (1000, 300_000)
    assert callbacks.received == {200, 204}
    assert callbacks.signature is not None
    assert (callbacks.signature.scheme, callbacks.signature.secret) == ("standard-webhooks", "secret")
    assert callbacks.body({"task": {"id": "t1"}, "event": "task.done"}) == {"id": "t1", "type": "task.done"}


def test_callbacks_may_be_unsigned_and_go_where_the_creation_says() -> None:
    patch = {"url": "$request.body#/hook", "signature": None, "received": None, "headers": None, "retries": None}
    callbacks = acme({"callbacks": patch}).callbacks
    assert callbacks is not None
    assert (callbacks.url, callbacks.setting, callbacks.signature) == ("$request.body#/hook", None, None)
    assert (callbacks.headers, callbacks.retries) == (None, ())
    assert callbacks.received == set(range(200, 300))


def test_the_advice_for_polling_is_kept_in_the_order_of_a_task_s_age() -> None:
    polling = acme().polling
    assert [(step.since, step.least, step.most) for step in polling.steps] == [(0, 2000, 2000), (30_000, 5000, 10_000)]
    assert (polling.give_up, polling.grace) == (600_000, 3000)
    default = acme({"polling": {"give_up": None, "grace": None}}).polling
    assert (default.give_up, default.grace) == (Polling().give_up, Polling().grace)


def test_links_lead_from_a_creation_to_what_asks_for_its_tasks() -> None:
    links = acme().links()
    link = {"parameters": {"id": "$response.body#/id"}}
    assert links == {"create": {"poll": {"operationId": "poll"} | link, "again": {"operationId": "again"} | link}}
    assert acme({"operations": {"create": {"reads": None}}}).links() == {}
    again = {"task_id": "$request.query.id", "creates": []}
    elsewhere = acme({"operations": {"again": again, "poll": {"task_id": "$request.body#/id"}}}).links()
    assert list(elsewhere["create"]) == ["again"]
    other = {"on": "POST /others", "does": "create", "reads": {"id": "/id"}}
    assert list(acme({"operations": {"other": other}}).links()["other"]) == ["poll"]


@pytest.mark.parametrize("phase", Phase)
def test_a_task_stays_in_three_of_the_five_phases(phase: Phase) -> None:
    assert phase.terminal == (phase.value in {"completed", "failed", "cancelled"})


@pytest.mark.parametrize(
    ("patch", "pointer", "problem", "expected"),
    [
        ({"operations": {"again": {"like": "pol"}}}, "/operations/again/like", "is 'pol'", "create, poll, again, send"),
        (
            {"operations": {"poll": {"like": "again"}}},
            "/operations/again/like",
            "is 'poll'",
            "create, poll, again, send",
        ),
        (
            {"operations": {"poll": {"task_id": None}}},
            "/operations/poll",
            "does poll and has no 'task_id'",
            "'task_id'",
        ),
        ({"operations": {"send": {"upload": None}}}, "/operations/send", "does upload and has no 'upload'", "'upload'"),
        ({"operations": {"send": {"does": "store"}}}, "/operations/send", "does store and has no 'file'", "'file'"),
        (
            {"statuses": {"waiting": {"lasts": "2s..1s"}}},
            "/statuses/waiting/lasts",
            "is '2s..1s'",
            "the shorter duration first",
        ),
        ({"polling": {"every": {"0s": "3s..2s"}}}, "/polling/every/0s", "is '3s..2s'", "the shorter duration first"),
    ],
)
def test_what_the_shape_allows_and_makes_no_sense_is_refused_with_its_place(
    patch: Any, pointer: str, problem: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        acme(patch)
    assert caught.value.args == (pointer, problem, expected)


TEMPLATES: list[tuple[str, Callable[[str], Any]]] = [
    ("/models/small/credits", lambda text: {"models": {"small": {"credits": text}}}),
    ("/headers/X", lambda text: {"headers": {"X": text}}),
    ("/refusal/body/a", lambda text: {"refusal": {"body": {"a": text}}}),
    ("/refusal/status", lambda text: {"refusal": {"status": text}}),
    ("/errors/not-found/message", lambda text: {"errors": {"not-found": {"message": text}}}),
    ("/errors/not-found/headers/X", lambda text: {"errors": {"not-found": {"headers": {"X": text}}}}),
    ("/errors/not-found/body", lambda text: {"errors": {"not-found": {"body": text}}}),
    ("/operations/poll/answer/body", lambda text: {"operations": {"poll": {"answer": {"body": text}}}}),
    ("/operations/poll/answer/headers/X", lambda text: {"operations": {"poll": {"answer": {"headers": {"X": text}}}}}),
    (
        "/operations/poll/answer/by_phase/failed",
        lambda text: {"operations": {"poll": {"answer": {"by_phase": {"failed": text}}}}},
    ),
    ("/operations/poll/refusal/body", lambda text: {"operations": {"poll": {"refusal": {"body": text}}}}),
    ("/callbacks/body", lambda text: {"callbacks": {"body": text}}),
    ("/callbacks/headers/X", lambda text: {"callbacks": {"headers": {"X": text}}}),
]


@pytest.mark.parametrize(("pointer", "patch"), TEMPLATES, ids=[pointer for pointer, _ in TEMPLATES])
def test_every_template_of_the_file_is_compiled_and_a_broken_one_refused_with_its_place(
    pointer: str, patch: Callable[[str], Any]
) -> None:
    acme(patch("{{ 1 + 1 }}")).compile()
    with pytest.raises(TemplateError, match="the name 'nope' is not known here; known: ") as caught:
        acme(patch("{{ nope }}")).compile()
    assert caught.value.pointer == pointer


def test_a_template_is_compiled_when_it_is_first_rendered() -> None:
    template = Template("{{ nope.id }}", frozenset({"task"}), "/here")
    assert template.uses == {"nope", "id"}
    with pytest.raises(TemplateError, match="the name 'nope' is not known here; known: task"):
        template({"task": 1})
    good = Template("{{ task }}", frozenset({"task"}), "/here")
    assert good.compile() is good.compile()
    assert good({"task": 1}) == 1


def test_the_schema_and_the_code_name_the_same_things() -> None:
    schema = read_source(BUILT_IN.parent / SCHEMA).data
    definitions = schema["$defs"]
    assert definitions["condition"]["enum"] == list(CONDITIONS)
    assert definitions["operation"]["properties"]["does"]["enum"] == list(get_args(Does))
    assert definitions["error"]["properties"]["means"]["enum"] == list(get_args(Meaning))
    assert schema["properties"]["statuses"]["additionalProperties"]["properties"]["phase"]["enum"] == list(Phase)
    assert set(definitions["answer"]["properties"]["by_phase"]["properties"]) == set(Phase)
    assert NAMES.keys() >= set(get_args(Does))
