"""`create_token SLUG`: give a machine a key to a company."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.models.token import Scope
from ledger.selectors.companies import company_ref
from ledger.services.tokens import InvalidToken, create_token


class Command(BaseCommand):
    help = "Print an API token, once, alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The company.")
        parser.add_argument("--name", required=True, help="Stands in the journal as token:NAME.")
        parser.add_argument("--scopes", required=True, help=f"Separated by commas: {', '.join(Scope.values)}.")
        parser.add_argument("--json", action="store_true", help="Print the token as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            company = company_ref(slug=options["slug"])
            token = create_token(company_id=company.id, name=options["name"], scopes=scopes, now=timezone.now())
        except (CompanyNotFound, InvalidToken) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(
                json.dumps({"company": company.slug, "name": options["name"], "scopes": scopes, "token": token})
            )
            return
        self.stdout.write(f"Token {options['name']} of {company.slug} may {', '.join(scopes)}. It is shown once:")
        self.stdout.write(token)
