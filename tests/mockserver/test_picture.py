# ruff: noqa: RUF001  (look-alike characters are what some of these tests are about)
import subprocess
import sys
import warnings
import zlib
from io import BytesIO
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from understudy.mockserver.picture import (
    _DRAWABLE,
    Inspected,
    PictureSpec,
    inspect,
    media_type,
    pixel_size,
    render,
)

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)


def small(*lines: str, width: int = 320, height: int = 240, form: str = "png", seed: int = 7) -> PictureSpec:
    return PictureSpec(width, height, form, seed, lines)


def encoded(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Image.new(mode, size).save(buffer, form)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds a thousand bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\x00\x00\x00"
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def off_by(ratio: str, size: tuple[int, int]) -> float:
    wide, high = map(int, ratio.split(":"))
    return abs(size[0] / size[1] / (wide / high) - 1)


# --- sizes ---


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("megapixels", [1, 4, 16])
def test_the_usual_sizes_keep_ratio_and_pixel_count(ratio: str, megapixels: int) -> None:
    width, height = size = pixel_size(ratio, megapixels * 1024 * 1024)
    assert width % 16 == height % 16 == 0
    assert off_by(ratio, size) <= 0.02
    assert width * height / (megapixels * 1024 * 1024) == pytest.approx(1, abs=0.05)


def test_a_square_has_the_side_one_expects() -> None:
    assert [pixel_size("1:1", side * side) for side in (1024, 2048, 4096)] == [
        (1024, 1024),
        (2048, 2048),
        (4096, 4096),
    ]


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 2**25))
@example(1023, 767, 256)
@example(100, 1, 2**20)
@example(139, 851, 1)
def test_every_ratio_is_kept_whatever_the_pixel_count(wide: int, high: int, pixels: int) -> None:
    ratio = f"{wide}:{high}"
    if max(wide, high) > 100 * min(wide, high):
        with pytest.raises(ValueError, match=f"'{ratio}' is beyond 100:1"):
            pixel_size(ratio, pixels)
    else:
        width, height = size = pixel_size(ratio, pixels)
        assert width % 16 == height % 16 == 0
        assert off_by(ratio, size) <= 0.02


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 8192))
def test_a_longest_side_is_exact_and_the_other_follows_the_ratio(wide: int, high: int, side: int) -> None:
    size = pixel_size(f"{wide}:{high}", 1, longest_side=side)
    assert max(size) == side
    assert min(size) >= 1
    exact = side * min(wide, high) / max(wide, high)
    assert min(size) == pytest.approx(max(1, exact), rel=0.02, abs=0.5)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_longest_side_on_the_grid_keeps_the_other_there(ratio: str) -> None:
    size = pixel_size(ratio, 1, longest_side=1024)
    assert min(size) % 16 == 0
    assert off_by(ratio, size) <= 0.02


@pytest.mark.parametrize("ratio", ["", "auto", "16x9", "16:0", "-1:2", "1.5:1", "1:1:1", "16:9\n", "１:１", " 1:1"])
def test_a_bad_ratio_is_named(ratio: str) -> None:
    with pytest.raises(ValueError, match="is not of the form WIDTH:HEIGHT") as caught:
        pixel_size(ratio, 2**20)
    assert repr(ratio) in str(caught.value)


def test_sizes_without_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot have 0 pixels"):
        pixel_size("1:1", 0)
    with pytest.raises(ValueError, match="cannot be -5 pixels"):
        pixel_size("1:1", 1, longest_side=-5)


# --- rendering ---


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_picture_has_the_format_and_size_it_was_asked_for(form: str) -> None:
    data = render(small("a lighthouse", "model", width=336, height=144, form=form))
    assert inspect(data) == Inspected(form, media_type(form), 336, 144)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_the_same_specification_gives_the_same_bytes(form: str) -> None:
    assert render(small("a lighthouse", form=form)) == render(small("a lighthouse", form=form))


def test_every_seed_gives_another_picture() -> None:
    seeds = (0, 1, 2, 3, 2**63, 2**64 - 1)
    assert len({render(small(seed=seed)) for seed in seeds}) == len(seeds)


def test_only_the_low_64_bits_of_a_seed_count() -> None:
    assert render(small(seed=-1)) == render(small(seed=2**64 - 1))


@pytest.mark.parametrize("seed", range(6))
def test_a_megapixel_png_stays_small(seed: int) -> None:
    lines = ("a lighthouse at dusk, " * 40, "model", "1024 x 1024", "task_1")
    assert len(render(PictureSpec(1024, 1024, "png", seed, lines))) < 400_000


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(ANY_TEXT, max_size=5).map(tuple),
    width=st.integers(1, 160),
    height=st.integers(1, 160),
    form=st.sampled_from(["png", "jpeg", "webp"]),
    seed=st.integers(0, 2**64 - 1),
)
@example(("\ud800\udfff\x00\x1b[31m\u202e", "👩\u200d🚀 שלום ﷽", "e\u0301" * 60), 160, 160, "png", 0)
@example(("x" * 20_000, *["detail"] * 100), 160, 160, "png", 0)
@example(("a prompt",), 2_000, 1, "png", 0)
@example(("a prompt",), 1, 2_000, "png", 3)
def test_any_text_at_any_size_gives_a_decodable_picture(
    lines: tuple[str, ...], width: int, height: int, form: str, seed: int
) -> None:
    data = render(PictureSpec(width, height, form, seed, lines))
    assert inspect(data) == Inspected(form, f"image/{form}", width, height)


@pytest.mark.parametrize("form", ["jpg", "PNG", "gif", ""])
def test_an_unknown_format_is_named(form: str) -> None:
    with pytest.raises(ValueError, match=f"{form!r} is not one of png, jpeg, webp"):
        media_type(form)
    with pytest.raises(ValueError, match=f"{form!r} is not one of png, jpeg, webp"):
        render(small(form=form))


@pytest.mark.parametrize(("form", "width", "height"), [("png", 0, 9), ("jpeg", 9, -1), ("webp", 16_384, 1)])
def test_a_size_the_format_cannot_hold_is_refused(form: str, width: int, height: int) -> None:
    with pytest.raises(ValueError, match=f"a {form} picture cannot be {width}x{height} pixels"):
        render(small(width=width, height=height, form=form))


# --- the caption ---


def test_the_caption_covers_the_lower_part_and_leaves_the_rest_alone() -> None:
    bare, written = (Image.open(BytesIO(render(small(*lines)))) for lines in ((), ("a lighthouse", "task_1")))
    upper = (0, 0, 320, 100)
    assert bare.crop(upper).tobytes() == written.crop(upper).tobytes()
    assert bare.tobytes() != written.tobytes()


def test_lines_without_anything_to_see_leave_no_panel() -> None:
    assert render(small("", " \n\t", "\u200b\u0301")) == render(small())


def test_a_long_prompt_is_cut_and_the_details_stay() -> None:
    prompt = "a lighthouse over a stormy sea " * 300
    assert render(small(prompt, "task_1")) == render(small(prompt + "at dusk", "task_1"))
    assert render(small(prompt, "task_1")) != render(small(prompt, "task_2"))


def test_a_cut_prompt_ends_in_an_ellipsis() -> None:
    # 64 pixels of height hold one row of the title.
    cut = render(small("m" * 300, height=64))
    assert cut in {render(small("m" * count + "…", height=64)) for count in range(5, 60)}


def test_a_word_too_long_for_a_row_is_broken() -> None:
    assert render(small("m" * 60, "task_1")) != render(small("m" * 61, "task_1"))


@pytest.mark.parametrize(
    ("text", "likeness"),
    [
        ("Crème brûlée, Łódź, Straße", "Creme brulee, Lodz, Strasse"),
        ("e\u0301", "e"),
        ("16：9 — １２ ≤ ½", "16:9 - 12 <= 1⁄2"),
        ("one\r\n\ttwo\u00a0three", "one two three"),
        ("a\u200db\ufe0fc\u202e", "abc"),
        ("灯台", "海岸"),
        ("\ud800", "🗼"),
    ],
)
def test_what_the_font_lacks_is_drawn_as_its_nearest_likeness(text: str, likeness: str) -> None:
    assert render(small(text)) == render(small(likeness))


def test_the_font_draws_every_character_taken_for_drawable() -> None:
    def drawn(char: str) -> bytes:
        picture = Image.new("L", (40, 40))
        ImageDraw.Draw(picture).text((5, 5), char, fill=255, font=ImageFont.load_default(20))
        return picture.tobytes()

    missing = drawn("\ufffd")
    assert not [char for char in _DRAWABLE if drawn(char) == missing]
    assert drawn("é") == missing, "the font has grown: _DRAWABLE may say so"


# --- uploads ---


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif", "bmp", "avif"])
def test_an_upload_is_recognised(form: str) -> None:
    assert inspect(encoded(form)) == Inspected(form, f"image/{form}", 40, 30)


@pytest.mark.parametrize(("form", "mode"), [("png", "RGBA"), ("png", "P"), ("jpeg", "CMYK"), ("png", "I;16")])
def test_an_upload_may_have_any_colour_mode(form: str, mode: str) -> None:
    assert inspect(encoded(form, (1, 1), mode)) == Inspected(form, f"image/{form}", 1, 1)


def test_a_jpeg_with_previews_is_a_jpeg() -> None:
    buffer = BytesIO()
    main, preview = Image.new("RGB", (64, 48)), Image.new("RGB", (16, 12))
    main.save(buffer, "MPO", save_all=True, append_images=[preview])
    assert inspect(buffer.getvalue()) == Inspected("jpeg", "image/jpeg", 64, 48)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"<svg/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        encoded("tiff"),
        bytes(99),
    ],
)
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert inspect(data) is None


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif", "avif"])
def test_half_a_picture_is_none(form: str) -> None:
    data = render(small("a lighthouse"))
    buffer = BytesIO()
    Image.open(BytesIO(data)).save(buffer, form)
    assert inspect(buffer.getvalue()[: len(buffer.getvalue()) // 2]) is None


@pytest.mark.parametrize("size", [(8193, 8192), (12_000, 9_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("action", ["ignore", "error"])
def test_a_decompression_bomb_is_none(size: tuple[int, int], action: Literal["ignore", "error"]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        assert inspect(png_header(*size)) is None


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["png", "jpeg", "webp", "gif", "bmp", "avif"]),
    place=st.floats(0, 1),
    patch=st.binary(max_size=12),
    cut=st.integers(0, 12),
)
def test_damaged_pictures_never_raise(form: str, place: float, patch: bytes, cut: int) -> None:
    data = encoded(form, (24, 16))
    at = int(place * len(data))
    found = inspect(data[:at] + patch + data[at + cut :])
    assert found is None or found.format == form


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_picture(data: bytes) -> None:
    assert inspect(data) is None


def test_importing_the_module_does_not_load_pillow() -> None:
    code = "import sys, understudy.mockserver.picture; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
