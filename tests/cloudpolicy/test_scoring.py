"""Predicted and billed savings side by side, 7 and 30 days after a run."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from cloudpolicy.jobs import score
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.run import Phase, RunKind, RunState, ScalingRun, StepEntry
from cloudpolicy.models.saving_score import SavingScore
from cloudpolicy.selectors.cost_days import cost_against_runway
from cloudpolicy.selectors.savings import band_verdicts, cost_share, cost_shares_by_company, scored_savings
from cloudpolicy.selectors.unscored import unscored_companies
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.scoring import look_at_savings
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.daily_flows import catch_up
from tests.cloudpolicy.billed_cloud import Hours, days, import_bill

pytestmark = pytest.mark.django_db
D = Decimal
APPLIED = datetime(2026, 2, 15, 12, tzinfo=UTC)
DAY = APPLIED.date()
LATER = datetime(2026, 4, 20, 12, tzinfo=UTC)
# 304 a month are ten a day.
PREDICTED = D(304)


@pytest.fixture
def company() -> CompanyRef:
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=APPLIED)
    return company_ref(slug="acme")


def applied(
    company: CompanyRef,
    *,
    saving: Decimal | None = PREDICTED,
    group: str = "web",
    at: datetime = APPLIED,
    kind: RunKind = RunKind.APPLY,
    undoes: ScalingRun | None = None,
    phases: Iterable[Phase] = (Phase.INTENT, Phase.MADE, Phase.THERE),
    band: str = "below 60",
    instances: Iterable[str] = ("i-1", "i-2"),
    wanted: int | None = None,
    credit_share: str = "0",
) -> ScalingRun:
    """A run that resized a group with instances i-1 and i-2, as planner and engine leave it behind."""
    call = {
        "action": "resize_group", "group": group, "environment": "dev", "region": "us-east-1", "account": "",
        "before": {}, "after": {}, "permission": "p", "parameters": {}, "because": "",
    }  # fmt: skip
    plan = ScalingPlan.objects.create(
        company_id=company.id,
        policy_id=policy_in_force(company_id=company.id, now=at).version_id,
        p5_days=50,
        band=band,
        calls=[call],
        digest="d",
        decision="d",
        created_at=at,
        confirmed_at=at,
        wanted_p5_days=wanted,
    )
    PlanPrice.objects.create(
        company_id=company.id,
        plan=plan,
        priced_at=at,
        prices="p",
        currency="USD",
        monthly_saving=saving,
        credit_share=D(credit_share),
        calls=[{"monthly_saving": None if saving is None else str(saving)}],
        curve=[["0", 50], ["304", 52], ["608", 53]],
    )
    run = ScalingRun.objects.create(
        company_id=company.id,
        plan=plan,
        kind=kind,
        undoes=undoes,
        calls=[call],
        actor="test",
        reason="test",
        state=RunState.DONE,
        started_at=at,
        ended_at=at,
    )
    for line, phase in enumerate(phases, start=1):
        StepEntry.objects.create(company_id=company.id, run=run, line=line, step=0, phase=phase, at=at)
    GroupInstance.objects.bulk_create(
        [
            GroupInstance(
                company_id=company.id, region="us-east-1", group=group, instance=name, instance_type="m5.large",
                first_seen=at,
            )
            for name in instances
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return run


def hours(span: Iterable[date], cost: str, resource: str, kind: str = "m5.large") -> list[Hours]:
    return [Hours(day, f"BoxUsage:{kind}", 24, cost, resource=resource) for day in span]


def bill(company: CompanyRef, *, after: str = "10", rest: str = "20", until: int = 31) -> None:
    """Thirty days before at 20 a day, and days after; the rest costs 20 a day before."""
    before, later = days(DAY - timedelta(days=30), 31), days(DAY + timedelta(days=1), until)
    import_bill(
        company,
        [
            *hours(before, "20", "i-1"),
            *hours(later, after, "i-2"),
            *hours(before, "20", "i-9"),
            *hours(later, rest, "i-9"),
        ],
        now=LATER,
    )


def test_predicted_and_billed_stand_side_by_side_in_money_and_in_days(company: CompanyRef) -> None:
    run = applied(company)
    bill(company)
    assert look_at_savings(company_id=company.id, now=LATER) == 2
    week, month = sorted(scored_savings(company_id=company.id), key=lambda each: each.after_days)
    assert (week.after_days, week.predicted, week.billed) == (7, D(70), D(70))
    assert (month.after_days, month.predicted, month.billed) == (30, D(300), D(300))
    assert (month.run_id, month.verdict, month.band) == (run.pk, "delivered", "below 60")
    assert (month.predicted_days, month.billed_days, month.adjusted_by) == (2.0, 2.0, D(1))
    (band,) = band_verdicts(company_id=company.id)
    assert (band.runs, band.predicted, band.billed, band.delivers) == (1, D(300), D(300), True)


def test_what_credits_paid_is_told_beside_the_days(company: CompanyRef) -> None:
    applied(company, credit_share="0.75")
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    said = {each.text for each in scored_savings(company_id=company.id)}
    assert said == {
        "lines of the groups' instances; the rest cost as much as before; credits paid 75 % of the bill, and what"
        " they pay adds no days before they end"
    }


def test_a_band_that_saves_less_than_half_is_flagged(company: CompanyRef) -> None:
    applied(company)
    bill(company, after="16")
    look_at_savings(company_id=company.id, now=LATER)
    assert {each.verdict for each in scored_savings(company_id=company.id)} == {"short"}
    (band,) = band_verdicts(company_id=company.id)
    assert (band.billed, band.delivers) == (D(120), False)


def test_growth_of_the_rest_is_not_held_against_the_plan(company: CompanyRef) -> None:
    applied(company)
    bill(company, after="15", rest="30")
    look_at_savings(company_id=company.id, now=LATER)
    month = next(each for each in scored_savings(company_id=company.id) if each.after_days == 30)
    # Without the plan the groups would have cost 30 a day, as the rest did half as much again.
    assert (month.billed, month.adjusted_by) == (D(450), D("1.5"))


def test_scoring_again_or_twice_adds_nothing_and_scores_stay(company: CompanyRef) -> None:
    applied(company)
    bill(company)
    assert score(company_id=company.id) == "2 scored"
    assert score(company_id=company.id) == "0 scored"
    for change in ("UPDATE cloudpolicy_savingscore SET text = ''", "DELETE FROM cloudpolicy_savingscore"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(change)


def test_a_score_waits_for_its_time_and_for_the_bill(company: CompanyRef) -> None:
    applied(company)
    assert look_at_savings(company_id=company.id, now=APPLIED + timedelta(days=7)) == 0
    assert look_at_savings(company_id=company.id, now=APPLIED + timedelta(days=20)) == 0, "no bill has come"
    bill(company, until=7)
    on_time = APPLIED + timedelta(days=8)
    assert look_at_savings(company_id=company.id, now=on_time) == 0, "its last day may be billed in part"
    assert look_at_savings(company_id=company.id, now=on_time + timedelta(days=3)) == 1
    assert look_at_savings(company_id=company.id, now=LATER) == 0, "the bill of the month has not come"
    late = APPLIED + timedelta(days=120)
    assert look_at_savings(company_id=company.id, now=late) == 1
    month = scored_savings(company_id=company.id)[0]
    assert (month.after_days, month.verdict, month.billed) == (30, "unbilled", None)


def test_without_numbers_of_instances_their_types_are_compared(company: CompanyRef) -> None:
    applied(company)
    before, later = days(DAY - timedelta(days=30), 31), days(DAY + timedelta(days=1), 31)
    rest = hours([*before, *later], "5", "", "c5.large")
    import_bill(company, [*hours(before, "20", ""), *hours(later, "10", ""), *rest], now=LATER)
    look_at_savings(company_id=company.id, now=LATER)
    row = SavingScore.objects.get(after_days=30)
    assert (row.method, row.billed, row.verdict) == ("types", D(300), "delivered")


def test_a_bill_that_speaks_of_other_things_says_nothing_about_the_groups(company: CompanyRef) -> None:
    applied(company)
    import_bill(company, hours(days(DAY - timedelta(days=30), 62), "5", "", "c5.large"), now=LATER)
    look_at_savings(company_id=company.id, now=LATER)
    assert set(SavingScore.objects.values_list("verdict", flat=True)) == {"unbilled"}


def test_groups_that_were_changed_again_are_not_judged(company: CompanyRef) -> None:
    run = applied(company)
    applied(company, at=APPLIED + timedelta(days=10), kind=RunKind.ROLLBACK, undoes=run)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    verdicts = {each.after_days: each.verdict for each in scored_savings(company_id=company.id)}
    assert verdicts == {7: "delivered", 30: "overtaken"}


def test_days_before_an_earlier_run_are_not_compared(company: CompanyRef) -> None:
    applied(company, at=APPLIED - timedelta(days=4), saving=D(1))
    applied(company)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    second = SavingScore.objects.get(run_id=ScalingRun.objects.latest("id").pk, after_days=30)
    assert second.billed == D(300)
    assert "only 3 days before" in second.text
    same_day = applied(company)
    look_at_savings(company_id=company.id, now=LATER)
    assert "on the days before as well" in SavingScore.objects.get(run=same_day, after_days=7).text


@pytest.mark.parametrize(("saving", "text"), [(None, "no price for every step"), (D(0), "nothing was predicted")])
def test_what_was_not_predicted_is_not_judged(company: CompanyRef, saving: Decimal | None, text: str) -> None:
    applied(company, saving=saving)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    row = SavingScore.objects.get(after_days=30)
    assert (row.verdict, row.billed) == ("unpriced", D(300))
    assert text in row.text
    assert band_verdicts(company_id=company.id) == ()


def test_a_step_that_was_there_already_saves_nothing(company: CompanyRef) -> None:
    applied(company, phases=[Phase.ALREADY])
    bill(company)
    assert look_at_savings(company_id=company.id, now=LATER) == 0


@pytest.mark.parametrize(
    ("phases", "verdicts"),
    [
        ([Phase.INTENT, Phase.MADE, Phase.LATE], {"delivered"}),
        ([Phase.INTENT, Phase.FOUND_MADE], {"delivered"}),
        ([Phase.INTENT, Phase.REFUSED], set()),
        ([Phase.INTENT, Phase.MADE, Phase.CHANGED], set()),
        ([Phase.INTENT], set()),
    ],
)
def test_what_was_asked_and_answered_is_judged_also_where_nobody_saw_it_arrive(
    company: CompanyRef, phases: list[Phase], verdicts: set[str]
) -> None:
    applied(company, phases=phases)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    assert {each.verdict for each in scored_savings(company_id=company.id)} == verdicts


@pytest.mark.parametrize("phases", [[Phase.INTENT], [Phase.INTENT, Phase.MADE, Phase.CHANGED]])
def test_a_later_run_overtakes_also_by_what_nobody_knows_the_end_of(
    company: CompanyRef, phases: list[Phase]
) -> None:
    applied(company)
    applied(company, at=APPLIED + timedelta(days=10), phases=phases)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    found = {each.after_days: each.verdict for each in scored_savings(company_id=company.id)}
    assert found == {7: "delivered", 30: "overtaken"}


def test_days_before_the_first_bill_are_not_taken_for_free_ones(company: CompanyRef) -> None:
    applied(company)
    before, later = days(DAY - timedelta(days=5), 6), days(DAY + timedelta(days=1), 31)
    import_bill(
        company,
        [*hours(before, "20", "i-1"), *hours([*before, *later], "20", "i-9"), *hours(later, "10", "i-2")],
        now=LATER,
    )
    look_at_savings(company_id=company.id, now=LATER)
    month = SavingScore.objects.get(after_days=30)
    assert (month.billed, month.adjusted_by, month.verdict) == (D(300), D(1), "delivered")
    assert "only 5 days before" in month.text


def test_days_after_it_that_no_bill_speaks_of_are_waited_for_and_not_taken_for_saved(company: CompanyRef) -> None:
    applied(company, at=APPLIED + timedelta(days=5))
    february, march = days(DAY - timedelta(days=14), 28), days(date(2026, 3, 1), 31)
    rest = hours([*february, *march], "20", "i-9")
    # The bill of February was delivered before the month was over, and that of March is there.
    import_bill(company, [*hours(february[:23], "20", "i-1"), *hours(february[:23], "20", "i-9")], now=LATER)
    import_bill(company, [*hours(march, "20", "i-1"), *hours(march, "20", "i-9")], now=LATER)
    assert look_at_savings(company_id=company.id, now=LATER) == 0
    import_bill(company, [*hours([*february, *march], "20", "i-1"), *rest], now=LATER)
    look_at_savings(company_id=company.id, now=LATER)
    assert set(SavingScore.objects.values_list("verdict", "billed")) == {("short", D(0))}


def test_groups_that_other_plans_changed_meanwhile_are_no_likeness_of_the_rest(company: CompanyRef) -> None:
    run = applied(company)
    applied(company, group="api", at=APPLIED + timedelta(days=1), instances=["i-5", "i-6"])
    before, later = days(DAY - timedelta(days=30), 31), days(DAY + timedelta(days=1), 31)
    import_bill(
        company,
        [
            *hours(before, "20", "i-1"), *hours(later, "10", "i-2"),
            *hours(before, "20", "i-5"), *hours(later, "10", "i-6"),
            *hours([*before, *later], "10", "i-9"),
        ],
        now=LATER,
    )  # fmt: skip
    look_at_savings(company_id=company.id, now=LATER)
    month = SavingScore.objects.get(run=run, after_days=30)
    assert (month.billed, month.adjusted_by) == (D(300), D(1))


def test_a_plan_that_somebody_asked_for_says_nothing_of_a_band(company: CompanyRef) -> None:
    applied(company, wanted=90)
    bill(company, after="20")
    look_at_savings(company_id=company.id, now=LATER)
    month = next(each for each in scored_savings(company_id=company.id) if each.after_days == 30)
    assert (month.verdict, month.wanted_p5_days) == ("short", 90)
    assert band_verdicts(company_id=company.id) == ()


def test_a_band_that_saves_and_costs_by_turns_is_not_flagged_for_a_cent(company: CompanyRef) -> None:
    for predicted, billed in ((300, 300), (-300, D("-300.01"))):
        SavingScore.objects.create(
            company_id=company.id, run=applied(company), after_days=30, band="below 60", currency="USD",
            verdict="delivered", predicted=predicted, billed=billed, scored_at=LATER,
        )  # fmt: skip
    (band,) = band_verdicts(company_id=company.id)
    assert (band.predicted, band.billed, band.delivers) == (D(0), D("-0.01"), True)


def test_the_share_counts_savings_of_days_that_were_billed(company: CompanyRef) -> None:
    applied(company)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    # Of the thirty days up to then, the first and the last are billed.
    import_bill(company, hours([DAY + timedelta(days=60)], "20", "i-9"), now=LATER)
    look_at_savings(company_id=company.id, now=LATER)
    figure = CostFigure.objects.get()
    assert (figure.cost, figure.saved) == (D(30 + 20), D(20))


def test_another_companys_runs_and_bills_are_not_looked_at(company: CompanyRef) -> None:
    applied(company)
    create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=APPLIED)
    other = company_ref(slug="other")
    bill(other)
    assert look_at_savings(company_id=other.id, now=LATER) == 0
    look_at_savings(company_id=company.id, now=LATER)
    assert scored_savings(company_id=other.id) == ()
    share = cost_share(company_id=company.id)
    assert share is not None
    assert (share.share, share.because) == (None, "no cloud bill was imported")


def test_the_share_saved_is_measured_savings_over_what_it_would_have_cost(company: CompanyRef) -> None:
    applied(company)
    bill(company)
    look_at_savings(company_id=company.id, now=LATER)
    ((slug, share),) = cost_shares_by_company()
    # Thirty days at 10 and 20 a day were billed, and 10 a day saved.
    assert (slug, share.cost, share.saved, share.share) == ("acme", D(900), D(300), 0.25)


def test_what_was_rolled_back_saves_until_then(company: CompanyRef) -> None:
    run = applied(company)
    back = DAY + timedelta(days=31)
    applied(
        company, at=datetime(back.year, back.month, back.day, 12, tzinfo=UTC), kind=RunKind.ROLLBACK, undoes=run
    )
    bill(company, until=40)
    look_at_savings(company_id=company.id, now=LATER)
    figure = CostFigure.objects.get()
    assert figure.start == DAY + timedelta(days=11)
    assert figure.saved == D(200)


def test_the_sweep_looks_a_few_times_a_day_at_companies_with_bills_or_runs(company: CompanyRef) -> None:
    assert unscored_companies(now=LATER) == ()
    applied(company)
    assert unscored_companies(now=LATER) == (company.id,)
    look_at_savings(company_id=company.id, now=LATER)
    assert unscored_companies(now=LATER + timedelta(hours=5)) == ()
    assert unscored_companies(now=LATER + timedelta(hours=7)) == (company.id,)


def test_cost_stands_day_by_day_against_p5(company: CompanyRef) -> None:
    day = date(2026, 2, 3)
    import_bill(
        company,
        [Hours(day, "BoxUsage:m5.large", 10, "10"), Hours(day, "Credit", 0, "-4", kind="Credit")],
        now=LATER,
    )
    catch_up(company_id=company.id)
    found: Any = {
        each.day: each for each in cost_against_runway(company_id=company.id, start=day, stop=date(2026, 2, 6))
    }
    assert len(found) == 3
    assert (found[day].gross, found[day].credited, found[day].net) == (D(10), D(4), D(6))
    assert (found[date(2026, 2, 4)].gross, found[date(2026, 2, 4)].p5_days) == (None, None)
