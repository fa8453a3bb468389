"""An auditor verifies an export with the script alone, in an interpreter that has nothing of ours."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ledger.domain.chain import COLUMNS
from ledger.domain.company import CompanyRef
from ledger.services.chain_heads.export import export_heads
from ledger.services.chain_heads.places import place_of
from ledger.services.record import record
from ledger.services.sealing import seal
from tests.conftest import REPOSITORY
from tests.ledger.conftest import NOW, make_draft
from tests.ledger.proof.conftest import Tamper

SCRIPT = REPOSITORY / "docs" / "verify_export.py"
type Lines = list[dict]


def export(path: Path, *arguments: str) -> str:
    out = StringIO()
    call_command("export_ledger", str(path), "--company", "acme", *arguments, stdout=out)
    return out.getvalue()


def verify(path: Path, *arguments: str) -> tuple[int, str]:
    """Run the script where no package can be imported: isolated, without site-packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(path), *arguments],
        cwd="/",
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def read(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write(path: Path, lines: Lines) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def exported(sealed_company: CompanyRef, tmp_path: Path) -> Path:
    odd = make_draft(external_ref="odd", counterparty="Café 🙂\u2028x", metadata={"b": 'a"b', "a": 1.5})
    record(company_id=sealed_company.id, drafts=[odd], actor="t", now=NOW)
    seal(company_id=sealed_company.id, now=NOW)
    path = tmp_path / "acme.ndjson"
    assert "11 events of acme" in export(path)
    return path


def test_an_export_holds(exported: Path) -> None:
    status, said = verify(exported)
    assert status == 0, said
    assert said.startswith("HOLDS: 11 rows of acme")
    assert "first line alone, which no row proves" in said
    assert "no head from elsewhere" in said


def test_it_fits_the_heads_that_were_kept_elsewhere(
    exported: Path, sealed_company: CompanyRef, heads: str
) -> None:
    export_heads(company=sealed_company, place=place_of(heads), now=NOW)
    kept = Path(heads) / f"company-{sealed_company.id}.ndjson"
    status, said = verify(exported, "--heads", str(kept))
    assert (status, "fits the heads that were kept elsewhere" in said) == (0, True), said
    head = read(exported)[-1]["proof"]["head"]
    assert verify(exported, "--head", head)[0] == 0
    assert verify(exported, "--head", "0" * 64)[0] == 1


def test_a_part_can_be_exported_and_holds(exported: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.ndjson"
    export(part, "--until", "4")
    assert verify(part)[1].startswith("HOLDS: 4 rows")
    export(part, "--until", "0")
    assert verify(part)[1].startswith("HOLDS: 0 rows")


def _edited(lines: Lines) -> None:
    lines[5]["event"]["amount"] = "1.000000"


def _removed(lines: Lines) -> None:
    del lines[5]


def _swapped(lines: Lines) -> None:
    lines[5], lines[6] = lines[6], lines[5]


def _inserted(lines: Lines) -> None:
    lines.insert(5, json.loads(json.dumps(lines[5])))


def _cut_off(lines: Lines) -> None:
    del lines[5:-1]


def _without_proof(lines: Lines) -> None:
    del lines[-1]


def _another_number(lines: Lines) -> None:
    lines[0]["until"] = 12


def _number_for_text(lines: Lines) -> None:
    lines[5]["event"]["amount"] = 1


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (_edited, "the row at position 5"),
        (_removed, "position 5 is due on line 6"),
        (_swapped, "position 5 is due on line 6"),
        (_inserted, "position 6 is due on line 7"),
        (_cut_off, "the proof speaks of position 11, the rows end at 4"),
        (_without_proof, "without its proof: it is cut off"),
        (_another_number, "promises 12 rows"),
        (_number_for_text, "line 6 does not hold the columns"),
    ],
)
def test_a_tampered_export_is_refused_and_its_first_row_named(
    exported: Path, tampering: Callable[[Lines], None], said: str
) -> None:
    lines = read(exported)
    tampering(lines)
    write(exported, lines)
    status, answer = verify(exported)
    assert status == 1
    assert said in answer
    assert "Traceback" not in answer


@pytest.mark.parametrize("column", COLUMNS)
def test_no_column_of_an_export_can_be_edited(exported: Path, column: str) -> None:
    lines = read(exported)
    lines[3]["event"][column] = "7"
    write(exported, lines)
    status, answer = verify(exported)
    assert (status, "Traceback" in answer) == (1, False)


def test_an_export_of_a_rewritten_ledger_is_told_by_the_heads(
    exported: Path, sealed_company: CompanyRef, heads: str, tamper: Tamper
) -> None:
    export_heads(company=sealed_company, place=place_of(heads), now=NOW)
    tamper("UPDATE ledger_capitalevent SET amount = 1 WHERE position = 4", "DELETE FROM ledger_seal")
    export(exported)
    assert verify(exported)[0] == 0
    status, said = verify(exported, "--heads", str(Path(heads) / f"company-{sealed_company.id}.ndjson"))
    assert status == 1
    assert "the row at position 4 is not the one whose head was kept" in said


def test_files_that_are_no_export_are_refused_in_one_line(tmp_path: Path) -> None:
    for content in (b"", b"not json\n", b'{"format": "other"}\n', b"[1]\n", b"\xff\xfe\n"):
        path = tmp_path / "file"
        path.write_bytes(content)
        status, said = verify(path)
        assert (status, said.count("\n")) == (1, 1), said
    assert verify(tmp_path / "absent")[0] == 1
    assert verify(tmp_path / "file", "--no-such-option")[0] == 2


def test_the_command_refuses_what_proves_nothing(exported: Path, tmp_path: Path, tamper: Tamper) -> None:
    target = tmp_path / "never.ndjson"
    with pytest.raises(CommandError, match="ends at position 11, not at 12"):
        export(target, "--until", "12")
    with pytest.raises(CommandError, match="there is no company nobody"):
        call_command("export_ledger", str(target), "--company", "nobody")
    tamper("DELETE FROM ledger_capitalevent WHERE position = 4")
    with pytest.raises(CommandError, match="hole or a repeat at position 4"):
        export(target)
    assert sorted(path.name for path in tmp_path.iterdir() if "never" in path.name) == []
