"""`verify_ledger`: hold every journal against its chain of hashes and name the first row that does not fit."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import all_companies, company_ref
from ledger.services.chain_heads.place import PlaceUnusable
from ledger.services.chain_heads.places import place_of
from ledger.services.chain_verdicts import verify_and_keep
from ledger.services.verify import Verification, verify_company


class Command(BaseCommand):
    help = (
        "Recompute the chain of hashes over the journal; exit 1 and name the first row that was tampered with. "
        "The verdict is kept like the scheduler's, unless other heads are given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="Default: every company.")
        parser.add_argument(
            "--heads",
            metavar="PATH",
            help="Folder or s3://bucket/prefix of exported heads; default: the setting's.",
        )
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            companies = [company_ref(slug=options["company"])] if options["company"] else all_companies()
            place = place_of(options["heads"] or settings.CHAIN_HEADS_PATH)
            found = []
            for company in companies:
                if options["heads"]:
                    found.append(verify_company(company=company, place=place))
                else:
                    # What an operator has found stops the cloud policy at once, or lets it go on, as it is kept.
                    found.append(verify_and_keep(company_id=company.id, now=timezone.now()))
                if not options["json"]:
                    self.stdout.write(_sentence(found[-1]))
        except (CompanyNotFound, PlaceUnusable) as error:
            raise CommandError(str(error)) from None
        broken = [verification for verification in found if verification.verdict.broken is not None]
        if options["json"]:
            report = {verification.company.slug: verification.to_json() for verification in found}
            self.stdout.write(json.dumps({"holds": not broken, "companies": report}))
        if broken:
            first = broken[0]
            assert first.verdict.broken is not None
            raise CommandError(
                f"{first.company.slug} is broken at position {first.verdict.broken.position}: "
                f"{first.verdict.broken.detail}"
            )


def _sentence(verification: Verification) -> str:
    verdict = verification.verdict
    slug = verification.company.slug
    if verdict.broken is not None:
        event = f" (event {verdict.broken.event_id})" if verdict.broken.event_id else ""
        return (
            f"{slug}: BROKEN at position {verdict.broken.position}, {verdict.broken.kind}: "
            f"{verdict.broken.detail}{event}"
        )
    tail = f", the last {verification.unsealed:,} are not sealed yet" if verification.unsealed else ""
    outside = (
        f"heads are kept outside up to {verdict.exported:,}"
        if verdict.exported
        else "no head is kept outside: a chain rewritten as a whole would not be seen"
    )
    return f"{slug}: {verdict.rows:,} rows fit{tail}; {outside}"
