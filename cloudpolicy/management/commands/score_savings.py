"""Compare what applied plans were said to save with what the bills say. Adds scores whose time has come."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.selectors.savings import (
    MAX_SCORES,
    BandVerdict,
    CostShare,
    ScoredSaving,
    band_verdicts,
    cost_share,
    savings_json,
    scored_savings,
)
from cloudpolicy.services.scoring import look_at_savings
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = (
        "Say what applied plans have saved 7 and 30 days on, beside what was predicted, and which bands of the"
        " policy do not deliver. Adds the scores whose time has come; doing it again adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="Print the scores as JSON, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = company_ref(slug=options["company"])
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        new = look_at_savings(company_id=company.id, now=timezone.now())
        if options["json"]:
            told = {"new": new, **savings_json(company_id=company.id, limit=MAX_SCORES)}
            self.stdout.write(json.dumps(told, indent=2))
            return
        scores = scored_savings(company_id=company.id, limit=MAX_SCORES)
        self.stdout.write(
            "\n".join(_lines(new, scores, band_verdicts(company_id=company.id), cost_share(company_id=company.id)))
        )


def _lines(
    new: int, scores: tuple[ScoredSaving, ...], bands: tuple[BandVerdict, ...], share: CostShare | None
) -> list[str]:
    lines = [f"{new} new scores, {len(scores)} in all"]
    for each in scores:
        figures = (
            f"predicted {_shown(each.predicted, each.predicted_days, each.currency)},"
            f" billed {_shown(each.billed, each.billed_days, each.currency)}"
        )
        asked = f" (asked for {each.wanted_p5_days} days)" if each.wanted_p5_days else ""
        lines.append(f"Run {each.run_id}{asked}, {each.after_days} days on: {figures}: {each.verdict}")
        if each.text:
            lines.append(f"       {each.text}")
    for band in bands:
        said = "delivers" if band.delivers else "DOES NOT DELIVER"
        lines.append(
            f"Band {band.band}: {said}: {band.billed:,.2f} of {band.predicted:,.2f} {band.currency},"
            f" {band.runs} runs"
        )
    if share is not None and share.share is not None:
        lines.append(
            f"Of the cloud's cost {share.share * 100:.1f} % was saved: {share.saved:,.2f} beside"
            f" {share.cost:,.2f} {share.currency} in 30 days"
        )
    elif share is not None:
        lines.append(f"The share of the cloud's cost that was saved is not known: {share.because}")
    return lines


def _shown(money: Any, days: float | None, currency: str) -> str:
    if money is None:
        return "unknown"
    return f"{money:,.2f} {currency}" + ("" if days is None else f" ({days:+.1f} days of p5)")
