"""The amount in the books' currency is amount times rate, and a rate of one's own currency is one."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

# Rounded to the sixth decimal, one way or the other.
_CONVERTED = """
    SELECT format('position %%s: %%s %%s at %%s are not %%s', position, amount, currency, fx_rate, base_amount)
    FROM ledger_capitalevent
    WHERE company_id = %(company)s
      AND (abs(base_amount - amount * fx_rate) > 0.000001
           OR (currency = %(base_currency)s AND base_amount <> amount))
    ORDER BY position LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_CONVERTED, company=company, base_currency=company.base_currency)


INVARIANT = Invariant("base_amounts", "amounts in the books' currency are amount times rate", _difference)
