"""What a company has: cash per currency and what is left of vendor credits."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from ledger.domain.credit_grant import ZERO, CreditGrantBalance, draw_down
from ledger.selectors.credit_use import credits_used, uses_of

# The statements that count: of each account (or of all together), currency, day and origin the last revision.
# Where two origins speak of one day, the one that tells its end counts, then the one of the latest instant.
_STATEMENTS = """
    SELECT DISTINCT ON (account_id, currency, day) account_id, currency, day, amount
    FROM ledger_balancestatement
    WHERE company_id = %s
    ORDER BY account_id, currency, day, as_of IS NULL DESC, as_of DESC, recorded_at DESC, id DESC
"""
# Signed cash of every cash account and currency, summed between the days that anybody compares a move's day with:
# all days of one sum lie on the same side of each of them. The company's accounts are looked up first: in a join,
# all accounts of all companies may be tried against its flows.
_CASH = """
    SELECT f.account_id, f.currency, min(f.day), sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END)
    FROM ledger_accountday f
    WHERE f.company_id = %(company)s AND f.event_type <> 'credit' AND f.account_id = ANY (ARRAY(
        SELECT id FROM ledger_account WHERE company_id = %(company)s AND kind IN ('bank', 'card', 'processor')))
    GROUP BY f.account_id, f.currency, width_bucket(f.day, %(next_days)s::date[])
"""
_GRANTS = """
    SELECT provider, day, expires_on, remaining FROM ledger_creditgrantstatement
    WHERE company_id = %s AND day <= %s ORDER BY provider, expires_on, day DESC, recorded_at DESC, id DESC
"""
ONE_DAY = timedelta(days=1)
type _Moves = list[tuple[date, Decimal]]


def cash_by_currency(*, company_id: int, at: date) -> dict[str, Decimal]:
    """Return the cash at the end of a day, per currency, over all cash accounts.

    The latest statement up to that day, rolled forward by later events; where all statements are later, the
    earliest, rolled back; without a statement the sum of all events. A statement about all accounts of a currency
    together goes before statements about single ones, unless every account of the currency has a later one.

    Reads the daily sums: call `catch_up` first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS, [company_id])
        statements: dict[tuple[int | None, str], _Moves] = defaultdict(list)
        for account_id, currency, day, amount in cursor.fetchall():
            statements[account_id, currency].append((day, amount))
        compared = {at, *(day for days in statements.values() for day, _ in days)}
        cursor.execute(_CASH, {"company": company_id, "next_days": sorted(day + ONE_DAY for day in compared)})
        moves: dict[tuple[int, str], _Moves] = defaultdict(list)
        for account_id, currency, day, amount in cursor.fetchall():
            moves[account_id, currency].append((day, amount))
    currencies = sorted({currency for _, currency in statements} | {currency for _, currency in moves})
    return {currency: _cash(currency, statements, moves, at) for currency in currencies}


def _cash(
    currency: str,
    statements: dict[tuple[int | None, str], _Moves],
    moves: dict[tuple[int, str], _Moves],
    at: date,
) -> Decimal:
    accounts = {key: days for key, days in moves.items() if key[1] == currency}
    together = statements.get((None, currency))
    single = {
        account: days for (account, of), days in statements.items() if of == currency and account is not None
    }
    if together is not None:
        day, _ = _reference(together, at)
        newer = all(account in single and _reference(single[account], at)[0] > day for account, _ in accounts)
        if not accounts or not newer:
            return _rolled(together, [move for days in accounts.values() for move in days], at)
    everything = {account for account, _ in accounts} | set(single)
    return sum(
        (_rolled(single.get(account, []), accounts.get((account, currency), []), at) for account in everything),
        ZERO,
    )


def _reference(statements: _Moves, at: date) -> tuple[date, Decimal]:
    """Return the latest statement up to a day, or the earliest of all when they are all later."""
    past = [statement for statement in statements if statement[0] <= at]
    return max(past) if past else min(statements)


def _rolled(statements: _Moves, moves: _Moves, at: date) -> Decimal:
    if not statements:
        return sum((amount for day, amount in moves if day <= at), ZERO)
    day, balance = _reference(statements, at)
    if day <= at:
        return balance + sum((amount for moved, amount in moves if day < moved <= at), ZERO)
    return balance - sum((amount for moved, amount in moves if at < moved <= day), ZERO)


def credit_grants(*, company_id: int, at: date) -> tuple[CreditGrantBalance, ...]:
    """Return what is left of each vendor's credit grants at the end of a day, soonest expiry first.

    A provider's latest statement up to that day, rolled forward by the credits used since (`credits_used`) that
    are its own (`uses_of`). Expired and used-up grants are left out.

    Reads the daily sums: call `catch_up` first.
    """
    stated = _stated_grants(company_id, at)
    if not stated:
        return ()
    used = credits_used(company_id=company_id, before=at + timedelta(days=1))
    left: list[CreditGrantBalance] = []
    for provider, (day, grants) in stated.items():
        uses = uses_of(provider, used=used, single=len(stated) == 1)
        left += draw_down(grants, used=[use for use in uses if use[0] > day])
    alive = [grant for grant in left if grant.remaining > 0 and grant.expires_on >= at]
    return tuple(sorted(alive, key=lambda grant: (grant.expires_on, grant.provider)))


def _stated_grants(company_id: int, at: date) -> dict[str, tuple[date, list[CreditGrantBalance]]]:
    """Return {provider: (day of its latest statement, its grants as stated then)}."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, [company_id, at])
        rows = cursor.fetchall()
    latest: dict[str, date] = {}
    for provider, day, _, _ in rows:
        latest[provider] = max(day, latest.get(provider, day))
    grants: dict[str, dict[date, CreditGrantBalance]] = defaultdict(dict)
    for provider, day, expires_on, remaining in rows:
        if day == latest[provider]:
            grants[provider].setdefault(expires_on, CreditGrantBalance(provider, remaining, expires_on))
    return {provider: (latest[provider], list(kept.values())) for provider, kept in grants.items()}
