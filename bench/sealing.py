"""Sealing and verifying: rows per second of one sealer and of one verifier, over a journal made for the purpose.

Goal: the sealer keeps up with 40,000 recorded events/s.
"""

import json
import time
from typing import Any

from bench.full_journal import fill_journal
from bench.stack import running_stack, told_apart
from bench.ten_million import company_id_of

ROWS = 400_000

GOALS = {"sealed_rows_per_second": ">= 40000"}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection:
        company_id = company_id_of(connection, "bench")
        fill_journal(connection, company_id=company_id, rows=ROWS)
        figures = told_apart(measure, company_id, env=stack.env)
        size = connection.execute("SELECT pg_total_relation_size('ledger_seal')").fetchone()
        assert size is not None
        return {"rows": ROWS, **figures, "bytes_per_row": size[0] / ROWS}


def measure(company_id: int) -> None:
    """Print, as JSON, what sealing and verifying take."""
    import django

    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from ledger.selectors.companies import company_ref
    from ledger.services.chain_heads.place import place_of
    from ledger.services.sealing import seal
    from ledger.services.verify import verify_company

    begun = time.perf_counter()
    seal(company_id=company_id, now=timezone.now())
    sealed = time.perf_counter()
    verification = verify_company(
        company=company_ref(company_id=company_id), place=place_of(settings.CHAIN_HEADS_PATH)
    )
    verified = time.perf_counter()
    if verification.verdict.broken is not None or verification.verdict.sealed != ROWS:
        raise RuntimeError(f"the chain does not hold: {verification.verdict}")
    figures = {
        "sealed_rows_per_second": ROWS / (sealed - begun),
        "verified_rows_per_second": ROWS / (verified - sealed),
    }
    print(json.dumps(figures))
