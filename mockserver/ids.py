"""Task ids that look like the provider's and never repeat within an account."""

from __future__ import annotations

import string
from collections.abc import Callable

from .chance import uuid_from

MakeId = Callable[[str, int, bytes], str]
"""Makes an id of a model's name, a time in milliseconds and random bytes."""

_PARTS: dict[str, MakeId] = {
    "ms": lambda _model, time, _random: str(time),
    "uuid": lambda _model, _time, random: uuid_from(random),
    "hex32": lambda _model, _time, random: random[:16].hex(),
    "model": lambda model, _time, _random: model,
    "model_head": lambda model, _time, _random: model.partition("/")[0],
}
WORDS = tuple(_PARTS)


def compile_id_format(text: str) -> MakeId:
    """Return the function that makes ids of the form `text`, such as ``task_{model_head}_{ms}``.

    Raises:
        ValueError: a word in braces is not one of `WORDS`.
    """
    form, parts = "", []
    for literal, word, _, _ in string.Formatter().parse(text):
        form += literal.replace("%", "%%")
        if word is not None:
            if word not in _PARTS:
                raise ValueError(f"{{{word}}} is not known in an id's format; known: {', '.join(WORDS)}")
            form += "%s"
            parts.append(_PARTS[word])
    if form == "%s":
        return parts[0]
    return lambda model, time, random: form % tuple([part(model, time, random) for part in parts])
