"""Who takes another's place goes on with what that one was paid."""

import pytest

from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.successor import Tenure, chains
from tests.forecasting.journal import every, history, monthly

SPENDING = every(1, start="2024-01-01", until="2025-06-30", line="-200 card Cafe")


def fit(text: str) -> FittedCompany:
    return fit_company(history(text, as_of="2025-06-30"))


def runs(start: str, months: int, who: str, *, amount: int = 60000) -> str:
    return monthly(start=start, months=months, line=f"-{amount} payroll {who}")


@pytest.mark.parametrize(("before", "start", "since"), [(17, "2025-06-28", 1), (16, "2025-05-28", 2)])
def test_a_new_payroll_provider_pays_the_same_people(before, start, since):
    company = fit(SPENDING + runs("2024-01-28", before, "Gusto") + runs(start, since, "Rippling"))
    (payroll,) = company.payrolls
    assert payroll.name == "Rippling"
    assert payroll.level == 60000
    assert len(payroll.run_day) == 18
    assert "Rippling" not in company.stream_names


def test_whoever_pays_beside_the_old_provider_is_another_payroll():
    company = fit(SPENDING + runs("2024-01-28", 18, "Gusto") + runs("2024-06-10", 13, "Deel", amount=50000))
    assert [payroll.level for payroll in company.payrolls] == [60000, 50000]


def test_a_cloud_bill_under_a_new_name_is_the_same_cloud():
    old = monthly(start="2024-01-04", months=16, line="-10000 cloud AWS")
    new = monthly(start="2025-05-04", months=2, line="-10500 cloud Amazon Web Services")
    (cloud,) = fit(SPENDING + old + new).clouds
    assert cloud.provider == "Amazon Web Services"
    assert cloud.usage_per_day == pytest.approx(10500 / 30.4, rel=0.1)


def test_one_bill_a_month_under_two_names_in_turn_is_one_cloud():
    names = ["AWS", "AWS", "Hetzner", "AWS", "Hetzner", "Hetzner"] * 3
    bills = "".join(
        f"{2024 + month // 12}-{month % 12 + 1:02}-04 -10000 cloud {name}\n" for month, name in enumerate(names)
    )
    (cloud,) = fit(SPENDING + bills).clouds
    assert cloud.usage_per_day == pytest.approx(10000 / 30.4, rel=0.1)


def test_two_bills_a_month_are_two_clouds():
    bills = "".join(
        monthly(start="2024-01-04", months=18, line=f"-{amount} cloud {name}")
        for name, amount in (("AWS", 10000), ("Hetzner", 3000))
    )
    assert len(fit(SPENDING + bills).clouds) == 2


def test_a_conference_of_a_provider_once_a_year_is_no_bill_of_every_month():
    bills = monthly(start="2024-01-04", months=18, line="-10000 cloud AWS")
    sponsored = "2024-06-20 -48000 marketing AWS Summit\n2025-06-20 -48000 marketing AWS Summit\n"
    clouds = fit(SPENDING + bills + sponsored).clouds
    assert [cloud.provider for cloud in clouds] == ["AWS"]


def tenure(first: int, last: int, amount: float = 100.0) -> Tenure:
    return Tenure(first, last, amount, amount)


@pytest.mark.parametrize(
    ("tenures", "expected"),
    [
        ([tenure(0, 300), tenure(330, 600), tenure(630, 900)], [[0, 1, 2]]),
        ([tenure(330, 600), tenure(0, 300)], [[1, 0]]),
        ([tenure(0, 300), tenure(290, 600)], [[0], [1]]),  # both are paid for a while
        ([tenure(0, 300), tenure(400, 600)], [[0], [1]]),  # too long a pause
        ([tenure(0, 300, 100), tenure(330, 600, 300)], [[0], [1]]),  # another size
        ([tenure(0, 300), tenure(0, 320), tenure(350, 600), tenure(340, 600)], [[0], [1, 3], [2]]),
        ([], []),
    ],
)
def test_chains(tenures, expected):
    assert sorted(chains(tenures)) == expected
