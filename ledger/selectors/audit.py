"""Recomputing everything that is kept twice, and naming the first difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.domain.company import CompanyRef
from ledger.selectors.chain import one_snapshot
from ledger.selectors.invariants.registry import invariants


@dataclass(frozen=True, slots=True)
class Finding:
    """Attributes:
    invariant: its name.
    difference: the first thing that contradicts it; None when it holds.
    """

    company: CompanyRef
    invariant: str
    claim: str
    difference: str | None


def audit(*, companies: Sequence[CompanyRef]) -> Iterator[Finding]:
    """Yield a finding per company and invariant, all of one state of the database."""
    with one_snapshot():
        for company in companies:
            for invariant in invariants().values():
                yield Finding(company, invariant.name, invariant.claim, invariant.difference(company))
