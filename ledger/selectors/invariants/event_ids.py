"""An event's id is the digest of what the event says."""

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.identity import digest, encoding
from ledger.selectors.invariants.invariant import Invariant

ROWS_PER_FETCH = 5_000

# Only the built-in text of each value: the recorder's own spelling is what is checked.
_ROWS = """
    SELECT position, event_id, source, event_type, direction, account_id, amount::text, currency,
           to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), external_ref, revision,
           coalesce(encode(reverses, 'hex'), '')
    FROM ledger_capitalevent WHERE company_id = %s ORDER BY position
"""


def _difference(company: CompanyRef) -> str | None:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ROWS, [company.id])
        while rows := cursor.fetchmany(ROWS_PER_FETCH):
            for row in rows:
                if bytes(row[1]) != _recomputed(company.id, row[2:]):
                    return f"the event at position {row[0]} does not say what its id was made of"
    return None


def _recomputed(company_id: int, said: tuple) -> bytes:
    source, event_type, direction, account_id, amount, currency, occurred_at, external_ref, revision, reverses = (
        said
    )
    return digest(
        encoding(
            company_id=company_id,
            source=source,
            event_type=event_type,
            direction=direction,
            account_id=account_id,
            amount=amount,
            currency=currency,
            occurred_at=occurred_at,
            external_ref=external_ref,
            revision=revision,
            reverses=reverses,
        )
    )


INVARIANT = Invariant("event_ids", "an event's id is the digest of what it says", _difference)
