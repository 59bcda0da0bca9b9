import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.times import MAX_TIME, format_duration, iso, parse_duration, parse_time

DURATIONS = [("250ms", 250), ("1.5s", 1500), ("20m", 1_200_000), ("24h", 86_400_000), ("14d", 1_209_600_000)]


@pytest.mark.parametrize(("text", "milliseconds"), DURATIONS)
def test_a_duration_is_read_and_written_in_its_unit(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1h30m", "-1s", "5x", "1,5s"])
def test_what_is_no_duration_is_refused_with_the_units_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration; expected a number and one of ms, s, m, h, d, as in 1\.5s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["99999999999d", "9" * 400 + "ms"])
def test_a_duration_that_no_clock_could_be_moved_by_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'9.* is too long; expected at most \d+d$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0ms"), (1, "1ms"), (1000, "1s"), (90_000, "90s"), (86_400_000, "1d")]
)
def test_a_duration_is_written_in_the_largest_unit_that_is_exact(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text


@given(st.integers(0, 10**12))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-09-21T00:00:00.000Z", 1_758_412_800_000),
        ("2025-09-21T02:00:00+02:00", 1_758_412_800_000),
        ("2025-09-21T00:00:00", 1_758_412_800_000),
        ("2025-09-21", 1_758_412_800_000),
        ("1758412800", 1_758_412_800_000),
        ("1758412800.25", 1_758_412_800_250),
    ],
)
def test_a_time_is_read_from_iso_8601_and_from_unix_seconds(text: str, milliseconds: int) -> None:
    assert parse_time(text) == milliseconds


@pytest.mark.parametrize("text", ["", "now", "2025-13-01", "12:00", "1758412800s", "1e9"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no time; expected one such as 2026-01-01T12:00:00Z"):
        parse_time(text)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "9" * 20, "9" * 400])
def test_a_time_before_1970_or_after_9999_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is out of range; expected a time between 1970 and 9999"):
        parse_time(text)


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert iso(1_758_412_800_007) == "2025-09-21T00:00:00.007Z"
    assert iso(MAX_TIME) == "9999-12-31T23:59:59.000Z"


@given(st.integers(0, MAX_TIME))
def test_a_time_reads_back_as_it_was_written(milliseconds: int) -> None:
    assert parse_time(iso(milliseconds)) == milliseconds
