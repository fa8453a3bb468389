"""NDJSON: one capital event per line, a JSON object in the shape that `POST /api/v1/events` takes."""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.domain.strict_json import InvalidJson, RepeatedKey, parse_json
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, FileRefused, Found, Row, bad_row
from ledger.importers.text import lines, utf_encoding


def recognises(head: bytes) -> bool:
    beginning = head.decode(
        "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", errors="replace"
    )
    return beginning.lstrip().startswith(("{", "["))


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    first = True
    for line in lines(stream, encoding=utf_encoding(stream), universal_newlines=False):
        text = line.text.strip()
        if line.problem:
            yield bad_row(line=line.number, field="line", message=line.problem)
        elif text:
            if first and text.startswith("["):
                raise FileRefused(
                    "this is a JSON array: NDJSON has one object per line and no brackets around them"
                )
            yield _row(number=line.number, text=text, context=context)
        first = first and not text


def _row(*, number: int, text: str, context: ImportContext) -> Row | BadRow:
    try:
        event = parse_json(text)
    except InvalidJson as error:
        return bad_row(line=number, field="line", message=f"is not JSON: {error}".replace("line 1, ", ""))
    if isinstance(event, RepeatedKey):
        return bad_row(line=number, field=event.key, message="is stated twice")
    if not isinstance(event, dict):
        return bad_row(line=number, field="line", message="must be a JSON object")
    if context.account is not None and "account" not in event:
        event["account"] = context.account
    return Row(line=number, event=event)


IMPORTER = Importer(
    name="ndjson", label="NDJSON, one event per line", specificity=10, recognises=recognises, rows=rows
)
