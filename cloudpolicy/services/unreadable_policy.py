"""What is decided while the stored policy cannot be read: nothing, and that is kept as every decision is."""

from datetime import datetime

from django.db import transaction

from cloudpolicy.engine.document import InvalidPolicy, canonical_digest
from cloudpolicy.engine.runway import NoRunway
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.selectors.plans import StoredPlan, stored_plan
from cloudpolicy.services.kept_plans import keep_plan
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.policies import stored_policy, unreadable_because
from cloudpolicy.services.runway import runway_of
from ledger.domain.company import CompanyRef

CODE = "policy_unreadable"


def keep_that_policy_is_unreadable(*, company: CompanyRef, broken: InvalidPolicy, now: datetime) -> StoredPlan:
    """Keep a plan that changes nothing and says why; the same again confirms it.

    It stands in the history of decisions, and once the document can be read, the sweep plans again
    (`services.trusted_again`).
    """
    with transaction.atomic():
        lock_planning(company.id)
        policy, runway = stored_policy(company_id=company.id, now=now), runway_of(company=company, now=now)
        run = None if isinstance(runway, NoRunway) else runway.forecast_run
        digest = canonical_digest({"policy": policy.digest, "read_only_because": [CODE], "forecast_run": run})
        new = ScalingPlan(
            company_id=company.id,
            policy_id=policy.version_id,
            forecast_run_id=run,
            read_only_because=[{"code": CODE, "text": unreadable_because(broken)}],
            digest=digest,
            decision=canonical_digest({"policy": policy.digest, "read_only_because": [CODE]}),
            created_at=now,
            confirmed_at=now,
        )
        PlanningCursor.objects.update_or_create(
            company_id=company.id, defaults={"considered_run": run, "looked_at": now, "look_again_at": None}
        )
        return stored_plan(keep_plan(new, same=lambda new, last: new.decision == last.decision, now=now))
