"""How far the import of a file came, so that one that was killed goes on where it was."""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from ledger.importers.csv_mapping import CsvChoices
from ledger.models.import_memory import ImportCheckpoint
from ledger.services.csv_choices import choices_json
from ledger.services.import_report import ImportReport, report_from_json

READ_BYTES = 1_048_576
# The counts are exact; of the problems the first ones are enough to be told again.
KEPT_PROBLEMS = 1_000


def file_digest(stream: BinaryIO, *, settings: Sequence[object], choices: CsvChoices) -> bytes:
    """Digest a file together with everything that decides how it is read; the stream is put back to its beginning.

    Args:
        settings: texts and None.
    """
    digest = sha256(json.dumps([*settings, choices_json(choices)]).encode())
    while chunk := stream.read(READ_BYTES):
        digest.update(chunk)
    stream.seek(0)
    return digest.digest()


def reached(*, company_id: int, digest: bytes) -> tuple[int, ImportReport] | None:
    """Return how many of the things found are done and what became of them; None when no import broke off."""
    kept = ImportCheckpoint.objects.filter(company_id=company_id, digest=digest).first()
    return None if kept is None else (kept.done, report_from_json(kept.report))


def keep_checkpoint(*, company_id: int, digest: bytes, done: int, report: ImportReport, now: datetime) -> None:
    """Remember that so many things are recorded. Written after their commit: being killed in between means that
    one batch is recognised as recorded, never that one is skipped.
    """
    ImportCheckpoint.objects.update_or_create(
        company_id=company_id,
        digest=digest,
        defaults={
            "done": done,
            "report": report.to_json(most_problems=KEPT_PROBLEMS),
            "updated_at": now,
        },
    )


def forget_checkpoint(*, company_id: int, digest: bytes) -> None:
    ImportCheckpoint.objects.filter(company_id=company_id, digest=digest).delete()
