"""Payroll webhooks and what a run of payroll books."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.event import parse_event
from ledger.domain.intake import Intake
from ledger.providers.http import Unavailable
from ledger.providers.payroll_api import PayrollClient, PayrollNotFound, PayrollRefused
from ledger.providers.payroll_lines import LINES, PayrollTerms, UnreadablePayroll, read_payroll, taken_back
from ledger.providers.payroll_webhooks import (
    Handshake,
    InvalidPayrollSignature,
    NeedsPerson,
    Nothing,
    PayrollChanged,
    UnreadableWebhook,
    read_webhook,
    verify_payroll,
)
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.payroll_samples import (
    COMPANY,
    PAYROLL,
    SUBSCRIPTION,
    TOKEN,
    payroll,
    payroll_event,
    signature,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TERMS = PayrollTerms(timezone=ZoneInfo("America/New_York"), currency="USD")
CLEARING = PayrollTerms(
    timezone=ZoneInfo("America/New_York"), currency="USD", account="gusto", funded_from_bank=True
)
BODY = json.dumps(payroll_event()).encode()


def lines(raw: dict[str, Any], terms: PayrollTerms = TERMS) -> dict[str, dict[str, Any]]:
    said = read_payroll(raw, payroll=PAYROLL, terms=terms)
    for event in said.events:
        parse_event(dict(event), now=NOW)
    return {str(event["external_ref"]).split(":")[1]: dict(event) for event in said.events}


def standing(said: Intake) -> set[str]:
    return {str(event["external_ref"]) for event in said.events}


# --- Signature --------------------------------------------------------------------------------------------


def test_it_accepts_what_the_provider_signed() -> None:
    verify_payroll(body=BODY, signature=signature(BODY), secrets=["an-older-token", TOKEN])
    verify_payroll(body=BODY, signature=signature(BODY).upper(), secrets=[TOKEN])


@pytest.mark.parametrize("given", ["", "0" * 64, "é", signature(BODY)[:-1], signature(BODY + b" ")])
def test_it_refuses_another_signature(given: str) -> None:
    with pytest.raises(InvalidPayrollSignature):
        verify_payroll(body=BODY, signature=given, secrets=[TOKEN])


@pytest.mark.parametrize("secrets", [[], [""], ["another"]])
def test_it_refuses_everything_without_the_right_secret(secrets: list[str]) -> None:
    with pytest.raises(InvalidPayrollSignature):
        verify_payroll(body=BODY, signature=signature(BODY, token=""), secrets=secrets)


# --- Meaning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", ["payroll.processed", "payroll.paid", "payroll.updated"])
def test_a_payroll_that_may_hold_cash_is_looked_at(event_type: str) -> None:
    assert read_webhook(payroll_event(event_type)) == PayrollChanged(COMPANY, PAYROLL, taken_back=False)


@pytest.mark.parametrize("event_type", ["payroll.reversed", "payroll.cancelled"])
def test_a_payroll_that_was_undone_is_taken_back(event_type: str) -> None:
    assert read_webhook(payroll_event(event_type)) == PayrollChanged(COMPANY, PAYROLL, taken_back=True)


@pytest.mark.parametrize(
    "event_type", ["payroll.created", "payroll.calculated", "payroll.submitted", "payroll.processing_failed"]
)
def test_drafts_are_ignored_for_a_reason(event_type: str) -> None:
    assert isinstance(read_webhook(payroll_event(event_type)), Nothing)


def test_other_entities_are_ignored_by_name() -> None:
    meaning = read_webhook(payroll_event("employee.created", entity_type="Employee"))
    assert meaning == Nothing("concerns Employee, not a payroll: no cash moves")


def test_a_partial_reversal_waits_for_a_person() -> None:
    assert isinstance(read_webhook(payroll_event("payroll.partially_reversed")), NeedsPerson)


def test_the_first_delivery_is_a_handshake() -> None:
    assert read_webhook({"verification_token": TOKEN, "webhook_subscription_uuid": SUBSCRIPTION}) == Handshake(
        TOKEN, SUBSCRIPTION
    )
    assert read_webhook({"verification_token": TOKEN}) == Handshake(TOKEN, "")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verification_token": "short"},
        payroll_event("payroll.exploded"),
        payroll_event(entity_uuid="../../admin"),
        payroll_event(resource_uuid=None),
    ],
)
def test_what_is_no_event_is_kept_for_a_person(body: dict[str, Any]) -> None:
    with pytest.raises(UnreadableWebhook):
        read_webhook(body)


# --- Lines ------------------------------------------------------------------------------------------------


def test_a_run_is_split_into_pay_and_taxes_with_their_own_days() -> None:
    said = lines(payroll())

    assert {
        name: (event["amount"], event["occurred_at"][:10], event["category"]) for name, event in said.items()
    } == {
        "net_pay": (Decimal("8550.00"), "2026-06-12", "payroll"),
        "reimbursements": (Decimal("120.00"), "2026-06-12", "reimbursement"),
        "deductions": (Decimal("80.00"), "2026-06-12", "payroll"),
        "benefits": (Decimal("602.40"), "2026-06-17", "benefits"),
        "employee_taxes": (Decimal("3169.20"), "2026-06-17", "payroll_tax"),
        "employer_taxes": (Decimal("918.00"), "2026-06-17", "payroll_tax"),
    }
    # What the company pays in all: gross, employer's taxes, its share of benefits, reimbursements.
    assert sum(event["amount"] for event in said.values()) == Decimal(12000) + Decimal(918) + Decimal(
        "401.60"
    ) + Decimal(120)
    assert said["net_pay"]["metadata"]["gross"] == "12000.00"


def test_a_date_is_noon_in_new_york() -> None:
    assert lines(payroll())["net_pay"]["occurred_at"] == "2026-06-12T12:00:00-04:00"
    assert lines(payroll(check_date="2026-01-16"))["net_pay"]["occurred_at"] == "2026-01-16T12:00:00-05:00"


@pytest.mark.parametrize(
    ("pay_day", "lag", "tax_day"),
    [
        ("2026-06-12", 5, "2026-06-17"),
        ("2026-06-12", 3, "2026-06-15"),
        ("2026-06-12", 7, "2026-06-22"),  # the 19th is Juneteenth, then a weekend
        ("2026-06-11", 7, "2026-06-18"),
        ("2026-12-18", 7, "2026-12-28"),  # Christmas is a Friday
    ],
)
def test_taxes_leave_on_the_next_business_day_after_the_lag(pay_day: str, lag: int, tax_day: str) -> None:
    terms = PayrollTerms(timezone=TERMS.timezone, currency="USD", tax_lag_days=lag)
    if pay_day == "2026-06-12" and lag == 7:
        # 12 + 7 is the holiday itself.
        assert date(2026, 6, 19).weekday() == 4
    for name in ("employee_taxes", "employer_taxes"):
        assert lines(payroll(check_date=pay_day), terms)[name]["occurred_at"][:10] == tax_day


def test_the_payrolls_own_tax_day_counts() -> None:
    assert lines(payroll(tax_debit_date="2026-06-16"))["employee_taxes"]["occurred_at"][:10] == "2026-06-16"


@pytest.mark.parametrize("lag", [2, 8])
def test_a_lag_outside_three_to_seven_days_is_refused(lag: int) -> None:
    with pytest.raises(ValueError, match="tax_lag_days"):
        PayrollTerms(timezone=TERMS.timezone, currency="USD", tax_lag_days=lag)


def test_a_clearing_account_ends_at_zero() -> None:
    said = lines(payroll(), CLEARING)

    paid = sum(event["amount"] for name, event in said.items() if name != "funding")
    assert said["funding"]["amount"] == paid == Decimal(7550) + Decimal(120) + Decimal(80) + Decimal("4087.20")
    assert (said["funding"]["event_type"], said["funding"]["direction"]) == ("transfer", "in")
    # 23:00 UTC is the evening of the same day in New York.
    assert said["funding"]["occurred_at"] == "2026-06-10T12:00:00-04:00"
    assert {event["account"] for event in said.values()} == {"gusto"}
    assert "benefits" not in said


def test_a_payroll_in_another_currency_keeps_it() -> None:
    terms = PayrollTerms(timezone=ZoneInfo("Europe/Berlin"), currency="EUR")

    assert {event["currency"] for event in lines(payroll(), terms).values()} == {"EUR"}
    assert {event["currency"] for event in lines(payroll(currency="GBP"), terms).values()} == {"GBP"}


def test_a_line_that_falls_away_is_taken_back() -> None:
    changed = payroll()
    changed["totals"]["reimbursements"] = changed["totals"]["reimbursement_debit"] = "0.00"

    said = read_payroll(changed, payroll=PAYROLL, terms=TERMS)

    removed = {key.external_ref for key in said.removed}
    assert f"{PAYROLL}:reimbursements" in removed
    assert standing(said) | removed == {f"{PAYROLL}:{line}" for line in LINES}
    assert not standing(said) & removed


@pytest.mark.parametrize("changes", [{"processed": False}, {"external": True}])
def test_a_payroll_that_is_not_processed_has_no_line(changes: dict[str, Any]) -> None:
    assert read_payroll(payroll(**changes), payroll=PAYROLL, terms=TERMS) == taken_back(payroll=PAYROLL)


def test_figures_missing_from_the_totals_are_summed_over_people() -> None:
    raw = payroll(
        totals={},
        employee_compensations=[
            {
                "excluded": False,
                "gross_pay": "6000.00",
                "net_pay": "4200.00",
                "taxes": [
                    {"name": "Federal Income Tax", "employer": False, "amount": "1341.00"},
                    {"name": "Social Security", "employer": False, "amount": "459.00"},
                    {"name": "Social Security", "employer": True, "amount": "459.00"},
                ],
            },
            {"excluded": True, "gross_pay": "99.00", "net_pay": "99.00"},
        ],
    )

    assert {name: event["amount"] for name, event in lines(raw).items()} == {
        "net_pay": Decimal("4200.00"),
        "employee_taxes": Decimal("1800.00"),
        "employer_taxes": Decimal("459.00"),
    }


@pytest.mark.parametrize(
    "raw",
    [
        payroll(uuid="other", payroll_uuid="other"),
        payroll(check_date=None),
        payroll(check_date="soon"),
        payroll(totals={}),
        payroll(totals={**payroll()["totals"], "employee_taxes": "-3.00"}),
        payroll(totals={**payroll()["totals"], "net_pay": "13000.00"}),
        payroll(totals={**payroll()["totals"], "employer_taxes": None}),
        payroll(tax_debit_date="2026-06-01"),
        payroll(tax_debit_date="2026-12-01"),
    ],
)
def test_a_payroll_in_doubt_is_refused_whole(raw: dict[str, Any]) -> None:
    with pytest.raises(UnreadablePayroll):
        read_payroll(raw, payroll=PAYROLL, terms=TERMS)


# --- Fetching ---------------------------------------------------------------------------------------------


def test_it_fetches_a_payroll_with_its_token(outside: OutsideServer) -> None:
    path = f"/v1/companies/{COMPANY}/payrolls/{PAYROLL}"
    outside.on(path, Reply(200, payroll()))

    fetched = PayrollClient(base_url=outside.url, token="secret").payroll(company=COMPANY, payroll=PAYROLL)

    assert fetched["check_date"] == "2026-06-12"
    (asked,) = outside.asked_for(path)
    assert asked.headers["Authorization"] == "Bearer secret"
    assert asked.path.endswith("include=taxes,benefits,deductions")


@pytest.mark.parametrize(
    ("status", "raised"), [(404, PayrollNotFound), (401, PayrollRefused), (429, Unavailable), (502, Unavailable)]
)
def test_it_tells_failures_apart(outside: OutsideServer, status: int, raised: type[Exception]) -> None:
    outside.on(f"/v1/companies/{COMPANY}/payrolls/{PAYROLL}", Reply(status, {}))
    with pytest.raises(raised):
        PayrollClient(base_url=outside.url, token="secret").payroll(company=COMPANY, payroll=PAYROLL)


def test_the_provider_itself_says_whether_a_handshake_is_true(outside: OutsideServer) -> None:
    outside.on(
        f"/v1/webhook_subscriptions/{SUBSCRIPTION}/verify",
        lambda asked: Reply(200 if asked.json == {"verification_token": TOKEN} else 422, {}),
    )
    client = PayrollClient(base_url=outside.url, token="secret")

    assert client.accept_handshake(subscription=SUBSCRIPTION, token=TOKEN)
    assert not client.accept_handshake(subscription=SUBSCRIPTION, token="an attacker's own token")


def test_secrets_do_not_show() -> None:
    assert "sesame" not in repr(PayrollClient(base_url="https://api.example", token="sesame"))
