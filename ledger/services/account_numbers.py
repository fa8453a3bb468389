"""Which account of the ledger a bank's number of an account is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ledger.domain.account import kind_of_account
from ledger.importers.file_accounts import KnownAccount
from ledger.importers.row import FileRefused
from ledger.models.account import Account
from ledger.models.import_memory import AccountNumber


def known_accounts(*, company_id: int) -> dict[bytes, KnownAccount]:
    """Return {fingerprint of the bank's number: account} of what earlier files spoke of."""
    numbers = AccountNumber.objects.filter(company_id=company_id)
    rows = numbers.values_list("fingerprint", "account__name", "account__timezone")
    return {bytes(fingerprint): KnownAccount(name, ZoneInfo(timezone)) for fingerprint, name, timezone in rows}


def ensure_account(*, company_id: int, name: str, currency: str, timezone: str, now: datetime) -> bool:
    """Make an account that is not there, its kind told by the beginning of its name; false when it was there.

    Raises:
        FileRefused: the beginning of the name tells no kind.
    """
    if Account.objects.filter(company_id=company_id, name=name).exists():
        return False
    kind = kind_of_account(name)
    if kind is None:
        raise FileRefused(f"{name} is not an account of this company")
    _, created = Account.objects.get_or_create(
        company_id=company_id,
        name=name,
        defaults={"kind": kind, "currency": currency, "timezone": timezone, "created_at": now},
    )
    return created


def learn_numbers(
    *, company_id: int, numbers: Mapping[bytes, str], endings: Mapping[bytes, str], now: datetime
) -> None:
    """Remember the accounts of a file. A number that is known keeps its account."""
    names: Iterable[str] = set(numbers.values())
    accounts = dict(Account.objects.filter(company_id=company_id, name__in=names).values_list("name", "id"))
    AccountNumber.objects.bulk_create(
        [
            AccountNumber(
                company_id=company_id,
                fingerprint=fingerprint,
                ending=endings[fingerprint],
                account_id=accounts[name],
                created_at=now,
            )
            for fingerprint, name in sorted(numbers.items())
            if name in accounts
        ],
        ignore_conflicts=True,
    )
