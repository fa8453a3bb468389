"""A yearly bonus, in December as a rule, lies ahead: last year's is expected again, which only people confirm."""

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    amount_text,
    day_of,
    largest_payees,
)
from forecasting.fit.bonuses import YEAR_DAYS
from forecasting.fit.role import Role

AHEAD_DAYS = 120


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Each payroll that paid one last year, from four months before on."""
    rows = company.rows
    found = []
    paid_yearly = [(payroll, bonus) for payroll in company.fitted.payrolls for bonus in payroll.bonuses]
    for payroll, bonus in paid_yearly:
        ahead = bonus.day + YEAR_DAYS - rows.as_of_day
        if 0 < ahead <= AHEAD_DAYS:
            paid = day_of(bonus.day)
            payees = largest_payees(rows, (rows.role == Role.PAYROLL) & (rows.day == bonus.day), limit=1)
            amount = amount_text(payroll.level * bonus.share, company.history.base_currency)
            found.append(
                DataCheck(
                    code="december_bonus",
                    sentence=(
                        f"Payroll {payroll.name} is expected to pay a bonus of about {amount} in {paid:%B}, "
                        f"as on {paid}."
                    ),
                    advice="If there is none this year, or a larger one, cash will differ by that much.",
                    since=day_of(rows.as_of_day - (AHEAD_DAYS - ahead)),
                    rows=CheckedRows(month=paid, text=payees[0][0] if payees else ""),
                )
            )
    return tuple(found)


CHECK = Check(code="december_bonus", find=find)
