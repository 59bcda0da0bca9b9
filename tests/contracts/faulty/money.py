"""Credits that do not fall and return as told."""

from __future__ import annotations

from .standing import charged_more, never_charged, never_returned
from .wrapping import Defect

DEFECTS: tuple[Defect, ...] = (
    Defect("charged-more-than-told", "credits-charged", on_answer=charged_more, styles="kie apikley"),
    Defect("never-charged", "credits-charged", on_answer=never_charged, styles="kie apikley"),
    Defect("failures-are-paid", "credits-returned", on_answer=never_returned, styles="kie apikley"),
)
