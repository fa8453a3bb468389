"""Names with numbers, categories given by a slip, and money that words say little of."""

import numpy as np
import pytest

from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.role import Role
from tests.forecasting.journal import every, history, monthly

AS_OF = "2025-06-30"
CARD = every(1, start="2024-01-01", until=AS_OF, line="-10 card Cafe")
PAYROLL = monthly(start="2024-01-28", months=18, line="-20000 payroll Staff")


def fit(text: str, **fields: object) -> FittedCompany:
    return fit_company(history(text + CARD, as_of=AS_OF, **fields))


def charges(*names: str) -> str:
    """A charge of 12,000 every quarter, each under the next of the names."""
    days = ["2024-01-20", "2024-04-20", "2024-07-20", "2024-10-20", "2025-01-20", "2025-04-20"]
    return "".join(f"{day} -12000 social_charges {name}\n" for day, name in zip(days, names, strict=True))


def names(company: FittedCompany) -> set[str]:
    return {company.rows.payees[payee].counterparty for payee in company.rows.payee.tolist()}


def test_a_payee_is_one_with_and_without_the_number_of_his_bill():
    numbered = fit(charges("SVA", "SVA REF 149905", "SVA", "SVA INV917670", "SVA RE-681467", "SVA 275030"))
    plain = fit(charges(*["SVA"] * 6))
    assert names(numbered) == {"SVA", "Cafe"}
    assert len(np.unique(numbered.rows.payee)) == 2
    assert numbered.stream_names == plain.stream_names == ("SVA",)
    assert numbered.streams.cadence.tolist() == plain.streams.cadence.tolist()
    assert numbered.streams.amount.tolist() == pytest.approx([-12000.0])


@pytest.mark.parametrize("other", ["SVB 149905", "SVA Basel 149905"])
def test_another_name_with_a_number_is_another_payee(other):
    company = fit(charges("SVA", "SVA", other, "SVA", "SVA", "SVA"))
    assert {"SVA", other} <= names(company)


TAX = monthly(start="2024-02-10", months=16, line="-9000 payroll_tax Finanzamt Lohnsteuer")


def roles(company: FittedCompany, name: str) -> set[Role]:
    rows = company.rows
    mine = [
        place
        for place, payee in enumerate(rows.payee.tolist())
        if rows.payees[payee].counterparty.startswith(name)
    ]
    return {Role(rows.role[place]) for place in mine}


@pytest.mark.parametrize("slip", ["payroll Finanzamt Lohnsteuer", "payroll Finanzamt Lohnsteuer REF 701245"])
def test_a_tax_that_was_put_beside_the_wages_once_is_not_paid_twice(slip):
    company = fit(PAYROLL + TAX + f"2025-06-10 -9000 {slip}\n")
    right = fit(PAYROLL + TAX + "2025-06-10 -9000 payroll_tax Finanzamt Lohnsteuer\n")
    assert roles(company, "Finanzamt") == {Role.PAYROLL_TAX}
    assert company.stream_names == right.stream_names
    assert [payroll.level for payroll in company.payrolls] == [payroll.level for payroll in right.payrolls]
    assert [len(of_one) for of_one in company.taxes_of] == [1]


@pytest.mark.parametrize("amount", ["-90000", "9000", "-2000"])
def test_what_is_of_another_size_or_goes_the_other_way_was_meant(amount):
    company = fit(PAYROLL + TAX + f"2025-06-10 {amount} payroll Finanzamt Lohnsteuer\n")
    assert (
        len({payee for payee in company.rows.payee.tolist() if "Finanzamt" in str(company.rows.payees[payee])})
        == 2
    )


def test_who_is_paid_in_two_categories_again_and_again_is_two():
    ads = monthly(start="2024-01-05", months=18, line="-900 advertising Google")
    cloud = monthly(start="2024-01-03", months=18, line="-1000 cloud Google")
    assert roles(fit(ads + cloud), "Google") == {Role.OTHER, Role.CLOUD}


def test_payments_of_nothing_are_no_measure_of_a_slip():
    nothing = monthly(start="2024-01-05", months=18, line="0 fees Bank")
    with np.errstate(all="raise"):
        company = fit(nothing + "2025-06-05 -5 other Bank\n")
    assert len({payee for payee in company.rows.payee.tolist() if "Bank" in str(company.rows.payees[payee])}) == 2


def test_sales_of_a_processor_stay_sales_though_a_customer_who_owes_once_stood_beside_them():
    sales = every(15, start="2024-01-10", until=AS_OF, line="20000 revenue FastSpring")
    clients = monthly(start="2024-01-12", months=17, line="1900 client_income Lumen")
    slip = "2025-06-12 4000 revenue Lumen\n"  # not as large as his others, so it is nothing that was slipped
    plan = {"open_receivables": [{"customer": "Lumen", "amount": "1900", "due": "2025-07-12"}]}
    company = fit(sales + clients + slip, plan=plan)
    assert Role.REVENUE in roles(company, "FastSpring")
    assert Role.INVOICED in roles(company, "Lumen")
    assert company.sales is not None
    assert company.sales.level_per_day * 30 == pytest.approx(40000, rel=0.1)


def test_who_has_invested_pays_for_shares_under_whatever_name_his_money_stands():
    round_ = "2024-05-02 300000 investment Seedcamp\n2024-12-02 290000 grant Seedcamp\n"
    company = fit(PAYROLL + round_ + "2025-01-20 119000 tax_credit Seedcamp\n")
    assert roles(company, "Seedcamp") == {Role.FUNDING}
    assert company.tax_credits == ()
    assert company.pools[1] is None


def test_a_customer_who_was_put_beside_the_investors_once_is_still_a_customer():
    fees = monthly(start="2024-01-12", months=17, line="9000 client_income Lumen")
    company = fit(PAYROLL + fees + "2025-06-12 90000 investment Lumen\n")
    assert Role.FUNDING in roles(company, "Lumen")
    assert len(roles(company, "Lumen")) == 2


GRANTS = "2024-03-10 250000 grant EIC Accelerator\n2024-09-10 250000 grant EIC Accelerator\n"
CLAIMS = "".join(f"{day} 9000 grant Horizon\n" for day in ("2024-06-01", "2024-10-03", "2025-01-20", "2025-05-02"))


def listed(name: str, field: str) -> dict[str, object]:
    if field == "tranches":
        delay = {"dist": "gamma", "mean_days": 20, "sd_days": 10}
        return {
            "tranches": [
                {"date": "2025-09-10", "amount": "250000", "probability": 0.9, "delay": delay, "milestone": name}
            ]
        }
    return {"open_receivables": [{"customer": name, "amount": "250000", "due": "2025-09-10"}]}


@pytest.mark.parametrize("field", ["tranches", "open_receivables"])
def test_a_grant_whose_instalments_are_listed_gives_those_and_no_more(field):
    company = fit(PAYROLL + GRANTS, plan=listed("EIC Accelerator interim payment 2", field))
    assert roles(company, "EIC") == {Role.FUNDING}
    assert roles(fit(PAYROLL + GRANTS), "EIC") == {Role.GRANT}


def test_where_claims_on_one_giver_are_listed_no_large_instalment_of_another_is_expected():
    company = fit(PAYROLL + GRANTS + CLAIMS, plan=listed("Horizon", "open_receivables"))
    assert roles(company, "EIC") == {Role.FUNDING}
    # His own smaller claims of every few months go on.
    assert roles(company, "Horizon") == {Role.GRANT}
    assert roles(fit(PAYROLL + GRANTS + CLAIMS, plan=listed("Somebody", "open_receivables")), "EIC") == {
        Role.GRANT
    }


def test_an_invoice_that_is_open_is_that_of_the_customer_whose_last_one_had_a_number():
    text = "2024-07-10 120000 enterprise Big Co INV-1043\n"
    plan = {"open_receivables": [{"customer": "Big Co", "amount": "125000", "due": "2025-07-20"}]}
    assert fit(PAYROLL + text, plan=plan).contracts.renewals == ()
    (renewal,) = fit(PAYROLL + text).contracts.renewals
    assert renewal.customer == "Big Co"
