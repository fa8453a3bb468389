"""A head of the chain as it is kept outside of the database: one JSON object per line.

    {"format": "capstack.heads.1", "company": "acme", "company_id": 1, "first": 1, "last": 1000,
     "head": "<h(1000) in hexadecimal>", "marks": "<base64>", "exported_at": "2026-03-01T09:30:00.000000Z"}

`marks` are the first 8 bytes of the digest of each row from `first` to `last`. The head proves all rows up to
`last`; the marks name the one that is broken.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime

from ledger.domain.chain_check import Span
from ledger.domain.identity import utc_text

FORMAT = "capstack.heads.1"
MARK_BYTES = 8


class UnreadableHead(ValueError):
    """A line that is no exported head; the message says why."""


def head_line(span: Span, *, company_id: int, slug: str, now: datetime) -> str:
    """Return the line that keeps a span, without the marks' remaining bytes and without a line end."""
    marks = b"".join(span.digest_at(position)[:MARK_BYTES] for position in range(span.first, span.last + 1))
    return json.dumps(
        {
            "format": FORMAT,
            "company": slug,
            "company_id": company_id,
            "first": span.first,
            "last": span.last,
            "head": span.head.hex(),
            "marks": b64encode(marks).decode("ascii"),
            "exported_at": utc_text(now),
        }
    )


def read_head_line(line: str, *, company_id: int) -> Span:
    """Return the span that a line keeps.

    Raises:
        UnreadableHead: not such a line, or one of another company.
    """
    try:
        kept = json.loads(line)
        if kept["format"] != FORMAT:
            raise UnreadableHead(f"is of format {kept['format']}, not {FORMAT}")
        if kept["company_id"] != company_id:
            raise UnreadableHead(f"is of company {kept['company_id']}, not {company_id}")
        marks, head = b64decode(kept["marks"], validate=True), bytes.fromhex(kept["head"])
        span = Span(int(kept["first"]), int(kept["last"]), marks, head)
    except UnreadableHead:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableHead(f"is not an exported head: {error}") from None
    if (
        len(head) != 32
        or not 0 < span.first <= span.last
        or len(marks) != MARK_BYTES * (span.last - span.first + 1)
    ):
        raise UnreadableHead("holds another number of marks than positions")
    return span
