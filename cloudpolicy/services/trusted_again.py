"""Companies whose newest plan is read-only for a reason that is gone: they are planned for again at once.

A forecast that is published, a verdict on the journal and time itself ask for a plan. An account that was
reconciled does not: without this the page would say for minutes that nothing stands against a plan, and show one
that no longer stands.
"""

from datetime import datetime

from django.db.models import OuterRef, Subquery

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.standing_plans import implied_today
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import all_companies

# The sweep comes every ten seconds, and to judge a company takes some queries: a sixth of them has its turn.
TURNS, SECONDS_PER_TURN = 6, 10


def trusted_again(*, now: datetime) -> tuple[int, ...]:
    """Numbers of those companies, of the sixth whose turn it is: each is looked at about once a minute."""
    turn = now.second // SECONDS_PER_TURN
    newest = ScalingPlan.objects.filter(company_id=OuterRef("company_id"), wanted_p5_days__isnull=True)
    read_only = set(
        ScalingPlan.objects.filter(pk=Subquery(newest.order_by("-id").values("pk")[:1]))
        .exclude(read_only_because=[])
        .values_list("company_id", flat=True)
    )
    due = (company for company in all_companies() if company.id in read_only and company.id % TURNS == turn)
    return tuple(company.id for company in due if _may_act(company, now))


def _may_act(company: CompanyRef, now: datetime) -> bool:
    try:
        policy = policy_in_force(company_id=company.id, now=now)
    except InvalidPolicy:
        return False
    return not implied_today(company=company, policy=policy.policy, now=now).read_only_because
