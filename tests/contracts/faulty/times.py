"""Tasks that do not live as documented."""

from __future__ import annotations

from understudy.openapi.behaviour import Phase

from .answers import (
    DONE,
    ENDED,
    FAILED,
    WORKING,
    again,
    in_phase,
    later,
    on_refusal,
    saying,
    telling,
    unknown_noted,
    unreadable,
    when,
    without,
)
from .requests import blind_to_owners, forgetful_of_keys, owners_noted, unknown_at_first
from .standing import lagging_list, late_cancellation, same_id
from .wrapping import Defect

DEFECTS: tuple[Defect, ...] = (
    Defect(
        "back-to-the-beginning",
        "status-edges",
        on_answer=again("work", {Phase.PROCESSING}, saying(Phase.PENDING)),
        styles="kie mulerouter acme",
    ),
    Defect(
        "an-end-that-was-none",
        "end-frozen",
        on_answer=again("end", DONE, saying(Phase.PROCESSING)),
        styles="kie mulerouter",
    ),
    Defect(
        "success-then-failure",
        "end-frozen",
        on_answer=again("end", DONE, saying(Phase.FAILED)),
        styles="crun acme",
    ),
    Defect(
        "other-outputs-each-time",
        "end-frozen",
        on_answer=again(
            "end",
            DONE,
            telling("outputs", lambda o: [f"{each}.again" for each in o] if isinstance(o, list) else f"{o}.again"),
        ),
        styles="kie mulerouter",
    ),
    Defect(
        "gone-soon-after-the-end",
        "ended-stays-readable",
        on_answer=unknown_noted(again("end", DONE, unreadable)),
        styles="kie mulerouter acme",
    ),
    Defect(
        "created-moves",
        "created-constant",
        on_answer=again("any", WORKING | ENDED, telling("created", lambda t: later(t, 1000))),
        styles="kie mulerouter acme",
    ),
    Defect(
        "updated-before-created",
        "times-in-order",
        on_answer=when("poll", telling("updated", lambda t: later(t, -3_600_000))),
        styles="kie mulerouter",
    ),
    Defect(
        "completed-before-created",
        "times-in-order",
        on_answer=when("poll", telling("completed", lambda t: later(t, -3_600_000))),
        styles="kie acme",
    ),
    Defect(
        "updated-goes-back",
        "never-back",
        on_answer=again("work", {Phase.PROCESSING}, telling("updated", lambda t: later(t, -1))),
        styles="kie folio",
    ),
    Defect(
        "another-model",
        "echoes",
        on_answer=when("poll", telling("model", lambda _: "nano-banana-lite")),
        styles="kie folio",
    ),
    Defect(
        "another-input",
        "echoes",
        on_answer=when("poll", telling("input", lambda i: {**i, "prompt": "something else"})),
        styles="kie apikley",
    ),
    Defect(
        "success-without-result",
        "result-iff-succeeded",
        on_answer=in_phase(DONE, without("outputs")),
        styles="kie mulerouter acme",
    ),
    Defect(
        "failure-without-reason",
        "error-iff-failed",
        on_answer=in_phase(FAILED, lambda s, a, t: without("error_code")(s, a, without("error_message")(s, a, t))),
        styles="kie mulerouter acme",
    ),
    Defect("never-ends", "ends-in-time", on_answer=in_phase(ENDED, saying(Phase.PROCESSING)), styles="kie mulerouter"),
    Defect(
        "no-retry-after",
        "retry-after",
        on_answer=on_refusal("rate-limited", lambda _s, _a, t: t.with_header(b"retry-after", None)),
        styles="kie mulerouter acme",
    ),
    Defect(
        "retry-after-in-words",
        "retry-after",
        on_answer=on_refusal("rate-limited", lambda _s, _a, t: t.with_header(b"retry-after", b"soon")),
        styles="crun apikley",
    ),
    Defect(
        "cancelled-goes-on",
        "cancel-sticks",
        on_answer=in_phase({Phase.CANCELLED}, saying(Phase.COMPLETED)),
        styles="acme folio",
    ),
    Defect("one-id-for-all", "ids-differ", on_answer=when("create", same_id), styles="kie acme folio"),
    Defect(
        "anybody-may-read",
        "own-tasks-only",
        on_request=blind_to_owners,
        on_answer=owners_noted,
        styles="kie mulerouter acme",
    ),
    Defect(
        "created-an-hour-ago",
        "created-at-creation",
        on_answer=telling("created", lambda t: later(t, -3_600_000)),
        styles="kie mulerouter acme",
    ),
    Defect(
        "changed-in-the-future",
        "times-have-come",
        on_answer=when("poll", telling("updated", lambda t: later(t, 3_600_000))),
        styles="kie mulerouter",
    ),
    Defect(
        "ended-in-the-future",
        "times-have-come",
        on_answer=when("poll", telling("completed", lambda t: later(t, 3_600_000))),
        styles="kie acme",
    ),
    Defect("a-list-that-lags", "lists-agree", on_answer=lagging_list, styles="acme folio"),
    Defect(
        "a-creation-without-an-id",
        "creation-tells-id",
        on_answer=when("create", without("id")),
        styles="kie mulerouter acme",
    ),
    Defect("forgets-idempotency-keys", "same-key-same-task", on_request=forgetful_of_keys, styles="acme folio"),
    Defect("unknown-for-a-while", "readable", on_request=unknown_at_first, styles="kie mulerouter"),
    Defect("late-cancellations-work", "cancel-late", on_answer=late_cancellation, styles="acme folio"),
)
