"""Forecast every company in a folder of folders, and score the forecasts where the future is known."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting.company_folder import CompanyFolder, UnreadableFolder, is_company_folder, read_company_folder
from forecasting.engine import HORIZON_DAYS, PATHS, SEED, forecast
from forecasting.fit.history import MissingInputs
from forecasting.outcome import Forecast
from forecasting.scorecard import ScoredCompany, read_oracle_crps, scored_company, summary


class Command(BaseCommand):
    help = (
        "Forecast each sub-folder that holds events.ndjson (or .gz) and plan.json, and score the forecasts against"
        " truth.json where there is one. Needs no database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--basis", choices=("bank", "free"), default="bank")
        parser.add_argument("--horizon", type=int, default=HORIZON_DAYS)
        parser.add_argument("--paths", type=int, default=PATHS)
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--json", action="store_true", help="print everything as JSON, alone on stdout")

    def handle(self, *args: Any, folder: Path, basis: str, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder")
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and is_company_folder(path))
        if not folders:
            raise CommandError(f"{folder} holds no folder with events.ndjson (or .gz) and plan.json")
        forecasts: dict[str, dict[str, object]] = {}
        scored: list[ScoredCompany] = []
        now = timezone.now()
        for path in folders:
            try:
                company = read_company_folder(path, now=now)
                made = forecast(
                    company.history,
                    basis="free" if basis == "free" else "bank",
                    horizon_days=options["horizon"],
                    paths=options["paths"],
                    seed=options["seed"],
                )
            except MissingInputs as missing:
                forecasts[path.name] = {"refused": list(missing.reasons)}
                self.stderr.write(f"{path.name}: refused: {missing}")
                continue
            except (UnreadableFolder, ValueError) as error:
                raise CommandError(str(error)) from error
            forecasts[path.name] = made.to_json()
            if company.truth is not None:
                scored.append(_score(company, made))
        totals = summary(scored, oracle_crps=read_oracle_crps(folder)) if scored else None
        if options["json"]:
            self.stdout.write(_dump({"companies": forecasts, "summary": totals}))
            return
        for name, figures in forecasts.items():
            self.stdout.write(f"{name:24} {_in_words(figures)}")
        if totals is not None:
            self.stdout.write(score_table(totals))


def _score(company: CompanyFolder, made: Forecast) -> ScoredCompany:
    assert company.truth is not None
    return scored_company(made, company.history, regime=company.truth.regime, truths=company.truth.runway_days)


def _dump(result: dict[str, object]) -> str:
    return json.dumps(result, allow_nan=False)


def _in_words(figures: dict[str, object]) -> str:
    if "refused" in figures:
        return f"refused: {figures['refused']}"
    beyond = figures["beyond_horizon"]
    assert isinstance(beyond, dict)
    days = [f"{'>' if beyond[name] else ''}{figures[f'{name}_days']}" for name in ("p5", "p50", "p95")]
    told = "" if figures["determined"] else "  not determined"
    return f"p5 {days[0]:>5}  p50 {days[1]:>5}  p95 {days[2]:>5} days{told}"


def score_table(totals: dict[str, Any]) -> str:
    head = (
        "",
        "n",
        "med err",
        "mean err",
        "bias",
        "CRPS",
        "/oracle",
        "cover",
        "<p5",
        ">p95",
        "width",
        "/linear90",
    )
    lines = ["", f"{head[0]:14}" + "".join(f"{name:>10}" for name in head[1:])]
    told = totals["told_by_futures"]
    best = (("by futures", told),) if told is not None else ()
    for name, score in (("overall", totals["overall"]), *totals["regimes"].items(), *best):
        cells = (
            f"{score['companies']}",
            f"{score['median_error_days']:.1f}",
            f"{score['mean_error_days']:.1f}",
            f"{score['bias_days']:+.1f}",
            f"{score['crps_days']:.2f}",
            "" if score["crps_over_oracle"] is None else f"{score['crps_over_oracle']:.3f}",
            f"{score['coverage']:.1%}",
            f"{score['below_p5']:.1%}",
            f"{score['above_p95']:.1%}",
            f"{score['median_width_days']:.0f}",
            "" if score["median_error_over_linear90"] is None else f"{score['median_error_over_linear90']:.2f}",
        )
        lines.append(f"{name:14}" + "".join(f"{cell:>10}" for cell in cells))
    lines.append("")
    lines.append("Reliability of P(zero by): stated -> happened (futures)")
    for day, rows in totals["reliability"].items():
        told = "  ".join(f"{row['stated']:.2f} -> {row['happened']:.2f} ({row['truths']})" for row in rows)
        lines.append(f"  {day:>4} days: {told}")
    lines.append(f"  largest gap: {totals['largest_reliability_gap']}")
    return "\n".join(lines)
