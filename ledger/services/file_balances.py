"""Balances that a file states: kept, and held against what the ledger says."""

from bisect import bisect_left
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.domain.money import LIMIT
from ledger.importers.row import RowProblem, StatedRow
from ledger.models.statement import BalanceStatement
from ledger.services.account_numbers import ensure_account
from ledger.services.daily_flows import catch_up
from ledger.services.import_report import MAX_LISTED_BALANCES, BalanceFound, ImportReport
from ledger.services.statements import InvalidStatement, state_balance

type _Key = tuple[str, str]
type _Days = dict[date, Decimal]

ZERO = Decimal(0)
CENT = Decimal("0.01")
_MOVED = """
    SELECT a.name, f.currency, f.day, sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END)
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND a.name = ANY(%s) AND f.event_type <> 'credit' AND f.day BETWEEN %s AND %s
    GROUP BY 1, 2, 3
"""


class FileBalances:
    """The balances of one file. Of two for the same day the closing one counts, then the later one."""

    def __init__(self, *, company: CompanyRef, origin: str) -> None:
        self._company = company
        self._origin = origin
        self._timezone = ZoneInfo(company.timezone)
        self._stated: dict[tuple[str, str, date], StatedRow] = {}
        # What a dry run would have recorded: the ledger does not hold it.
        self._would_move: dict[_Key, _Days] = defaultdict(lambda: defaultdict(Decimal))

    def take(self, row: StatedRow) -> tuple[RowProblem, ...]:
        """Remember a balance; return what is wrong with it, nothing when it is fine."""
        balance = row.balance
        if not balance.amount.is_finite() or abs(balance.amount) >= LIMIT:
            return (RowProblem(line=row.line, field="balance", message="has more than 14 integer digits"),)
        key = (balance.account, balance.currency, balance.day)
        before = self._stated.get(key)
        if before is None or before.opening or not row.opening:
            self._stated[key] = row
        return ()

    def would_move(self, draft: EventDraft, *, account: str, now: datetime) -> None:
        """Count an event that a dry run rolled back."""
        if draft.event_type != "credit":
            day = (draft.occurred_at or now).astimezone(self._timezone).date()
            amount = draft.amount if draft.flow == "in" else -draft.amount
            self._would_move[account, draft.currency][day] += amount

    def settle(self, report: ImportReport, *, actor: str, now: datetime, dry_run: bool) -> None:
        """Keep the balances, unless it is a dry run, and put into the report what they say."""
        if not self._stated:
            return
        known = self._known()
        for key, row in sorted(self._stated.items()):
            report.balances += 1
            is_new = self._is_new(key, row, known)
            report.balances_new += is_new
            if is_new and not dry_run:
                self._keep(row, actor=actor, now=now)
        found = self._compared(known)
        report.balances_off = sum(balance.agrees is False for balance in found)
        report.stated = found[:MAX_LISTED_BALANCES]

    def _is_new(
        self, key: tuple[str, str, date], row: StatedRow, known: dict[tuple[str, str, date, str], Decimal]
    ) -> bool:
        if row.opening and (*key, self._origin) in known:
            # Another statement closed on that day; what this one says in passing does not overrule it.
            return False
        return known.get((*key, self._origin)) != row.balance.amount

    def _keep(self, row: StatedRow, *, actor: str, now: datetime) -> None:
        balance = row.balance
        ensure_account(
            company_id=self._company.id,
            name=balance.account,
            currency=balance.currency,
            timezone=self._company.timezone,
            now=now,
        )
        try:
            state_balance(
                company_id=self._company.id,
                currency=balance.currency,
                amount=balance.amount,
                day=balance.day,
                account=balance.account,
                origin=self._origin,
                actor=actor,
                now=now,
            )
        except InvalidStatement as error:
            raise AssertionError("checked when it was taken") from error

    def accounts(self) -> set[tuple[str, str]]:
        """Return (name, currency) of the accounts that balances are stated for."""
        return {(account, currency) for account, currency, _ in self._stated}

    def _known(self) -> dict[tuple[str, str, date, str], Decimal]:
        """Return {(account, currency, day, origin): amount} of what was stated before."""
        names = {account for account, _, _ in self._stated}
        rows = (
            BalanceStatement.objects.filter(company_id=self._company.id, account__name__in=names)
            .order_by("recorded_at", "id")
            .values_list("account__name", "currency", "day", "origin", "amount")
        )
        return {(account, currency, day, origin): amount for account, currency, day, origin, amount in rows}

    def _compared(self, known: dict[tuple[str, str, date, str], Decimal]) -> list[BalanceFound]:
        stated: dict[_Key, _Days] = defaultdict(dict)
        for (account, currency, day, _), amount in known.items():
            stated[account, currency][day] = amount
        for (account, currency, day), row in self._stated.items():
            stated[account, currency][day] = row.balance.amount
        moved = self._moved(stated)
        found = []
        for (account, currency, day), row in sorted(self._stated.items(), key=lambda item: item[1].line):
            days = sorted(stated[account, currency])
            place = bisect_left(days, day)
            expected = None
            if place:
                before = days[place - 1]
                flows = moved[account, currency]
                expected = stated[account, currency][before] + sum(
                    (amount for moved_on, amount in flows.items() if before < moved_on <= day), ZERO
                )
            found.append(
                BalanceFound(
                    line=row.line,
                    account=account,
                    currency=currency,
                    day=day.isoformat(),
                    amount=_spelled(row.balance.amount),
                    expected=None if expected is None else _spelled(expected),
                    agrees=None if expected is None else expected == row.balance.amount,
                )
            )
        return found

    def _moved(self, stated: dict[_Key, _Days]) -> dict[_Key, _Days]:
        moved: dict[_Key, _Days] = defaultdict(lambda: defaultdict(Decimal))
        for key, would in self._would_move.items():
            for day, amount in would.items():
                moved[key][day] += amount
        days = [day for of_account in stated.values() for day in of_account]
        catch_up(company_id=self._company.id)
        with connection.cursor() as cursor:
            names = sorted({account for account, _ in stated})
            cursor.execute(_MOVED, [self._company.id, names, min(days), max(days)])
            for account, currency, day, amount in cursor.fetchall():
                moved[account, currency][day] += amount
        return moved


def _spelled(amount: Decimal) -> str:
    """The amount without the zeros that the database fills up, but with its cents."""
    shortest = amount.normalize()
    exponent = shortest.as_tuple().exponent
    return f"{amount.quantize(CENT):f}" if isinstance(exponent, int) and exponent >= -2 else f"{shortest:f}"
