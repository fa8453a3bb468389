"""A December bonus lies ahead: last year's is expected again, which only people can confirm or take back."""

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    amount_text,
    day_of,
    largest_payees,
)
from forecasting.fit.role import Role

AHEAD_DAYS = 120
YEAR_DAYS = 365


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Each payroll that paid one last December, from four months before on."""
    rows = company.rows
    found = []
    for payroll in company.fitted.payrolls:
        if not payroll.bonus_share:
            continue
        ahead = payroll.bonus_day + YEAR_DAYS - rows.as_of_day
        if 0 < ahead <= AHEAD_DAYS:
            paid = day_of(payroll.bonus_day)
            bonus = payroll.level * payroll.bonus_share
            payees = largest_payees(rows, (rows.role == Role.PAYROLL) & (rows.day == payroll.bonus_day), limit=1)
            found.append(
                DataCheck(
                    code="december_bonus",
                    sentence=(
                        f"Payroll {payroll.name} is expected to pay a bonus of about "
                        f"{amount_text(bonus, company.history.base_currency)} in December, "
                        f"as on {paid}."
                    ),
                    advice="If there is none this year, or a larger one, cash will differ by that much.",
                    since=day_of(rows.as_of_day - (AHEAD_DAYS - ahead)),
                    rows=CheckedRows(month=paid, text=payees[0][0] if payees else ""),
                )
            )
    return tuple(found)


CHECK = Check(code="december_bonus", find=find)
