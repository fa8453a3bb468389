"""What people type is shown as typed: text that turns itself round, or hides a part, is refused by its field."""

import pytest
from django.test import Client

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import write_yaml
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.policies import enable_policy, save_draft
from cloudpolicy.services.prices import PriceRefused, enter_price
from cloudpolicy.services.refusals import TURNS_TEXT, NotAllowed, need_reason
from ledger.domain.company import CompanyRef
from ledger.models.company import Membership, Role
from ledger.models.user import User
from tests.cloudpolicy.steered_company import NOW, steered_company

# "approved by ann" that reads "approved by bob" in a browser, and an escape of a terminal.
TURNED = ("less \u202enna yb", "\u2066runway\u2069", "less\u200frunway", "\x1b[2Kless", "del\x7fete")
PLAIN = (
    "café – 2 % less",
    "\u05e4\u05d7\u05d5\u05ea",
    "done \N{WHITE HEAVY CHECK MARK}",
    "a\u00adb",
    "👩\u200d💻",
)


@pytest.mark.parametrize("text", TURNED)
def test_a_reason_that_reads_otherwise_than_it_was_typed_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed, match="control characters") as refused:
        need_reason(text)
    assert refused.value.field == "reason"


@pytest.mark.parametrize("text", PLAIN)
def test_every_other_letter_is_a_persons_own_matter(text: str) -> None:
    assert need_reason(f"  {text}\n") == text


@pytest.fixture
def company(db: None) -> CompanyRef:
    return steered_company(days=80)


@pytest.mark.parametrize("text", TURNED)
def test_no_door_keeps_such_a_text(company: CompanyRef, text: str) -> None:
    by = {"company_id": company.id, "actor": "test", "now": NOW}
    with pytest.raises(NotAllowed):
        turn_kill_switch(on=True, reason=text, **by)
    assert not KillSwitchTurn.objects.exists()
    for field, given in (
        ("because", {"document": FOUNDING_LADDER, "because": text}),
        ("name", {"document": FOUNDING_LADDER | {"name": text}, "because": "why"}),
        ("groups[0].because", {"document": FOUNDING_LADDER | {"groups": [_left_alone(text)]}, "because": "why"}),
    ):
        with pytest.raises(InvalidPolicy) as invalid:
            enable_policy(**given, **by)
        assert {problem.path for problem in invalid.value.problems} == {field}
    yaml = write_yaml(FOUNDING_LADDER)
    for field, given in (
        ("draft", {"name": text, "text": yaml}),
        ("text", {"name": "mine", "text": f"# {text}\n{yaml}"}),
    ):
        with pytest.raises(InvalidPolicy) as invalid:
            save_draft(based_on=1, **given, **by)
        assert {problem.path for problem in invalid.value.problems} == {field}
    for field, given in (
        ("because", {"instance_type": "m6i.large", "because": text}),
        ("group", {"group": text, "because": "why"}),
    ):
        with pytest.raises(PriceRefused) as refused:
            enter_price(company=company, region="us-east-1", per_hour="1", actor="test", now=NOW, **given)
        assert {problem.field for problem in refused.value.problems} == {field}


def _left_alone(because: str) -> dict[str, str]:
    return {"group": "capstack-dev-asg", "exclude_until": "2027-01-01", "because": because}


def test_what_was_kept_before_cannot_turn_a_page_round(company: CompanyRef, client: Client) -> None:
    """Approvals and turns are append-only: what was typed before such letters were refused is in them for ever."""
    KillSwitchTurn.objects.create(
        company_id=company.id, on=True, actor="ann", reason="less \u202enna yb \u05e4\u2069", turned_at=NOW
    )
    user = User.objects.create_user("ann@example.com", "correct horse battery staple", is_staff=True)
    Membership.objects.create(company_id=company.id, user=user, role=Role.ADMIN)
    client.force_login(user)
    for address in ("/cloud", "/admin/cloudpolicy/killswitchturn/"):
        text = client.get(address).content.decode()
        assert "less \N{REPLACEMENT CHARACTER}nna yb \u05e4\N{REPLACEMENT CHARACTER}" in text
        assert not TURNS_TEXT & set(text)
