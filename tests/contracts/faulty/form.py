"""Answers that do not look as documented."""

from __future__ import annotations

from understudy.openapi.behaviour import Phase

from .answers import (
    DONE,
    WORKING,
    added,
    bare,
    broken_inside,
    code,
    cut_short,
    header,
    in_phase,
    on_refusal,
    raised_status,
    telling,
    typed,
    when,
    without,
)
from .playing import with_wrong_example
from .wrapping import Defect

DEFECTS: tuple[Defect, ...] = (
    Defect("a-poll-answers-206", "status-documented", on_answer=when("poll", raised_status(206)), styles="kie acme"),
    Defect(
        "a-creation-answers-203",
        "status-documented",
        on_answer=when("create", raised_status(203)),
        styles="mulerouter crun",
    ),
    Defect(
        "a-refusal-answers-418",
        "status-documented",
        on_answer=on_refusal("invalid-request", raised_status(418)),
        styles="mulerouter acme",
    ),
    Defect(
        "json-as-text", "content-type-documented", on_answer=when("poll", typed(b"text/plain")), styles="kie mulerouter"
    ),
    Defect(
        "a-creation-as-html",
        "content-type-documented",
        on_answer=when("create", typed(b"text/html")),
        styles="crun acme",
    ),
    Defect("no-id-in-polls", "body-conforms", on_answer=when("poll", without("id")), styles="mulerouter acme"),
    Defect(
        "an-id-that-is-a-number",
        "body-conforms",
        on_answer=when("create", telling("id", lambda _: 7)),
        styles="kie mulerouter",
    ),
    Defect(
        "times-as-text",
        "body-conforms",
        on_answer=when("poll", telling("created", lambda _: "yesterday")),
        styles="kie acme",
    ),
    Defect(
        "a-new-status",
        "value-documented",
        on_answer=in_phase({Phase.PROCESSING}, telling("status", lambda _: "upscaling")),
        styles="kie mulerouter acme",
    ),
    Defect(
        "a-status-in-capitals",
        "value-documented",
        on_answer=in_phase(DONE, telling("status", str.upper)),
        styles="mulerouter crun",
    ),
    Defect(
        "a-new-field-in-polls",
        "fields-documented",
        on_answer=when("poll", added("status", "queue_position", 3)),
        styles="kie crun",
    ),
    Defect(
        "a-new-field-in-creations",
        "fields-documented",
        on_answer=when("create", added("id", "region", "eu")),
        styles="crun apikley",
    ),
    Defect("half-an-answer", "json-parses", on_answer=when("poll", cut_short), styles="kie mulerouter"),
    Defect(
        "a-page-in-place-of-json",
        "json-parses",
        on_answer=when("create", lambda _s, _a, told: told.with_body(b"<html>")),
        styles="acme crun",
    ),
    Defect(
        "broken-json-inside-a-string",
        "inner-json-parses",
        on_answer=in_phase(DONE, broken_inside),
        styles="kie apikley",
    ),
    Defect(
        "an-unknown-code", "refusal-code-known", on_answer=on_refusal("invalid-request", code(499)), styles="kie crun"
    ),
    Defect(
        "another-unknown-code",
        "refusal-code-known",
        on_answer=on_refusal("not-found", code(4711)),
        styles="mulerouter apikley",
    ),
    Defect(
        "a-trace-that-is-none", "headers-documented", on_answer=header(b"traceparent", b"nonsense"), styles="mulerouter"
    ),
    Defect(
        "created-nowhere",
        "headers-documented",
        on_answer=when("create", bare),
        styles="acme folio",
    ),
    Defect(
        "broken-input-inside-a-string", "inner-json-parses", on_answer=when("poll", broken_inside), styles="kie apikley"
    ),
    Defect(
        "a-status-in-other-words",
        "status-word-known",
        on_answer=in_phase(WORKING, telling("status", lambda _: "soon")),
        styles="kie crun acme",
    ),
    Defect(
        "somebody-elses-task",
        "task-asked-for",
        on_answer=when("poll", telling("id", lambda i: i[:-1] + ("1" if i[-1] != "1" else "2"))),
        styles="kie mulerouter acme",
    ),
    Defect(
        "invalid-as-not-found",
        "refusal-status-documented",
        on_answer=on_refusal("invalid-request", raised_status(404)),
        styles="mulerouter acme",
    ),
    Defect(
        "an-example-that-does-not-fit", "examples-valid", documented=with_wrong_example, styles="kie mulerouter acme"
    ),
)
