"""Callbacks that do not come as documented."""

from __future__ import annotations

import orjson
from understudy.openapi.behaviour import Phase

from .answers import ENDED, FAILED, WORKING
from .letters import (
    dropped,
    headers,
    letters,
    never_received,
    received_whatever,
    renamed_message,
    signature_header,
    signed_with_another_secret,
)
from .playing import retried, slower
from .standing import first_polls_at_work
from .wrapping import Defect

DEFECTS: tuple[Defect, ...] = (
    Defect("no-callbacks", "callback-comes", on_callback=dropped(WORKING | ENDED), styles="kie mulerouter"),
    Defect("no-callback-of-failures", "callback-comes", on_callback=dropped(FAILED), styles="apikley mulerouter"),
    Defect(
        "callbacks-of-another-form",
        "callback-conforms",
        on_callback=letters(lambda s, b: s.letter(b, "id", 7)),
        styles="kie folio",
    ),
    Defect(
        "a-new-field-in-callbacks",
        "callback-fields",
        on_callback=letters(lambda _s, b: orjson.dumps({**orjson.loads(b), "sent_by": "eu-1"})),
        styles="kie mulerouter",
    ),
    Defect(
        "other-outputs-in-callbacks",
        "callback-equals-poll",
        on_callback=letters(lambda s, b: s.letter(b, "outputs", ["https://example.com/other.png"])),
        styles="kie mulerouter",
    ),
    Defect(
        "other-times-in-callbacks",
        "callback-equals-poll",
        on_callback=letters(lambda s, b: s.letter(b, "created", 1 if b'"createTime"' in b else "2020-01-01T00:00:00Z")),
        styles="apikley mulerouter",
    ),
    Defect(
        "unsigned-callbacks",
        "callback-signed",
        on_callback=headers(lambda s, h: {n: v for n, v in h.items() if n != signature_header(s)}),
        styles="kie mulerouter",
    ),
    Defect(
        "wrongly-signed-callbacks",
        "callback-signed",
        on_callback=headers(signed_with_another_secret),
        styles="kie mulerouter",
    ),
    Defect("callbacks-that-go-on", "callback-stops", outcome=never_received, styles="kie mulerouter"),
    Defect("callbacks-tried-once", "callback-retries", outcome=received_whatever, styles="kie mulerouter"),
    Defect("callbacks-repeated-at-once", "callback-retries", emulated=retried((1, 1, 1)), styles="kie mulerouter"),
    Defect(
        "a-new-name-for-each-attempt", "callback-id", on_callback=headers(renamed_message), styles="mulerouter folio"
    ),
    Defect(
        "callbacks-of-work-in-progress",
        "callback-event",
        on_callback=letters(lambda s, b: s.letter(b, "status", s.word(Phase.PROCESSING))),
        styles="kie mulerouter",
    ),
    Defect(
        "callbacks-before-their-time",
        "callback-not-early",
        emulated=slower(0),
        on_answer=first_polls_at_work,
        styles="kie mulerouter",
    ),
)
