"""What Prometheus is told."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cloudpolicy.metrics import AppliedCollector
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.services.planning import plan_scaling
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = pytest.mark.django_db


def test_applied_plans_are_counted_per_company(aws: RecordingProxy) -> None:
    registry = CollectorRegistry()
    registry.register(AppliedCollector())
    company = steered_company(days=300)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert b'cloud_optimization_applied_total{company="acme"} 0.0' in generate_latest(registry)
    ScalingPlan.objects.filter(pk=plan.plan_id).update(applied_at=NOW)
    assert b'cloud_optimization_applied_total{company="acme"} 1.0' in generate_latest(registry)
