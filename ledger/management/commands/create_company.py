"""`create_company SLUG`: open a company's books."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from ledger.models.company import Role
from ledger.services.companies import InvalidCompany, create_company
from ledger.services.memberships import UnknownPerson, grant_membership


class Command(BaseCommand):
    help = "Open a company with one bank account and an empty journal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="Lower-case letters, digits and hyphens.")
        parser.add_argument("--name", help="As people write it; the slug when absent.")
        parser.add_argument("--currency", default="USD", help="Of its books, ISO 4217.")
        parser.add_argument("--timezone", default="UTC", help="IANA name; decides what a day is.")
        parser.add_argument("--member", metavar="EMAIL", help="A person who may see it.")
        parser.add_argument("--role", choices=Role.values, default=Role.ADMIN.value, help="Of that person.")
        parser.add_argument("--json", action="store_true", help="Print the company as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                company = create_company(
                    slug=options["slug"],
                    name=options["name"] or options["slug"],
                    currency=options["currency"],
                    timezone=options["timezone"],
                    now=timezone.now(),
                )
                if options["member"]:
                    grant_membership(company_id=company.pk, email=options["member"], role=options["role"])
        except (InvalidCompany, UnknownPerson) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "id": company.pk,
                        "slug": company.slug,
                        "name": company.name,
                        "currency": company.base_currency,
                        "timezone": company.timezone,
                    }
                )
            )
        else:
            self.stdout.write(f"Company {company.slug} keeps its books in {company.base_currency}.")
