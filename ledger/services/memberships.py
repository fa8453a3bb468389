"""Letting people into a company."""

from ledger.models.company import Membership
from ledger.models.user import User


class UnknownPerson(LookupError):
    """Nobody signs in with this e-mail address; the message names it."""


def grant_membership(*, company_id: int, email: str, role: str) -> None:
    """Give a person a role in a company, or another one than before.

    Raises:
        UnknownPerson: nobody signs in with this address.
    """
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise UnknownPerson(f"nobody signs in as {email}; create the user first")
    Membership.objects.update_or_create(company_id=company_id, user=user, defaults={"role": role})
