"""Which companies there are."""

from django.db import connection

from ledger.domain.company import CompanyNotFound, CompanyRef
from ledger.models.company import Company

_COLUMNS = ("id", "slug", "name", "base_currency", "timezone")
_ONE = f"SELECT {', '.join(_COLUMNS)} FROM ledger_company WHERE slug = %(slug)s OR id = %(id)s"  # noqa: S608


def company_ref(*, slug: str | None = None, company_id: int | None = None) -> CompanyRef:
    """Return the company with this slug or this number.

    Raises:
        CompanyNotFound: there is none.
        ValueError: neither or both are given.
    """
    if (slug is None) == (company_id is None):
        raise ValueError("give a slug or a company_id")
    with connection.cursor() as cursor:
        cursor.execute(_ONE, {"slug": slug, "id": company_id})
        row = cursor.fetchone()
    if row is None:
        raise CompanyNotFound(f"there is no company {slug if slug is not None else company_id}")
    return CompanyRef(*row)


def all_companies() -> tuple[CompanyRef, ...]:
    """Return every company, by name."""
    return tuple(CompanyRef(*row) for row in Company.objects.order_by("name", "id").values_list(*_COLUMNS))
