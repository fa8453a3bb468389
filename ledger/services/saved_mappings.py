"""Saved mappings: said once what the columns of a bank's CSV mean, known for every later file of that bank."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from django.db import transaction

from ledger.importers import bank_csv
from ledger.importers.csv_header import find_header, head_lines, plain_name
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import HEAD_BYTES
from ledger.importers.registry import AUTO
from ledger.importers.row import FileRefused
from ledger.models.import_memory import SavedMapping
from ledger.services.csv_choices import choices_from_json, choices_json

MAX_NAME = 64
# Each is compared with the head of every file that says nothing about itself.
MAX_MAPPINGS = 200


@dataclass(frozen=True, slots=True)
class Mapping:
    """Attributes:
    account: for lines that name none; None for the company's first bank account.
    """

    name: str
    choices: CsvChoices
    account: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: what was asked for, filled up from a saved mapping.

    Attributes:
        mapping: name of the saved mapping that was applied; empty for none.
    """

    format_name: str
    choices: CsvChoices
    account: str | None
    mapping: str = ""


def reading(
    *,
    company_id: int,
    stream: BinaryIO,
    format_name: str,
    choices: CsvChoices,
    account: str | None,
    mapping: str | None,
) -> Reading:
    """Return how a file is read. What is asked for goes before what is saved.

    Args:
        stream: decompressed and seekable, at its beginning, where it is left.
        mapping: name of the one to apply; None applies one by the file's header, where nothing is asked for.

    Raises:
        FileRefused: the company has no mapping of that name.
    """
    if mapping is not None:
        saved: Mapping | None = mapping_named(company_id=company_id, name=mapping)
    elif format_name == AUTO and choices == CsvChoices():
        saved = mapping_for(company_id=company_id, stream=stream)
    else:
        saved = None
    if saved is None:
        return Reading(format_name=format_name, choices=choices, account=account)
    merged = CsvChoices(
        columns={**saved.choices.columns, **choices.columns},
        date_order=choices.date_order or saved.choices.date_order,
        decimal_mark=choices.decimal_mark or saved.choices.decimal_mark,
        positive_is=choices.positive_is or saved.choices.positive_is,
        timezone=choices.timezone or saved.choices.timezone,
        source=choices.source or saved.choices.source,
        currency=choices.currency or saved.choices.currency,
    )
    return Reading(
        format_name=bank_csv.IMPORTER.name,
        choices=merged,
        account=account or saved.account,
        mapping=saved.name,
    )


def keep_mapping(
    *,
    company_id: int,
    name: str,
    stream: BinaryIO,
    format_name: str,
    how: Reading,
    actor: str,
    now: datetime,
) -> None:
    """Keep choices for every file of this company with the same header, in place of what was kept for it before.

    Args:
        stream: a decompressed, seekable file; its position is put back to the beginning.
        format_name: of the importer that reads the file: only a CSV without a preset needs a mapping.
        how: the choices to keep, and the account.

    Raises:
        FileRefused: the name is empty or too long, the file is of another format, it has no header that the
            choices fit, or there are too many mappings.
    """
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise FileRefused(f"the name of a mapping has 1 to {MAX_NAME} characters")
    if format_name != bank_csv.IMPORTER.name:
        raise FileRefused(f"this is {format_name}, which needs no mapping")
    name = name.strip()
    header = [plain_name(column) for column in bank_csv.header_of(stream, how.choices)]
    digest = sha256(json.dumps(header).encode()).digest()
    stream.seek(0)
    with transaction.atomic():
        mine = SavedMapping.objects.filter(company_id=company_id)
        mine.filter(header_digest=digest).exclude(name=name).delete()
        if mine.exclude(name=name).count() >= MAX_MAPPINGS:
            raise FileRefused(f"{MAX_MAPPINGS} mappings are kept already: delete those that are of no use")
        SavedMapping.objects.update_or_create(
            company_id=company_id,
            name=name,
            defaults={
                "header": header,
                "header_digest": digest,
                "choices": choices_json(how.choices),
                "account": how.account or "",
                "actor": actor,
                "saved_at": now,
            },
        )


def mapping_named(*, company_id: int, name: str) -> Mapping:
    """Raises FileRefused when the company has no mapping of that name; the message names those it has."""
    for saved in SavedMapping.objects.filter(company_id=company_id, name=name):
        return _mapping(saved)
    names = SavedMapping.objects.filter(company_id=company_id).order_by("name").values_list("name", flat=True)
    known = f"choose one of {', '.join(names)}" if names else "none is saved yet"
    raise FileRefused(f"there is no mapping {name!r}: {known}")


def mapping_for(*, company_id: int, stream: BinaryIO) -> Mapping | None:
    """Return the mapping whose header the file has, None when there is none; the stream stays at its beginning."""
    saved_mappings = SavedMapping.objects.filter(company_id=company_id).order_by("id")[:MAX_MAPPINGS]
    if not saved_mappings:
        return None
    lines = head_lines(stream.read(HEAD_BYTES))
    stream.seek(0)
    for saved in saved_mappings:
        wanted = tuple(saved.header)

        def columns_known(names: tuple[str, ...], wanted: tuple[str, ...] = wanted) -> int:
            return len(names) if tuple(map(plain_name, names)) == wanted else 0

        if find_header(lines, columns_known=columns_known) is not None:
            return _mapping(saved)
    return None


def _mapping(saved: SavedMapping) -> Mapping:
    return Mapping(name=saved.name, choices=choices_from_json(saved.choices), account=saved.account or None)
