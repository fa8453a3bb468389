"""Stop everything that changes a company's cloud, or allow it again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.selectors.kill_switch import kill_switch
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.refusals import NotAllowed
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = "Turn a company's kill switch on or off. It is looked at before each call to the cloud."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("turn", choices=["on", "off", "show"])
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = company_ref(slug=options["company"])
            if options["turn"] != "show":
                turn_kill_switch(
                    company_id=company.id,
                    on=options["turn"] == "on",
                    actor="command",
                    reason=options["reason"],
                    now=timezone.now(),
                )
        except (CompanyNotFound, NotAllowed) as error:
            raise CommandError(str(error)) from error
        switch = kill_switch(company_id=company.id)
        self.stdout.write(switch.because or "the kill switch is off")
