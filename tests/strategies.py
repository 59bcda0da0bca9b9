"""Creations by hand, until the contract kit generates them: what each may hold, and single faults in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Json = st.SearchStrategy[Any]

TEXT = st.text(max_size=60)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON: Json = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NO_TEXT: Json = (
    st.none() | st.booleans() | NUMBERS | st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, TEXT, max_size=2)
)

NO_LIST: Json = st.none() | st.booleans() | NUMBERS | TEXT | st.dictionaries(TEXT, TEXT, max_size=2)

_WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
LINKS = st.builds(
    "{}://{}.example{}/{}{}".format,
    st.sampled_from(["https", "http"]),
    _WORD,
    st.sampled_from(["", ":8080"]),
    st.text("abc/._~-%20", max_size=0) | _WORD,
    st.sampled_from(["", "?size=2&x=%20", "#part"]),
)
NO_LINKS = st.sampled_from(["", "no link", "//host/path", "path/only", "https://a b.example", "https://[half", "\x00"])


@dataclass(frozen=True)
class Field:
    """A field of a creation: values that are valid, and values each of which is a fault."""

    good: Json
    bad: Json
    required: bool = False


def words(*values: str) -> Field:
    """Return a field that holds one of `values`."""
    near = st.sampled_from([f"{values[0]} ", values[-1] + values[-1], values[0].swapcase() + "!", ""])
    return Field(st.sampled_from(values), NO_TEXT | near | TEXT.filter(lambda text: text not in values))


def prose(longest: int | None = None, shortest: int = 0) -> Field:
    """Return a required field of text."""
    good, bad = st.text(min_size=shortest, max_size=60), NO_TEXT
    if longest is not None:
        good |= st.sampled_from(["x" * longest, "\N{GRINNING FACE}" * longest])
        bad |= st.sampled_from(["x" * (longest + 1), "\N{GRINNING FACE}" * (longest + 1)])
    return Field(good, bad | st.just("") if shortest else bad, required=True)


LINK = Field(LINKS, NO_TEXT | NO_LINKS)


def links(most: int | None = None) -> Field:
    """Return a field that holds a list of links."""
    bad = NO_LIST | st.lists(LINKS, max_size=2).flatmap(_with_one_no_link)
    if most is not None:
        bad |= st.lists(LINKS, min_size=most + 1, max_size=most + 2)
    return Field(st.lists(LINKS, max_size=most or 12), bad)


def _with_one_no_link(good: list[str]) -> Json:
    return st.builds(lambda place, bad: [*good[:place], bad, *good[place:]], st.integers(0, 2), NO_LINKS | NO_TEXT)


_BASE64 = st.sampled_from(["aGk=", "data:image/png;base64,iVBORw0KGgo=", "QUJD" * 50])
_NO_PICTURES = st.sampled_from(["ftp://example.com/a.png", "aGk", "a===", "data:text/plain;base64,aGk=", "", "a b"])
PICTURES = Field(
    st.lists(LINKS | _BASE64, min_size=1, max_size=10),
    NO_LIST | st.just([]) | st.lists(LINKS, min_size=11, max_size=12)
    | st.lists(LINKS, max_size=2).flatmap(lambda good: st.builds(lambda bad: [*good, bad], _NO_PICTURES | NO_TEXT)),
    required=True,
)  # fmt: skip

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
TWO_DIGITS = st.integers(1, 99)
ANY_RATIO = Field(
    st.just("auto") | st.builds("{}:{}".format, TWO_DIGITS, TWO_DIGITS),
    NO_TEXT
    | st.sampled_from(
        ["", "1:0", "0:1", "100:1", "1:1\n", "1:1 ", "a:b", "1", ":", "-1:1", "1:1:1", "Auto", "\u0661:1"]
    ),
)
CALLBACK = Field(
    LINKS | st.none() | st.just(""),
    NO_TEXT.filter(lambda value: value is not None) | NO_LINKS.filter(bool),
)


@dataclass(frozen=True, repr=False)
class Creation:
    """A way to create a task.

    Attributes:
        provider: whose it is.
        operation: the operation's name.
        model: the value of ``model`` in the body, or "" where the body has none.
        inputs: what the body's ``input`` holds; None where it has none.
        fields: what the body itself holds beside ``model`` and ``input``.
        closed: whether other fields are refused.
    """

    provider: str
    operation: str
    model: str
    inputs: Mapping[str, Field] | None
    fields: Mapping[str, Field]
    closed: bool = False

    def __str__(self) -> str:
        return "-".join(part for part in (self.provider, self.operation, self.model.replace("/", "-")) if part)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show it in a failing example by its name: its strategies fill a screen."""
        printer.text(str(self))

    def bodies(self) -> Json:
        """Return valid bodies."""
        body = _objects(self.fields, self.closed)
        if self.inputs is not None:
            body = st.builds(lambda more, given: {**more, "input": given}, body, _objects(self.inputs, self.closed))
        return st.builds(lambda more: {**more, "model": self.model}, body) if self.model else body

    @st.composite
    @staticmethod
    def _mutated(draw: st.DrawFn, creation: Creation) -> tuple[Any, str]:
        body = draw(creation.bodies())
        places = [("", name, field) for name, field in creation.fields.items()]
        places += [("input", name, field) for name, field in (creation.inputs or {}).items()]
        kind = draw(st.sampled_from(["value"] * 6 + ["missing", "whole", "part", "extra"]))
        if kind == "missing":
            where, name, _ = draw(st.sampled_from([each for each in places if each[2].required]))
            del (body[where] if where else body)[name]
            return body, name
        if kind == "part" and creation.inputs is not None:
            return {**body, "input": draw(NO_TEXT.filter(lambda value: not isinstance(value, dict)) | TEXT)}, "input"
        if kind == "extra" and creation.closed:
            name = draw(TEXT.filter(lambda text: text not in creation.fields))
            return {**body, name: draw(JSON)}, name
        if kind == "whole":
            return draw(NO_TEXT.filter(lambda value: not isinstance(value, dict)) | TEXT), ""
        where, name, field = draw(st.sampled_from(places))
        (body[where] if where else body)[name] = draw(field.bad)
        return body, name

    def faults(self) -> st.SearchStrategy[tuple[Any, str]]:
        """Return bodies with a single fault each, and the name of the field that is at fault, "" for the whole."""
        return Creation._mutated(self)


def _objects(fields: Mapping[str, Field], closed: bool) -> Json:
    required = {name: field.good for name, field in fields.items() if field.required}
    optional = {name: field.good for name, field in fields.items() if not field.required}
    known = st.fixed_dictionaries(required, optional=optional)
    if closed:
        return known
    names = TEXT.filter(lambda text: text not in fields and text not in {"model", "input"})
    extra: Json = st.just({}) | st.dictionaries(names, JSON, max_size=2)
    return st.builds(lambda given, more: {**more, **given}, known, extra)


_PRO = {
    "prompt": prose(10_000), "image_input": links(8), "aspect_ratio": words(*RATIOS, "auto"),
    "resolution": words("1K", "2K", "4K"), "output_format": words("png", "jpg"),
}  # fmt: skip
_BASE = {"prompt": prose(5_000), "output_format": words("png", "jpeg"), "image_size": words(*RATIOS, "auto")}
_CRUN = {"prompt": prose(), "output_format": words("png", "jpeg"), "aspect_ratio": ANY_RATIO, "img_urls": links()}
_CALLS_BACK = {"callBackUrl": LINK}
_MULE = {"prompt": prose(), "aspect_ratio": words(*RATIOS), "resolution": words("1K", "2K")}
_MULE_BASE = {"prompt": prose(), "aspect_ratio": words(*RATIOS[:-1])}
_ACME = {
    "prompt": prose(2_000, shortest=1),
    "shape": words("1:1", "4:3", "3:4", "16:9", "9:16", "auto"),
    "n": Field(
        st.integers(1, 4) | st.sampled_from([1.0, 4.0]),
        st.sampled_from([0, 5, -1, 1.5, 2**70]) | st.booleans() | st.none() | TEXT | st.lists(st.just(1), max_size=2),
    ),
    "detail": words("sketch", "painting"),
    "file_type": words("png", "jpeg", "webp"),
    "reference": LINK,
    "priority": Field(
        st.floats(0, 10, exclude_min=True) | st.integers(1, 10), st.sampled_from([0, -1, 10.5, "5", None, True])
    ),
}

CREATIONS = [
    Creation("kie", "createTask", "nano-banana-pro", _PRO, _CALLS_BACK),
    Creation("kie", "createTask", "google/nano-banana", _BASE, _CALLS_BACK),
    Creation("apikley", "createTask", "nano-banana-pro", _PRO, _CALLS_BACK),
    Creation("crun", "createTask", "google/nano-banana", _CRUN, {"callback_url": CALLBACK}),
    Creation("crun", "createTask", "google/nano-banana-v2", _CRUN, {"callback_url": CALLBACK}),
    Creation("mulerouter", "createNanoBananaProGeneration", "", None, _MULE),
    Creation("mulerouter", "createNanoBananaProEdit", "", None, {**_MULE, "images": PICTURES}),
    Creation("mulerouter", "createNanoBananaGeneration", "", None, _MULE_BASE),
    Creation("mulerouter", "createNanoBananaEdit", "", None, {**_MULE_BASE, "images": PICTURES}),
    Creation("acme", "createPictures", "", None, _ACME, closed=True),
]
