"""Names as people know them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.counterparty import clean_name, share_a_word


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("AMZN WEB SVCS 123", "Amazon Web Services"),
        ("AMZN WEB SVCS 123 REF 0042317", "Amazon Web Services"),
        ("ACH DEBIT GUSTO PAYROLL 882210", "Gusto"),
        ("SQ *BLUE BOTTLE COFFEE", "Blue Bottle Coffee"),
        ("Github, Inc.", "GitHub"),
        ("Müller & Söhne GmbH", "Müller & Söhne"),
        ("SaaS Vendor 018", "SaaS Vendor 018"),
        ("  Globex   Corp ", "Globex"),
        ("1234567", "1234567"),
        ("", ""),
    ],
)
def test_it_says_a_name_as_people_do(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


@given(st.text(max_size=60) | st.from_regex(r"[A-Z]{2,6}( [A-Z*.0-9]{1,8}){0,4}", fullmatch=True))
def test_a_clean_name_gives_itself(raw: str) -> None:
    assert clean_name(clean_name(raw)) == clean_name(raw)
    assert len(clean_name(raw)) <= max(len(raw), 40)


def test_only_words_that_tell_something_are_shared() -> None:
    assert share_a_word("STRIPE TRANSFER ST-1", "stripe-eur")
    assert not share_a_word("Bank transfer", "bank")
    assert not share_a_word("Vendor 018", "Vendor 019")
