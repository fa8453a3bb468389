"""Hold the forecast to a company's own past: look back from many days, and compare with what came."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.forms.models import model_to_dict
from django.utils import timezone

from forecasting.fit.history import MissingInputs
from forecasting.models.record import CalibrationVersion
from forecasting.selectors.track_record import TrackRecord, track_record
from forecasting.services.track_record import (
    MONTHLY_DAYS,
    WEEKLY_DAYS,
    NotEnoughHistory,
    begin_backtest,
    continue_backtest,
    recalibrate,
    score_published,
)
from forecasting.wake import wake
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref

EVERY = {"month": MONTHLY_DAYS, "week": WEEKLY_DAYS}


class Command(BaseCommand):
    help = (
        "Make the forecast again from many past days of a company's ledger, compare it with what happened and"
        " with linear extrapolation of 90 days, keep the result as evidence, and calibrate by it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--every", choices=tuple(EVERY), default="month", help="how far the days lie apart")
        parser.add_argument("--json", action="store_true", help="print the record as JSON, alone on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            company = company_ref(slug=options["company"])
            backtest = begin_backtest(
                company=company,
                now=now,
                actor="command:backtest",
                every_days=EVERY[options["every"]],
            )
            continue_backtest(backtest=backtest, company=company, now=now)
            while score_published(company=company, now=now):
                pass
            recalibrate(company=company, backtest=backtest, now=now)
        except (CompanyNotFound, NotEnoughHistory) as error:
            raise CommandError(str(error)) from error
        except MissingInputs as missing:
            raise CommandError(f"no back-test of {options['company']}: {missing}") from missing
        wake(company_id=company.id)
        record = track_record(company_id=company.id, basis="bank")
        self.stdout.write(
            _as_json(record) if options["json"] else _in_words(record, currency=company.base_currency)
        )


def _as_json(record: TrackRecord) -> str:
    document = asdict(record) | {
        "calibration": model_to_dict(record.calibration) if record.calibration else None,
    }
    return json.dumps(document, default=str, indent=2)


def _in_words(record: TrackRecord, *, currency: str) -> str:
    assert record.backtest is not None
    assert record.calibration is not None
    state = record.backtest
    refused = f", {state.refused} refused" if state.refused else ""
    lines = [f"Looked back from {state.days} days, {state.first_day} to {state.last_day}{refused}."]
    if record.published:
        lines.append(f"{record.published} published forecasts count for the time since the first of them.")
    lines += [
        "",
        f"Bank cash in {currency}",
        f"{'days ahead':>10} {'outcomes':>9} {'median error':>14} {'linear 90':>14} {'score':>14}"
        f" {'linear 90':>14} {'covered':>8} {'below p5':>9} {'width':>14}",
    ]
    lines += [
        f"{each.days_ahead:>10} {each.outcomes:>9} {each.median_error:>14,.0f} {each.linear_median_error:>14,.0f}"
        f" {each.score:>14,.0f} {each.linear_score:>14,.0f} {each.coverage:>8.0%} {each.below_p5:>9.0%}"
        f" {each.width:>14,.0f}"
        for each in record.horizons
    ]
    runway = record.runway
    if runway is not None:
        lines += [
            "",
            f"Runway, of {runway.outcomes} known ({runway.ran_out} ran out): median error"
            f" {runway.median_error_days:.0f} days (linear 90: {runway.linear_median_error_days:.0f}), CRPS"
            f" {runway.crps_days:.1f} ({runway.linear_crps_days:.1f}), {runway.coverage:.0%} covered.",
        ]
    return "\n".join([*lines, "", _calibration_in_words(record.calibration)])


def _calibration_in_words(version: CalibrationVersion) -> str:
    if version.state != "calibrated":
        windows = f"{version.windows:g} separate window{'' if version.windows == 1 else 's'} of time"
        return f"Uncalibrated: {windows} of evidence are too few; the model's own width stays."
    return (
        f"Calibrated on {version.windows:g} separate windows: the spread is multiplied by {version.dispersion:g},"
        f" which covers {version.coverage:.0%} of the outcomes (the model alone: {version.coverage_before:.0%})."
    )
