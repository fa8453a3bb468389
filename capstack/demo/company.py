"""Making the demo company: its history goes in through the same doors as anybody's."""

import io
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from capstack.demo.bill_lines import focus_file
from capstack.demo.history import DemoHistory, generate_history
from capstack.demo.people import SignIn, create_people
from capstack.demo.story import CURRENCY, NAME, SLUG, TIMEZONE, ZONE, Story
from forecasting.selectors.plans import plan_in_force
from forecasting.services.plans import record_plan
from ledger.domain.outcome import DUPLICATE, RECORDED
from ledger.models.company import Company
from ledger.selectors.companies import company_ref
from ledger.selectors.fx import rate
from ledger.services.companies import create_company
from ledger.services.import_events import import_events
from ledger.services.record import record
from ledger.services.statements import state_balance

ACTOR = "demo"
RATE_STEP = Decimal("0.000001")


class NotTheDemo(Exception):
    """A company of somebody's own has the demo's slug."""


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """What making the demo came to.

    Attributes:
        recorded: events that are new; 0 when the demo was there already.
    """

    company_id: int
    recorded: int
    sign_ins: tuple[SignIn, ...]


def is_wanted() -> bool:
    """Whether the demo should be made: there is no company at all, or an earlier attempt was cut short."""
    company = Company.objects.filter(slug=SLUG).first()
    if company is None:
        return not Company.objects.exists()
    return _is_demo(company) and not _is_complete(company)


def is_there() -> bool:
    """Whether there is a demo company, complete or not."""
    return Company.objects.filter(slug=SLUG, name=NAME).exists()


def create_demo(*, now: datetime, months: int = 18, sign_ins_path: Path | None = None) -> DemoCompany:
    """Make the demo company with its people, history and plan. Doing it again changes nothing.

    An attempt that was cut short is taken up again: the history is the same one, since it hangs on the day on
    which the company was made, and what is recorded already is recognised.

    Args:
        months: of history, at most 18; 3 make a small company for tests.
        sign_ins_path: file for the sign-ins; default `sign-ins.json` in DATA_DIR.

    Raises:
        NotTheDemo: the slug `demo` belongs to another company.
    """
    company = Company.objects.filter(slug=SLUG).first()
    if company is None:
        company = create_company(slug=SLUG, name=NAME, currency=CURRENCY, timezone=TIMEZONE, now=now)
    elif not _is_demo(company):
        raise NotTheDemo(f"the company {SLUG} is {company.name}: no demo is made over it")
    sign_ins = create_people(
        company=company, sign_ins_path=sign_ins_path or Path(settings.DATA_DIR) / "sign-ins.json"
    )
    if _is_complete(company):
        return DemoCompany(company.pk, 0, sign_ins)
    story = Story(company.created_at.astimezone(ZONE).date())
    recorded = tell(story, history=history_of(story, months=months), company=company, now=now)
    return DemoCompany(company.pk, recorded, sign_ins)


def history_of(story: Story, *, months: int) -> DemoHistory:
    """Invent the story's past, foreign money at the European Central Bank's rates."""
    return generate_history(story=story, rates=_dollars_per_unit, months=months)


def tell(story: Story, *, history: DemoHistory, company: Company, now: datetime) -> int:
    """Record the story's events, balances and plan into a company; return how many events are new.

    Args:
        history: of this story; several companies may be told the same one.
    """
    recorded = _record(company, history, now)
    _import_bills(story, company, now)
    _state_balances(company, history, now)
    # The plan comes last: a demo with a plan is complete.
    record_plan(company_id=company.pk, raw=history.plan, actor=ACTOR, now=now)
    return recorded


def _record(company: Company, history: DemoHistory, now: datetime) -> int:
    outcomes = record(company_id=company.pk, drafts=history.drafts, actor=ACTOR, now=now, create_accounts=True)
    statuses = Counter(outcome.status for outcome in outcomes)
    if set(statuses) - {RECORDED, DUPLICATE}:
        refused = next(outcome for outcome in outcomes if outcome.status not in {RECORDED, DUPLICATE})
        raise RuntimeError(f"the journal refused an event of the demo: {refused.status} {refused.problems}")
    return statuses[RECORDED]


def _import_bills(story: Story, company: Company, now: datetime) -> None:
    """The cloud's own bills, so that a plan for its groups is priced at once. They move no cash."""
    import_events(
        company=company_ref(company_id=company.pk),
        stream=io.BytesIO(focus_file(story).encode()),
        actor=ACTOR,
        now=now,
    )


def _state_balances(company: Company, history: DemoHistory, now: datetime) -> None:
    for balance in history.balances:
        state_balance(
            company_id=company.pk,
            account=balance.account,
            currency=balance.currency,
            amount=balance.amount,
            day=balance.day,
            origin="statement",
            actor=ACTOR,
            now=now,
        )


def _is_demo(company: Company) -> bool:
    return (company.slug, company.name) == (SLUG, NAME)


def _is_complete(company: Company) -> bool:
    return plan_in_force(company_id=company.pk) is not None


def _dollars_per_unit(currency: str, day: date) -> Decimal:
    return rate(currency=currency, base=CURRENCY, on=day).rate.quantize(RATE_STEP)
