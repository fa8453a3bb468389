"""Record a company's plan from a file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting.fit.plan import InvalidPlan
from forecasting.services.plan_text import read_plan_text
from forecasting.services.plans import RecordedPlan, record_plan
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref

ACTOR = "command:load_plan"
# A plan of the largest accepted size, 1,000 rows a list and 20,000 rates, has about 3 MB.
MAX_BYTES = 10_000_000


class Command(BaseCommand):
    help = (
        "Record a plan.json as the newest version of a company's plan. Its balances and credit grants become"
        " statements in the ledger. The same plan again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, alone on stdout")

    def handle(self, *args: Any, path: Path, company: str, **options: Any) -> None:
        try:
            company_id = company_ref(slug=company).id
            recorded = record_plan(
                company_id=company_id, raw=read_plan_text(_content(path)), actor=ACTOR, now=timezone.now()
            )
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except InvalidPlan as invalid:
            raise CommandError(f"{path}: {invalid}") from invalid
        for warning in recorded.warnings:
            self.stderr.write(f"warning: {warning}")
        if options["json"]:
            self.stdout.write(json.dumps(asdict(recorded), default=str, indent=2))
        else:
            self.stdout.write(_in_words(recorded, company=company))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB, which no plan is")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error


def _in_words(recorded: RecordedPlan, *, company: str) -> str:
    lines = [
        f"The plan of {company} is unchanged: version {recorded.version}."
        if recorded.status == "unchanged"
        else f"Recorded version {recorded.version} of the plan of {company}: {recorded.balances} balances and"
        f" {recorded.grants} credit grants stand in the ledger."
    ]
    lines += [
        f"{each.currency}: the plan states {each.stated:,.2f}, opening balance and events lead to"
        f" {each.computed:,.2f}; {each.unexplained:+,.2f} is unexplained."
        for each in recorded.differences
    ]
    return "\n".join(lines)
