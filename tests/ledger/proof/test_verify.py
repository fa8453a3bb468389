"""Somebody with every right on the database tampers in every way; the first row that is not true is named."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from capstack.management.commands.run_scheduler import _duties
from ledger.domain.chain import COLUMNS
from ledger.domain.company import CompanyRef
from ledger.services.chain_heads.export import ChainRewritten, export_heads
from ledger.services.chain_heads.places import place_of
from ledger.services.sealing import seal
from tests.ledger.conftest import NOW, open_company
from tests.ledger.proof.conftest import Tamper, record_numbered

NAMES = ", ".join(COLUMNS)
# A row that never was, at a position, in the likeness of another.
FORGE = (
    f"INSERT INTO ledger_capitalevent ({NAMES}) SELECT "
    + ", ".join({"event_id": "sha256('forged')", "position": "{to}"}.get(name, name) for name in COLUMNS)
    + " FROM ledger_capitalevent WHERE position = {like}"
)
SHIFT_UP = "UPDATE ledger_capitalevent SET position = position + 1 WHERE position >= {at}"
SHIFT_DOWN = "UPDATE ledger_capitalevent SET position = position - 1 WHERE position > {at}"
SWAP = "UPDATE ledger_capitalevent SET position = {a} + {b} - position WHERE position IN ({a}, {b})"
HEAD = "UPDATE ledger_journalhead SET position = {to}"

TAMPERINGS = {
    "an amount edited": (["UPDATE ledger_capitalevent SET amount = amount + 1 WHERE position = 4"], 4, "edited"),
    "metadata edited": (
        ["UPDATE ledger_capitalevent SET metadata = '{\"a\": 1}' WHERE position = 10"], 10, "edited"
    ),
    "a name edited": (["UPDATE ledger_capitalevent SET actor = 'somebody else' WHERE position = 1"], 1, "edited"),
    "two rows edited": (
        ["UPDATE ledger_capitalevent SET category = 'x' WHERE position IN (7, 3)"], 3, "edited"
    ),
    "a row moved to another month": (
        ["UPDATE ledger_capitalevent SET occurred_at = occurred_at + interval '2 months' WHERE position = 5"],
        5,
        "edited",
    ),
    "a row removed": (["DELETE FROM ledger_capitalevent WHERE position = 6"], 6, "removed"),
    "the first row removed": (["DELETE FROM ledger_capitalevent WHERE position = 1"], 1, "removed"),
    "a row removed and the gap closed": (
        ["DELETE FROM ledger_capitalevent WHERE position = 6", SHIFT_DOWN.format(at=6), HEAD.format(to=9)],
        6,
        "removed",
    ),
    "a whole month dropped": (["DROP TABLE ledger_capitalevent_y2026m06"], 1, "removed"),
    "neighbours swapped": ([SWAP.format(a=4, b=5)], 4, "swapped"),
    "distant rows swapped": ([SWAP.format(a=2, b=9)], 2, "swapped"),
    "a row inserted": ([FORGE.format(to=3, like=3)], 3, "inserted"),
    "a row inserted and the others moved on": (
        [SHIFT_UP.format(at=3), FORGE.format(to=3, like=1), HEAD.format(to=11)], 3, "inserted"
    ),
    "a row put behind the head": ([FORGE.format(to=11, like=3)], 11, "inserted"),
    "the tail cut off": (["DELETE FROM ledger_capitalevent WHERE position > 7"], 8, "cut off"),
    "the tail cut off and the head turned back": (
        ["DELETE FROM ledger_capitalevent WHERE position > 7", HEAD.format(to=7)], 8, "cut off"
    ),
    "everything removed": (["DELETE FROM ledger_capitalevent", HEAD.format(to=0)], 1, "cut off"),
    "the head turned back": ([HEAD.format(to=7)], 8, "seal"),
    "a seal edited": (["UPDATE ledger_seal SET head = sha256(head)"], 1, "seal"),
}  # fmt: skip


def verify(*arguments: str) -> tuple[dict, str]:
    """Return the report and the refusal, empty when there is none."""
    out = StringIO()
    try:
        call_command("verify_ledger", *arguments, "--json", stdout=out)
    except CommandError as refused:
        return json.loads(out.getvalue()), str(refused)
    return json.loads(out.getvalue()), ""


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_the_first_row_that_is_not_true_is_named(
    tampering: str, sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    statements, position, kind = TAMPERINGS[tampering]
    assert verify("--heads", heads)[0]["holds"] is True
    tamper(*statements)
    report, refusal = verify("--heads", heads)
    found = report["companies"]["acme"]["broken"]
    assert report["holds"] is False
    assert (found["position"], found["kind"]) == (position, kind), found
    assert f"position {position}" in refusal
    assert "\n" not in refusal


REWRITABLE = sorted(set(TAMPERINGS) - {"a seal edited", "the head turned back"})


@pytest.mark.parametrize("seals", ["rewritten", "dropped"])
@pytest.mark.parametrize("tampering", REWRITABLE)
def test_it_is_named_too_when_the_whole_chain_was_rewritten(
    tampering: str, seals: str, sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    """The tamperer closes every gap, sets the head row and seals anew; only the export speaks against it."""
    export_heads(company=sealed_company, place=place_of(heads), now=NOW)
    record_numbered(sealed_company, range(50, 53))
    seal(company_id=sealed_company.id, now=NOW)
    statements, position, _ = TAMPERINGS[tampering]
    tamper(
        *statements,
        "UPDATE ledger_capitalevent e SET position = n.n FROM (SELECT event_id, occurred_at, row_number() OVER "
        "(ORDER BY position, event_id) AS n FROM ledger_capitalevent) n "
        "WHERE n.event_id = e.event_id AND n.occurred_at = e.occurred_at",
        "UPDATE ledger_journalhead SET position = (SELECT count(*) FROM ledger_capitalevent)",
        "DELETE FROM ledger_seal",
    )
    if seals == "rewritten":
        seal(company_id=sealed_company.id, now=NOW)
    report, _ = verify("--heads", heads + "-elsewhere")
    assert report["holds"] is True  # without the export it cannot be seen
    if tampering == "a row put behind the head":
        # Beyond what was exported and sealed anew, it is a row like any other.
        return
    report, refusal = verify("--heads", heads)
    found = report["companies"]["acme"]["broken"]
    # Two rows on one position stand in the order of their ids once they are numbered anew.
    assert found["position"] in ({3, 4} if tampering == "a row inserted" else {position}), found
    assert refusal
    if report["companies"]["acme"]["rows"] and seals == "rewritten":
        assert "rewritten" in found["detail"] or found["kind"] in {"cut off", "seal"}


def test_a_tail_that_is_not_sealed_yet_is_said_and_not_failed(sealed_company: CompanyRef, heads: str) -> None:
    record_numbered(sealed_company, range(20, 23))
    report, refusal = verify("--heads", heads)
    assert (report["holds"], refusal) == (True, "")
    assert report["companies"]["acme"]["unsealed"] == 3
    out = StringIO()
    call_command("verify_ledger", "--heads", heads, stdout=out)
    assert "13 rows fit, the last 3 are not sealed yet; no head is kept outside" in out.getvalue()


def test_rows_that_were_not_sealed_are_missed_all_the_same(
    sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    record_numbered(sealed_company, range(20, 23))
    tamper("DELETE FROM ledger_capitalevent WHERE position = 13")
    assert verify("--heads", heads)[0]["companies"]["acme"]["broken"]["position"] == 13


def test_only_the_company_that_was_asked_for_is_verified(
    sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    other = open_company("umbrella")
    record_numbered(other, range(3))
    tamper(f"UPDATE ledger_capitalevent SET reason = 'x' WHERE position = 2 AND company_id = {sealed_company.id}")
    assert verify("--company", "umbrella", "--heads", heads)[0]["holds"] is True
    report, refusal = verify("--heads", heads)
    assert list(report["companies"]) == ["acme", "umbrella"]
    assert refusal.startswith("acme is broken at position 2")


def test_an_unknown_company_is_refused(committed_company: CompanyRef) -> None:
    with pytest.raises(CommandError, match="there is no company nobody") as refused:
        call_command("verify_ledger", "--company", "nobody")
    assert refused.value.returncode == 1


# --- Heads outside of the database ------------------------------------------------------------------------


def test_heads_are_exported_once_each_and_only_added_to(sealed_company: CompanyRef, heads: str) -> None:
    place = place_of(heads)
    for _ in range(2):
        assert export_heads(company=sealed_company, place=place, now=NOW) == 10
    record_numbered(sealed_company, range(20, 23))
    seal(company_id=sealed_company.id, now=NOW)
    assert export_heads(company=sealed_company, place=place, now=NOW) == 13
    lines = (Path(heads) / f"company-{sealed_company.id}.ndjson").read_text().splitlines()
    assert [(json.loads(line)["first"], json.loads(line)["last"]) for line in lines] == [(1, 10), (11, 13)]
    assert verify("--heads", heads)[0]["companies"]["acme"]["exported"] == 13


def test_a_line_that_was_being_written_when_its_writer_died_is_written_again(
    sealed_company: CompanyRef, heads: str
) -> None:
    place = place_of(heads)
    export_heads(company=sealed_company, place=place, now=NOW)
    file = Path(heads) / f"company-{sealed_company.id}.ndjson"
    with file.open("a") as unfinished:
        unfinished.write('{"format": "capstack.he')
    assert verify("--heads", heads)[0]["holds"] is True
    record_numbered(sealed_company, range(20, 23))
    seal(company_id=sealed_company.id, now=NOW)
    assert export_heads(company=sealed_company, place=place, now=NOW) == 13
    assert [span.last for span in place.spans(company_id=sealed_company.id)] == [10, 13]


def test_nothing_more_is_exported_of_a_chain_that_was_rewritten(
    sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    place = place_of(heads)
    export_heads(company=sealed_company, place=place, now=NOW)
    tamper("UPDATE ledger_capitalevent SET amount = 1 WHERE position = 4", "DELETE FROM ledger_seal")
    record_numbered(sealed_company, range(20, 23))
    seal(company_id=sealed_company.id, now=NOW)
    with pytest.raises(ChainRewritten, match="at 10 is not the one that was exported"):
        export_heads(company=sealed_company, place=place, now=NOW)


def test_a_file_that_is_no_export_is_refused_with_its_line(sealed_company: CompanyRef, heads: str) -> None:
    export_heads(company=sealed_company, place=place_of(heads), now=NOW)
    with (Path(heads) / f"company-{sealed_company.id}.ndjson").open("a") as file:
        file.write("not json\n")
    with pytest.raises(CommandError, match=r"ndjson line 2 is not an exported head"):
        call_command("verify_ledger", "--heads", heads, stdout=StringIO())


def test_the_command_seals_and_exports_to_the_place_of_the_settings(
    committed_company: CompanyRef, heads: str, settings: object
) -> None:
    settings.CHAIN_HEADS_PATH = heads  # type: ignore[attr-defined]
    record_numbered(committed_company, range(5))
    out = StringIO()
    call_command("export_heads", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"exported": {"acme": 5}}
    assert verify()[0]["companies"]["acme"]["exported"] == 5


def test_the_verifier_does_not_trust_the_functions_of_the_database(
    sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION ledger_row_digest(e ledger_capitalevent) RETURNS bytea LANGUAGE sql STABLE"
            " AS $$ SELECT sha256('anything') $$"
        )
    tamper("UPDATE ledger_capitalevent SET amount = 1 WHERE position = 4")
    assert verify("--heads", heads)[0]["companies"]["acme"]["broken"]["position"] == 4


def test_the_scheduler_seals_and_exports(committed_company: CompanyRef, heads: str, settings: object) -> None:
    settings.CHAIN_HEADS_PATH = heads  # type: ignore[attr-defined]
    record_numbered(committed_company, range(5))
    duties = {duty.name: duty for duty in _duties()}
    assert duties["seal"].every_seconds <= 10
    for name in ("seal", "heads"):
        duties[name].work()
    found = verify()[0]["companies"]["acme"]
    assert (found["sealed"], found["exported"], found["broken"]) == (5, 5, None)
