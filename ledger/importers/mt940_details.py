"""What a bank says about an entry of MT940 (field 86 and its like), in the dialects that are spread."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# German banks: a code of three digits, then subfields that begin with `?20` (or `>20`).
_GERMAN = re.compile(r"[0-9]{3}(?=[?>][0-9]{2})")
_SUBFIELD = re.compile(r"[?>]([0-9]{2})")
# SEPA, within the purpose: `EREF+` (end-to-end id), `SVWZ+` (the text that the payer wrote).
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
# Dutch banks: `/EREF/…/NAME/…/REMI/…`.
_SLASHED = re.compile(r"/(EREF|BENM|ORDP|NAME|REMI|IBAN|BIC|ISDT|CSID|MARF|TRTP|CNTP|PREF|RTRN|ADDR|ID)/")
PURPOSE = ("20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "60", "61", "62", "63")
NAME = ("32", "33")


@dataclass(frozen=True, slots=True)
class Details:
    """Empty texts where the bank says nothing."""

    counterparty: str = ""
    description: str = ""
    booking_text: str = ""
    end_to_end_id: str = ""


def read_details(lines: Sequence[str]) -> Details:
    """Read the lines of the fields 86 of one entry; whatever is of no known dialect is the description."""
    if not lines:
        return Details()
    joined = "".join(line.rstrip("\r\n") for line in lines)
    if _GERMAN.match(joined):
        return _german(joined)
    text = " ".join(filter(None, (line.strip() for line in lines)))
    if _SLASHED.match(joined):
        return _slashed(joined)
    return Details(description=text)


def _german(text: str) -> Details:
    pieces = _SUBFIELD.split(text)
    values: dict[str, str] = {}
    for code, value in zip(pieces[1::2], pieces[2::2], strict=True):
        values[code] = values.get(code, "") + value
    purpose = "".join(values.get(code, "") for code in PURPOSE)
    said = _parted(_SEPA, purpose)
    return Details(
        counterparty="".join(values.get(code, "") for code in NAME).strip(),
        description=said.get("SVWZ", purpose).strip(),
        booking_text=values.get("00", "").strip(),
        end_to_end_id=said.get("EREF", "").strip(),
    )


def _slashed(text: str) -> Details:
    said = _parted(_SLASHED, text)
    return Details(
        counterparty=said.get("NAME", "").strip("/ "),
        description=said.get("REMI", "").strip("/ ") or text.strip(),
        end_to_end_id=said.get("EREF", "").strip("/ "),
    )


def _parted(marks: re.Pattern[str], text: str) -> dict[str, str]:
    pieces = marks.split(text)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))
