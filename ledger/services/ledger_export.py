"""An auditor's export: every column of every event as JSON lines, each with the chain's head, and a proof.

    {"format": "capstack.ledger.1", "company": "acme", "company_id": 1, "until": 2, "columns": [...], ...}
    {"event": {"company_id": "1", "position": "1", ...}, "chain": "<h(1)>"}
    {"event": {"company_id": "1", "position": "2", ...}, "chain": "<h(2)>"}
    {"proof": {"position": 2, "head": "<h(2)>"}}

Values are the canonical texts of `ledger/domain/chain.py`; `docs/verify_export.py` verifies a file by itself.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from ledger.domain.chain import COLUMNS, chained, genesis, row_digest
from ledger.domain.company import CompanyRef
from ledger.domain.identity import utc_text
from ledger.models.account import Account
from ledger.selectors.chain import chain_rows, one_snapshot
from ledger.selectors.journal import journal_position

FORMAT = "capstack.ledger.1"


class NotExportable(ValueError):
    """An export that would prove nothing; the message says why."""


def export_lines(*, company: CompanyRef, until: int | None, now: datetime) -> Iterator[str]:
    """Yield the lines of an export up to and including a position, the whole journal when None.

    Raises:
        NotExportable: the journal does not reach that position, or has a hole before it.
    """
    with one_snapshot():
        position = journal_position(company_id=company.id)
        last = position if until is None else until
        if not 0 <= last <= position:
            raise NotExportable(f"the journal of {company.slug} ends at position {position}, not at {last}")
        yield _line(
            {
                "format": FORMAT,
                "company": company.slug,
                "company_id": company.id,
                "name": company.name,
                "base_currency": company.base_currency,
                "timezone": company.timezone,
                "accounts": {
                    str(number): name
                    for number, name in Account.objects.filter(company_id=company.id).values_list("id", "name")
                },
                "until": last,
                "columns": COLUMNS,
                "exported_at": utc_text(now),
            }
        )
        head = genesis(company_id=company.id)
        reached = 0
        for values in chain_rows(company_id=company.id, until=last):
            event = dict(zip(COLUMNS, values, strict=True))
            reached += 1
            if event["position"] != str(reached):
                raise NotExportable(
                    f"the journal has a hole or a repeat at position {reached}; verify_ledger says more"
                )
            head = chained(head, row_digest(values))
            yield _line({"event": event, "chain": head.hex()})
        if reached != last:
            raise NotExportable(f"the journal ends at position {reached}; verify_ledger says more")
        yield _line({"proof": {"position": last, "head": head.hex()}})


def _line(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
