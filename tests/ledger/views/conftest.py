"""The same people as at the door of the admin."""

from tests.ledger.admin.conftest import other, sign_in

__all__ = ["other", "sign_in"]
