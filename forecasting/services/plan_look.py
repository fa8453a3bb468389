"""What a plan would do to the runway before anybody saves it: a real run, taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from forecasting.drivers.contribution import Basis
from forecasting.fit.history import MissingInputs
from forecasting.scenarios.comparison import Case
from forecasting.services.plans import RecordedPlan, record_plan
from forecasting.services.what_if import KnownNow, known_now
from ledger.domain.company import CompanyRef


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the company's books and a plan imply; `refusal` where that is no forecast."""

    known: KnownNow | None
    refusal: str

    def case(self) -> Case | None:
        """The runway, simulated or remembered; None without a forecast.

        Raises:
            InvalidScenario: the plan takes the company beyond what can be simulated.
        """
        return None if self.known is None else self.known.case(())


@dataclass(frozen=True, slots=True, eq=False)
class PlanLook:
    """A plan that is not recorded.

    Attributes:
        recorded: what recording it would have come to.
        now, then: with the plan in force, and with this one.
    """

    recorded: RecordedPlan
    now: Sight
    then: Sight


def look_at_plan(
    *, company: CompanyRef, basis: Basis, raw: Mapping[str, Any], actor: str, now: datetime
) -> PlanLook:
    """Record the plan, read the company as a forecast would, and take all of it back.

    So what is shown is what will be: statements, grants and rates go their usual way. Nobody hears of it, as
    signals are sent on commit.

    Raises:
        InvalidPlan: every problem with its path.
    """
    before = sight(company=company, basis=basis, now=now)
    with transaction.atomic():
        recorded = record_plan(company_id=company.id, raw=raw, actor=actor, now=now)
        after = sight(company=company, basis=basis, now=now)
        transaction.set_rollback(True)
    return PlanLook(recorded=recorded, now=before, then=after)


def sight(*, company: CompanyRef, basis: Basis, now: datetime) -> Sight:
    """What is known now, or why that is not enough."""
    try:
        return Sight(known_now(company=company, basis=basis, now=now), "")
    except MissingInputs as missing:
        return Sight(None, " ".join(f"{reason}." for reason in missing.reasons))
