"""Scores of published forecasts and of back-tests, kept once and for all, and what follows from them."""

import io
import json
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from forecasting.fit.calibration import LEAST_EVIDENCE
from forecasting.models.record import Backtest, BacktestOrigin, CalibrationVersion, CashScore, RunwayScore
from forecasting.models.run import ForecastRun
from forecasting.scores import SCORED_DAYS
from forecasting.selectors.record_due import companies_to_judge
from forecasting.selectors.track_record import past_forecasts, share_below_p5, track_record
from forecasting.services.history import gather_history
from forecasting.services.publish import publish_forecast
from forecasting.services.track_record import (
    SETTLE_DAYS,
    NotEnoughHistory,
    begin_backtest,
    continue_backtest,
    due_backtest,
    origins,
    recalibrate,
    score_published,
)
from tests.forecasting.long_company import LAST_DAY, NOW, live, long_company, receive_funding
from tests.forecasting.small_company import spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
DAY = timedelta(days=1)


def test_a_published_forecast_is_scored_when_its_days_have_come_and_never_again() -> None:
    company = long_company(days=200)
    publish_forecast(company_id=company.id, now=NOW)
    assert score_published(company=company, now=NOW) == 0
    later = NOW + 65 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 65 * DAY, now=later)
    assert score_published(company=company, now=later) == 2
    scores = CashScore.objects.filter(basis="bank").order_by("days_ahead")
    assert [score.days_ahead for score in scores] == [30, 60]
    run = ForecastRun.objects.get(basis="bank")
    for score in scores:
        bands, place = run.result["bands"], score.days_ahead - 1
        assert [float(getattr(score, name)) for name in ("p5", "p25", "p50", "p75", "p95")] == [
            bands[name][place] for name in ("p5", "p25", "p50", "p75", "p95")
        ]
        assert (score.day, score.run, score.was_zero) == (run.as_of + score.days_ahead * DAY, run, False)
    moved = sum(float(amount) for day, amount in cash_moves(company.id) if LAST_DAY < day <= LAST_DAY + 30 * DAY)
    assert float(scores[0].actual) == pytest.approx(900_000 + moved)
    assert score_published(company=company, now=later) == 0
    assert CashScore.objects.filter(basis="free").count() == 2


def test_what_was_superseded_within_its_day_is_scored_only_where_somebody_acted_on_it() -> None:
    company = long_company(days=200)
    first = publish_forecast(company_id=company.id, now=NOW)
    spend(company, "7.00", on=LAST_DAY, now=NOW)
    last = publish_forecast(company_id=company.id, now=NOW + timedelta(minutes=5))
    assert first.bank_run_id != last.bank_run_id
    later = NOW + 65 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 65 * DAY, now=later)
    publish_forecast(company_id=company.id, now=later)
    due = {"now": later, "settle_days": SETTLE_DAYS, "least_days": 10_000, "most": 5}
    assert companies_to_judge(**due) == (company.id,)
    assert score_published(company=company, now=later) == 2
    assert set(CashScore.objects.values_list("run", flat=True)) == {last.free_run_id, last.bank_run_id}
    assert companies_to_judge(**due) == ()
    ForecastRun.objects.filter(id=first.bank_run_id).update(cited=True)
    assert companies_to_judge(**due) == (company.id,)
    assert score_published(company=company, now=later) == 1
    assert score_published(company=company, now=later) == 0


def cash_moves(company_id: int) -> list[tuple[date, float]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, CASE direction WHEN 'in' THEN amount ELSE -amount END FROM ledger_dailyflow"
            " WHERE company_id = %s",
            [company_id],
        )
        return cursor.fetchall()


def test_a_day_that_the_feeds_may_still_speak_of_is_not_scored_yet() -> None:
    company = long_company(days=200)
    publish_forecast(company_id=company.id, now=NOW)
    later = NOW + 31 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 31 * DAY, now=later)
    assert score_published(company=company, now=later) == 0


def test_the_runway_is_scored_when_cash_runs_out() -> None:
    company = long_company(days=200, cash="60000")
    publish_forecast(company_id=company.id, now=NOW)
    foretold = ForecastRun.objects.get(basis="bank")
    later = NOW + 120 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 120 * DAY, now=later)
    balance, lasted = 60_000.0, None
    moves = cash_moves_by_day(company.id)
    for ahead in range(1, 119):
        balance += moves.get(LAST_DAY + ahead * DAY, 0.0)
        if lasted is None and balance <= 0:
            lasted = ahead
    assert lasted is not None
    score_published(company=company, now=later)
    score = RunwayScore.objects.get(basis="bank")
    assert score.actual_days == lasted
    assert score.error_days == abs(foretold.p50_days - lasted)
    assert CashScore.objects.get(basis="bank", days_ahead=90).was_zero


def cash_moves_by_day(company_id: int) -> dict[date, float]:
    from forecasting.services.history import catch_up

    catch_up(company_id=company_id)
    moves: dict[date, float] = {}
    for day, amount in cash_moves(company_id):
        moves[day] = moves.get(day, 0.0) + float(amount)
    return moves


def test_a_round_that_no_plan_told_of_is_no_error_of_the_forecast() -> None:
    later = NOW + 120 * DAY
    outcomes = []
    for slug, funding in (("without", None), ("with", "500000.00")):
        company = long_company(slug, days=200, cash="60000")
        publish_forecast(company_id=company.id, now=NOW)
        live(company, first=LAST_DAY + DAY, last=LAST_DAY + 120 * DAY, now=later)
        if funding is not None:
            receive_funding(company, day=LAST_DAY + 45 * DAY, amount=funding, now=later)
        score_published(company=company, now=later)
        cash = CashScore.objects.filter(company_id=company.id, basis="bank").order_by("days_ahead")
        # A runway that a round has prolonged is known when its horizon has passed.
        told = [(score.days_ahead, score.actual, score.normal_score, score.was_zero) for score in cash]
        outcomes.append((told, [score.new_money for score in cash]))
    (told_without, none), (told_with, new_money) = outcomes
    assert told_with == told_without
    assert [float(amount) for amount in none] == [0, 0, 0]
    assert [float(amount) for amount in new_money] == [0, 500_000, 500_000]


def test_a_back_test_leaves_out_a_round_in_the_past() -> None:
    company = long_company()
    receive_funding(company, day=LAST_DAY - 200 * DAY, amount="2000000.00", now=NOW)
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    scores = CashScore.objects.filter(company_id=company.id, days_ahead=30)
    (hit,) = [score for score in scores if score.new_money]
    assert float(hit.new_money) == 2_000_000
    # A day of burn more or less, and not two millions above everything imagined.
    assert abs(float(hit.actual - hit.p50)) < 100_000


def test_a_runway_that_is_not_over_has_no_score() -> None:
    company = long_company(days=200)
    publish_forecast(company_id=company.id, now=NOW)
    later = NOW + 100 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 100 * DAY, now=later)
    score_published(company=company, now=later)
    assert not RunwayScore.objects.exists()


def test_a_back_test_looks_back_from_every_month_and_keeps_what_it_saw() -> None:
    company = long_company()
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    last = LAST_DAY - 32 * DAY
    assert backtest.as_of_days == [last - 30 * n * DAY for n in reversed(range(len(backtest.as_of_days)))]
    assert continue_backtest(backtest=backtest, company=company, now=NOW)
    assert backtest.origins.filter(refusal="").count() == len(backtest.as_of_days) >= 12
    for origin in backtest.origins.all():
        settled = [day for day in SCORED_DAYS if origin.as_of + day * DAY <= LAST_DAY - 2 * DAY]
        assert [score.days_ahead for score in origin.cash_scores.order_by("days_ahead")] == settled
    record = track_record(company_id=company.id, basis="bank")
    assert (record.published, record.looked_back) == (0, len(backtest.as_of_days))
    assert [each.days_ahead for each in record.horizons] == list(SCORED_DAYS)
    assert record.backtest is not None
    assert record.backtest.done == record.backtest.days
    rows = past_forecasts(company_id=company.id, basis="bank", days_ahead=30)
    assert len(rows) == len(backtest.as_of_days)
    assert all(row.run_id is None for row in rows)
    # What a forecast of that day says is what the command says of that day.
    past = gather_history(company=company, now=NOW, as_of=rows[0].as_of)
    assert past.history.as_of == rows[0].as_of


def test_a_back_test_can_be_left_and_taken_up_again() -> None:
    company = long_company(days=300)
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    assert not continue_backtest(backtest=backtest, company=company, now=NOW, goes_on=lambda: False)
    assert backtest.origins.count() == 1
    taken_up = due_backtest(company=company, now=NOW, actor="t")
    assert taken_up == backtest
    assert continue_backtest(backtest=backtest, company=company, now=NOW)
    assert backtest.origins.count() == len(backtest.as_of_days)
    assert due_backtest(company=company, now=NOW, actor="t") is None
    next_month = due_backtest(company=company, now=NOW + 31 * DAY, actor="t")
    assert next_month is not None
    assert next_month != backtest


def test_a_day_without_a_forecast_is_kept_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from forecasting.fit.history import MissingInputs
    from forecasting.services import track_record as service

    company = long_company(days=200)
    backtest = begin_backtest(company=company, now=NOW, actor="t")

    def impossible(*_: object, **__: object) -> None:
        raise MissingInputs(("no exchange rate from XXX",))

    monkeypatch.setattr(service.engine, "forecast", impossible)
    assert continue_backtest(backtest=backtest, company=company, now=NOW)
    assert set(BacktestOrigin.objects.values_list("refusal", flat=True)) == {"no exchange rate from XXX"}
    assert not CashScore.objects.exists()
    assert recalibrate(company=company, backtest=backtest, now=NOW).state == "uncalibrated"


def test_a_short_ledger_is_no_ground_for_a_back_test() -> None:
    with pytest.raises(NotEnoughHistory, match="needs 152 days of events, acme has 99"):
        begin_backtest(company=long_company(days=100), now=NOW, actor="t")


def test_days_to_look_back_from_end_with_the_last_one() -> None:
    last = date(2026, 3, 1)
    assert origins(first=date(2026, 1, 1), last=last, every_days=30) == (date(2026, 1, 30), last)
    assert len(origins(first=date(2020, 1, 1), last=last, every_days=30)) == 25
    assert origins(first=last + DAY, last=last, every_days=30) == ()


def test_a_forecast_is_uncalibrated_until_a_back_test_gives_evidence() -> None:
    company = long_company()
    publish_forecast(company_id=company.id, now=NOW)
    before = ForecastRun.objects.get(basis="free")
    assert before.result["calibration"] == {"state": "uncalibrated", "dispersion": 1.0, "windows": 0.0}
    assert share_below_p5(company_id=company.id) is None
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    version = recalibrate(company=company, backtest=backtest, now=NOW)
    assert version.state == "calibrated"
    assert version.windows >= LEAST_EVIDENCE
    assert version.below_p5 is not None
    publish_forecast(company_id=company.id, now=NOW + timedelta(minutes=1))
    after = ForecastRun.objects.filter(basis="free").latest("id")
    assert after.pk != before.pk
    assert after.result["calibration"]["state"] == "calibrated"
    assert after.result["calibration"]["dispersion"] == version.dispersion
    assert after.p50_days == before.p50_days
    # The same evidence again says nothing new.
    assert recalibrate(company=company, backtest=backtest, now=NOW) == version


def test_what_was_published_counts_for_its_time_and_the_back_test_for_the_time_before() -> None:
    company = long_company(days=400)
    publish_forecast(company_id=company.id, now=NOW)
    later = NOW + 100 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 100 * DAY, now=later)
    while score_published(company=company, now=later):
        pass
    backtest = begin_backtest(company=company, now=later, actor="t")
    continue_backtest(backtest=backtest, company=company, now=later)
    assert any(day > LAST_DAY for day in backtest.as_of_days)
    rows = past_forecasts(company_id=company.id, basis="bank", days_ahead=30)
    assert rows[0].run_id is not None
    assert rows[0].as_of == LAST_DAY
    assert all(row.run_id is None for row in rows[1:])


def test_the_record_refuses_to_be_changed() -> None:
    company = long_company(days=200)
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    recalibrate(company=company, backtest=backtest, now=NOW)
    for model in (Backtest, BacktestOrigin, CashScore, CalibrationVersion):
        assert model.objects.exists()
        for change in (
            lambda rows: rows.update(id=0),
            lambda rows: rows._raw_delete(using="default"),
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change(model.objects.all())


def test_another_company_s_record_is_not_seen() -> None:
    company, other = long_company(days=200), long_company("other", days=200)
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    record = track_record(company_id=other.id, basis="bank")
    assert (record.horizons, record.backtest, record.calibration) == ((), None, None)
    assert past_forecasts(company_id=other.id, basis="bank", days_ahead=30) == ()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backtest", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_looks_back_calibrates_and_prints_the_record() -> None:
    long_company()
    text = run("--company", "acme")
    for words in ("Looked back from", "linear 90", "days ahead", "Calibrated on"):
        assert words in text
    document = json.loads(run("--company", "acme", "--every", "week", "--json"))
    assert document["backtest"]["days"] > 4 * 12
    assert [each["days_ahead"] for each in document["horizons"]] == list(SCORED_DAYS)
    assert document["calibration"]["state"] == "calibrated"


@pytest.mark.parametrize(
    ("slug", "message"), [("nobody", "no company nobody"), ("young", "a back-test needs 152 days")]
)
def test_the_command_refuses_in_one_line(slug: str, message: str) -> None:
    long_company("young", days=60)
    with pytest.raises(CommandError, match=message):
        run("--company", slug)
