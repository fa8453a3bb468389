"""`create_endpoint SLUG --provider NAME`: an address that a provider can send webhooks to."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.providers.registry import providers
from ledger.selectors.companies import company_ref
from ledger.services.endpoints import InvalidEndpoint, create_endpoint

MAX_SECRET_FILE = 4096


class Command(BaseCommand):
    help = "Print the path of a new webhook endpoint; a generated secret is printed once, alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The company.")
        parser.add_argument("--provider", required=True, choices=sorted(providers()))
        parser.add_argument("--name", default="", help="Tells several endpoints of one provider apart.")
        parser.add_argument(
            "--account",
            action="append",
            default=[],
            metavar="[ROLE=]NAME",
            help="Account that its events go to; with a role, e.g. bank=checking, another one of them.",
        )
        parser.add_argument("--setting", action="append", default=[], metavar="NAME=JSON")
        parser.add_argument(
            "--credential", action="append", default=[], metavar="NAME=FILE", help="Read from a file, - is stdin."
        )
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument("--secret", default="", help="The signing secret; others see it in the process list.")
        secret.add_argument("--secret-file", metavar="FILE", help="Read the secret from a file, - is stdin.")
        parser.add_argument("--json", action="store_true", help="Print the endpoint as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = providers()[options["provider"]]
        first_role = next(iter(provider.accounts), "account")
        secret = options["secret"] or (_read(options["secret_file"]) if options["secret_file"] else "")
        accounts = dict(_pair(text) if "=" in text else (first_role, text) for text in options["account"])
        credentials = {name: _read(file) for name, file in _pairs(options["credential"])}
        try:
            company = company_ref(slug=options["slug"])
            made = create_endpoint(
                company_id=company.id,
                provider_name=provider.name,
                name=options["name"],
                actor="command:create_endpoint",
                now=timezone.now(),
                accounts=accounts,
                settings={name: _value(text) for name, text in _pairs(options["setting"])},
                credentials=credentials,
                secret=secret,
            )
        except (CompanyNotFound, InvalidEndpoint) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            shown = {"company": company.slug, "provider": provider.name, "path": made.path, "secret": made.secret}
            self.stdout.write(json.dumps(shown))
            return
        self.stdout.write(f"{provider.label} sends the webhooks of {company.slug} to:")
        self.stdout.write(made.path)
        if made.secret:
            self.stdout.write("It signs them with this secret, which is shown once:")
            self.stdout.write(made.secret)


def _pairs(texts: Iterable[str]) -> list[tuple[str, str]]:
    return [_pair(text) for text in texts]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"{text!r} is not NAME=VALUE")
    return name, value


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text itself: --setting mode=live needs no quotes within quotes."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(file: str) -> str:
    try:
        text = sys.stdin.read(MAX_SECRET_FILE) if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
    return text.strip()
