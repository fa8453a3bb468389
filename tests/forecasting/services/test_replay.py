"""A past day's forecast, from what was known then; and proving that a run is what its inputs imply."""

import itertools
import json
from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.fit.history import MissingInputs
from forecasting.models.record import CalibrationVersion
from forecasting.models.run import ForecastRun
from forecasting.services.history import gather_history
from forecasting.services.plans import record_plan
from forecasting.services.publish import publish_forecast
from forecasting.services.replay import NotKnown, TooLong, first_difference, history_as_known, replay
from forecasting.services.reproduction import CannotReproduce, RunNotFound, reproduce
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.domain.intake import ServicePeriod
from ledger.models.category import CategoryRule
from ledger.models.service_period import ServicePeriod as KeptPeriod
from ledger.selectors.flows import daily_flows
from ledger.services.categorise import apply_rules
from ledger.services.companies import create_company
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.service_periods import state_service_periods
from ledger.services.statements import state_balance, state_credit_grant
from tests.forecasting.small_company import AS_OF, NOW, PLAN, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
DAY = timedelta(days=1)
TODAY = NOW.date()
SLUGS = (f"acme-{number}" for number in itertools.count())


def write(company: CompanyRef, *, at: datetime, **fields: Any) -> str:
    raw = {
        "source": "bank",
        "event_type": "expense",
        "amount": "100.00",
        "currency": "USD",
        "occurred_at": at.isoformat(),
        "category": "office",
        "counterparty": "Paper Ltd",
        **fields,
    }
    (outcome,) = record(
        company_id=company.id, drafts=[parse_event(raw, now=at)], actor="t", now=at, create_accounts=True
    )
    assert outcome.status == "recorded"
    return outcome.event_id


def publish(company: CompanyRef, *, at: datetime) -> ForecastRun:
    return ForecastRun.objects.get(id=publish_forecast(company_id=company.id, now=at).free_run_id)


DEEDS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(
            [
                *("expense", "income", "reverse", "plan", "balance", "grant", "credit", "rule"),
                *("prepaid", "restate", "deposit"),
            ]
        ),
        st.integers(1, 9_000),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds=DEEDS)
def test_where_nothing_came_late_a_replay_is_what_was_published_bit_for_bit(
    deeds: list[tuple[int, str, int]],
) -> None:
    company = small_company(next(SLUGS))
    published: dict[date, tuple[int, int]] = {}
    last_id = ""
    for day, of_day in itertools.groupby(sorted(deeds, key=lambda deed: deed[0]), key=lambda deed: deed[0]):
        for minute, (_, kind, size) in enumerate(of_day):
            at = NOW + day * DAY + timedelta(minutes=minute)
            last_id = do(company, kind, size, at=at, last_id=last_id)
        at = NOW + day * DAY + timedelta(hours=2)
        made = publish_forecast(company_id=company.id, now=at)
        published[at.date()] = (made.free_run_id, made.bank_run_id)
    end = NOW + 30 * DAY
    for day, (free, bank) in published.items():
        for basis, run_id in (("free", free), ("bank", bank)):
            again = replay(company=company, day=day, basis=basis, now=end)
            assert again.published is not None
            assert again.published.pk == run_id
            assert again.differs == ""
            assert json.loads(json.dumps(again.forecast.to_json())) == ForecastRun.objects.get(id=run_id).result


def do(company: CompanyRef, kind: str, size: int, *, at: datetime, last_id: str) -> str:
    amount = f"{size}.00"
    if kind in ("expense", "income"):
        return write(company, at=at, event_type=kind, amount=amount)
    if kind == "credit":
        return write(company, at=at, event_type="credit", amount=amount, counterparty="AWS", category="cloud")
    if kind == "reverse" and last_id:
        reverse(company_id=company.id, event_id=last_id, reason="wrong", actor="t", now=at)
        return ""
    if kind == "deposit":
        changes = {"event_type": "adjustment", "direction": "in", "category": "customer_deposit"}
        return write(company, at=at, amount=amount, **changes)
    if kind == "prepaid":
        event_id = write(company, at=at, event_type="income", amount=amount, external_ref=f"inv-{at}")
        said = ServicePeriod(
            "bank", f"inv-{at}", "", Decimal(size), "USD", at.date(), at.date() + timedelta(days=size)
        )
        state_service_periods(company_id=company.id, periods=[said], actor="t", now=at)
        return event_id
    if kind == "restate":
        for said_before in KeptPeriod.objects.filter(company_id=company.id).order_by("-recorded_at")[:1]:
            names = (field.name for field in fields(ServicePeriod))
            less = {name: getattr(said_before, name) for name in names} | {"amount": said_before.amount / 2}
            state_service_periods(company_id=company.id, periods=[ServicePeriod(**less)], actor="t", now=at)
    if kind == "plan":
        tranche = PLAN["tranches"][0] | {"amount": amount}
        raw = PLAN | {"company": company.slug, "tranches": [tranche]}
        record_plan(company_id=company.id, raw=raw, actor="t", now=at)
    if kind == "balance":
        state_balance(
            company_id=company.id,
            currency="USD",
            amount=Decimal(90_000 + size),
            day=at.date() - DAY,
            origin="bank feed",
            actor="t",
            now=at,
        )
    if kind == "grant":
        state_credit_grant(
            company_id=company.id,
            provider="AWS",
            remaining=Decimal(size),
            expires_on=date(2027, 1, 1),
            day=at.date(),
            origin="aws",
            actor="t",
            now=at,
        )
    if kind == "rule":
        CategoryRule.objects.create(
            company_id=company.id,
            test="contains",
            pattern="paper",
            category=f"stationery {size}",
            actor="t",
            changed_at=at,
        )
        apply_rules(company_id=company.id, actor="t", now=at)
    return last_id


def test_what_came_late_is_not_known_to_a_replay() -> None:
    company = small_company()
    first = publish(company, at=NOW)
    # Told a week later, about a day that the first forecast had already seen.
    spend(company, "40000.00", on=AS_OF, now=NOW + 7 * DAY)
    again = replay(company=company, day=TODAY, now=NOW + 8 * DAY)
    assert again.differs == ""
    assert again.forecast.p50_days == first.p50_days
    known_now = gather_history(company=company, now=NOW + 8 * DAY, as_of=AS_OF)
    assert known_now.digest != again.gathered.digest


def test_a_transfer_that_was_matched_later_is_still_income_to_a_replay() -> None:
    company = small_company()
    at = NOW + timedelta(hours=1)
    transfer = {"event_type": "transfer", "direction": "out", "account": "stripe", "source": "stripe"}
    write(company, at=at, **transfer, amount="777.77", counterparty="payout", category="")
    write(company, at=at, event_type="income", amount="777.77", counterparty="STRIPE PAYOUT stripe", category="")
    before = publish(company, at=NOW + timedelta(hours=2))
    follow_journal(company_id=company.id, now=NOW + DAY)
    after = publish(company, at=NOW + DAY + timedelta(hours=1))
    assert before.history_digest != after.history_digest
    assert replay(company=company, day=TODAY, now=NOW + 9 * DAY).differs == ""
    assert replay(company=company, day=TODAY + DAY, now=NOW + 9 * DAY).differs == ""
    assert reproduce(run_id=before.pk).is_equal
    assert reproduce(run_id=after.pk).is_equal


def test_reading_the_past_leaves_the_present_as_it_was() -> None:
    company = small_company()
    before = gather_history(company=company, now=NOW)
    history_as_known(company=company, position=10, known_at=NOW)
    assert gather_history(company=company, now=NOW).digest == before.digest
    assert daily_flows(company_id=company.id, until=AS_OF).day.size == before.history.flows.day.size


def test_another_company_is_not_seen_in_the_past() -> None:
    company, other = small_company(), small_company("other")
    alone = history_as_known(company=company, position=20, known_at=NOW).digest
    spend(other, "99.00", on=AS_OF)
    assert history_as_known(company=company, position=20, known_at=NOW).digest == alone


def test_a_day_ahead_and_a_day_before_anything_was_recorded_are_refused() -> None:
    company = small_company()
    with pytest.raises(NotKnown, match="future"):
        replay(company=company, day=TODAY + DAY, now=NOW)
    with pytest.raises(NotKnown, match="nothing was recorded"):
        replay(company=company, day=TODAY - DAY, now=NOW)
    with pytest.raises(TooLong, match="replay_forecast"):
        replay(company=company, day=TODAY, now=NOW, longest_journal=10)


def test_a_day_on_which_a_forecast_was_impossible_says_what_was_missing() -> None:
    company = create_company(slug="young", name="Young", currency="USD", timezone="UTC", now=NOW)
    write(company, at=NOW, event_type="income", amount="5.00")
    with pytest.raises(MissingInputs, match="no expense"):
        replay(company=company, day=TODAY, now=NOW + DAY)


def test_a_stored_run_is_reproduced_with_every_quantile() -> None:
    company = small_company()
    made = publish_forecast(company_id=company.id, now=NOW)
    spend(company, "4000.00", now=NOW + DAY)
    publish_forecast(company_id=company.id, now=NOW + DAY)
    for run_id in (made.free_run_id, made.bank_run_id):
        answer = reproduce(run_id=run_id)
        assert answer.is_equal
        assert answer.same_inputs
        assert answer.compared == 99 + 5 * 365


def test_a_run_is_reproduced_with_the_calibration_that_it_had() -> None:
    company = small_company()
    plain = publish(company, at=NOW)
    CalibrationVersion.objects.create(
        company_id=company.id,
        state="calibrated",
        dispersion=1.5,
        windows=12,
        stretch=1.6,
        outcomes=40,
        made_at=NOW + DAY,
    )
    wider = publish(company, at=NOW + DAY + timedelta(hours=1))
    assert wider.pk != plain.pk
    assert wider.p5_days < plain.p5_days
    assert wider.p50_days == plain.p50_days
    assert reproduce(run_id=plain.pk).is_equal
    assert reproduce(run_id=wider.pk).is_equal


def test_a_figure_that_was_changed_afterwards_is_named() -> None:
    run = publish(small_company(), at=NOW)
    run.result["quantile_days"][4] += 1
    ForecastRun.objects.filter(id=run.pk).update(result=run.result)
    answer = reproduce(run_id=run.pk)
    assert not answer.is_equal
    assert answer.same_inputs
    assert answer.difference.startswith("quantile_days[4]: ")


@pytest.mark.parametrize(
    ("column", "changed"),
    [
        ("p5_days", 0),
        ("p50_days", 138),
        ("p95_days", 364),
        ("as_of", AS_OF - timedelta(days=3)),
        ("input_digest", "f" * 64),
        ("plan_digest", "f" * 64),
        ("published_day", AS_OF - timedelta(days=30)),
    ],
)
def test_a_copy_that_lists_and_policies_read_is_held_to_the_figure(column: str, changed: object) -> None:
    run = publish(small_company(), at=NOW)
    ForecastRun.objects.filter(id=run.pk).update(**{column: changed})
    answer = reproduce(run_id=run.pk)
    assert answer.same_inputs
    assert answer.difference.startswith(f"column.{column}: ")


@pytest.mark.parametrize("basis", ["bank", "free"])
def test_a_balance_of_the_chart_that_was_changed_is_named(basis: str) -> None:
    made = publish_forecast(company_id=small_company().id, now=NOW)
    run = ForecastRun.objects.get(id=made.bank_run_id if basis == "bank" else made.free_run_id)
    run.closing_balances["balances"][3] = "1.00"
    ForecastRun.objects.filter(id=run.pk).update(closing_balances=run.closing_balances)
    assert reproduce(run_id=run.pk).difference.startswith("closing_balances.balances[3]: '1.00' was stored")


@pytest.mark.parametrize("name", ["quantile_days", "bands", "burn"])
def test_a_figure_that_was_taken_out_is_named_and_no_failure(name: str) -> None:
    run = publish(small_company(), at=NOW)
    del run.result[name]
    ForecastRun.objects.filter(id=run.pk).update(result=run.result)
    assert reproduce(run_id=run.pk).difference.startswith(f"{name}: nothing was stored")


def test_a_figure_that_was_put_in_is_named() -> None:
    run = publish(small_company(), at=NOW)
    run.result["burn"]["adjusted_per_day"] = "1.00"
    ForecastRun.objects.filter(id=run.pk).update(result=run.result)
    assert reproduce(run_id=run.pk).difference.startswith("burn.adjusted_per_day: was stored")


def test_inputs_that_are_no_longer_what_they_were_are_named() -> None:
    company = small_company()
    run = publish(company, at=NOW)
    CalibrationVersion.objects.create(
        company_id=company.id,
        state="calibrated",
        dispersion=1.5,
        windows=12,
        stretch=1.6,
        outcomes=40,
        made_at=NOW - DAY,
    )
    answer = reproduce(run_id=run.pk)
    assert (answer.same_inputs, answer.difference) == (False, "inputs: calibration differ")


def test_a_statement_made_while_the_run_was_under_way_is_found_by_its_digest() -> None:
    company = small_company()
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(99_000),
        day=AS_OF,
        origin="bank feed",
        actor="t",
        now=NOW + timedelta(seconds=3),
    )
    run = publish(company, at=NOW)  # its clock was read before, its snapshot taken after
    answer = reproduce(run_id=run.pk)
    assert answer.is_equal
    assert answer.known_at == NOW + timedelta(seconds=3)


@pytest.mark.parametrize(("field", "name"), [("engine_version", "engine"), ("numpy_version", "NumPy")])
def test_a_run_of_another_engine_or_numpy_is_refused(field: str, name: str) -> None:
    run = publish(small_company(), at=NOW)
    ForecastRun.objects.filter(id=run.pk).update(**{field: "0.1"})
    with pytest.raises(CannotReproduce, match=f"{name} 0.1"):
        reproduce(run_id=run.pk)


def test_a_run_that_is_not_kept_is_said_to_be_gone() -> None:
    with pytest.raises(RunNotFound, match="forecast run 4711"):
        reproduce(run_id=4711)


def test_the_first_difference_of_two_documents_is_named_by_its_place() -> None:
    assert first_difference({"a": [1, {"b": 2.5}]}, {"a": [1, {"b": 2.5}], "new": 1}) == ""
    assert first_difference({"a": [1, {"b": 2.5}]}, {"a": [1, {"b": 2.25}]}) == (
        "a[1].b: 2.5 was stored, 2.25 was computed"
    )
    assert first_difference([1], [1, 2], path="q").startswith("q: ")
