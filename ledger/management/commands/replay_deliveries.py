"""`replay_deliveries`: read again what was kept, e.g. after a parser was mended; a bank's refused rows too."""

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.domain.intake import Fate
from ledger.models.delivery import Delivery, DeliveryState, Verdict
from ledger.providers.registry import providers
from ledger.selectors.companies import company_ref
from ledger.services.deliveries import release_for_replay, work_on_delivery
from ledger.services.plaid_rows import items_with_refused_rows, retry_refused

PLAID = "plaid"
REPLAYABLE = [state.value for state in DeliveryState if state != DeliveryState.REFUSED]


class Command(BaseCommand):
    help = "Run the parsers over kept deliveries again. What is recorded already is a duplicate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SLUG")
        parser.add_argument("--provider", choices=sorted(providers()))
        parser.add_argument(
            "--state",
            choices=REPLAYABLE,
            help="Default: quarantined, or any when one delivery is named.",
        )
        parser.add_argument("--delivery", type=int, metavar="ID")
        parser.add_argument("--json", action="store_true", help="Print what became of them as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Delivery.objects.filter(verdict=Verdict.VERIFIED)
        company_id = None
        if options["company"]:
            try:
                company_id = company_ref(slug=options["company"]).id
            except CompanyNotFound as error:
                raise CommandError(str(error)) from None
            wanted = wanted.filter(company_id=company_id)
        if options["provider"]:
            wanted = wanted.filter(endpoint__provider=options["provider"])
        if options["delivery"] is not None:
            wanted = wanted.filter(pk=options["delivery"])
        state = options["state"] or (None if options["delivery"] is not None else DeliveryState.QUARANTINED)
        if state:
            wanted = wanted.filter(state=state)
        # In the order they came: a provider's later word is not undone by an earlier one either way.
        numbers = list(wanted.order_by("received_at", "pk").values_list("pk", flat=True))
        if options["delivery"] is not None and not numbers:
            raise CommandError(f"there is no such delivery that could be replayed: {options['delivery']}")
        states: Counter[str] = Counter()
        for number in numbers:
            if release_for_replay(delivery_pk=number, now=timezone.now()):
                states[work_on_delivery(delivery_pk=number, clock=timezone.now)] += 1
            else:
                states["busy"] += 1
        report = {"replayed": len(numbers)} | {
            name: states[name] for name in ("done", "ignored", "quarantined", "waiting", "busy")
        }
        everything = options["delivery"] is None and state == DeliveryState.QUARANTINED
        if everything and options["provider"] in {None, PLAID}:
            # What a bank said through Plaid and could not be recorded waits row by row, not as a delivery.
            items = items_with_refused_rows(company_id=company_id)
            outcomes = [retry_refused(item_number=item, now=timezone.now()) for item in items]
            report["rows"] = sum(
                outcome.count(fate) for outcome in outcomes for fate in (Fate.RECORDED, Fate.CORRECTED)
            )
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(", ".join(f"{name} {count}" for name, count in report.items()))
