"""Bills that charge a month in one line: compared where it lies on one side of the change, and told where not."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.selectors.billed_days import billed_days
from cloudpolicy.selectors.cost_days import cost_against_runway
from cloudpolicy.selectors.prices import price_book
from cloudpolicy.selectors.savings import scored_savings
from cloudpolicy.services.scoring import look_at_savings
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.daily_flows import catch_up
from tests.cloudpolicy.billed_cloud import Hours, import_bill
from tests.cloudpolicy.test_scoring import APPLIED, LATER, applied, hours

pytestmark = pytest.mark.django_db
D = Decimal
# The change was made in the middle of February.
JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in (1, 2, 3, 4))
MONTHS = {JANUARY: FEBRUARY, FEBRUARY: MARCH, MARCH: APRIL}


@pytest.fixture
def company() -> CompanyRef:
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=APPLIED)
    return company_ref(slug="acme")


def month(first: date, a_day: int, resource: str) -> Hours:
    count = (MONTHS[first] - first).days
    return Hours(first, "BoxUsage:m5.large", 24 * count, D(a_day * count), resource=resource, until=MONTHS[first])


def bill_months(company: CompanyRef, *, after: int = 10, now: datetime = LATER) -> None:
    """The groups cost 20 a day in January, and in March what is asked for; the rest costs 20 a day throughout."""
    own = [month(JANUARY, 20, "i-1"), month(FEBRUARY, 15, "i-1"), month(MARCH, after, "i-2")]
    import_bill(company, [*own, *(month(first, 20, "i-9") for first in MONTHS)], now=now)


def scores(company: CompanyRef) -> dict[int, object]:
    return {each.after_days: each for each in scored_savings(company_id=company.id)}


@pytest.mark.parametrize(("after", "verdict", "billed"), [(10, "delivered", 300), (18, "short", 60)])
def test_whole_months_on_either_side_of_a_change_are_compared_by_the_day(
    company: CompanyRef, after: int, verdict: str, billed: int
) -> None:
    applied(company)
    bill_months(company, after=after)
    look_at_savings(company_id=company.id, now=LATER)
    score = scores(company)[30]
    assert (score.verdict, score.billed, score.adjusted_by) == (verdict, D(billed), D(1))
    assert score.text == (
        "lines of the groups' instances; lines for several days, such as a month, are spread evenly by day;"
        " the rest cost as much as before; only 16 days before and 17 days after could be compared"
    )


def test_before_and_after_in_one_line_are_not_told_apart_and_it_says_so(company: CompanyRef) -> None:
    applied(company)
    bill_months(company)
    look_at_savings(company_id=company.id, now=LATER)
    score = scores(company)[7]
    assert (score.verdict, score.billed, score.predicted) == ("blurred", None, D(70))
    assert score.text.startswith("bills charge 2026-02-01 to 2026-02-28 in one line, and the groups were changed")


def test_a_line_in_which_the_groups_were_changed_again_is_not_taken_for_what_the_first_change_left(
    company: CompanyRef,
) -> None:
    applied(company)
    # After the window of thirty days is over, and within the line that most of it stands in.
    applied(company, at=datetime(2026, 3, 25, 12, tzinfo=UTC))
    bill_months(company)
    look_at_savings(company_id=company.id, now=LATER)
    first = min(scored_savings(company_id=company.id), key=lambda each: (each.run_id, -each.after_days))
    assert (first.after_days, first.verdict, first.billed) == (30, "blurred", None)
    assert "2026-02-01 to 2026-02-28 in one line" in first.text


def test_what_a_month_has_cost_so_far_is_not_taken_for_the_month(company: CompanyRef) -> None:
    applied(company)
    bill_months(company, after=3, now=datetime(2026, 3, 20, 9, tzinfo=UTC))
    look_at_savings(company_id=company.id, now=datetime(2026, 3, 25, 9, tzinfo=UTC))
    assert set(scores(company)) == {7}, "of March it is not known yet what it costs"
    assert max(billed_days(company_id=company.id, start=JANUARY, stop=APRIL)) < MARCH
    over = datetime(2026, 4, 3, 9, tzinfo=UTC)
    bill_months(company, after=10, now=over)
    look_at_savings(company_id=company.id, now=over)
    assert scores(company)[30].billed == D(300)


def test_daily_lines_are_compared_beside_a_monthly_line_of_something_else(company: CompanyRef) -> None:
    """Somebody else's instance that is billed by the month neither delays nor changes what daily lines say."""
    applied(company)
    span = [JANUARY + timedelta(days=place) for place in range(90)]
    own = [
        *hours([day for day in span if day <= APPLIED.date()], "20", "i-1"),
        *hours([day for day in span if day > APPLIED.date()], "10", "i-2"),
    ]
    import_bill(company, [*own, *(month(first, 20, "i-9") for first in MONTHS)], now=LATER)
    look_at_savings(company_id=company.id, now=LATER)
    assert {days: score.billed for days, score in scores(company).items()} == {7: D(70), 30: D(300)}


def test_the_chart_spreads_a_month_over_its_days_and_its_sum_stays(company: CompanyRef) -> None:
    bill_months(company)
    catch_up(company_id=company.id)
    days = cost_against_runway(company_id=company.id, start=JANUARY, stop=APRIL)
    assert {each.day.month: each.gross for each in days if each.day.day in (1, 17, 28)} == {
        1: D(40), 2: D(35), 3: D(30),
    }  # fmt: skip
    assert sum(each.gross for each in days) == D(40 * 31 + 35 * 28 + 30 * 31)
    part = cost_against_runway(company_id=company.id, start=date(2026, 1, 30), stop=date(2026, 2, 3))
    assert [each.gross for each in part] == [D(40), D(40), D(35), D(35)]


def test_a_month_that_is_not_over_is_spread_over_the_days_so_far(company: CompanyRef) -> None:
    import_bill(company, [month(MARCH, 10, "i-1")], now=datetime(2026, 3, 11, 9, tzinfo=UTC))
    catch_up(company_id=company.id)
    days = cost_against_runway(company_id=company.id, start=MARCH, stop=date(2026, 3, 20))
    assert [each.gross for each in days] == [D(31)] * 10 + [None] * 9


def test_a_month_in_one_line_prices_an_hour_until_two_months_after_its_end(company: CompanyRef) -> None:
    bill_months(company)
    catch_up(company_id=company.id)

    def known(today: date) -> bool:
        book = price_book(company=company, today=today, account_numbers={}, instances=())
        return bool(book.by_type)

    assert (known(date(2026, 5, 30)), known(date(2026, 6, 2))) == (True, False)


def test_the_share_of_cost_saved_counts_a_whole_month(company: CompanyRef) -> None:
    applied(company)
    bill_months(company)
    look_at_savings(company_id=company.id, now=LATER)
    figure = CostFigure.objects.get(company_id=company.id)
    assert (figure.start, figure.stop) == (date(2026, 3, 2), APRIL)
    assert (figure.cost, figure.saved) == (D(900), D(300))
