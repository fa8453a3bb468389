"""Balances that a file states: kept, and held against what the ledger says."""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.domain.money import LIMIT, plain
from ledger.domain.reconciliation import Assertion, Move, reconcile
from ledger.importers.row import RowProblem, StatedRow
from ledger.models.account import Account
from ledger.models.statement import BalanceStatement
from ledger.selectors.moves_within_days import moves_within_days
from ledger.services.account_numbers import ensure_account
from ledger.services.daily_flows import catch_up
from ledger.services.import_report import MAX_LISTED_BALANCES, BalanceFound, ImportReport
from ledger.services.statements import InvalidStatement, state_balance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

type _Key = tuple[str, str]
# Account, currency, day and origin.
type _Said = tuple[str, str, date, str]

_MOVED = """
    SELECT f.account_id, f.currency, f.day, sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END)
    FROM ledger_accountday f
    WHERE f.company_id = %s AND f.account_id = ANY(%s) AND f.event_type <> 'credit' AND f.day BETWEEN %s AND %s
    GROUP BY 1, 2, 3
"""


class _Moves:
    """When and how much would move on one account, in 20 bytes each: a file may hold millions."""

    def __init__(self) -> None:
        self._instants = array("q")
        self._units = array("q")
        self._micros = array("i")

    def add(self, at: datetime, amount: Decimal) -> None:
        units, micros = divmod(int(amount.scaleb(6)), 1_000_000)
        self._instants.append((at - _EPOCH) // _MICROSECOND)
        self._units.append(units)
        self._micros.append(micros)

    def __iter__(self) -> Iterator[tuple[datetime, Decimal]]:
        for at, units, micros in zip(self._instants, self._units, self._micros, strict=True):
            yield _EPOCH + at * _MICROSECOND, Decimal(units * 1_000_000 + micros).scaleb(-6)


class FileBalances:
    """The balances of one file. Of two for the same day the closing one counts, then the later one.

    Later is what held at a later instant; where a file names none, what it says further down.
    """

    def __init__(self, *, company: CompanyRef, origin: str) -> None:
        self._company = company
        self._origin = origin
        self._timezone = ZoneInfo(company.timezone)
        self._stated: dict[tuple[str, str, date], StatedRow] = {}
        # What a dry run would have recorded: the ledger does not hold it.
        self._would_move: dict[_Key, _Moves] = defaultdict(_Moves)

    def take(self, row: StatedRow) -> tuple[RowProblem, ...]:
        """Remember a balance; return what is wrong with it, nothing when it is fine."""
        balance = row.balance
        if not balance.amount.is_finite() or abs(balance.amount) >= LIMIT:
            return (RowProblem(line=row.line, field="balance", message="has more than 14 integer digits"),)
        key = (balance.account, balance.currency, balance.day)
        before = self._stated.get(key)
        if before is None or before.opening or (not row.opening and not _is_earlier(row, before.balance.as_of)):
            self._stated[key] = row
        return ()

    def would_move(self, draft: EventDraft, *, account: str, now: datetime) -> None:
        """Count an event that a dry run rolled back."""
        if draft.event_type != "credit":
            amount = draft.amount if draft.flow == "in" else -draft.amount
            self._would_move[account, draft.currency].add(draft.occurred_at or now, amount)

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

    def _is_new(self, key: tuple[str, str, date], row: StatedRow, known: dict[_Said, Assertion]) -> bool:
        said = known.get((*key, self._origin))
        if said is None:
            return True
        # Another statement closed on that day, or held later: what this one says does not overrule it.
        return not row.opening and not _is_earlier(row, said.as_of) and said.amount != row.balance.amount

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
                as_of=balance.as_of,
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

    def _known(self) -> dict[_Said, Assertion]:
        """Return what was stated before about the accounts of the file."""
        names = {account for account, _, _ in self._stated}
        rows = (
            BalanceStatement.objects.filter(company_id=self._company.id, account__name__in=names)
            .order_by("recorded_at", "id")
            .values_list("account__name", "currency", "day", "origin", "amount", "as_of")
        )
        return {
            (account, currency, day, origin): Assertion(day, origin, amount, as_of)
            for account, currency, day, origin, amount, as_of in rows
        }

    def _compared(self, known: dict[_Said, Assertion]) -> list[BalanceFound]:
        """Hold each balance of the file to the one before, whoever stated it, and to what moved in between."""
        stated: dict[_Key, dict[date, Assertion]] = defaultdict(dict)
        for (account, currency, day, _), assertion in known.items():
            stated[account, currency][day] = assertion
        for (account, currency, day), row in self._stated.items():
            stated[account, currency][day] = Assertion(day, self._origin, row.balance.amount, row.balance.as_of)
        moves = self._moves(stated)
        steps = {
            (*key, each.day): each.step
            for key, assertions in stated.items()
            if (held := reconcile(assertions=list(assertions.values()), moves=moves[key])) is not None
            for each in held.comparisons
        }
        return [
            BalanceFound(
                line=row.line,
                account=key[0],
                currency=key[1],
                day=key[2].isoformat(),
                amount=plain(row.balance.amount),
                expected=plain(row.balance.amount - steps[key]) if key in steps else None,
                agrees=not steps[key] if key in steps else None,
            )
            for key, row in sorted(self._stated.items(), key=lambda item: item[1].line)
        ]

    def _moves(self, stated: dict[_Key, dict[date, Assertion]]) -> dict[_Key, list[Move]]:
        """Return what moved and what would, by day; in the order of time on days with a balance of an instant."""
        days = [day for of_account in stated.values() for day in of_account]
        catch_up(company_id=self._company.id)
        moves: dict[_Key, list[Move]] = defaultdict(list)
        numbers = dict(
            Account.objects.filter(
                company_id=self._company.id, name__in={account for account, _ in stated}
            ).values_list("name", "id")
        )
        within = self._within_days(stated, numbers)
        with connection.cursor() as cursor:
            cursor.execute(_MOVED, [self._company.id, list(numbers.values()), min(days), max(days)])
            names = {number: name for name, number in numbers.items()}
            for number, currency, day, amount in cursor.fetchall():
                key = (names[number], currency)
                if (*key, day) not in within:
                    moves[key].append(Move(day, amount))
        for (account, currency, day), timed in within.items():
            moves[account, currency] += [Move(day, amount) for _, amount in sorted(timed, key=itemgetter(0))]
        return moves

    def _within_days(
        self, stated: dict[_Key, dict[date, Assertion]], numbers: dict[str, int]
    ) -> dict[tuple[str, str, date], list[tuple[datetime, Decimal]]]:
        """Return when and how much moved, on days with a balance of an instant or with what would move."""
        within: dict[tuple[str, str, date], list[tuple[datetime, Decimal]]] = defaultdict(list)
        for (account, currency), timed in self._would_move.items():
            for at, amount in timed:
                within[account, currency, at.astimezone(self._timezone).date()].append((at, amount))
        instants = {
            (account, currency, day)
            for (account, currency), of_account in stated.items()
            for day, assertion in of_account.items()
            if assertion.as_of is not None
        }
        wanted = [key for key in {*within, *instants} if key[0] in numbers]
        found = moves_within_days(
            company_id=self._company.id,
            timezone=self._company.timezone,
            wanted=[(numbers[account], currency, day) for account, currency, day in wanted],
        )
        for account, currency, day in wanted:
            within[account, currency, day] += found.get((numbers[account], currency, day), [])
        return within


def _is_earlier(row: StatedRow, as_of: datetime | None) -> bool:
    return row.balance.as_of is not None and as_of is not None and row.balance.as_of < as_of
