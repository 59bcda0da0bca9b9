import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.masking import mask


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", "…"), ("abc", "…"), ("abcdefg", "…"), ("abcdefgh", "abcd…"), ("ak_0123456789", "ak_0…")],
)
def test_a_key_shows_four_characters_and_a_short_one_none(secret: str, shown: str) -> None:
    assert mask(secret) == shown


@given(st.text())
def test_no_more_than_half_of_a_key_is_ever_shown(secret: str) -> None:
    shown = mask(secret).removesuffix("…")
    assert secret.startswith(shown)
    assert len(shown) <= len(secret) / 2
