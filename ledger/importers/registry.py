"""Every file format that capstack reads. A new one is one new file here with an `IMPORTER`, a sample, a test."""

import importlib
import pkgutil
from functools import cache
from typing import BinaryIO

import ledger.importers
from ledger.importers.foreign_bills import refuse_foreign_bills
from ledger.importers.importer import HEAD_BYTES, Importer
from ledger.importers.row import FileRefused
from ledger.importers.signature import refuse_foreign_formats

# The name of a format that means "whichever its content shows".
AUTO = "auto"


@cache
def importers() -> dict[str, Importer]:
    """Importers by name: the `IMPORTER` of every module of this package that has one."""
    found: dict[str, Importer] = {}
    for module_info in pkgutil.iter_modules(ledger.importers.__path__):
        module = importlib.import_module(f"ledger.importers.{module_info.name}")
        importer = getattr(module, "IMPORTER", None)
        if isinstance(importer, Importer):
            if importer.name in found:
                raise ValueError(f"two importers are named {importer.name}")
            found[importer.name] = importer
    return found


def importer_named(name: str) -> Importer:
    """Raises FileRefused when no importer has that name."""
    try:
        return importers()[name]
    except KeyError:
        known = ", ".join(sorted(importers()))
        raise FileRefused(f"unknown format {name!r}: choose {AUTO} or one of {known}") from None


def detect(stream: BinaryIO) -> Importer:
    """The importer for a decompressed, seekable stream, judged by its content alone.

    Raises:
        FileRefused: the content is of no format known here.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    refuse_foreign_formats(head, markup=True)
    candidates = [importer for importer in importers().values() if importer.recognises(head)]
    if not candidates:
        refuse_foreign_formats(head)
        refuse_foreign_bills(head)
        raise FileRefused(
            "not a format known here: expected a bank statement (OFX, CAMT.053, MT940), one JSON object per line, "
            "or CSV whose header names date and amount; of CSV with other names, say which column is which"
        )
    return max(candidates, key=lambda importer: importer.specificity)
