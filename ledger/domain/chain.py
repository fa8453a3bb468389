"""The chain of hashes over the journal: what is hashed, in one unambiguous spelling, and how it is linked.

The bytes of a row are a version line and a field for every column of the journal, in the order of COLUMNS:

    capstack.row.1 LF
    field field field ... field

A field is its length in bytes as ASCII decimal digits without leading zeros, a colon (0x3A), and as many bytes;
a column without a value (NULL) is a single hyphen (0x2D). Nothing stands between fields, so no text in one column
can be read as part of another. The bytes of a value are

    bigint, integer    decimal digits
    bytea              lower-case hexadecimal digits
    timestamptz        UTC to the microsecond, e.g. `2026-03-01T09:30:00.000000Z`
    numeric            all decimals of the column, no exponent, e.g. `1250.000000`
    varchar            UTF-8
    jsonb              UTF-8 of PostgreSQL's own text of it

The digest of a row is the SHA-256 of its bytes, d(n) at position n. The chain of a company is

    h(0) = SHA-256( "capstack.chain.1" LF, company number in decimal digits )
    h(n) = SHA-256( h(n-1), d(n) )

Whoever knows h(n) knows every column of the rows 1 to n: none of them can be changed, taken out, put in or
exchanged without another h(n). PostgreSQL computes the same digests in `ledger_row_digest`, for speed; a test
holds both together.
"""

from collections.abc import Sequence
from hashlib import sha256

# Every column of the journal, in the table's order. A column that is not here could be changed unseen.
COLUMNS = (
    "company_id",
    "position",
    "account_id",
    "occurred_at",
    "recorded_at",
    "fx_at",
    "revision",
    "event_id",
    "source",
    "event_type",
    "direction",
    "amount",
    "currency",
    "base_amount",
    "fx_rate",
    "fx_source",
    "category",
    "counterparty",
    "external_ref",
    "metadata",
    "reverses",
    "actor",
    "reason",
)
POSITION = COLUMNS.index("position")
DIGEST_BYTES = 32

_ROW = b"capstack.row.1\n"
_CHAIN = b"capstack.chain.1\n"


def row_bytes(values: Sequence[str | None]) -> bytes:
    """Return the bytes of a row; the module's docstring says how they are made.

    Args:
        values: the canonical text of every column, in the order of COLUMNS; None where the column is NULL.

    Raises:
        ValueError: not as many values as columns.
    """
    if len(values) != len(COLUMNS):
        raise ValueError(f"a row has {len(COLUMNS)} columns, not {len(values)}")
    parts = [_ROW]
    for value in values:
        if value is None:
            parts.append(b"-")
        else:
            encoded = value.encode("utf-8")
            parts.append(b"%d:%b" % (len(encoded), encoded))
    return b"".join(parts)


def row_digest(values: Sequence[str | None]) -> bytes:
    """Return the 32 bytes that stand for a row; arguments and errors as in `row_bytes`."""
    return sha256(row_bytes(values)).digest()


def moved_digest(values: Sequence[str | None], *, position: int) -> bytes:
    """Return the digest that a row would have at another position: it tells a moved row from an edited one."""
    return row_digest([*values[:POSITION], str(position), *values[POSITION + 1 :]])


def genesis(*, company_id: int) -> bytes:
    """Return h(0), the head of a chain without rows."""
    return sha256(_CHAIN + str(company_id).encode("ascii")).digest()


def chained(head: bytes, digests: bytes) -> bytes:
    """Return the head after more rows.

    Args:
        head: h(n), 32 bytes.
        digests: d(n+1) d(n+2) ... d(m), 32 bytes each, one after the other.
    """
    for start in range(0, len(digests), DIGEST_BYTES):
        head = sha256(head + digests[start : start + DIGEST_BYTES]).digest()
    return head
