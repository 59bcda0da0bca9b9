"""Pictures that stand in for generated ones, and a look at those a user uploads.

Everything here is a plain function of its arguments: with the same Pillow, the same specification gives the
same bytes. Pillow is imported inside the functions, because most of what a server does never touches it.
"""
# ruff: noqa: PLC0415, RUF001  (imports: see above; look-alike characters are what the tables below are about)

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from PIL import Image, ImageFont


__all__ = ["Inspected", "PictureSpec", "inspect", "media_type", "pixel_size", "render"]


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """What a picture is made from.

    `width` and `height` are pixels; `format` is "png", "jpeg" or "webp"; `seed` (its low 64 bits) decides
    colours and pattern. The first of `lines` is drawn as the title, the others small below it. Any text is
    welcome; what has no room is left out.
    """

    width: int
    height: int
    format: str
    seed: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspected:
    """What some bytes turned out to be: `format` such as "png", its media type, and the size in pixels."""

    format: str
    media_type: str
    width: int
    height: int


class _Codec(NamedTuple):
    longest_side: int
    options: Mapping[str, Any]


# The options buy speed first: what the pictures look like keeps them small anyway.
_CODECS: Final[Mapping[str, _Codec]] = MappingProxyType(
    {
        "png": _Codec(65_535, MappingProxyType({"compress_level": 3})),
        "jpeg": _Codec(65_500, MappingProxyType({"quality": 88})),
        "webp": _Codec(16_383, MappingProxyType({"quality": 82, "method": 1})),
    }
)


def media_type(format: str) -> str:  # noqa: A002
    """The media type of a picture format, "image/png" for "png".

    Raises:
        ValueError: the format is not one that `render` writes.
    """
    _codec(format)
    return f"image/{format}"


def _codec(name: str) -> _Codec:
    try:
        return _CODECS[name]
    except KeyError:
        raise ValueError(f"picture format {name!r} is not one of {', '.join(_CODECS)}") from None


# --- sizes --------------------------------------------------------------------------------------------------

_RATIO: Final = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
_GRID: Final = 16
_TOLERANCE: Final = 0.02
_MOST_LOPSIDED: Final = 100
# With a side of this many steps, rounding the other to the grid moves the ratio by less than the tolerance.
_ALWAYS_CLOSE: Final = math.ceil(0.5 / _TOLERANCE) + 1


def pixel_size(ratio: str, pixels: int, *, longest_side: int | None = None) -> tuple[int, int]:
    """Width and height in pixels for a ratio such as "16:9".

    Both are multiples of 16, their ratio is within 2 % of the asked one, and their product is as close to
    `pixels` as that allows: for the usual ratios, from a megapixel on, within 5 %. With `longest_side`, that
    side has exactly this length whatever `pixels` says, and the other one is a multiple of 16 if it can be.

    Raises:
        ValueError: the ratio is not two positive integers joined by a colon, or is beyond 100:1; or the
            number of pixels or the longest side is not positive.
    """
    wide, high = _parse_ratio(ratio)
    if longest_side is None:
        if pixels < 1:
            raise ValueError(f"a picture cannot have {pixels} pixels")
        long, short = _sides_on_grid(max(wide, high) / min(wide, high), pixels)
    else:
        if longest_side < 1:
            raise ValueError(f"the longest side of a picture cannot be {longest_side} pixels")
        long, short = longest_side, _shorter_side(longest_side, max(wide, high) / min(wide, high))
    return (long, short) if wide >= high else (short, long)


def _parse_ratio(ratio: str) -> tuple[int, int]:
    match = _RATIO.fullmatch(ratio)
    if match is None:
        raise ValueError(f"ratio {ratio!r} is not of the form WIDTH:HEIGHT, such as 16:9")
    wide, high = int(match[1]), int(match[2])
    if max(wide, high) > _MOST_LOPSIDED * min(wide, high):
        raise ValueError(f"ratio {ratio!r} is beyond {_MOST_LOPSIDED}:1")
    return wide, high


def _sides_on_grid(ratio: float, pixels: int) -> tuple[int, int]:
    ideal = int(math.sqrt(pixels / ratio) / _GRID)
    candidates = []
    for step in range(max(1, ideal - 2), max(ideal + 3, _ALWAYS_CLOSE) + 1):
        short = step * _GRID
        long = max(1, round(short * ratio / _GRID)) * _GRID
        skew, excess = _skew(long / short, ratio), abs(math.log(long * short / pixels))
        candidates.append((skew > _TOLERANCE, 2 * skew + excess, long, short))
    return min(candidates)[2:]


def _shorter_side(longest: int, ratio: float) -> int:
    ideal = longest / ratio
    on_grid = round(ideal / _GRID) * _GRID
    if longest % _GRID == 0 and on_grid and _skew(ideal, on_grid) <= _TOLERANCE:
        return on_grid
    return max(1, round(ideal))


def _skew(found: float, wanted: float) -> float:
    """How far two ratios are apart, the same for a picture and that picture on its side."""
    return max(found / wanted, wanted / found) - 1


# --- drawing ------------------------------------------------------------------------------------------------

_Colour = tuple[int, int, int]

# Shapes are drawn at twice the size for smooth edges, but on no more pixels than this: a larger picture is
# enlarged from it, which is cheaper and looks the same.
_CANVAS_PIXELS: Final = 2048 * 2048


def render(spec: PictureSpec) -> bytes:
    """The encoded picture. Making it takes seven to ten bytes of memory a pixel.

    Raises:
        ValueError: the format is unknown, or a side is not positive or too long for the format.
    """
    codec = _codec(spec.format)
    for side in (spec.width, spec.height):
        if not 1 <= side <= codec.longest_side:
            raise ValueError(f"a {spec.format} picture cannot be {spec.width}x{spec.height} pixels")
    picture = _background(spec)
    _write_caption(picture, spec.lines)
    buffer = BytesIO()
    picture.save(buffer, spec.format, **codec.options)
    return buffer.getvalue()


def _background(spec: PictureSpec) -> Image.Image:
    from PIL import Image

    random = Random(spec.seed & (2**64 - 1))  # noqa: S311  # nothing here is secret
    scale = min(2.0, math.sqrt(_CANVAS_PIXELS / (spec.width * spec.height)))
    size = max(1, round(spec.width * scale)), max(1, round(spec.height * scale))
    # No yellow or lime to begin with: what is dark in a picture has this hue, and would be mud.
    palette = _Palette(random.uniform(0.42, 1.13), random.choice((-1, 1)) * random.uniform(0.06, 0.16))
    canvas = _sky(size, palette)
    random.choice(_MOTIFS)(canvas, palette, random)
    smooth = Image.Resampling.BOX if scale == 2 else Image.Resampling.BICUBIC
    return canvas.resize((spec.width, spec.height), smooth)


class _Palette(NamedTuple):
    """Neighbouring hues of the Oklch space, in turns: of one lightness to the eye, they go together.

    In the cheaper HLS space every third picture is mustard or neon green.
    """

    hue: float
    drift: float

    def at(self, position: float, light: float, chroma: float = 0.12) -> _Colour:
        turn = math.tau * (self.hue + self.drift * position)
        a, b = chroma * math.cos(turn), chroma * math.sin(turn)
        long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            _to_srgb(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
            _to_srgb(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
            _to_srgb(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
        )


def _to_srgb(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    return round(255 * (12.92 * linear if linear < 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


def _sky(size: tuple[int, int], palette: _Palette) -> Image.Image:
    from PIL import Image

    column = Image.new("RGB", (1, 4))
    for row, light in enumerate((0.56, 0.67, 0.79, 0.88)):
        column.putpixel((0, row), palette.at(row / 2, light, 0.11))
    return column.resize(size, Image.Resampling.BICUBIC)


def _hills(canvas: Image.Image, palette: _Palette, random: Random) -> None:
    from PIL import ImageDraw

    width, height = canvas.size
    unit = math.sqrt(width * height)
    draw = ImageDraw.Draw(canvas, "RGBA")
    sun = width * random.uniform(0.2, 0.8), height * random.uniform(0.18, 0.32)
    radius = unit * random.uniform(0.06, 0.1)
    for reach, alpha in ((2.5, 28), (1.7, 44), (1.0, 255)):
        _disc(draw, sun, radius * reach, (*palette.at(3, 0.95, 0.05), alpha))
    for layer in range(5):
        base = height * (0.44 + 0.11 * layer)
        ridge = [(x * width, base - y * height) for x, y in _ridge(random, width / unit)]
        fill = palette.at(2.2 - 0.5 * layer, 0.72 - 0.11 * layer, 0.10)
        draw.polygon([*ridge, (width, height), (0, height)], fill=fill)


def _ridge(random: Random, breadth: float) -> list[tuple[float, float]]:
    swell = random.uniform(0.03, 0.07)
    waves = [(breadth * random.uniform(*span), random.random()) for span in ((0.5, 1.1), (1.5, 3.0))]
    return [
        (step / 160, swell * sum(math.sin(math.tau * (often * step / 160 + shift)) for often, shift in waves))
        for step in range(161)
    ]


def _orbs(canvas: Image.Image, palette: _Palette, random: Random) -> None:
    from PIL import ImageDraw

    width, height = canvas.size
    unit = math.sqrt(width * height)
    draw = ImageDraw.Draw(canvas, "RGBA")
    for _ in range(11):
        centre = width * random.random(), height * random.random()
        fill = (*palette.at(random.uniform(-1, 3), random.uniform(0.55, 0.92)), 120)
        _disc(draw, centre, unit * random.uniform(0.06, 0.26), fill)


def _ripples(canvas: Image.Image, palette: _Palette, random: Random) -> None:
    from PIL import ImageDraw

    width, height = canvas.size
    draw = ImageDraw.Draw(canvas)
    centre = width * random.uniform(0.1, 0.9), height * random.uniform(0.1, 0.5)
    for ring in range(11):
        away = 1 - ring / 11
        fill = palette.at(3 * away, 0.94 - 0.55 * away, 0.13)
        _disc(draw, centre, math.hypot(width, height) * away**1.3, fill)


def _facets(canvas: Image.Image, palette: _Palette, random: Random) -> None:
    from PIL import ImageDraw

    width, height = canvas.size
    draw = ImageDraw.Draw(canvas)
    step = math.sqrt(width * height) / 7
    columns, rows = math.ceil(width / step) + 2, math.ceil(height / step) + 2
    points = {
        (i, j): ((i - 1 + random.uniform(0.1, 0.9)) * step, (j - 1 + random.uniform(0.1, 0.9)) * step)
        for i in range(columns + 1)
        for j in range(rows + 1)
    }
    for i in range(columns):
        for j in range(rows):
            corners = points[i, j], points[i + 1, j], points[i + 1, j + 1], points[i, j + 1]
            for triangle in (corners[:3], (corners[0], *corners[2:])):
                down = j / rows
                fill = palette.at(3 * down, 0.5 + 0.38 * down + random.uniform(-0.05, 0.05))
                draw.polygon(triangle, fill=fill)


def _disc(draw: Any, centre: tuple[float, float], radius: float, fill: tuple[int, ...]) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


_MOTIFS: Final[tuple[Callable[[Image.Image, _Palette, Random], None], ...]] = (
    _hills,
    _orbs,
    _ripples,
    _facets,
)


# --- the caption --------------------------------------------------------------------------------------------

# All that Pillow's own font can draw; for anything else it has one and the same empty box.
_DRAWABLE: Final = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("©«°±´·»‘’“”…‹›⁄™")
_BOX: Final = "\ufffd"
_SPELLINGS: Final = MappingProxyType(
    str.maketrans(
        dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")  # hyphens, dashes, minus
        | {"•": "·", "×": "x", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "€": "EUR", "£": "GBP", "¥": "JPY"}
        | {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
        | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
        | {"„": "“", "‚": "‘", "、": ", ", "。": ". ", "「": "“", "」": "”"}
    )
)
_SMALLEST_TEXT: Final = 9
_LONGEST_LINE: Final = 1_000
_MOST_DETAILS: Final = 12
_TITLE_ROWS: Final = 4
_DETAIL_ROWS: Final = 2
_LEADING: Final = 1.32  # from row to row, in sizes of the text

_PANEL: Final = (13, 15, 23)
_PANEL_ALPHA: Final = 184
_TITLE_COLOUR: Final = (255, 255, 255)
_DETAIL_COLOUR: Final = (205, 210, 222)


class _Row(NamedTuple):
    text: str
    size: int
    colour: _Colour


def _write_caption(picture: Image.Image, lines: Iterable[str]) -> None:
    width, height = picture.size
    unit = math.sqrt(width * height)
    title = max(_SMALLEST_TEXT, round(min(unit * 0.034, height / 9, width / 14)))
    margin, padding = round(min(unit * 0.03, width * 0.04, height * 0.04)), round(title * 0.7)
    room = width - 2 * (margin + padding), min(height * 0.55, height - 2 * margin) - 2 * padding
    rows = _rows(lines, title, *room) if room[0] > 4 * title else []
    if not rows:
        return
    deep = round(sum(row.size * _LEADING for row in rows)) + 2 * padding
    _shade(picture, (margin, height - margin - deep, width - margin, height - margin), round(title * 0.5))
    _write(picture, rows, (margin + padding, height - margin - deep + padding))


def _write(picture: Image.Image, rows: Sequence[_Row], corner: tuple[int, int]) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    x, y = corner[0], float(corner[1])
    for row in rows:
        draw.text((x, round(y)), row.text, fill=row.colour, font=_font(row.size))
        y += row.size * _LEADING


def _shade(picture: Image.Image, box: tuple[int, int, int, int], radius: int) -> None:
    """Darken a box with rounded corners."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]), _PANEL_ALPHA)
    corner = Image.new("L", (radius * 4, radius * 4), 0)
    ImageDraw.Draw(corner).ellipse((0, 0, radius * 8, radius * 8), fill=_PANEL_ALPHA)
    corner = corner.reduce(4)
    right, bottom = mask.width - radius, mask.height - radius
    mirrored, flipped = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(mirrored), (right, 0))
    mask.paste(corner.transpose(flipped), (0, bottom))
    mask.paste(corner.transpose(Image.Transpose.ROTATE_180), (right, bottom))
    picture.paste(_PANEL, box, mask)


def _rows(lines: Iterable[str], title: int, width: float, height: float) -> list[_Row]:
    """What has room: the details first, since they tell one task from another; the title takes the rest."""
    texts = [text for text in map(_drawable, lines) if text][: 1 + _MOST_DETAILS]
    if not texts or height < title * _LEADING:
        return []
    small = max(_SMALLEST_TEXT, round(title * 0.66))
    gap = _Row("", round(title * 0.3), _DETAIL_COLOUR)
    left = height - (title + gap.size) * _LEADING
    details: list[_Row] = []
    for text in texts[1:]:
        wrapped = _wrap(text, _font(small), width, min(_DETAIL_ROWS, int(left / (small * _LEADING))))
        left -= len(wrapped) * small * _LEADING
        details += [_Row(row, small, _DETAIL_COLOUR) for row in wrapped]
    wrapped = _wrap(texts[0], _font(title), width, min(_TITLE_ROWS, 1 + int(left / (title * _LEADING))))
    return [*(_Row(row, title, _TITLE_COLOUR) for row in wrapped), *([gap, *details] if details else [])]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """The text as one line of characters that the font has: accents go, boxes stand for the rest."""
    if len(text) > _LONGEST_LINE:
        text = text[:_LONGEST_LINE] + "…"
    spelt = (char if char in _DRAWABLE else _likeness(char) for char in text.translate(_SPELLINGS))
    return " ".join("".join(spelt).split())


def _likeness(char: str) -> str:
    if char.isspace() or unicodedata.category(char) == "Cc":
        return " "
    parts = [part for part in unicodedata.normalize("NFKD", char) if not _invisible(part)]
    return "".join(part if part in _DRAWABLE else _BOX for part in parts)


def _invisible(char: str) -> bool:
    """Whether a character only modifies its neighbours: accents, joiners, marks of direction."""
    return unicodedata.category(char) in {"Mn", "Me", "Cf", "Sk"}


def _wrap(text: str, font: Any, width: float, most: int) -> list[str]:
    """At most `most` rows no wider than `width`, broken at spaces where that wastes less than half a row.

    What did not fit is an ellipsis at the end of the last row.
    """
    advance = {char: font.getlength(char) for char in {*text, "…"}}
    rows: list[str] = []
    while text and len(rows) < most:
        ends = list(accumulate(advance[char] for char in text))
        fits = sum(end <= width for end in ends)
        if fits == len(text):
            return [*rows, text]
        if len(rows) == most - 1:
            fits = max(1, sum(end + advance["…"] <= width for end in ends))
            return [*rows, text[:fits].rstrip() + "…"]
        space = text.rfind(" ", 0, fits + 1)
        fits = space if space > fits / 2 else max(1, fits)
        rows.append(text[:fits].rstrip())
        text = text[fits:].lstrip()
    return rows


# --- uploads ------------------------------------------------------------------------------------------------

# Named one by one: of Pillow's other readers, some start programs, and libtiff writes to stderr on its own.
_READABLE: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
_LARGEST_UPLOAD: Final = 64 * 1024 * 1024


def inspect(data: bytes) -> Inspected | None:
    """What picture some bytes are: PNG, JPEG, WebP, GIF, BMP or AVIF, decoded to be sure.

    None for anything else, for damaged or truncated data, and for a picture of more than 64 megapixels.
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=_READABLE) as picture:
            width, height = picture.size
            if width * height > _LARGEST_UPLOAD:
                return None
            # An eighth of the size is enough to read a JPEG to its end; other formats ignore this.
            picture.draft(None, (max(1, width // 8), max(1, height // 8)))
            picture.load()
            # A camera's JPEG with previews appended calls itself MPO.
            name = "jpeg" if picture.format == "MPO" else str(picture.format).lower()
    except Exception:  # Pillow's decoders raise nearly every type there is on bytes they do not expect
        return None
    return Inspected(name, f"image/{name}", width, height)
