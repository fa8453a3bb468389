"""Cloud credits over time: drawn down by use, and gone at once when they expire."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.credit_grant import CreditGrantBalance, CreditGrantCurve, GrantExpiry, grant_curve
from ledger.selectors.balances import credit_grants
from ledger.selectors.grant_curves import credit_grant_curve
from ledger.services.daily_flows import catch_up
from ledger.services.import_events import import_events
from ledger.services.record import record
from ledger.services.statements import state_credit_grant
from tests.ledger.conftest import NOW, make_draft

HEADER = (
    "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargeCategory,ServiceName,"
    "BilledCost,BillingCurrency\n"
)
MAY_1 = date(2026, 5, 1)


def bill(*lines: str) -> bytes:
    rows = (f"AWS,1,2026-05-01,2026-06-01,{line},USD\n" for line in lines)
    return (HEADER + "".join(rows)).encode()


def take(company: CompanyRef, content: bytes) -> None:
    import_events(company=company, stream=io.BytesIO(content), actor="t", now=NOW)


def grant(company: CompanyRef, remaining: str, expires_on: date, *, provider: str = "AWS") -> None:
    state_credit_grant(
        company_id=company.id,
        provider=provider,
        remaining=Decimal(remaining),
        expires_on=expires_on,
        day=date(2026, 4, 30),
        origin="plan",
        actor="t",
        now=NOW,
    )


def curve(company: CompanyRef, start: date, end: date) -> CreditGrantCurve:
    catch_up(company_id=company.id)
    (found,) = credit_grant_curve(company_id=company.id, start=start, end=end)
    return found


def left(found: CreditGrantCurve, day: date) -> Decimal:
    return found.remaining[found.days.index(day)]


@pytest.mark.django_db
def test_a_bill_draws_down_on_the_days_of_use_and_the_soonest_expiry_first(company: CompanyRef) -> None:
    grant(company, "100", date(2026, 5, 20))
    grant(company, "500", date(2026, 12, 31))
    take(
        company,
        bill(
            "2026-05-10,Usage,EC2,400",
            "2026-05-10,Credit,EC2,-70",
            "2026-05-15,Credit,EC2,-20.5",
            "2026-05-25,Credit,S3,-200",
        ),
    )
    found = curve(company, date(2026, 4, 29), date(2026, 7, 1))
    assert left(found, date(2026, 4, 29)) == 0
    assert left(found, date(2026, 4, 30)) == 600
    assert left(found, date(2026, 5, 10)) == 530
    assert left(found, date(2026, 5, 20)) == Decimal("509.5")
    # What nobody used until the 20th is a lump that is gone the day after.
    assert found.expiries == (GrantExpiry("AWS", date(2026, 5, 20), Decimal("9.5")),)
    assert left(found, date(2026, 5, 21)) == 500
    assert left(found, date(2026, 5, 25)) == 300
    # The credit's events stand on the first of June: they do not count again.
    assert left(found, date(2026, 6, 1)) == left(found, date(2026, 6, 30)) == 300


@pytest.mark.django_db
def test_the_curve_agrees_with_the_balance_of_every_day(company: CompanyRef) -> None:
    grant(company, "100", date(2026, 5, 20))
    grant(company, "500", date(2026, 12, 31))
    take(company, bill("2026-05-10,Credit,EC2,-70.3333333", "2026-05-22,Credit,EC2,-70.3333333"))
    record(
        company_id=company.id,
        drafts=[
            make_draft(event_type="credit", amount="33", counterparty="AWS", occurred_at="2026-06-03T16:00:00Z")
        ],
        actor="t",
        now=NOW,
    )
    found = curve(company, MAY_1, date(2026, 6, 10))
    for day, remaining in zip(found.days, found.remaining, strict=True):
        grants = credit_grants(company_id=company.id, at=day)
        assert sum(grant.remaining for grant in grants) == remaining, day


@pytest.mark.django_db
def test_a_bill_issued_again_changes_what_is_left(company: CompanyRef) -> None:
    grant(company, "500", date(2026, 12, 31))
    take(company, bill("2026-05-10,Credit,EC2,-70"))
    take(company, bill("2026-05-10,Credit,EC2,-90"))
    assert left(curve(company, MAY_1, date(2026, 7, 1)), date(2026, 6, 30)) == 410


@pytest.mark.django_db
def test_a_credit_of_a_bill_taken_back_by_hand_is_there_again(company: CompanyRef) -> None:
    from ledger.models.event import CapitalEvent
    from ledger.services.reverse import reverse

    grant(company, "500", date(2026, 12, 31))
    take(company, bill("2026-05-10,Credit,EC2,-70"))
    event = CapitalEvent.objects.get(event_type="credit")
    reverse(company_id=company.id, event_id=bytes(event.event_id).hex(), reason="no", actor="t", now=NOW)
    assert left(curve(company, MAY_1, date(2026, 7, 1)), date(2026, 6, 30)) == 500


@pytest.mark.django_db
def test_a_grant_named_after_a_programme_pays_its_providers_credits(company: CompanyRef) -> None:
    grant(company, "500", date(2026, 12, 31), provider="AWS Activate")
    grant(company, "300", date(2026, 12, 31), provider="Google Cloud")
    take(company, bill("2026-05-10,Credit,EC2,-70"))
    catch_up(company_id=company.id)
    curves = credit_grant_curve(company_id=company.id, start=MAY_1, end=date(2026, 6, 1))
    assert [(found.provider, found.remaining[-1]) for found in curves] == [
        ("AWS Activate", Decimal(430)),
        ("Google Cloud", Decimal(300)),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 29), st.decimals(0, 50, places=6)), max_size=10),
    st.lists(st.tuples(st.integers(0, 40), st.decimals(0, 100, places=6)), min_size=1, max_size=3),
)
def test_what_was_granted_is_left_used_or_lapsed(
    used: list[tuple[int, Decimal]], grants: list[tuple[int, Decimal]]
) -> None:
    def day(number: int) -> date:
        return MAY_1 + timedelta(days=number)

    found = grant_curve(
        "AWS",
        statements={
            MAY_1 - timedelta(days=1): [CreditGrantBalance("AWS", amount, day(end)) for end, amount in grants]
        },
        used=[(day(number), amount) for number, amount in used],
        start=MAY_1,
        end=day(41),
    )
    by_grant = zip(*(line.remaining for line in found.grants), strict=True)
    assert tuple(map(sum, by_grant)) == found.remaining or not found.grants
    granted = sum(amount for _, amount in grants)
    lapsed = sum(expiry.amount for expiry in found.expiries)
    assert found.remaining[-1] == sum(expiry.amount for expiry in found.expiries if expiry.day == day(40))
    assert 0 <= granted - lapsed <= sum(amount for _, amount in used)
    assert all(later <= earlier for earlier, later in zip(found.remaining, found.remaining[1:], strict=False))
