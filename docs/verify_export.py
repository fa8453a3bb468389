#!/usr/bin/env python3
"""Verify a ledger exported by capstack's `export_ledger`, with nothing but Python 3.9 or newer.

    python3 verify_export.py acme.ndjson [--heads company-1.ndjson] [--head HEX]

The export holds every column of every event, from the first position to the last, and a proof. This script
computes from the columns alone

    d(n) = SHA-256 of the bytes of row n
    h(0) = SHA-256( "capstack.chain.1" LF, company number )        h(n) = SHA-256( h(n-1), d(n) )

and compares h(n) with what each line says, with the proof at the end, with `--head`, a head of the last position
that you were given another way, and with `--heads`, a file of heads kept outside of the database. Only the last
two tell an export that was forged as a whole: without them you know that it is consistent in itself. The chain
covers rows, which know accounts by their numbers: what the first line calls them is not proven.

The bytes of a row are "capstack.row.1" LF and a field per column, in the order that the first line names: the
length in bytes in decimal digits, a colon, the UTF-8 of the value; a hyphen for a column without a value.

Exit status: 0 everything fits, 1 something does not (the first row is named), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "capstack.ledger.1"
HEADS_FORMAT = "capstack.heads.1"
COLUMNS = (
    "company_id",
    "position",
    "account_id",
    "occurred_at",
    "recorded_at",
    "fx_at",
    "revision",
    "event_id",
    "source",
    "event_type",
    "direction",
    "amount",
    "currency",
    "base_amount",
    "fx_rate",
    "fx_source",
    "category",
    "counterparty",
    "external_ref",
    "metadata",
    "reverses",
    "actor",
    "reason",
)


def refuse(reason: str) -> NoReturn:
    """End with status 1 and one line."""
    sys.stderr.write(f"DOES NOT HOLD: {reason}\n")
    raise SystemExit(1)


def row_digest(row: dict[str, Any]) -> bytes:
    """Return d(n) of a row's columns."""
    parts = [b"capstack.row.1\n"]
    for name in COLUMNS:
        value = row[name]
        if value is None:
            parts.append(b"-")
        else:
            encoded = value.encode("utf-8")
            parts.append(str(len(encoded)).encode("ascii") + b":" + encoded)
    return hashlib.sha256(b"".join(parts)).digest()


def lines_of(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield every line of a file as an object, with its number."""
    with Path(path).open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            try:
                read = json.loads(line)
            except ValueError:
                refuse(f"{path} line {number} is not JSON: the file is cut off or was edited")
            if not isinstance(read, dict):
                refuse(f"{path} line {number} is not a JSON object")
            yield number, read


class KeptHeads:
    """Heads that were kept elsewhere: what they know of each row, and of the chain at some."""

    def __init__(self, path: str | None, company_id: str) -> None:
        self.marks: list[bytes] = []
        self.heads: dict[int, str] = {}
        for number, kept in lines_of(path) if path else ():
            if kept.get("format") != HEADS_FORMAT or str(kept.get("company_id")) != company_id:
                refuse(f"{path} line {number} is not a head of company {company_id}")
            marks = base64.b64decode(kept["marks"])
            if kept["first"] != len(self.marks) + 1 or len(marks) != 8 * (kept["last"] - kept["first"] + 1):
                refuse(f"{path} line {number} does not go on from the line before")
            self.marks.extend(marks[start : start + 8] for start in range(0, len(marks), 8))
            self.heads[kept["last"]] = kept["head"]

    def check(self, position: int, digest: bytes, head: bytes) -> None:
        if position <= len(self.marks) and digest[:8] != self.marks[position - 1]:
            refuse(f"the row at position {position} is not the one whose head was kept outside of the database")
        if self.heads.get(position, head.hex()) != head.hex():
            refuse(f"the chain at position {position} is not the one that was kept outside of the database")


def checked_row(
    line: dict[str, Any], *, number: int, position: int, company_id: str, head: bytes, kept: KeptHeads
) -> bytes:
    """Return h(position) when the row on a line is the one that is due there."""
    event = line.get("event", {})
    if set(event) != set(COLUMNS) or not all(value is None or isinstance(value, str) for value in event.values()):
        refuse(f"line {number} does not hold the columns of an event as text")
    if event["position"] != str(position) or event["company_id"] != company_id:
        refuse(
            f"position {position} is due on line {number}, but it holds {event['position']}: a row is missing, or"
            " was put in, or exchanged"
        )
    digest = row_digest(event)
    head = hashlib.sha256(head + digest).digest()
    kept.check(position, digest, head)
    if line.get("chain") != head.hex():
        refuse(
            f"the row at position {position} (line {number}) is not the one that was chained: it, its chain value"
            " or its place was edited"
        )
    return head


def verify(path: str, *, heads_path: str | None, known_head: str | None) -> str:
    """Return a sentence about an export that holds; end with status 1 when it does not."""
    lines = lines_of(path)
    _, header = next(lines, (0, {}))
    if header.get("format") != FORMAT or tuple(header.get("columns", ())) != COLUMNS:
        refuse(f"{path} is not an export of format {FORMAT} with the columns this script knows")
    company_id = str(header["company_id"])
    kept = KeptHeads(heads_path, company_id)
    head = hashlib.sha256(b"capstack.chain.1\n" + company_id.encode("ascii")).digest()
    position = 0
    proof: dict[str, Any] | None = None
    for number, line in lines:
        if proof is not None:
            refuse(f"line {number} stands behind the proof")
        if "proof" in line:
            proof = line["proof"]
            continue
        position += 1
        head = checked_row(line, number=number, position=position, company_id=company_id, head=head, kept=kept)
    if proof is None:
        refuse(f"the export ends after position {position} without its proof: it is cut off")
    if proof.get("position") != position or proof.get("head") != head.hex():
        refuse(
            f"the proof speaks of position {proof.get('position')}, the rows end at {position}: rows are missing"
        )
    if header.get("until") != position:
        refuse(f"the first line promises {header.get('until')} rows, there are {position}")
    if known_head is not None and known_head.lower() != head.hex():
        refuse(f"the head at position {position} is {head.hex()}, not the one you know")
    beside = "no head from elsewhere was given: a ledger forged as a whole would look the same"
    if known_head is not None or any(at <= position for at in kept.heads):
        beside = "it fits the heads that were kept elsewhere"
    return (
        f"HOLDS: {position} rows of {header.get('company')}, head {head.hex()}; {beside}. "
        "Names of accounts, the books' currency and the time zone stand in the first line alone, "
        "which no row proves."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify a ledger exported by capstack.")
    parser.add_argument("export", help="file written by export_ledger")
    parser.add_argument("--heads", help="file of heads kept outside of the database (company-N.ndjson)")
    parser.add_argument("--head", help="head of the last position, as 64 hexadecimal digits")
    options = parser.parse_args()
    try:
        sys.stdout.write(verify(options.export, heads_path=options.heads, known_head=options.head) + "\n")
    except (OSError, UnicodeDecodeError) as error:
        refuse(str(error))
    except (KeyError, TypeError, ValueError) as error:
        refuse(f"a line is not as it was written: {error!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
