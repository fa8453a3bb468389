"""`export_heads`: seal what is new and carry the chain's heads out of the database."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import all_companies, company_ref
from ledger.services.chain_heads.export import ChainRewritten, export_heads
from ledger.services.chain_heads.place import PlaceUnusable
from ledger.services.chain_heads.places import place_of
from ledger.services.sealing import NotSealable, seal


class Command(BaseCommand):
    help = "Seal the journal and export the heads of its chain to a folder or bucket outside of the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="Default: every company.")
        parser.add_argument(
            "--to", metavar="PATH", help="Folder or s3://bucket/prefix; default: CHAIN_HEADS_PATH."
        )
        parser.add_argument("--json", action="store_true", help="Print the positions as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        reached = {}
        try:
            companies = [company_ref(slug=options["company"])] if options["company"] else all_companies()
            place = place_of(options["to"] or settings.CHAIN_HEADS_PATH)
            for company in companies:
                seal(company_id=company.id, now=now)
                reached[company.slug] = export_heads(company=company, place=place, now=now)
        except (CompanyNotFound, PlaceUnusable, ChainRewritten, NotSealable) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"exported": reached}))
            return
        for slug, position in reached.items():
            self.stdout.write(f"{slug}: heads are exported up to position {position:,}.")
