"""Show what the policy leaves alone for a while, and let it decide about one of them again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.selectors.exclusions import standing_exclusions
from cloudpolicy.services.exclusions import lift_exclusion
from cloudpolicy.services.refusals import NotAllowed
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = "Show what is left alone for a while because of what a person did; with a number, lift that one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("exclusion", nargs="?", type=int, help="its number; without one, all are shown")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, exclusion: int | None, company: str, reason: str, **options: Any) -> None:
        now = timezone.now()
        try:
            company_id = company_ref(slug=company).id
            if exclusion is not None:
                lift_exclusion(
                    company_id=company_id, exclusion_id=exclusion, actor="command", reason=reason, now=now
                )
        except (CompanyNotFound, NotAllowed) as error:
            raise CommandError(str(error)) from error
        found = standing_exclusions(company_id=company_id, now=now)
        lines = [f"{each.exclusion_id}: {each.exclusion.reason.text}" for each in found]
        self.stdout.write("\n".join(lines or ["nothing is left alone"]))
