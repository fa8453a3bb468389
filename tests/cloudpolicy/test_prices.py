"""What an instance-hour costs a company: from bill lines, and from what people entered."""

from datetime import date
from decimal import Decimal

import pytest

from cloudpolicy.engine.price import PriceBook
from cloudpolicy.selectors.prices import price_book
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.services.prices import PriceRefused, enter_price
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.daily_flows import catch_up
from tests.cloudpolicy.billed_cloud import Hours, import_bill
from tests.cloudpolicy.steered_company import NOW

pytestmark = pytest.mark.django_db
D = Decimal
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 31)


@pytest.fixture
def company() -> CompanyRef:
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    return company_ref(slug="acme")


def book(company: CompanyRef, *instances: str, today: date = date(2026, 4, 1)) -> PriceBook:
    catch_up(company_id=company.id)
    return price_book(company=company, today=today, account_numbers={}, instances=instances)


def test_savings_plans_count_their_hours_once_and_may_save_nothing(company: CompanyRef) -> None:
    day = LAST
    import_bill(
        company,
        [
            Hours(day, "BoxUsage:t3.small", 10, "10", kind="SavingsPlanCoveredUsage"),
            Hours(day, "BoxUsage:t3.small", 10, "-10", kind="SavingsPlanNegation"),
        ],
    )
    (metered,) = book(company).by_type.values()
    assert (metered.hours, metered.billed) == (10, 0)


def test_surcharges_other_units_and_old_bills_are_no_hours(company: CompanyRef) -> None:
    import_bill(
        company,
        [
            Hours(FIRST, "EBSOptimized:t3.small", 10, "10"),
            Hours(FIRST, "BoxUsage:t3.small", 10, "10", unit="GB"),
            Hours(FIRST, "EU-BoxUsage:t3.small", 10, "20", region="eu-west-1", account="300"),
        ],
    )
    found = book(company)
    assert list(found.by_type) == [("300", "eu-west-1", "t3.small", "on_demand")]
    assert book(company, today=date(2026, 7, 1)).by_type == {}


def test_credits_save_no_cash_and_are_told_apart(company: CompanyRef) -> None:
    day = LAST
    import_bill(company, [Hours(day, "BoxUsage:t3.small", 10, "10"), Hours(day, "Credit", 0, "-4", kind="Credit")])
    assert book(company).credit_share == D("0.4")


def test_amounts_in_a_currency_without_a_rate_are_unknown_and_say_so() -> None:
    rates = Rates("USD", LAST)
    assert (rates.of("USD"), rates.of("VES")) == (1, None)
    assert rates.doubt == "what VES is worth in USD is not known"


def test_a_bill_in_another_currency_is_converted(company: CompanyRef) -> None:
    import_bill(company, [Hours(LAST, "BoxUsage:t3.small", 10, "10", currency="EUR")])
    (metered,) = book(company).by_type.values()
    assert 10 < metered.effective < 13


def test_an_instance_is_found_by_number_or_arn_also_where_no_type_is_named(company: CompanyRef) -> None:
    import_bill(
        company,
        [
            Hours(LAST, "BoxUsage:t3.small", 24, "12", resource="i-1"),
            Hours(LAST, "SpotUsage:t3.small", 24, "6", resource="arn:aws:ec2:us-east-1:200:instance/i-2"),
            Hours(LAST, "JRTCKXETXF", 24, "3", resource="i-3"),
            Hours(LAST, "JRTCKXETXF", 24, "3", resource="i-4"),
        ],
    )
    found = book(company, "i-1", "i-2", "i-3").by_instance
    assert {key: metered.effective for key, metered in found.items()} == {
        ("i-1", "on_demand"): 12, ("i-2", "spot"): 6, ("i-3", "either"): 3,
    }  # fmt: skip


def test_the_range_of_a_spot_price_is_that_of_its_days(company: CompanyRef) -> None:
    import_bill(company, [Hours(FIRST, "SpotUsage:t3.small", 10, "2"), Hours(LAST, "SpotUsage:t3.small", 10, "6")])
    (metered,) = book(company).by_type.values()
    price = metered.price(market="spot", said="")
    assert (price.low, price.per_hour, price.high) == (D("0.2"), D("0.4"), D("0.6"))


def test_another_companys_bills_and_prices_do_not_count(company: CompanyRef) -> None:
    create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    other = company_ref(slug="other")
    import_bill(other, [Hours(LAST, "BoxUsage:t3.small", 10, "10")])
    enter_price(company=other, region="us-east-1", group="web", per_hour="9", actor="ada", because="list", now=NOW)
    assert book(company) == PriceBook()


def test_a_price_that_is_entered_counts_until_it_is_taken_back(company: CompanyRef) -> None:
    wanted = {
        "company": company,
        "region": "us-east-1",
        "instance_type": "t3.small",
        "actor": "ada",
        "because": "the price list",
    }
    enter_price(**wanted, per_hour="9", now=NOW)
    enter_price(**wanted, per_hour="1.5", now=NOW)
    (entered,) = book(company).entered
    assert (entered.per_hour, entered.said) == (D("1.5"), "entered by ada on 2026-04-01")
    enter_price(**wanted, per_hour=None, now=NOW)
    assert book(company).entered == ()


def test_a_price_that_cannot_be_is_refused_by_field(company: CompanyRef) -> None:
    with pytest.raises(PriceRefused) as refused:
        enter_price(
            company=company,
            region="here",
            account="nowhere",
            market="future",
            per_hour="-1",
            currency="XXX",
            actor="ada",
            because=" ",
            now=NOW,
        )
    assert {problem.field for problem in refused.value.problems} == {
        "instance_type", "region", "account", "market", "per_hour", "currency", "because",
    }  # fmt: skip
