"""The whole of it: plan, approval, run, bills of FOCUS, scores after 7 and 30 days, a flagged band, the metric."""

import io
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cloudpolicy.jobs import sweep
from cloudpolicy.metrics import SavingsCollector
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.savings import band_verdicts, cost_share, plan_worth, scored_savings
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.scoring import look_at_savings
from ledger.domain.company import CompanyRef
from ledger.services.import_events import import_events
from tests.cloudpolicy.billed_cloud import days, pay_aws
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, finish
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.things_of_dev import GROUP, make_things, policy_document

pytestmark = pytest.mark.django_db
COLUMNS = (
    "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,"
    "ChargeCategory,SubAccountId,ServiceName,RegionId,ResourceId,SkuId,x_UsageType,ConsumedQuantity,ConsumedUnit,"
    "BilledCost,EffectiveCost,BillingCurrency"
)


def bill(company: CompanyRef, month: date, lines: Iterable[tuple[date, str, str, str]], *, now: object) -> None:
    """One month as FOCUS states it: (day, resource, usage type, cost of its 24 hours)."""
    first, following = month.replace(day=1), (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    rows = [
        f"AWS,100,{first} 00:00:00,{following} 00:00:00,{day} 00:00:00,{day + timedelta(days=1)} 00:00:00,"
        f"Usage,200,Compute,us-east-1,{resource},SKU,{usage},24,Hours,{cost},{cost},USD"
        for day, resource, usage, cost in lines
        if (day.year, day.month) == (month.year, month.month)
    ]
    text = "\n".join([COLUMNS, *rows]) + "\n"
    report = import_events(company=company, stream=io.BytesIO(text.encode()), actor="test", now=now)  # type: ignore[arg-type]
    assert not report.rejected_lines, report


# What share of the promise the bills keep: all, two fifths, nothing; or they rise by half of what was promised.
@pytest.mark.parametrize(
    ("kept", "verdict"),
    [(Decimal(1), "delivered"), (Decimal("0.4"), "short"), (Decimal(0), "short"), (Decimal("-0.5"), "short")],
)
def test_what_was_promised_stands_beside_what_was_billed(
    strict_aws: StrictProxy, kept: Decimal, verdict: str
) -> None:
    make_things()
    company = steered_company(days=60)
    document = policy_document(budget=None, suspended_processes=[], stopped=["instances", "databases"])
    enable_policy(company_id=company.id, document=document, actor="test", because="the test wants it", now=NOW)
    pay_aws(company)
    plan_scaling(company_id=company.id, now=NOW)
    named = dict(GroupInstance.objects.values_list("instance", "group"))
    assert len(set(named.values())) == 4, "the group, two single instances with the tag, and the database"

    def usage(resource: str) -> str:
        return "InstanceUsage:db.t3.micro" if ":rds:" in resource else "BoxUsage:t3.small"

    march = days(date(2026, 3, 1), 31)
    whole = [(day, resource, usage(resource), "24") for day in march for resource in named]
    bill(company, march[0], [*whole, *((day, "i-rest", "BoxUsage:m6i.large", "48") for day in march)], now=NOW)
    made = plan_scaling(company_id=company.id, now=NOW)
    plan = ScalingPlan.objects.get(pk=made.plan_id)
    assert made.worth is not None
    assert made.worth.monthly_saving is not None
    assert made.worth.days_of_p5 is not None
    approve(plan)
    clock = FakeClock()
    run = finish(begin(plan), clock)
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert plan_worth(company_id=company.id, plan_id=plan.pk) == made.worth, "what was promised stays as it was"
    assert look_at_savings(company_id=company.id, now=clock.now() + timedelta(days=3)) == 0

    gone = {call["group"] for call in plan.calls if "running" in call["after"]}
    last = max(resource for resource, group in named.items() if group == GROUP)
    after = days(NOW.date(), 40)
    lines = []
    for day in after:
        for resource, group in named.items():
            runs_on = day == after[0] or (group not in gone and resource != last)
            if runs_on or kept < 1:
                lines.append((day, resource, usage(resource), "24" if runs_on else str(24 * (1 - kept))))
    lines += [(day, "i-rest", "BoxUsage:m6i.large", "48") for day in after]
    for month, days_on, expected in ((date(2026, 4, 1), 10, [7]), (date(2026, 5, 1), 41, [7, 30])):
        then = NOW + timedelta(days=days_on)
        if month.month == 5:
            bill(company, date(2026, 4, 1), lines, now=then)
        bill(company, month, [line for line in lines if line[0] < then.date()], now=then)
        look_at_savings(company_id=company.id, now=then)
        scores = sorted(scored_savings(company_id=company.id), key=lambda each: each.after_days)
        assert [each.after_days for each in scores] == expected
    assert {each.verdict for each in scores} == {verdict}
    month_on = scores[-1]
    assert month_on.predicted is not None
    assert month_on.billed is not None
    assert month_on.predicted_days is not None
    assert month_on.predicted == (made.worth.monthly_saving / 304 * 300).quantize(month_on.predicted)
    promised = made.worth.monthly_saving / 304 * 300
    assert abs(month_on.billed - kept * promised) < Decimal("0.01")
    assert month_on.predicted_days > 0
    assert month_on.billed_days is not None
    assert month_on.billed_days == pytest.approx(float(kept) * month_on.predicted_days, abs=1.5)
    assert (month_on.billed_days > 0, month_on.billed_days < 0) == (kept > 0, kept < 0)
    (band,) = band_verdicts(company_id=company.id)
    assert (band.band, band.delivers) == (plan.band, kept == 1)
    share = cost_share(company_id=company.id)
    assert share is not None
    assert share.share is not None
    assert (share.share > 0, share.share < 0) == (kept > 0, kept < 0)
    registry = CollectorRegistry()
    registry.register(SavingsCollector())
    told = generate_latest(registry).decode()
    assert f'cloud_cost_saved_ratio{{company="acme"}} {share.share}' in told
    assert f'cloud_bands_flagged{{company="acme"}} {float(kept < 1)}' in told
    assert sweep(now=NOW + timedelta(days=41)) >= 0
