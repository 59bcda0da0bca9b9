"""Requests that are taken or refused as they should not be."""

from __future__ import annotations

from understudy.openapi.pointer import MISSING

from .answers import on_refusal, raised_status, stray_page
from .requests import (
    any_path,
    any_scheme_accepted,
    any_type,
    body,
    keyless_accepted,
    mended,
    mended_choices,
    other_method,
    prompt,
    without_choices,
    without_pictures,
)
from .standing import as_last_success, refused_as
from .wrapping import Defect, put

DEFECTS: tuple[Defect, ...] = (
    Defect(
        "a-missing-prompt-is-accepted",
        "invalid-request-refused",
        on_request=body(mended(lambda p: p is MISSING, "a")),
        styles="kie mulerouter acme",
    ),
    Defect(
        "a-prompt-of-another-type-is-accepted",
        "invalid-request-refused",
        on_request=body(mended(lambda p: not isinstance(p, str), "a")),
        styles="crun mulerouter",
    ),
    Defect(
        "a-long-prompt-is-accepted",
        "invalid-request-refused",
        on_request=body(mended(lambda p: isinstance(p, str), "a")),
        styles="kie acme",
    ),
    Defect(
        "unknown-choices-are-accepted",
        "invalid-request-refused",
        on_request=body(mended_choices),
        styles="kie mulerouter",
    ),
    Defect("everything-is-accepted", "invalid-request-refused", on_answer=as_last_success, styles="acme crun"),
    Defect(
        "invalid-means-broken",
        "no-server-error",
        on_answer=on_refusal("invalid-request", refused_as("server-failed")),
        styles="mulerouter acme",
    ),
    Defect(
        "invalid-means-no-key",
        "refused-as-documented",
        on_answer=on_refusal("invalid-request", refused_as("key-missing")),
        styles="kie crun mulerouter acme",
    ),
    Defect(
        "a-choice-is-refused",
        "valid-request-accepted",
        on_request=body(without_choices),
        styles="kie mulerouter",
    ),
    Defect(
        "any-prompt-is-refused",
        "valid-request-accepted",
        on_request=body(lambda _s, a, d: put(d, prompt(a), 5)),
        styles="acme crun",
    ),
    Defect("no-key-is-no-problem", "key-required", on_request=keyless_accepted, styles="kie mulerouter acme"),
    Defect("any-scheme-will-do", "wrong-key-refused", on_request=any_scheme_accepted, styles="kie mulerouter crun"),
    Defect(
        "an-unknown-id-finds-something", "unknown-id-refused", on_answer=as_last_success, styles="kie mulerouter acme"
    ),
    Defect("a-wrong-method-works", "unknown-method-refused", on_request=other_method, styles="kie crun"),
    Defect("any-content-type-works", "unknown-type-refused", on_request=any_type, styles="kie acme"),
    Defect(
        "falls-over-what-it-refuses",
        "no-server-error",
        on_answer=on_refusal("invalid-request", raised_status(500)),
        styles="kie acme",
    ),
    Defect(
        "falls-over-an-unknown-id",
        "no-server-error",
        on_answer=on_refusal("not-found", raised_status(503), "poll"),
        styles="mulerouter crun",
    ),
    Defect(
        "pictures-are-refused", "valid-pictures-accepted", on_request=body(without_pictures), styles="mulerouter folio"
    ),
    Defect("any-path-works", "unknown-path-refused", on_request=any_path, styles="kie acme"),
    Defect("strays-get-a-page", "stray-refused-as-documented", on_answer=stray_page, styles="kie mulerouter acme"),
)
