"""Verifying a company's journal against its seals and against the heads kept outside of the database."""

from dataclasses import dataclass
from typing import Any

from ledger.domain.chain_check import Verdict, check_chain
from ledger.domain.company import CompanyRef
from ledger.selectors.chain import chain_rows, one_snapshot, seals
from ledger.selectors.journal import journal_position
from ledger.services.chain_heads.place import Place


@dataclass(frozen=True, slots=True)
class Verification:
    """Attributes:
    position: what the journal's head row says.
    """

    company: CompanyRef
    position: int
    verdict: Verdict

    @property
    def unsealed(self) -> int:
        """Rows that no seal covers yet; a sealer comes by every few seconds."""
        return max(0, self.verdict.rows - self.verdict.sealed)

    def to_json(self) -> dict[str, Any]:
        broken = self.verdict.broken
        return {
            "position": self.position,
            "rows": self.verdict.rows,
            "sealed": self.verdict.sealed,
            "unsealed": self.unsealed,
            "exported": self.verdict.exported,
            "head": self.verdict.head.hex(),
            "broken": broken
            and {
                "position": broken.position,
                "kind": broken.kind,
                "event_id": broken.event_id,
                "detail": broken.detail,
            },
        }


def verify_company(*, company: CompanyRef, place: Place) -> Verification:
    """Recompute the chain of a company from its rows; the verdict names the first row that does not fit.

    Raises:
        PlaceUnusable: the exported heads cannot be read.
    """
    # What was exported is read first: everything in it was in the database before.
    exported = list(place.spans(company_id=company.id))
    with one_snapshot():
        position = journal_position(company_id=company.id)
        verdict = check_chain(
            company_id=company.id,
            position=position,
            rows=chain_rows(company_id=company.id),
            seals=seals(company_id=company.id),
            exported=exported,
        )
    return Verification(company, position, verdict)
