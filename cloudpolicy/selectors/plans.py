"""Scaling plans as people, scripts and pages read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Count

from cloudpolicy.actions.registry import action_named
from cloudpolicy.engine.call import parse_call
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.selectors.savings import PlanWorth, plan_worths

MAX_PAGE = 100
UNPRICED = CallWorth(because="not priced yet")
SIZE_KEYS = ("min", "max", "desired", "spot")
CALL_KEYS = ("action", "group", "environment", "account", "region", "before", "after", "permission", "because")
# In plain words what a call does: `stop the instance i-0123`.
SAYS = "says"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A kept plan.

    Attributes:
        policy: name and version, e.g. `founding ladder v1`.
        band: None when there was no figure.
        calls: each with the keys of CALL_KEYS, and SAYS.
        read_only_because: empty when the plan may be acted on.
        confirmed_at: the last time that a forecast led to the same decision.
        worth: what its calls save, and the days of p5 that they buy; None where nobody has priced them.
        wanted_p5_days: the p5 that a person asked it to reach; None in the policy's own plans.
    """

    plan_id: int
    p5_days: int | None
    forecast_run: int | None
    policy: str
    band: str | None
    read_only_because: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    calls: tuple[Mapping[str, Any], ...]
    digest: str
    decision: str
    created_at: datetime
    confirmed_at: datetime
    applied_at: datetime | None
    worth: PlanWorth | None = None
    wanted_p5_days: int | None = None

    @property
    def read_only_text(self) -> str | None:
        """All reasons in one line; None when the plan may be acted on."""
        return "; ".join(reason.text for reason in self.read_only_because) or None

    def priced_calls(self) -> tuple[tuple[Mapping[str, Any], CallWorth], ...]:
        """Every call with what it is worth."""
        worths = self.worth.calls if self.worth else (UNPRICED,) * len(self.calls)
        return tuple(zip(self.calls, worths, strict=True))

    def to_json(self) -> dict[str, Any]:
        return {
            "plan_id": self.plan_id,
            "p5_days": self.p5_days,
            "wanted_p5_days": self.wanted_p5_days,
            "forecast_run": self.forecast_run,
            "policy": self.policy,
            "band": self.band,
            "read_only_because": self.read_only_text,
            "calls": [{**call, **_worth_json(worth)} for call, worth in self.priced_calls()],
            "worth": self.worth.to_json() if self.worth else None,
            "warnings": [reason.text for reason in self.warnings],
            "digest": self.digest,
            "created_at": self.created_at.isoformat(),
            "confirmed_at": self.confirmed_at.isoformat(),
            "applied_at": self.applied_at.isoformat() if self.applied_at else None,
        }


def list_plans(*, company_id: int, limit: int = 20, before_id: int | None = None) -> tuple[StoredPlan, ...]:
    """A company's plans, newest first.

    Args:
        limit: at most MAX_PAGE.
        before_id: continue after the plan of this number.
    """
    rows = ScalingPlan.objects.filter(company_id=company_id).select_related("policy").order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    found = list(rows[: min(limit, MAX_PAGE)])
    worths = plan_worths(company_id=company_id, plan_ids=[row.pk for row in found])
    return tuple(stored_plan(row, worth=worths.get(row.pk)) for row in found)


def plans_of_the_policy(*, company_id: int) -> "models.QuerySet[ScalingPlan]":
    """Without those that a person asked for, which the policy neither confirms nor replaces."""
    return ScalingPlan.objects.filter(company_id=company_id, wanted_p5_days__isnull=True)


def latest_plan(*, company_id: int) -> StoredPlan | None:
    """The policy's newest plan, None before the first."""
    row = plans_of_the_policy(company_id=company_id).select_related("policy").order_by("-id").first()
    return None if row is None else kept_plan(row)


def newest_like(*, company_id: int, asked: bool) -> StoredPlan | None:
    """The newest plan of one kind: asked for by a person, or the policy's own. None without one."""
    rows = ScalingPlan.objects.filter(company_id=company_id, wanted_p5_days__isnull=not asked)
    row = rows.select_related("policy").order_by("-id").first()
    return None if row is None else stored_plan(row)


def kept_plan(row: ScalingPlan) -> StoredPlan:
    """A plan with what it is worth."""
    return stored_plan(row, worth=plan_worths(company_id=row.company_id, plan_ids=[row.pk]).get(row.pk))


def plans_applied_by_company() -> tuple[tuple[str, int], ...]:
    """How many plans were ever applied: (slug, count) of every company that has plans."""
    rows = ScalingPlan.objects.values_list("company__slug").annotate(applied=Count("applied_at"))
    return tuple(rows.order_by("company__slug"))


def stored_plan(row: ScalingPlan, *, worth: PlanWorth | None = None) -> StoredPlan:
    return StoredPlan(
        plan_id=row.pk,
        p5_days=row.p5_days,
        forecast_run=row.forecast_run_id,
        policy=str(row.policy),
        band=row.band or None,
        read_only_because=_reasons(row.read_only_because),
        warnings=_reasons(row.warnings),
        calls=tuple(_call(call) for call in row.calls),
        digest=row.digest,
        decision=row.decision,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        applied_at=row.applied_at,
        worth=worth,
        wanted_p5_days=row.wanted_p5_days,
    )


def _worth_json(worth: CallWorth) -> dict[str, Any]:
    """Money per month and days of p5 of one call; null and why where they are not known."""
    return {
        "monthly_saving": _cents(worth.monthly_saving),
        "monthly_saving_low": _cents(worth.low),
        "monthly_saving_high": _cents(worth.high),
        "days_of_p5": worth.days_of_p5,
        "days_of_p5_together": worth.days_together,
        "days_are_least": worth.is_least,
        "price": worth.price or None,
        "unknown_because": worth.because or None,
    }


def _cents(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def _call(stored: dict[str, Any]) -> dict[str, Any]:
    """A call in the order in which people read it."""
    call = {key: stored.get(key, "") for key in CALL_KEYS}
    for side in ("before", "after"):
        call[side] = {key: call[side][key] for key in sorted(call[side], key=reading_order)}
    return call | {SAYS: call_in_words(stored)}


def call_in_words(stored: Mapping[str, Any]) -> str:
    """What a call does, by its action; the action's name alone where none of that name is registered any more."""
    action = action_named(str(stored["action"]))
    return action.describe(parse_call(stored)) if action else f"{stored['action']} {stored['group']}"


def reading_order(key: str) -> tuple[int, str]:
    """Sorts the settings of a call as people read them; the database keeps no order of keys."""
    return (SIZE_KEYS.index(key) if key in SIZE_KEYS else len(SIZE_KEYS), key)


def _reasons(stored: list[dict[str, str]]) -> tuple[Reason, ...]:
    return tuple(Reason(reason["code"], reason["text"]) for reason in stored)
