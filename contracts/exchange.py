"""An operation as both sides describe it, and who sends what in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .document import Described, Place
from .findings import Claim, Finding
from .severity import Direction, Severity

Polarity = Literal["operation", "callback", "webhook"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One operation of both sides.

    Attributes:
        base: the operation as it was.
        revision: the operation as it is.
        polarity: an operation is called by the client; callbacks and webhooks call it, so that whatever is a
            request is received, and whatever is a response is sent.
        name: what findings call it.
        draft: whether it was announced as one that may change at any time.
    """

    base: Described
    revision: Described
    polarity: Polarity
    name: str
    draft: bool = False

    @property
    def asked(self) -> Direction:
        """Who sends the request, seen from the client."""
        return "sent" if self.polarity == "operation" else "received"

    @property
    def answered(self) -> Direction:
        """Who sends the response, seen from the client."""
        return "received" if self.polarity == "operation" else "sent"

    def word(self, what: str) -> str:
        """Return the beginning of a finding's id: ``request-body``, in a callback ``callback-request-body``."""
        return what if self.polarity == "operation" else f"{self.polarity}-{what}"

    def finding(  # noqa: PLR0913, PLR0917 - a finding has this many sides
        self, identity: str, severity: Severity, direction: str, sentence: str, base: Place | None,
        revision: Place | None, claim: Claim | None = None,
    ) -> Finding:  # fmt: skip
        """Return a finding of this operation; whatever happens to a draft is only worth knowing."""
        told = "info" if self.draft else severity
        shown = sentence[0].upper() + sentence[1:]
        return Finding(identity, told, direction, self.name, shown, base, revision, claim)

    def judge(self, narrowed: bool, direction: Direction, *, mild: Severity = "breaking") -> Severity:  # noqa: FBT001
        """Return how grave it is that less (or more) is allowed or promised of something."""
        return mild if narrowed == (direction == "sent") else "info"
