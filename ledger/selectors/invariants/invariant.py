"""One thing that must always be true of a company's rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ledger.domain.company import CompanyRef


@dataclass(frozen=True, slots=True)
class Invariant:
    """Attributes:
    name: as it is printed.
    claim: what is true, as a sentence.
    difference: returns the first thing that contradicts it, as a sentence; None when nothing does.
    """

    name: str
    claim: str
    difference: Callable[[CompanyRef], str | None]


def by_sql(*queries: str, company: CompanyRef, **values: Any) -> str | None:
    """Return the first answer of the queries, which find a sentence about a difference or no row at all."""
    parameters: Mapping[str, Any] = {"company": company.id, **values}
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query, parameters)
            found = cursor.fetchone()
            if found is not None:
                return str(found[0])
    return None
