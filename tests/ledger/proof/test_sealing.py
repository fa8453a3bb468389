"""The sealer follows the journal and never stands in its way."""

from unittest.mock import patch

import pytest
from django.db import connection, transaction

from ledger.domain.chain import chained, genesis, row_digest
from ledger.domain.company import CompanyRef
from ledger.models.seal import Seal
from ledger.selectors.chain import chain_rows
from ledger.services.sealing import NotSealable, companies_to_seal, seal, seal_all
from tests.ledger.conftest import NOW, open_company
from tests.ledger.proof.conftest import Tamper, record_numbered
from tests.ledger.services.test_concurrency import at_once


def test_seals_tile_the_journal_and_their_heads_are_the_chain(committed_company: CompanyRef) -> None:
    with patch("ledger.services.sealing.ROWS_PER_SEAL", 4), patch("ledger.services.sealing.ROWS_PER_STEP", 8):
        record_numbered(committed_company, range(10))
        assert seal(company_id=committed_company.id, now=NOW) == 10
        record_numbered(committed_company, range(10, 13))
        assert seal(company_id=committed_company.id, now=NOW) == 13
    kept = list(Seal.objects.order_by("first_position"))
    assert [(block.first_position, block.last_position) for block in kept] == [(1, 4), (5, 8), (9, 10), (11, 13)]
    with transaction.atomic():
        digests = [row_digest(values) for values in chain_rows(company_id=committed_company.id)]
    assert b"".join(bytes(block.digests) for block in kept) == b"".join(digests)
    assert bytes(kept[-1].head) == chained(genesis(company_id=committed_company.id), b"".join(digests))


def test_nothing_new_is_nothing_to_do(sealed_company: CompanyRef) -> None:
    assert companies_to_seal() == []
    assert seal(company_id=sealed_company.id, now=NOW) == 10
    assert Seal.objects.count() == 1


def test_every_company_has_a_chain_of_its_own(sealed_company: CompanyRef) -> None:
    other = open_company("umbrella")
    record_numbered(other, range(1, 11))
    assert companies_to_seal() == [other.id]
    assert seal_all(now=NOW, within_seconds=5) == 1
    ours, theirs = Seal.objects.order_by("company_id")
    assert bytes(ours.head) != bytes(theirs.head)


def test_sealers_and_recorders_at_once_leave_one_chain(committed_company: CompanyRef) -> None:
    def work(number: int) -> None:
        for turn in range(5):
            if number % 2:
                seal(company_id=committed_company.id, now=NOW)
            else:
                record_numbered(
                    committed_company, range(1000 * number + 10 * turn, 1000 * number + 10 * turn + 10)
                )

    at_once(work)
    assert seal(company_id=committed_company.id, now=NOW) == 4 * 5 * 10
    end = 0
    for block in Seal.objects.order_by("first_position"):
        assert block.first_position == end + 1
        end = block.last_position
    assert end == 200


def test_it_stops_when_its_time_is_over_and_goes_on_the_next_time(committed_company: CompanyRef) -> None:
    record_numbered(committed_company, range(10))
    with patch("ledger.services.sealing.ROWS_PER_STEP", 4):
        assert seal(company_id=committed_company.id, now=NOW, go_on=lambda: False) == 4
        assert seal(company_id=committed_company.id, now=NOW) == 10


def test_a_hole_in_the_journal_is_not_sealed_over(
    committed_company: CompanyRef, tamper: Tamper, caplog: pytest.LogCaptureFixture
) -> None:
    record_numbered(committed_company, range(10))
    tamper("DELETE FROM ledger_capitalevent WHERE position = 4")
    with pytest.raises(NotSealable, match="after position 0"):
        seal(company_id=committed_company.id, now=NOW)
    other = open_company("umbrella")
    record_numbered(other, range(3))
    assert seal_all(now=NOW, within_seconds=5) == 2
    assert "journal_not_sealable" in caplog.text
    assert Seal.objects.get().company_id == other.id


def test_recording_does_not_wait_for_a_sealer(committed_company: CompanyRef) -> None:
    record_numbered(committed_company, range(10))
    with transaction.atomic():
        seal(company_id=committed_company.id, now=NOW)

        def record_meanwhile(number: int) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            record_numbered(committed_company, range(100, 110))

        at_once(record_meanwhile, threads=1)
