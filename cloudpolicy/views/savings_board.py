"""What the policy has saved, and what the bills say of it: for the page of the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cloudpolicy.models.saving_score import Verdict
from cloudpolicy.selectors.cost_days import CostDay, cost_against_runway
from cloudpolicy.selectors.groups_seen import Inventory
from cloudpolicy.selectors.planned_things import PlannedThing, planned_things
from cloudpolicy.selectors.prices import EnteredPrice, entered_prices
from cloudpolicy.selectors.savings import (
    BandVerdict,
    CostShare,
    ScoredSaving,
    band_verdicts,
    cost_share,
    scored_savings,
)
from cloudpolicy.views.cost_figure import cost_chart
from cloudpolicy.views.worth_words import days_text
from ledger.domain.company import CompanyRef
from ledger.views.books_charts import Chart

SHOWN_DAYS = 183
SCORES_SHOWN = 12
_STATES = {Verdict.DELIVERED: "good", Verdict.SHORT: "bad"}


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A run some days on: what was predicted and what was billed, in money and in days."""

    score: ScoredSaving
    said: str
    state: str
    predicted_days: str
    billed_days: str


@dataclass(frozen=True, slots=True)
class Priceable:
    """What may have a price of its hour: an instance type, or what names none. Forms send `value`."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class SavingsBoard:
    """Attributes:
    share: None before the sweep has computed it.
    figure: None while no bill speaks of the cloud.
    flagged: bands that do not deliver.
    priceable: what groups of the company run, and the instances, databases and requests that plans speak of.
    """

    share: CostShare | None
    figure: Chart | None
    scores: tuple[ScoreRow, ...]
    verdicts: tuple[BandVerdict, ...]
    flagged: tuple[BandVerdict, ...]
    prices: tuple[EnteredPrice, ...]
    priceable: tuple[Priceable, ...]


def savings_board(*, company: CompanyRef, inventory: Inventory | None, now: datetime) -> SavingsBoard:
    """Gather it.

    Args:
        now: in the company's time zone.
    """
    verdicts = band_verdicts(company_id=company.id)
    prices = entered_prices(company_id=company.id)
    return SavingsBoard(
        share=cost_share(company_id=company.id),
        figure=_figure(company, today=now.date()),
        scores=tuple(_score(each) for each in scored_savings(company_id=company.id, limit=SCORES_SHOWN)),
        verdicts=verdicts,
        flagged=tuple(each for each in verdicts if not each.delivers),
        prices=prices,
        priceable=_priceable(inventory, planned_things(company_id=company.id)),
    )


def _figure(company: CompanyRef, *, today: date) -> Chart | None:
    days = cost_against_runway(
        company_id=company.id, start=today - timedelta(days=SHOWN_DAYS), stop=today + timedelta(days=1)
    )
    return cost_chart(days=_begun(days), today=today, currency=company.base_currency)


def _begun(days: Sequence[CostDay]) -> Sequence[CostDay]:
    """From the first day of which a bill speaks."""
    return days[next((place for place, each in enumerate(days) if each.gross is not None), len(days)) :]


def _score(score: ScoredSaving) -> ScoreRow:
    verdict = Verdict(score.verdict)
    return ScoreRow(
        score=score,
        said=str(verdict.label).lower(),
        state=_STATES.get(verdict, "unknown"),
        predicted_days=days_text(score.predicted_days),
        billed_days=days_text(score.billed_days),
    )


def _priceable(inventory: Inventory | None, things: Sequence[PlannedThing]) -> tuple[Priceable, ...]:
    """Types before names: one price then holds for all that are of a type."""
    groups = [group for group in inventory.groups if group.opted_in] if inventory else []
    found = {(group.region, name, group.name) for group in groups for name in group.instance_types or ("",)}
    found |= {(thing.region, thing.instance_type, thing.name) for thing in things}
    told = {
        (f"type {region} {kind}" if kind else f"group {region} {name}"): f"{kind or name} in {region}"
        for region, kind, name in found
    }
    return tuple(Priceable(value, label) for value, label in sorted(told.items()))
