"""`export_ledger`: everything an auditor needs to check a company's journal without us."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref
from ledger.services.ledger_export import NotExportable, export_lines


class Command(BaseCommand):
    help = "Write every event of a company as JSON lines with a proof; docs/verify_export.py checks the file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", help="The file to write; - writes to standard output.")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--until", type=int, metavar="POSITION", help="Last position; default: the journal's.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = company_ref(slug=options["company"])
            with _written(options["path"]) as file:
                rows = -2  # the first line and the proof are none
                for line in export_lines(company=company, until=options["until"], now=timezone.now()):
                    file.write(line + "\n")
                    rows += 1
        except (CompanyNotFound, NotExportable) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['path']}: {error.strerror}") from None
        if options["path"] != "-":
            self.stdout.write(f"{rows:,} events of {company.slug} are in {options['path']}.")


@contextmanager
def _written(path: str) -> Iterator[TextIO]:
    """Give a file that appears under its name only when it is complete."""
    if path == "-":
        yield sys.stdout
        return
    target = Path(path)
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
