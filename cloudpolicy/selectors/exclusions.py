"""What is left alone at the moment because of what a person did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.models.exclusion import Exclusion as ExclusionRow


@dataclass(frozen=True, slots=True)
class StandingExclusion:
    """One that counts, with what is needed to show and to lift it."""

    exclusion_id: int
    exclusion: Exclusion
    plan_id: int
    actor: str
    made_at: datetime

    def to_json(self) -> dict[str, Any]:
        each = self.exclusion
        return {
            "exclusion_id": self.exclusion_id,
            "account": each.account,
            "region": each.region,
            "name": each.name,
            "only_growth": each.only_growth,
            "because": each.because,
            "plan_id": self.plan_id,
            "actor": self.actor,
            "made_at": self.made_at.isoformat(),
            "ends_at": each.until.isoformat(),
        }


def standing_exclusions(*, company_id: int, now: datetime) -> tuple[StandingExclusion, ...]:
    """Those that have neither ended nor been lifted, the one that ends first before the others."""
    rows = ExclusionRow.objects.filter(company_id=company_id, lifted_at__isnull=True, ends_at__gt=now)
    return tuple(
        StandingExclusion(
            exclusion_id=row.pk,
            exclusion=Exclusion(row.account, row.region, row.name, row.ends_at, row.because, row.only_growth),
            plan_id=row.plan_id,
            actor=row.actor,
            made_at=row.made_at,
        )
        for row in rows.order_by("ends_at", "id")
    )


def exclusions_now(*, company_id: int, now: datetime) -> tuple[Exclusion, ...]:
    return tuple(each.exclusion for each in standing_exclusions(company_id=company_id, now=now))
