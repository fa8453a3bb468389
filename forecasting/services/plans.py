"""Recording a plan: balances and grants go to the ledger as statements, the whole becomes a new version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction

import forecasting
from forecasting.fit.plan import CloudCredit, InvalidPlan, PlanDocument, PlanProblem, parse_plan
from forecasting.models.cursor import ForecastCursor
from forecasting.models.plan import Plan
from forecasting.selectors.plans import plan_in_force
from forecasting.services.plan_text import digest_of
from forecasting.signals import plan_recorded
from ledger.domain.company import CompanyRef
from ledger.domain.credit_grant import CreditGrantBalance
from ledger.domain.flows import EVENT_TYPES, day_number
from ledger.selectors.companies import company_ref
from ledger.selectors.flows import daily_flows
from ledger.services.daily_flows import catch_up
from ledger.services.statements import state_balance, state_credit_grants

ORIGIN = "plan"
CENT = Decimal("0.01")
PROVIDER_LIMIT = 64  # as in the ledger, which keeps the grant


class PlanMoved(Exception):
    """Somebody recorded another version since the one that a change was made from."""


@dataclass(frozen=True, slots=True)
class BalanceDifference:
    """One currency in which history's opening balance and the events do not lead to the stated balance.

    Attributes:
        unexplained: stated less computed; money that the ledger does not know about when positive.
    """

    currency: str
    stated: Decimal
    computed: Decimal
    unexplained: Decimal


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """What recording a plan came to.

    Attributes:
        status: `recorded`, or `unchanged` when the newest version says the same.
        balances, grants: how many statements the plan makes.
    """

    status: str
    version: int
    digest: str
    balances: int
    grants: int
    differences: tuple[BalanceDifference, ...]
    warnings: tuple[str, ...]


def record_plan(
    *, company_id: int, raw: Mapping[str, Any], actor: str, now: datetime, instead_of: int | None = None
) -> RecordedPlan:
    """Check a plan and make it the company's newest version, unless that says the same already.

    Opening balances become statements at the end of `as_of` (of the day before `history_start` for the history's),
    credit grants likewise, in the same transaction. `plan_recorded` is sent after the commit.

    Args:
        raw: the decoded document (`read_plan_text` decodes a file without loss).
        instead_of: the version that it was made from, 0 for none; None: whatever is in force.

    Raises:
        InvalidPlan: every problem with its path.
        PlanMoved: another version is in force than `instead_of`; nothing is recorded.
        CompanyNotFound: no such company.
    """
    company = company_ref(company_id=company_id)
    document = _checked(raw, company=company)
    digest = digest_of(raw)
    catch_up(company_id=company_id)
    with transaction.atomic():
        # The row that forecasting owns per company is also what makes two people saving at once take turns.
        ForecastCursor.objects.bulk_create([ForecastCursor(company_id=company_id)], ignore_conflicts=True)
        ForecastCursor.objects.select_for_update(no_key=True).get(company_id=company_id)
        before = plan_in_force(company_id=company_id)
        unchanged = before is not None and before.digest == digest
        version = before.version if before else 0
        if instead_of not in (None, version):
            raise PlanMoved(f"version {version} was saved since you opened version {instead_of}")
        if not unchanged:
            version += 1
            _append(
                company=company, document=document, raw=raw, digest=digest, version=version, actor=actor, now=now
            )
            stated_before = before.document if before else PlanDocument()
            _state(company=company, document=document, before=stated_before, actor=actor, now=now)
    return RecordedPlan(
        status="unchanged" if unchanged else "recorded",
        version=version,
        digest=digest,
        balances=len(document.opening_balance) + len(document.history_opening_balance),
        grants=len(document.cloud_credits),
        differences=_differences(company_id=company_id, document=document),
        warnings=_warnings(document, company=company, now=now),
    )


def plan_schema() -> dict[str, Any]:
    """The published JSON Schema of a plan."""
    path = Path(forecasting.__file__).with_name("plan_schema.json")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _checked(raw: Mapping[str, Any], *, company: CompanyRef) -> PlanDocument:
    """Parse, and add what only the ledger can tell is wrong."""
    try:
        document = parse_plan(raw)
        problems = []
    except InvalidPlan as invalid:
        document = PlanDocument()
        problems = list(invalid.problems)
    if isinstance(raw, Mapping):
        if "as_of" not in raw:
            problems.append(PlanProblem(path="as_of", message="is missing"))
        if document.history_opening_balance and document.history_start is None:
            problems.append(
                PlanProblem(path="history_start", message="is missing, so history_opening_balance has no day")
            )
        problems.extend(_grant_problems(document.cloud_credits))
        if document.base_currency not in ("", company.base_currency):
            problems.append(
                PlanProblem(
                    path="base_currency",
                    message=f"is {document.base_currency}, but {company.slug} counts in {company.base_currency}",
                )
            )
    if problems:
        raise InvalidPlan(tuple(problems))
    return document


def _grant_problems(grants: tuple[CloudCredit, ...]) -> list[PlanProblem]:
    """What the ledger cannot keep: it tells a provider's grants apart by their expiry."""
    problems = []
    seen = set()
    for index, credit in enumerate(grants):
        if len(credit.provider) > PROVIDER_LIMIT:
            message = f"has more than {PROVIDER_LIMIT} characters"
            problems.append(PlanProblem(path=f"cloud_credits[{index}].provider", message=message))
        if (credit.provider, credit.expires) in seen:
            message = f"is a second grant of {credit.provider} that expires on {credit.expires}: add them up"
            problems.append(PlanProblem(path=f"cloud_credits[{index}]", message=message))
        seen.add((credit.provider, credit.expires))
    return problems


def _append(
    *,
    company: CompanyRef,
    document: PlanDocument,
    raw: Mapping[str, Any],
    digest: str,
    version: int,
    actor: str,
    now: datetime,
) -> None:
    assert document.as_of is not None
    Plan.objects.create(
        company_id=company.id,
        version=version,
        document=dict(raw),
        digest=digest,
        as_of=document.as_of,
        recorded_at=now,
        actor=actor,
    )
    transaction.on_commit(
        lambda: plan_recorded.send_robust(sender=Plan, company_id=company.id, version=version), robust=True
    )


def _state(
    *, company: CompanyRef, document: PlanDocument, before: PlanDocument, actor: str, now: datetime
) -> None:
    """Make the ledger's statements say what the plan says, and nothing that only the version before said."""
    assert document.as_of is not None
    days = [(document.opening_balance, document.as_of)]
    if document.history_start is not None:
        days.append((document.history_opening_balance, document.history_start - timedelta(days=1)))
    for balances, day in days:
        for currency, amount in (balances | _withdrawn_balances(before, balances=balances, day=day)).items():
            state_balance(
                company_id=company.id,
                currency=currency,
                amount=amount,
                day=day,
                origin=ORIGIN,
                actor=actor,
                now=now,
            )
    grants = (*document.cloud_credits, *_withdrawn_grants(before, document=document))
    state_credit_grants(
        company_id=company.id,
        grants=[CreditGrantBalance(grant.provider, grant.remaining, grant.expires) for grant in grants],
        day=document.as_of,
        origin=ORIGIN,
        actor=actor,
        now=now,
    )


def _withdrawn_balances(before: PlanDocument, *, balances: dict[str, Decimal], day: date) -> dict[str, Decimal]:
    """Zero for each currency that the version before stated on the same day and this one no longer has."""
    stated: dict[str, Decimal] = {}
    if before.as_of == day:
        stated |= before.opening_balance
    if before.history_start is not None and before.history_start - timedelta(days=1) == day:
        stated |= before.history_opening_balance
    return {currency: Decimal(0) for currency in stated if currency not in balances}


def _withdrawn_grants(before: PlanDocument, *, document: PlanDocument) -> tuple[CloudCredit, ...]:
    """Nothing left, for each grant that the version before had and this one no longer lists."""
    listed = {(credit.provider, credit.expires) for credit in document.cloud_credits}
    return tuple(
        replace(credit, remaining=Decimal(0))
        for credit in before.cloud_credits
        if (credit.provider, credit.expires) not in listed
    )


def _differences(*, company_id: int, document: PlanDocument) -> tuple[BalanceDifference, ...]:
    """Where the history's opening balance plus the events misses the stated balance by a cent or more."""
    if document.as_of is None or document.history_start is None or not document.history_opening_balance:
        return ()
    flows = daily_flows(company_id=company_id, until=document.as_of)
    counted = (flows.day >= day_number(document.history_start)) & (flows.event_type != EVENT_TYPES.index("credit"))
    moved = np.bincount(flows.currency[counted], weights=flows.amount[counted], minlength=len(flows.currencies))
    computed = {
        currency: Decimal(repr(total)).quantize(CENT)
        for currency, total in zip(flows.currencies, moved.tolist(), strict=True)
    }
    differences = []
    for currency in sorted({*document.opening_balance, *document.history_opening_balance, *computed}):
        stated = document.opening_balance.get(currency, Decimal(0))
        reached = document.history_opening_balance.get(currency, Decimal(0)) + computed.get(currency, Decimal(0))
        if abs(stated - reached) >= CENT:
            differences.append(BalanceDifference(currency, stated, reached, stated - reached))
    return tuple(differences)


def _warnings(document: PlanDocument, *, company: CompanyRef, now: datetime) -> tuple[str, ...]:
    warnings = []
    if document.company not in ("", company.slug):
        warnings.append(f"the plan names the company {document.company}; it was recorded for {company.slug}")
    today = now.astimezone(ZoneInfo(company.timezone)).date()
    if document.as_of is not None and document.as_of > today:
        warnings.append(f"as_of {document.as_of} lies in the future; forecasts start from {today} until then")
    return tuple(warnings)
