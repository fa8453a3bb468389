"""Drafts made ready for the journal: account and rate found, event id computed, spelled out for the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ledger.domain.event import EventDraft
from ledger.domain.fx import ONE, RATE_STEP, SAME_CURRENCY, FxQuote, UnknownRate
from ledger.domain.identity import digest, encoding, utc_text
from ledger.domain.metadata import metadata_json
from ledger.domain.money import LIMIT, MONEY, canonical, convert
from ledger.domain.outcome import JournalEntry
from ledger.domain.problems import FieldProblem
from ledger.selectors.books import Books
from ledger.selectors.fx import euro_rates

# COPY's text format: these four would end a field or a row.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class JournalRow:
    """An event on its way into the journal.

    Attributes:
        ordinal: position of its draft among those handed over.
        occurred_at: UTC.
        amount_text, occurred_text: as its id spells them.
        event_id: 32 bytes.
        revision: 0, or the number of the content that follows one that was taken back.
    """

    ordinal: int
    draft: EventDraft
    direction: str
    account: str
    account_id: int
    occurred_at: datetime
    amount_text: str
    occurred_text: str
    event_id: bytes
    base_amount: Decimal
    fx: FxQuote
    revision: int

    @property
    def object_key(self) -> tuple[int, str, str, str, str] | bytes:
        """What no two events may share: the provider's object, or the event itself where it has no reference."""
        draft = self.draft
        if not draft.external_ref:
            return self.event_id
        return (self.account_id, draft.source, draft.event_type, self.direction, draft.external_ref)


class Unrecordable(ValueError):
    """A draft that this company's books cannot take.

    Attributes:
        problems: every problem found, never empty.
    """

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.field} {problem.message}" for problem in problems))
        self.problems = problems


def journal_row(
    draft: EventDraft, *, ordinal: int, company_id: int, books: Books, now: datetime, revision: int = 0
) -> JournalRow:
    """Return the row for a draft.

    Raises:
        Unrecordable: unknown account, no exchange rate, or too large in the base currency.
    """
    account = draft.account or books.default_account
    account_id = books.accounts.get(account) if account is not None else None
    occurred_at = (draft.occurred_at or now).astimezone(UTC)
    if draft.currency == books.base_currency:
        fx, base_amount = FxQuote(ONE, SAME_CURRENCY, occurred_at), draft.amount
    else:
        fx, base_amount = _converted(draft, occurred_at, books, account, account_id)
    if account is None or account_id is None:
        raise Unrecordable((_account_problem(account, books),))
    direction = draft.flow
    amount_text = canonical(draft.amount)
    occurred_text = utc_text(occurred_at)
    identity = digest(
        encoding(
            company_id=company_id,
            source=draft.source,
            event_type=draft.event_type,
            direction=direction,
            account_id=account_id,
            amount=amount_text,
            currency=draft.currency,
            occurred_at=occurred_text,
            external_ref=draft.external_ref,
            revision=revision,
        )
    )
    return JournalRow(
        ordinal,
        draft,
        direction,
        account,
        account_id,
        occurred_at,
        amount_text,
        occurred_text,
        identity,
        base_amount,
        fx,
        revision,
    )


def _converted(
    draft: EventDraft, occurred_at: datetime, books: Books, account: str | None, account_id: int | None
) -> tuple[FxQuote, Decimal]:
    problems = () if account_id is not None else (_account_problem(account, books),)
    try:
        fx = _quote(draft, occurred_at, books.base_currency)
    except UnknownRate as error:
        raise Unrecordable((*problems, FieldProblem("currency", str(error)))) from None
    base_amount = convert(draft.amount, rate=fx.rate)
    if base_amount >= LIMIT:
        too_large = FieldProblem("amount", f"is too large in {books.base_currency}, the currency of the books")
        raise Unrecordable((*problems, too_large))
    return fx, base_amount


def _quote(draft: EventDraft, occurred_at: datetime, base: str) -> FxQuote:
    """Return what a unit is worth in the books: what it was settled at if that is known, else what is published.

    Money that was changed into a third currency goes from there by the published rate.
    """
    settlement = draft.settlement
    if settlement is None:
        return euro_rates().quote(currency=draft.currency, base=base, on=occurred_at.date())
    if settlement.currency == base:
        return FxQuote(settlement.rate, settlement.source, settlement.at)
    onward = euro_rates().quote(currency=settlement.currency, base=base, on=settlement.at.date())
    rate = MONEY.multiply(settlement.rate, onward.rate).quantize(RATE_STEP, context=MONEY)
    return FxQuote(rate, f"{settlement.source}+{onward.source}", settlement.at)


def _account_problem(account: str | None, books: Books) -> FieldProblem:
    if account is None:
        return FieldProblem("account", "is required: the company has no bank account")
    known = ", ".join(sorted(books.accounts)[:20]) or "none"
    return FieldProblem("account", f"is not an account of this company; it has {known}")


def draft_values(row: JournalRow) -> tuple[Any, ...]:
    """Return the columns of `ledger_draft`, as parameters of a statement."""
    draft = row.draft
    return (
        row.ordinal,
        row.event_id,
        row.account_id,
        draft.source,
        draft.event_type,
        row.direction,
        draft.amount,
        draft.currency,
        row.occurred_at,
        draft.category,
        draft.counterparty,
        draft.external_ref,
        metadata_json(draft.metadata),
        row.base_amount,
        row.fx.rate,
        row.fx.source,
        row.fx.at,
        row.revision,
        draft.occurred_at is None,
    )


def one_values(row: JournalRow) -> tuple[Any, ...]:
    """Return the parameters of `ledger_record_one` from the event id on."""
    draft = row.draft
    return (
        row.event_id,
        row.account_id,
        draft.source,
        draft.event_type,
        row.direction,
        draft.amount,
        draft.currency,
        row.occurred_at,
        draft.category,
        draft.counterparty,
        draft.external_ref,
        metadata_json(draft.metadata),
        row.base_amount,
        row.fx.rate,
        row.fx.source,
        row.fx.at,
    )


def few_values(row: JournalRow) -> dict[str, Any]:
    """Return what `ledger_record_few` reads of a row, as JSON has it."""
    draft = row.draft
    fx = row.fx
    same_currency = fx.source == SAME_CURRENCY
    return {
        "event_id": f"\\x{row.event_id.hex()}",
        "account_id": row.account_id,
        "source": draft.source,
        "event_type": draft.event_type,
        "direction": row.direction,
        "amount": row.amount_text,
        "currency": draft.currency,
        "occurred_at": row.occurred_text,
        "category": draft.category,
        "counterparty": draft.counterparty,
        "external_ref": draft.external_ref,
        "metadata": metadata_json(draft.metadata),
        "base_amount": row.amount_text if same_currency else str(row.base_amount),
        "fx_rate": str(fx.rate),
        "fx_source": fx.source,
        "fx_at": row.occurred_text if same_currency else utc_text(fx.at),
    }


def copy_text(rows: Sequence[JournalRow]) -> str:
    """Return the columns of `ledger_draft` as a COPY stream in text format, one line per row."""
    return "".join(map(copy_line, rows))


def copy_line(row: JournalRow) -> str:
    """Return one line of `copy_text`."""
    draft = row.draft
    source, category, counterparty, reference = (
        draft.source,
        draft.category,
        draft.counterparty,
        draft.external_ref,
    )
    metadata = metadata_json(draft.metadata)
    texts = f"{source}{category}{counterparty}{reference}{metadata}"
    if "\\" in texts or not texts.isprintable():
        source, category, counterparty, reference, metadata = (
            text.translate(_ESCAPES) for text in (source, category, counterparty, reference, metadata)
        )
    fx = row.fx
    if fx.source == SAME_CURRENCY:
        money = f"{row.amount_text}\t{fx.rate}\t{fx.source}\t{row.occurred_text}"
    else:
        money = f"{row.base_amount}\t{fx.rate}\t{fx.source}\t{utc_text(fx.at)}"
    return (
        f"{row.ordinal}\t\\\\x{row.event_id.hex()}\t{row.account_id}\t{source}\t{draft.event_type}\t{row.direction}\t"
        f"{row.amount_text}\t{draft.currency}\t{row.occurred_text}\t{category}\t{counterparty}\t{reference}\t"
        f"{metadata}\t{money}\t{row.revision}\t"
        f"{'t' if draft.occurred_at is None else 'f'}\n"
    )


def journal_entry(row: JournalRow, *, position: int, actor: str, now: datetime) -> JournalEntry:
    """Return the row as it stands in the journal once it is recorded at a position."""
    draft = row.draft
    return JournalEntry(
        event_id=row.event_id.hex(),
        position=position,
        source=draft.source,
        event_type=draft.event_type,
        direction=row.direction,
        account=row.account,
        amount=draft.amount,
        currency=draft.currency,
        occurred_at=row.occurred_at,
        category=draft.category,
        counterparty=draft.counterparty,
        external_ref=draft.external_ref,
        metadata=metadata_json(draft.metadata),
        base_amount=row.base_amount,
        fx_rate=row.fx.rate,
        fx_source=row.fx.source,
        fx_at=row.fx.at,
        revision=row.revision,
        reverses="",
        recorded_at=now,
        actor=actor,
        reason="",
    )
