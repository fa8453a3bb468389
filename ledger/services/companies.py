"""Opening a company's books."""

import re
from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction

from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.domain.problems import FieldProblem
from ledger.models.account import Account, AccountKind
from ledger.models.company import Company
from ledger.models.event import JournalHead

DEFAULT_ACCOUNT = "bank"
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class InvalidCompany(ValueError):
    """A company that cannot be opened.

    Attributes:
        errors: every problem found, never empty.
    """

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{error.field} {error.message}" for error in errors))
        self.errors = errors


def create_company(*, slug: str, name: str, currency: str, timezone: str, now: datetime) -> Company:
    """Open a company with one bank account and an empty journal.

    Args:
        currency: of its books and of its bank account, ISO 4217.
        timezone: IANA name.

    Raises:
        InvalidCompany: with every problem found; a slug that is taken is one of them.
    """
    problems = []
    if not _SLUG.fullmatch(slug) or len(slug) > 63:
        problems.append(FieldProblem("slug", "must be lower-case letters, digits and hyphens, at most 63"))
    if not name.strip() or len(name) > 200 or "\0" in name:
        problems.append(FieldProblem("name", "must have 1 to 200 characters"))
    if currency not in ACTIVE_CURRENCIES:
        problems.append(FieldProblem("currency", f"{currency} is not a currency code of ISO 4217"))
    if timezone not in available_timezones():
        problems.append(FieldProblem("timezone", f"{timezone} is not a time zone, such as Europe/Berlin"))
    if problems:
        raise InvalidCompany(tuple(problems))
    with transaction.atomic():
        # One statement decides who gets a slug that two ask for at once.
        company, created = Company.objects.get_or_create(
            slug=slug,
            defaults={"name": name, "base_currency": currency, "timezone": timezone, "created_at": now},
        )
        if not created:
            raise InvalidCompany((FieldProblem("slug", f"{slug} is taken"),))
        Account.objects.create(
            company=company,
            name=DEFAULT_ACCOUNT,
            kind=AccountKind.BANK,
            currency=currency,
            timezone=timezone,
            created_at=now,
        )
        JournalHead.objects.create(company=company)
    return company
