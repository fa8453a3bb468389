"""Who may see which company, and as what."""

from typing import Any

from ledger.domain.company import CompanyRef
from ledger.models.company import Membership, Role
from ledger.selectors.companies import all_companies


def companies_of(user: Any) -> tuple[tuple[CompanyRef, str], ...]:
    """Return the companies of a person with their role in each, by name; a superuser is admin of all.

    Args:
        user: a user of the ledger, or Django's AnonymousUser, who has none.
    """
    if not user.is_authenticated or not user.is_active:
        return ()
    if user.is_superuser:
        return tuple((company, Role.ADMIN.value) for company in all_companies())
    rows = (
        Membership.objects.filter(user=user)
        .order_by("company__name", "company_id")
        .values_list(
            "company_id", "company__slug", "company__name", "company__base_currency", "company__timezone", "role"
        )
    )
    return tuple((CompanyRef(*row[:5]), row[5]) for row in rows)
