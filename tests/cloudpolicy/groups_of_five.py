"""Five groups at an AWS-compatible server, a plan that changes all of them, and an engine with its own clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from capstack.demo.cloud import IMAGE
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.services.approving import Approver, approve_plan
from cloudpolicy.services.aws import client
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.run_pace import Clock
from cloudpolicy.services.running import work_on
from cloudpolicy.services.runs import start_apply, start_rollback
from cloudpolicy.services.step_journal import StepJournal
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.steered_company import NOW, steered_company

REGION = "us-east-1"
# name: environment, size, asks for spot by: a share on demand, its template, or not at all
GROUPS: dict[str, tuple[str, tuple[int, int, int], int | str | None]] = {
    "capstack-dev-asg": ("dev", (1, 4, 3), "$Latest"),
    "capstack-dev2-asg": ("dev", (0, 3, 0), "1"),
    "capstack-production-asg": ("production", (3, 12, 8), 50),
    "capstack-staging-asg": ("staging", (2, 6, 4), 25),
    "capstack-staging2-asg": ("staging", (2, 5, 3), None),
}
ADMIN = Approver("admin:ada@example.com")


@dataclass
class FakeClock:
    """Time that passes only while somebody waits."""

    moment: datetime = NOW + timedelta(minutes=1)
    waited: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.moment += timedelta(seconds=seconds)

    def as_clock(self) -> Clock:
        return Clock(self.now, self.sleep)


def make_five_groups() -> None:
    autoscaling, ec2 = client("autoscaling", region=REGION), client("ec2", region=REGION)
    for name, (environment, size, spot) in GROUPS.items():
        data: dict[str, Any] = {"ImageId": IMAGE, "InstanceType": "t3.small", "KeyName": "ops"}
        if isinstance(spot, str):
            data["InstanceMarketOptions"] = {"MarketType": "spot"}
        made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        template = {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"}
        market: dict[str, Any] = {"LaunchTemplate": {**template, "Version": spot or "$Latest"}}
        if isinstance(spot, int):
            market = {
                "MixedInstancesPolicy": {
                    "LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": []},
                    "InstancesDistribution": {
                        "OnDemandBaseCapacity": 1,
                        "OnDemandPercentageAboveBaseCapacity": spot,
                        "SpotAllocationStrategy": "price-capacity-optimized",
                    },
                }
            }
        tags = {"capstack:managed": "true", "capstack:environment": environment}
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=size[0],
            MaxSize=size[1],
            DesiredCapacity=size[2],
            AvailabilityZones=["us-east-1a"],
            Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()],
            **market,
        )


def sizes() -> dict[str, tuple[int, int, int]]:
    """Min, max and desired of every group, by its name without what all share."""
    described = client("autoscaling", region=REGION).describe_auto_scaling_groups()["AutoScalingGroups"]
    return {
        group["AutoScalingGroupName"].removeprefix("capstack-").removesuffix("-asg"): (
            group["MinSize"],
            group["MaxSize"],
            group["DesiredCapacity"],
        )
        for group in described
    }


def set_size(name: str, least: int, most: int, desired: int) -> None:
    """Change a group behind the back of the policy."""
    client("autoscaling", region=REGION).update_auto_scaling_group(
        AutoScalingGroupName=f"capstack-{name}-asg", MinSize=least, MaxSize=most, DesiredCapacity=desired
    )


BEFORE = {
    "dev": (1, 4, 3),
    "dev2": (0, 3, 0),
    "production": (3, 12, 8),
    "staging": (2, 6, 4),
    "staging2": (2, 5, 3),
}
AFTER = {"dev": (1, 2, 1), "dev2": (1, 2, 1), "production": (2, 8, 4), "staging": (1, 4, 2), "staging2": (1, 4, 2)}


def asks_for_spot(name: str) -> bool | int:
    """By a template: whether; by a mixed-instances policy: the share on demand."""
    (group,) = client("autoscaling", region=REGION).describe_auto_scaling_groups(
        AutoScalingGroupNames=[f"capstack-{name}-asg"]
    )["AutoScalingGroups"]
    if "MixedInstancesPolicy" in group:
        share: int = group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"]
        return share
    template = group["LaunchTemplate"]
    (version,) = client("ec2", region=REGION).describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert (data["ImageId"], data["KeyName"]) == (IMAGE, "ops"), "a copy keeps the rest of the version"
    return "InstanceMarketOptions" in data


def planned_company(*, approval: dict[str, Any] | None = None, days: int = 50) -> tuple[CompanyRef, ScalingPlan]:
    """A company whose plan changes all five groups, production last."""
    company = steered_company(days=days)
    if approval is not None:
        enable_policy(
            company_id=company.id,
            document={**FOUNDING_LADDER, "approval": approval},
            actor="test",
            because="the test wants it",
            now=NOW,
        )
    plan = plan_scaling(company_id=company.id, now=NOW)
    return company, ScalingPlan.objects.get(pk=plan.plan_id)


def approve(plan: ScalingPlan, approver: Approver = ADMIN, *, now: datetime = NOW) -> None:
    approve_plan(company_id=plan.company_id, plan_id=plan.pk, approver=approver, reason="read it", now=now)


def begin(plan: ScalingPlan, *, now: datetime = NOW) -> ScalingRun:
    run = start_apply(company_id=plan.company_id, plan_id=plan.pk, actor="test", reason="less runway", now=now)
    assert run is not None
    return run


def begin_rollback(plan: ScalingPlan, *, now: datetime = NOW) -> ScalingRun:
    return start_rollback(company_id=plan.company_id, plan_id=plan.pk, actor="test", reason="money came", now=now)


def finish(run: ScalingRun, clock: FakeClock) -> ScalingRun:
    """Come back to a run, as the sweep does, until it has ended."""
    for _ in range(40):
        run = work_on(run_id=run.pk, clock=clock.as_clock())
        if run.state != RunState.OPEN:
            return run
        assert run.resume_at is not None
        clock.moment = max(clock.moment, run.resume_at)
    raise AssertionError(f"run {run.pk} does not end: {run.outcome}")


class Killed(BaseException):
    """What no handler of the engine may catch: the process is gone."""


@contextmanager
def killed_at_line(number: int, *, written_first: bool = False) -> Iterator[None]:
    """Let the engine die before it writes the n-th line of its journal, or right after that."""
    write, written = StepJournal.write, 0

    def dying(self: StepJournal, *args: Any, **kwargs: Any) -> None:
        nonlocal written
        written += 1
        if written != number or written_first:
            write(self, *args, **kwargs)
        if written == number:
            raise Killed

    with patch.object(StepJournal, "write", dying):
        yield


def die_and_resume(run: ScalingRun, clock: FakeClock, *, after: bool) -> tuple[ScalingRun, int]:
    """Let an engine die once at each phase of each step; returns the run when it has ended, and how many died.

    Dying before a line leaves the cloud asked and nothing noted; dying after it, noted and nothing done.
    """
    write, died_at = StepJournal.write, set[tuple[int, str]]()

    def dying(self: StepJournal, *args: Any, **kwargs: Any) -> None:
        place = (args[0], str(args[1]))
        dies = self.run.pk == run.pk and place not in died_at
        if not dies or after:
            write(self, *args, **kwargs)
        if dies:
            died_at.add(place)
            raise Killed

    with patch.object(StepJournal, "write", dying):
        for _ in range(200):
            try:
                run = work_on(run_id=run.pk, clock=clock.as_clock())
            except Killed:
                continue
            if run.state != RunState.OPEN:
                return run, len(died_at)
            assert run.resume_at is not None
            clock.moment = max(clock.moment, run.resume_at)
    raise AssertionError(f"run {run.pk} does not end: {run.outcome}")
