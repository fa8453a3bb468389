"""`connect_plaid SLUG ITEM_ID`: read a bank through Plaid from now on."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.jobs import wake_plaid_item
from ledger.providers.http import Unavailable
from ledger.providers.plaid import plaid_client
from ledger.selectors.companies import company_ref
from ledger.services.plaid_items import InvalidPlaidItem, connect_plaid_item


class Command(BaseCommand):
    help = (
        "Connect a Plaid item. The access token is read from standard input: arguments show in the process list."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The company.")
        parser.add_argument("item_id", help="Plaid's item_id.")
        parser.add_argument(
            "--account",
            action="append",
            default=[],
            metavar="PLAID_ACCOUNT_ID=NAME",
            help="Record this account of the item to an account that is there; the others are made.",
        )
        parser.add_argument("--json", action="store_true", help="Print what was connected as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PLAID_CLIENT_ID or not settings.PLAID_SECRET:
            raise CommandError("Set PLAID_CLIENT_ID and PLAID_SECRET.")
        accounts = dict(self._pair(text) for text in options["account"])
        try:
            company = company_ref(slug=options["slug"])
            number = connect_plaid_item(
                company_id=company.id,
                item_id=options["item_id"],
                access_token=sys.stdin.readline(),
                accounts=accounts,
                client=plaid_client(),
                now=timezone.now(),
            )
        except (CompanyNotFound, InvalidPlaidItem, Unavailable) as error:
            raise CommandError(str(error)) from None
        wake_plaid_item(item_number=number)
        if options["json"]:
            self.stdout.write(json.dumps({"company": company.slug, "item_id": options["item_id"], "item": number}))
            return
        self.stdout.write(f"Item {options['item_id']} of {company.slug} is connected and will be read now.")

    def _pair(self, text: str) -> tuple[str, str]:
        plaid_id, separator, name = text.partition("=")
        if not separator or not plaid_id or not name:
            raise CommandError(f"--account takes PLAID_ACCOUNT_ID=NAME, not {text!r}")
        return plaid_id, name
