from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.masking import mask, mask_data, mask_header, mask_query, mask_text


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


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        (b"authorization", b"Bearer 0123456789", "Bearer 0123…"),
        (b"authorization", b"0123456789", "0123…"),
        (b"x-api-key", b"a key with spaces", "a ke…"),
        (b"x-acme-token", b"0123456789", "0123…"),
        (b"cookie", b"short", "…"),
        (b"webhook-signature", b"v1,0123456789", "v1,0…"),
        (b"content-type", b"application/json", "application/json"),
        (b"x-request-id", b"0123456789", "0123456789"),
    ],
)
def test_headers_that_carry_keys_or_signatures_are_masked(name: bytes, value: bytes, shown: str) -> None:
    assert mask_header(name, value).decode() == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"", ""),
        (b"taskId=0123456789", "taskId=0123456789"),
        (b"key=0123456789&page=2", "key=0123…&page=2"),
        (b"page=2&X-Api-Key=0123456789", "page=2&X-Api-Key=0123…"),
        (b"signature=0123456789", "signature=0123…"),
        (b"token=", "token=…"),
        (b"name=token", "name=token"),
    ],
)
def test_parameters_that_carry_keys_or_signatures_are_masked(query: bytes, shown: str) -> None:
    assert unquote(mask_query(query).decode()) == shown


def test_data_is_masked_in_fields_for_keys_and_wherever_a_secret_stands() -> None:
    data = {"apiKey": "0123456789", "maxTokens": 5, "key": None, "list": ["say secret-one", {"uploadToken": "short"}]}
    assert mask_data(data, ["secret-one"]) == {
        "apiKey": "0123…", "maxTokens": 5, "key": None, "list": ["say secr…", {"uploadToken": "…"}],
    }  # fmt: skip


def test_json_inside_a_text_is_masked_as_data_and_left_alone_where_it_holds_no_key() -> None:
    told = {"param": '{"input": {"api_key": "0123456789"}, "hook": "https://a.example/?token=0123456789"}'}
    assert mask_data(told) == {
        "param": '{"input":{"api_key":"0123…"},"hook":"https://a.example/?token=0123%E2%80%A6"}'
    }  # fmt: skip
    for text in ('{"a":  1}', '{"key": broken', '{"maxTokens": [1], "key":  null}'):
        assert mask_data({"param": text}) == {"param": text}


def test_a_url_in_a_text_is_masked_where_it_carries_a_key() -> None:
    assert mask_text("https://a.example/x?token=0123456789&b=1") == "https://a.example/x?token=0123%E2%80%A6&b=1"
    assert mask_text("is this a token=0123456789 ?") == "is this a token=0123456789 ?"
