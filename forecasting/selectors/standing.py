"""What a company's answer about its runway hangs on, in one look."""

from django.db import connection

from forecasting.rendered import Standing

_STANDING = """
    SELECT CASE WHEN %(basis)s = 'bank' THEN c.bank_run_id ELSE c.free_run_id END, c.checked_at, c.plan_version,
           c.refusal, coalesce(h.position, 0)
    FROM forecasting_forecastcursor c LEFT JOIN ledger_journalhead h ON h.company_id = c.company_id
    WHERE c.company_id = %(company)s
"""


def standing_of(*, company_id: int, basis: str) -> Standing | None:
    """Return where the forecast in force stands; None when none was ever published."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"company": company_id, "basis": basis})
        found = cursor.fetchone()
    if found is None or found[0] is None or found[1] is None:
        return None
    return Standing(company_id, basis, *found)
