"""What the recorder must know about a company before it can write: one query."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from ledger.domain.company import CompanyNotFound

_READ = """
    SELECT c.base_currency, c.timezone, c.books_version, coalesce(h.has_closed_months, false), a.id, a.name, a.kind
    FROM ledger_company c LEFT JOIN ledger_account a ON a.company_id = c.id
    LEFT JOIN ledger_journalhead h ON h.company_id = c.id
    WHERE c.id = %s ORDER BY a.id
"""
_CLOSED_MONTHS = "SELECT ledger_closed_months(%s)"


@dataclass(frozen=True, slots=True)
class Books:
    """Attributes:
    accounts: {name: number}.
    default_account: name of the first bank account, None when the company has none.
    version: of everything here; the database refuses a write that relies on an older one.
    closed_months: first days of the months, in the company's calendar, into which nothing more goes.
    """

    base_currency: str
    timezone: str
    accounts: dict[str, int]
    default_account: str | None
    version: int
    closed_months: frozenset[date] = frozenset()


def read_books(*, company_id: int) -> Books:
    """Return a company's books.

    Raises:
        CompanyNotFound: there is none with this number.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, [company_id])
        rows = cursor.fetchall()
        if not rows:
            raise CompanyNotFound(f"there is no company {company_id}")
        base_currency, timezone, version, has_closed_months = rows[0][:4]
        closed: frozenset[date] = frozenset()
        if has_closed_months:
            cursor.execute(_CLOSED_MONTHS, [company_id])
            closed = frozenset(month for (month,) in cursor.fetchall())
    accounts = {name: number for *_, number, name, _ in rows if number is not None}
    default = next((name for *_, name, kind in rows if kind == "bank"), None)
    return Books(base_currency, timezone, accounts, default, version, closed)
