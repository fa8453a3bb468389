"""A matcher and people at work at once: nothing is matched twice, nobody is refused by a deadlock."""

import threading
from datetime import timedelta

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.models.matching import TransferMatch
from ledger.models.review import ReviewItem
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.review import CannotDecide, Decision, decide
from tests.ledger.conftest import NOW, make_draft

PAIRS = 12


def test_matchers_and_reviewers_at_once_leave_each_leg_in_one_match(committed_company: CompanyRef) -> None:
    company_id = committed_company.id
    for n in range(PAIRS):
        at = (NOW - timedelta(days=40 - 3 * n)).isoformat()
        fields = {"amount": f"{100 + n}", "occurred_at": at}
        drafts = [
            make_draft(external_ref=f"o{n}", event_type="transfer", direction="out", account="stripe", **fields),
            make_draft(external_ref=f"i{n}", event_type="income", account="bank", counterparty="Wire", **fields),
        ]
        record(company_id=company_id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
    catch_up(company_id=company_id)
    follow_journal(company_id=company_id, now=NOW)
    items = list(ReviewItem.objects.filter(kind="pair").values_list("id", flat=True))
    assert len(items) == PAIRS
    failures: list[BaseException] = []
    refused: list[str] = []

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except CannotDecide as error:
            refused.append(str(error))
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    def review(order: int) -> None:
        for item_id in items[::order]:
            try:
                decide(company_id=company_id, item_id=item_id, decision=Decision("accepted"), actor="ann", now=NOW)
            except CannotDecide as error:
                refused.append(str(error))

    def match() -> None:
        for n in range(6):
            late = make_draft(
                external_ref=f"late{n}", event_type="transfer", direction="in", amount="1", account="stripe"
            )
            record(company_id=company_id, drafts=[late], actor="t", now=NOW)
            follow_journal(company_id=company_id, now=NOW)
            catch_up(company_id=company_id)

    threads = [
        threading.Thread(target=guarded, args=arguments) for arguments in ((review, 1), (review, -1), (match,))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(refused) == PAIRS
    assert TransferMatch.objects.filter(ended_at=None).count() == PAIRS
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(count) FROM ledger_dailyflow WHERE event_type = 'income'")
        assert cursor.fetchone() == (0,)
