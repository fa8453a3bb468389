"""A delivery on a page: legible, bounded, and without anything that opens a door."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.shown_delivery import HIDDEN, shown_body, shown_headers

SECRET = "opensesame"
NAMES = [
    "client_secret",
    "token",
    "verification_token",
    "access_token",
    "Token",
    "password",
    "api_key",
    "apiKey",
    "private-key",
    "Authorization",
    "Signature",
    "SubscribeURL",
    "UnsubscribeURL",
    "credentials",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_hidden_at_any_depth(name: str) -> None:
    inner = {"a": [{name: SECRET, "amount": 1}], name: {"deep": SECRET}, "b": {name: [SECRET]}}
    shown = shown_body(json.dumps({"Message": json.dumps(inner), "data": inner}).encode(), most_characters=10_000)
    assert shown is not None
    assert SECRET not in shown.text
    assert shown.text.count(HIDDEN) == 6
    assert '"amount": 1' in shown.text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=20,
    )
)
def test_what_is_no_secret_is_shown_as_it_is(value: object) -> None:
    shown = shown_body(json.dumps({"value": value}).encode(), most_characters=1_000_000)
    assert shown is not None
    assert not shown.is_cut


def test_numbers_keep_their_digits() -> None:
    shown = shown_body(b'{"amount": 12345678901234567890.100, "n": 1e400}', most_characters=1000)
    assert shown is not None
    assert "12345678901234567890.100" in shown.text
    assert "1e400" in shown.text


def test_it_is_cut_at_a_limit() -> None:
    shown = shown_body(json.dumps(["x" * 50] * 100).encode(), most_characters=200)
    assert shown is not None
    assert (len(shown.text), shown.is_cut) == (200, True)


@pytest.mark.parametrize("raw", [b"", b"token=opensesame", b"\xff\xfe", b"<a/>", b"[" * 100_000])
def test_what_is_no_json_is_not_shown(raw: bytes) -> None:
    assert shown_body(raw, most_characters=1000) is None


def test_a_lone_surrogate_does_not_break_the_page() -> None:
    shown = shown_body(b'{"name": "\\ud800"}', most_characters=1000)
    assert shown is not None
    shown.text.encode()


def test_headers_that_sign_are_named_and_not_shown() -> None:
    headers = {"user-agent": "Stripe/1.0", "stripe-signature": "t=1,v1=abc", "plaid-verification": "ey"}
    assert shown_headers(headers) == (
        ("plaid-verification", HIDDEN),
        ("stripe-signature", HIDDEN),
        ("user-agent", "Stripe/1.0"),
    )
