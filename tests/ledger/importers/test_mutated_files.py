"""Real files, damaged at random: whatever a file has become, its importer reads it or refuses it, and soon."""

import io
import random
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import ImportContext
from ledger.importers.registry import importers
from ledger.importers.row import BadRow, FileRefused, Found

SAMPLES = Path(__file__).parent / "samples"
MOST_BYTES = 60_000
LONGEST_SECONDS = 5.0
PIECES = (
    b"\0", b"\xff", b"\x81", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b'"', b"'", b",", b";", b"\t",
    b"<", b">", b"</", b"<!--", b"<![CDATA[", b"]]>", b"<!DOCTYPE x [", b"&lt;", b"&#0;", b"&#xD800;", b"&x;",
    b"{", b"}", b"[", b"-", b":61:", b":86:", b":62F:", b"{4:", b"1e999999", b"NaN", b"-0", b"9" * 50, b"0" * 50,
    b"\xe2\x80\xa8", b"\xed\xa0\x80", b"20260230", b"0000-00-00", b"99999999999999",
)  # fmt: skip
# Which real files each format is damaged from; the others have their sample only.
REAL = {
    "ofx": ("ofx", "*.ofx"),
    "camt053": ("camt053", "*.xml"),
    "mt940": ("mt940", "*.sta"),
    "focus": ("focus", "*.csv"),
    "aws-cur": ("aws-cur/aws", "*.csv"),
    "azure-cost": ("aws-cur/azure", "*.csv"),
    "opencollective": ("opencollective", "*.csv"),
    "csv": ("grin-pm", "*.csv"),
}


def originals(name: str, shared_data: Path) -> list[bytes]:
    (sample,) = [path for path in SAMPLES.iterdir() if path.stem == name]
    folder, pattern = REAL.get(name, ("", ""))
    paths = sorted((shared_data / folder).rglob(pattern)) if folder else []
    return [path.read_bytes()[:MOST_BYTES] for path in (sample, *paths)]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """A handful of wounds: pieces put in, cut out, doubled, swapped, bits flipped, the end cut off."""
    body = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        place, length = draw.randrange(len(body) + 1), draw.choice((1, 1, 3, 40, 700))
        match draw.randrange(6):
            case 0:
                body[place:place] = draw.choice(PIECES)
            case 1:
                del body[place : place + length]
            case 2:
                body[place:place] = body[place : place + length] * draw.choice((1, 2, 50))
            case 3 if place < len(body):
                body[place] ^= 1 << draw.randrange(8)
            case 4:
                body[place : place + length] = draw.choice(PIECES)
            case 5 if draw.random() < 0.2:
                del body[place:]
    return bytes(body)


@pytest.mark.parametrize("name", sorted(importers()))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the fixture is a folder of the session
@given(seed=st.integers(0, 1 << 60))
def test_a_damaged_file_is_read_or_refused(name: str, shared_data: Path, seed: int) -> None:
    draw = random.Random(seed)
    content = damaged(draw.choice(originals(name, shared_data)), draw)
    context = ImportContext(
        account=None,
        currency="USD",
        timezone=ZoneInfo("America/New_York"),
        choices=CsvChoices(positive_is="in", date_order="dmy", decimal_mark="."),
    )
    reason = ""
    found: list[Found] = []
    began = time.monotonic()
    try:
        found = list(importers()[name].rows(io.BytesIO(content), context))
    except FileRefused as refusal:
        reason = str(refusal)
    assert time.monotonic() - began < LONGEST_SECONDS
    assert "\n" not in reason
    assert all(each.problems for each in found if isinstance(each, BadRow))
    assert all(each.line >= 1 for each in found)
