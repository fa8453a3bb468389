"""The verifier's verdict is kept, so that whoever must not act on a broken chain can ask cheaply."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from ledger.domain.company import CompanyRef
from ledger.jobs import verify_chain
from ledger.models.chain_verdict import ChainVerdict
from ledger.selectors.chain_verdicts import chain_verdict, companies_to_verify
from ledger.services.chain_verdicts import verify_and_keep
from tests.ledger.conftest import NOW, open_company
from tests.ledger.proof.conftest import Tamper

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def heads_elsewhere(settings: Settings, heads: str) -> None:
    settings.CHAIN_HEADS_PATH = heads


def test_a_chain_that_holds_is_kept_as_such_with_its_age(sealed_company: CompanyRef) -> None:
    assert chain_verdict(company_id=sealed_company.id) is None
    assert verify_chain(company_id=sealed_company.id) == "10 rows fit"
    verify_and_keep(company_id=sealed_company.id, now=NOW + timedelta(days=999))
    verdict = chain_verdict(company_id=sealed_company.id)
    assert verdict is not None
    assert (verdict.verified_at, verdict.position, verdict.sealed) == (NOW + timedelta(days=999), 10, 10)
    assert (verdict.broken_at, verdict.broken) == (None, "")


def test_a_broken_chain_says_where_and_how(sealed_company: CompanyRef, tamper: Tamper) -> None:
    tamper("UPDATE ledger_capitalevent SET amount = amount + 1 WHERE position = 4")
    verify_and_keep(company_id=sealed_company.id, now=NOW)
    verdict = chain_verdict(company_id=sealed_company.id)
    assert verdict is not None
    assert verdict.broken_at == 4
    assert verdict.broken == "edited at position 4: the row at 4 is not the one that was recorded"
    assert verify_chain(company_id=sealed_company.id).startswith("broken at 4")


def test_what_an_operator_finds_is_kept_like_the_schedulers_verdict(
    sealed_company: CompanyRef, tamper: Tamper, heads: str
) -> None:
    tamper("UPDATE ledger_capitalevent SET amount = amount + 1 WHERE position = 4")
    for elsewhere in (True, False):
        with pytest.raises(CommandError, match="broken at position 4"):
            call_command("verify_ledger", *(["--heads", heads] if elsewhere else []), stdout=StringIO())
        assert ChainVerdict.objects.filter(broken_at=4).exists() is not elsewhere


def test_an_older_verification_that_ends_later_changes_nothing(sealed_company: CompanyRef) -> None:
    verify_and_keep(company_id=sealed_company.id, now=NOW)
    verify_and_keep(company_id=sealed_company.id, now=NOW - HOUR)
    assert ChainVerdict.objects.get().verified_at == NOW


def test_heads_that_cannot_be_read_leave_the_verdict_to_grow_old(sealed_company: CompanyRef, heads: str) -> None:
    verify_and_keep(company_id=sealed_company.id, now=NOW)
    Path(heads).mkdir(exist_ok=True)
    (Path(heads) / f"company-{sealed_company.id}.ndjson").write_text("no head\n")
    outcome = verify_chain(company_id=sealed_company.id)
    assert outcome == "heads unusable"
    assert ChainVerdict.objects.get().verified_at == NOW
    assert verify_chain(company_id=0) == "gone"


def test_a_verification_takes_a_hundredth_of_the_time(sealed_company: CompanyRef) -> None:
    other = open_company("other")
    assert companies_to_verify(now=NOW) == (sealed_company.id, other.id)
    for company in (sealed_company, other):
        verify_and_keep(company_id=company.id, now=NOW)
    ChainVerdict.objects.filter(company_id=other.id).update(took_seconds=60)
    assert companies_to_verify(now=NOW + timedelta(minutes=9)) == ()
    assert companies_to_verify(now=NOW + timedelta(minutes=11)) == (sealed_company.id,)
    assert companies_to_verify(now=NOW + 2 * HOUR) == (sealed_company.id, other.id)
    # However long it takes, twice a day it is done.
    ChainVerdict.objects.filter(company_id=other.id).update(took_seconds=100_000)
    assert other.id in companies_to_verify(now=NOW + 13 * HOUR)


def test_the_database_keeps_no_broken_chain_without_a_reason(sealed_company: CompanyRef) -> None:
    verify_and_keep(company_id=sealed_company.id, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChainVerdict.objects.update(broken_at=3)
