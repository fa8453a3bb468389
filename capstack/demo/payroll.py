"""Salaries in three currencies, and the tax that leaves days after them."""

from collections.abc import Iterator
from datetime import date, timedelta

from capstack.demo.entry import cents, entry
from capstack.demo.story import Story
from capstack.demo.workdays import month_end, months_between, next_month, on_or_after, on_or_before
from ledger.domain.event import EventDraft

# Gross of one semi-monthly run per head, and what becomes of it.
GROSS_PER_RUN = 5_430.0
NET_SHARE = 0.72
REMITTED_SHARE = 0.28 + 0.0765  # withheld from employees, and the employer's own part
REMITTANCE_DAYS = 4
RAISE_PER_YEAR = 0.035
# Months of history after which each hire counts, beyond those who were there at the start.
STAFF_AT_START = 23
HIRES_AFTER_MONTHS = (1.4, 3.2, 4.9, 6.1, 8.8, 10.3, 13.7, 15.9)

LONDON = (("A. Okafor", 6_900.0), ("R. Whitfield", 5_850.0), ("S. Iqbal", 5_400.0), ("T. Marlow", 4_950.0))
BERLIN = (("J. Brandt", 6_750.0), ("M. Sommer", 6_100.0), ("K. Yildiz", 5_700.0))
LONDON_NET_SHARE, LONDON_REMITTED_SHARE = 0.70, 0.30 + 0.138


def payroll(story: Story) -> Iterator[EventDraft]:
    """American runs on the 15th and at month end, the international batch on the 26th, taxes after each."""
    # Half a month beyond the end: transfers into foreign accounts are made for what is coming.
    end = story.today + timedelta(days=45)
    for month in months_between(story.first_day, end):
        for run_date in (month.replace(day=15), month_end(month)):
            yield from _american_run(story, on_or_before(run_date))
        yield from _international_batch(month)


def _american_run(story: Story, pay_day: date) -> Iterator[EventDraft]:
    elapsed = story.months_since_start(pay_day)
    heads = STAFF_AT_START + sum(elapsed >= hired for hired in HIRES_AFTER_MONTHS)
    gross = heads * GROSS_PER_RUN * (1 + RAISE_PER_YEAR * max(elapsed, 0) / 12)
    yield entry(
        day=pay_day,
        hour=9,
        source="gusto",
        event_type="expense",
        amount=cents(gross * NET_SHARE),
        account="bank",
        category="payroll",
        counterparty="Gusto",
        ref=f"payroll-{pay_day}",
        metadata={"gross": str(cents(gross)), "employees": heads},
    )
    remitted = on_or_after(pay_day + timedelta(days=REMITTANCE_DAYS))
    yield entry(
        day=remitted,
        hour=11,
        source="gusto",
        event_type="expense",
        amount=cents(gross * REMITTED_SHARE),
        account="bank",
        category="payroll_tax",
        counterparty="IRS EFTPS",
        ref=f"payroll-tax-{pay_day}",
        metadata={"payroll": f"payroll-{pay_day}"},
    )


def _international_batch(month: date) -> Iterator[EventDraft]:
    """One batch, two currencies, one line per person; London's tax follows on the 22nd of the next month."""
    pay_day = on_or_before(month.replace(day=26))
    batch = f"deel-{pay_day:%Y-%m}"
    lines = [("GBP", "London", name, gross * LONDON_NET_SHARE) for name, gross in LONDON]
    lines += [("EUR", "Berlin", name, gross) for name, gross in BERLIN]
    for number, (currency, office, name, paid) in enumerate(lines, start=1):
        yield entry(
            day=pay_day,
            hour=7,
            source="deel",
            event_type="expense",
            amount=cents(paid),
            currency=currency,
            account=f"bank-{currency.lower()}",
            category="payroll",
            counterparty=f"Deel {office}",
            ref=f"{batch}-{number:02}",
            metadata={"batch": batch, "employee": name},
        )
    yield entry(
        day=on_or_after(next_month(month).replace(day=22)),
        hour=6,
        source="bank",
        event_type="expense",
        amount=cents(sum(gross for _, gross in LONDON) * LONDON_REMITTED_SHARE),
        currency="GBP",
        account="bank-gbp",
        category="payroll_tax",
        counterparty="HMRC",
        ref=f"hmrc-{pay_day:%Y-%m}",
    )
