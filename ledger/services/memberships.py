"""Letting people into a company, and out again."""

from django.db import transaction

from ledger.models.company import Membership, Role
from ledger.models.user import User

# The roles that work in the admin; a founder reads in the application.
STAFF_ROLES = (Role.FINANCE.value, Role.ADMIN.value)


class UnknownPerson(LookupError):
    """Nobody signs in with this e-mail address; the message names it."""


def grant_membership(*, company_id: int, email: str, role: str) -> None:
    """Give a person a role in a company, or another one than before, and with it the door of the admin or not.

    Raises:
        UnknownPerson: nobody signs in with this address.
    """
    with transaction.atomic():
        # Locked: two memberships of one person may change at once, and both decide about the door.
        user = User.objects.select_for_update().filter(email__iexact=email).first()
        if user is None:
            raise UnknownPerson(f"nobody signs in as {email}; create the user first")
        Membership.objects.update_or_create(company_id=company_id, user=user, defaults={"role": role})
        _open_or_close_admin(user)


def revoke_membership(*, membership_id: int) -> bool:
    """Take a person out of a company; false when they are out already."""
    with transaction.atomic():
        membership = Membership.objects.filter(id=membership_id).first()
        if membership is None:
            return False
        user = User.objects.select_for_update().get(id=membership.user_id)
        membership.delete()
        _open_or_close_admin(user)
    return True


def _open_or_close_admin(user: User) -> None:
    user.is_staff = user.is_superuser or user.memberships.filter(role__in=STAFF_ROLES).exists()
    user.save(update_fields=["is_staff"])
