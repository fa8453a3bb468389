"""Every invariant holds of a company that went through everything, and each is broken once and found."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger.domain.company import CompanyRef
from ledger.domain.intake import SettledInvoice, UsedLine
from ledger.domain.split import Part
from ledger.selectors.audit import audit
from ledger.selectors.invariants.registry import invariants
from ledger.services.daily_flows import catch_up
from ledger.services.deliveries import keep_delivery, work_on_delivery
from ledger.services.endpoints import create_endpoint, open_endpoint_numbered
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.sealing import seal
from ledger.services.settled_invoices import state_settled_invoice
from ledger.services.splits import WantedPart, split_by_hand
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft, open_company
from tests.ledger.proof.conftest import Tamper

LINE = {
    "source": "erp",
    "event_type": "expense",
    "amount": "1.00",
    "currency": "USD",
    "occurred_at": "2026-06-02T14:00:00Z",
}


@pytest.fixture
def lived_in(committed_company: CompanyRef) -> CompanyRef:
    """A company with two currencies, a contract, a reversal, a revision, a split, statements and a rest."""
    contract = {"contract": "c-1", "term_months": 12, "deferred": True}
    drafts = [
        make_draft(external_ref="1", amount="10.00"),
        make_draft(external_ref="2", amount="3.33", currency="EUR"),
        make_draft(external_ref="3", event_type="income", amount="1200", counterparty="Hooli", metadata=contract),
        make_draft(external_ref="4", event_type="income", amount="600", counterparty="Initech", metadata=contract),
        make_draft(external_ref="", amount="7.00", occurred_at="2026-05-01T01:00:00Z"),
    ]
    outcomes = record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)
    for taken_back in (0, 3):
        event_id = outcomes[taken_back].event_id
        reverse(company_id=committed_company.id, event_id=event_id, reason="wrong", actor="t", now=NOW)
    record(
        company_id=committed_company.id, drafts=[make_draft(external_ref="1", amount="11.00")], actor="t", now=NOW
    )
    catch_up(company_id=committed_company.id)
    parts = [WantedPart(Part(Decimal(4), category="rent")), WantedPart(Part(Decimal(3), "transfer"))]
    split_by_hand(company_id=committed_company.id, position=5, wanted=parts, actor="t", now=NOW)
    seal(company_id=committed_company.id, now=NOW)
    record(company_id=committed_company.id, drafts=[make_draft(external_ref="9")], actor="t", now=NOW)
    state_balance(
        company_id=committed_company.id,
        account="bank",
        currency="USD",
        amount=Decimal(5),
        day=NOW.date(),
        origin="bank",
        actor="t",
        now=NOW,
    )
    used = UsedLine("il_1", Decimal(10), NOW.date(), NOW.date() + timedelta(days=30))
    invoice = SettledInvoice(
        "stripe", "in_1", "cus_1", "USD", NOW, before=Decimal(20), used=Decimal(12), lines=(used,)
    )
    for said in (replace(invoice, lines=()), invoice):
        state_settled_invoice(company_id=committed_company.id, invoice=said, actor="t", now=NOW)
    made = create_endpoint(
        company_id=committed_company.id, provider_name="generic", name="erp", actor="t", now=NOW
    )
    line = {**LINE, "external_ref": "erp-1"}
    raw = json.dumps([line, line, {**line, "external_ref": "erp-2", "amount": "2"}]).encode()
    endpoint = open_endpoint_numbered(endpoint_pk=made.id)
    number = keep_delivery(endpoint=endpoint, raw=raw, headers={}, now=NOW)
    assert work_on_delivery(delivery_pk=number, clock=lambda: NOW) == "done"
    return committed_company


# By invariant: what is done to the rows, and what is said about it.
BREAKS = {
    "positions": [
        ("UPDATE ledger_capitalevent SET position = 20 WHERE position = 2", "position 3 stands where 2 is due"),
        ("UPDATE ledger_journalhead SET position = 12", "the head row says 12, the last position is 11"),
    ],
    "deliveries": [
        (
            "ALTER TABLE ledger_delivery DROP CONSTRAINT delivery_items_add_up; "
            "UPDATE ledger_delivery SET duplicate = 0",
            "is done, but of 3 items 2 recorded, 0 corrected, 0 duplicate",
        ),
        (
            "UPDATE ledger_delivery SET rejected = 1, duplicate = 0",
            "is done, but of 3 items 2 recorded, 0 corrected, 0 duplicate, 0 taken back, 0 stated, 0 ignored, 1",
        ),
        ("UPDATE ledger_delivery SET state = 'ignored'", "is ignored, but of 3 items 2 recorded"),
        ("UPDATE ledger_delivery SET state = 'quarantined'", "is quarantined, but of 3 items 2 recorded"),
        (
            "UPDATE ledger_delivery SET recorded = 3, duplicate = 0",
            "counts 3 recorded or corrected and 0 taken back, the journal has 2 and 0",
        ),
        (
            "UPDATE ledger_delivery SET taken_back = 1, duplicate = 0",
            "counts 2 recorded or corrected and 1 taken back, the journal has 2 and 0",
        ),
        (
            "DELETE FROM ledger_provenance",
            "counts 2 recorded or corrected and 0 taken back, the journal has 0 and",
        ),
        (
            "UPDATE ledger_provenance SET last_position = 10; UPDATE ledger_delivery SET recorded = 1, items = 2",
            "position 11 was recorded by webhook:generic, but names nothing that brought it",
        ),
        ("UPDATE ledger_provenance SET last_position = 12", "of positions 10 to 12 reaches beyond the journal"),
        (
            "INSERT INTO ledger_plaiditem (company_id, item_id, access_token, cursor, failures, history_complete,"
            " silent, trouble, created_at) SELECT id, 'item', '', '', 0, false, false, '', now()"
            " FROM ledger_company WHERE slug = 'acme'; "
            "INSERT INTO ledger_plaidwalk (company_id, item_id, ended_at, pages, pending, items, recorded,"
            " corrected, duplicate, rejected) SELECT company_id, id, now(), 1, 0, 1, 1, 0, 0, 0"
            " FROM ledger_plaiditem",
            "counts 1 recorded or corrected and 0 taken back, the journal has 0 and 0",
        ),
    ],
    "default_partition": [
        (
            "INSERT INTO ledger_capitalevent SELECT"
            " (jsonb_populate_record(e, jsonb_build_object('occurred_at', '2001-02-03T00:00Z'))).*"
            " FROM ledger_capitalevent e WHERE position = 2",
            "position 2, of 2001-02-03, lies in the DEFAULT",
        )
    ],
    "base_amounts": [
        ("UPDATE ledger_capitalevent SET base_amount = base_amount + 0.01 WHERE position = 2", "position 2: 3.33"),
        (
            "UPDATE ledger_capitalevent SET fx_rate = 1.5, base_amount = amount * 1.5 WHERE position = 3",
            "position 3",
        ),
    ],
    "reversals": [
        (
            "UPDATE ledger_capitalevent SET amount = amount + 1 WHERE position = 6",
            "position 6 is not the opposite",
        ),
        (
            "UPDATE ledger_capitalevent SET reverses = sha256('x') WHERE position = 6",
            "position 6 is not the opposite",
        ),
    ],
    "external_objects": [
        (
            "UPDATE ledger_externalobject SET amount = amount + 1 WHERE external_ref = '2'",
            "the object 2 of bank-feed",
        ),
        (
            "UPDATE ledger_externalobject SET reversed = true WHERE external_ref = '2'",
            "reversed: t, the journal says f",
        ),
        (
            "UPDATE ledger_externalobject SET reversed = false WHERE external_ref = '4'",
            "reversed: f, the journal says t",
        ),
        ("DELETE FROM ledger_externalobject WHERE external_ref = '9'", "position 9 has no external object"),
    ],
    "totals": [
        (
            "UPDATE ledger_dailyflow SET amount = amount + 0.01 WHERE currency = 'EUR'",
            "2026-06, EUR: the journal has -3.33",
        ),
        ("DELETE FROM ledger_dailyflow WHERE day < '2026-05-15'", "2026-04, USD: the journal has -7.000000"),
    ],
    "daily_flows": [
        (
            "UPDATE ledger_dailyflow SET count = count + 1 WHERE currency = 'EUR'",
            "in 1 events, the daily sums have 3.33",
        ),
        ("UPDATE ledger_dailyflow SET category = 'x' WHERE currency = 'EUR'", "category"),
        (
            "UPDATE ledger_accountday SET base_amount = base_amount + 1 WHERE currency = 'EUR'",
            "the daily sums have 3.330000 EUR in 1 events, its day has 3.330000 in 1",
        ),
        ("UPDATE ledger_dailyflowcursor SET position = 30", "the daily sums reach to 30, the journal to 11"),
    ],
    "event_parts": [
        ("UPDATE ledger_eventpart SET amount = 3.99 WHERE category = 'rent'", "event 5 is 7.000000 USD"),
        (
            "UPDATE ledger_eventpart SET base_amount = 5 WHERE category = 'rent'",
            "its parts are 7.000000 (8.000000)",
        ),
        ("DELETE FROM ledger_eventpart", "its parts are  ()"),
        ("UPDATE ledger_eventsplit SET ended_at = now()", "event 5 was put together, but a part of 4.000000"),
    ],
    "contract_receipts": [
        ("DELETE FROM ledger_contractreceipt", "of Hooli is a payment for a contract, but not picked out"),
        ("UPDATE ledger_contractreceipt SET term_months = 6", "of Hooli is picked out otherwise"),
        ("UPDATE ledger_contractreceipt SET event_id = sha256('x')", "is"),
    ],
    "customer_balances": [
        (
            "UPDATE ledger_settledinvoice SET lines = jsonb_set(lines, '{0,1}', '\"12.01\"') WHERE revision = 1",
            "invoice in_1 earns 12.01 of a balance of which it used 12.000000",
        ),
        (
            "DELETE FROM ledger_settledinvoice WHERE revision = 0",
            "of invoice in_1 there are 1 words, but the last is number 2",
        ),
    ],
    "closed_months": [
        (
            "INSERT INTO ledger_monthclosing (company_id, month, closed, reason, actor, recorded_at, position)"
            " SELECT id, '2026-06-01', true, 'r', 'a', now(), 3 FROM ledger_company WHERE slug = 'acme'",
            "position 4 lies in 2026-06, which was closed behind position 3",
        ),
    ],
    "seals": [
        ("UPDATE ledger_seal SET first_position = 2, digests = substr(digests, 33)", "the seal of 2 to 8"),
        (
            "DELETE FROM ledger_capitalevent WHERE position > 6; UPDATE ledger_journalhead SET position = 6",
            "the seals reach to 8, the journal to 6",
        ),
    ],
    "event_ids": [
        (
            "UPDATE ledger_capitalevent SET direction = 'out' WHERE event_type = 'adjustment'; "
            "UPDATE ledger_capitalevent SET source = 'card' WHERE position = 5",
            "at position 5 does not say",
        )
    ],
    "tenancy": [
        (
            "UPDATE ledger_balancestatement SET account_id = {theirs}",
            "a row of ledger_balancestatement refers to account",
        ),
        (
            "UPDATE ledger_dailyflow SET account_id = {theirs} WHERE currency = 'EUR'",
            "ledger_dailyflow refers to account",
        ),
        (
            "UPDATE ledger_capitalevent SET account_id = {theirs} WHERE position = 3",
            "ledger_capitalevent refers to account",
        ),
        ("DELETE FROM ledger_source", "events come from bank-feed, which is not a source"),
    ],
}


def test_everything_holds_of_a_company_that_went_through_everything(lived_in: CompanyRef) -> None:
    assert [finding for finding in audit(companies=[lived_in]) if finding.difference] == []
    out = StringIO()
    call_command("audit_invariants", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report == {"holds": True, "held": {"acme": sorted(invariants())}, "first_difference": None}


def test_every_invariant_is_broken_by_a_test_here() -> None:
    assert set(BREAKS) == set(invariants())


@pytest.mark.parametrize(
    ("name", "statement", "said"),
    [(name, statement, said) for name, breaks in BREAKS.items() for statement, said in breaks],
)
def test_what_is_broken_is_found_and_said(
    name: str, statement: str, said: str, lived_in: CompanyRef, tamper: Tamper
) -> None:
    from ledger.models.account import Account

    theirs = Account.objects.get(company_id=open_company("umbrella").id).pk
    tamper(*statement.replace("{theirs}", str(theirs)).split("; "))
    difference = invariants()[name].difference(lived_in)
    assert difference is not None
    assert said in difference
    with pytest.raises(CommandError, match=r"^acme: ") as refused:
        call_command("audit_invariants", stdout=StringIO())
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)


def test_a_company_without_anything_holds(committed_company: CompanyRef) -> None:
    assert [finding for finding in audit(companies=[committed_company]) if finding.difference] == []


def test_another_companys_trouble_is_not_ours(lived_in: CompanyRef, tamper: Tamper) -> None:
    open_company("umbrella")
    tamper("UPDATE ledger_journalhead SET position = 12 WHERE position > 0")
    call_command("audit_invariants", "--company", "umbrella", stdout=StringIO())
    with pytest.raises(CommandError, match=r"acme: "):
        call_command("audit_invariants", stdout=StringIO())
