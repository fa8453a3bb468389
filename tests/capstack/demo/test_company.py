"""Making the demo company in a database."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from capstack.demo import company as demo
from capstack.demo.company import NotTheDemo, create_demo, is_wanted
from forecasting.selectors.plans import plan_in_force
from ledger.domain.company import CompanyRef
from ledger.models.account import Account
from ledger.models.company import Company, Membership
from ledger.models.event import CapitalEvent
from ledger.models.user import User
from ledger.selectors.balances import cash_by_currency, credit_grants
from ledger.selectors.companies import company_ref
from ledger.selectors.journal import journal_position
from ledger.services.companies import create_company
from ledger.services.daily_flows import catch_up

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 18, 15, 0, tzinfo=UTC)


@pytest.fixture
def sign_ins(tmp_path: Path) -> Path:
    return tmp_path / "sign-ins.json"


def make(path: Path, *, now: datetime = NOW) -> CompanyRef:
    create_demo(now=now, months=3, sign_ins_path=path)
    return company_ref(slug="demo")


def test_it_makes_a_company_with_accounts_events_and_a_plan(sign_ins: Path) -> None:
    company = make(sign_ins)
    assert company.name == "Fernhill Labs"
    assert dict(Account.objects.values_list("name", "kind")) == {
        "bank": "bank",
        "bank-eur": "bank",
        "bank-gbp": "bank",
        "card": "card",
        "cloud-aws": "cloud",
        "stripe": "processor",
    }
    assert journal_position(company_id=company.id) == CapitalEvent.objects.count() > 700
    assert plan_in_force(company_id=company.id) is not None


def test_the_ledger_agrees_with_the_plan_to_the_cent(sign_ins: Path) -> None:
    company = make(sign_ins)
    plan = plan_in_force(company_id=company.id)
    assert plan is not None
    assert plan.document.as_of is not None
    catch_up(company_id=company.id)
    cash = cash_by_currency(company_id=company.id, at=plan.document.as_of)
    assert cash == plan.document.opening_balance
    assert plan.document.history_start is not None
    before = plan.document.history_start - timedelta(days=1)
    assert cash_by_currency(company_id=company.id, at=before) == plan.document.history_opening_balance
    (grant,) = credit_grants(company_id=company.id, at=plan.document.as_of)
    assert str(grant.remaining.normalize()) == "9.2E+4"


def test_doing_it_again_changes_nothing(sign_ins: Path) -> None:
    make(sign_ins)
    written = sign_ins.read_text()
    again = create_demo(now=NOW + timedelta(days=3), months=3, sign_ins_path=sign_ins)
    assert again.recorded == 0
    assert sign_ins.read_text() == written
    assert (Company.objects.count(), User.objects.count(), Membership.objects.count()) == (1, 3, 3)


def test_an_attempt_that_was_cut_short_is_taken_up_again(sign_ins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(demo, "record_plan", cut_short)
        with pytest.raises(KeyboardInterrupt):
            make(sign_ins)
    events = CapitalEvent.objects.count()
    assert events > 700
    assert is_wanted()
    # Two days later: the story still hangs on the day on which it began.
    make(sign_ins, now=NOW + timedelta(days=2))
    assert CapitalEvent.objects.count() == events
    assert not is_wanted()


def test_it_is_wanted_in_an_empty_database_alone(sign_ins: Path) -> None:
    assert is_wanted()
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    assert not is_wanted()


def test_it_is_never_made_over_a_company_of_somebodys_own() -> None:
    create_company(slug="demo", name="Demosthenes Ltd", currency="EUR", timezone="UTC", now=NOW)
    assert not is_wanted()
    with pytest.raises(NotTheDemo, match="Demosthenes"):
        create_demo(now=NOW, months=3)
    assert not CapitalEvent.objects.exists()
    assert not User.objects.exists()


def test_each_role_has_a_person_who_can_sign_in(sign_ins: Path) -> None:
    make(sign_ins)
    written = json.loads(sign_ins.read_text())
    assert [each["role"] for each in written] == ["founder", "finance", "admin"]
    roles = dict(Membership.objects.values_list("user__email", "role"))
    for each in written:
        user = authenticate(username=each["email"], password=each["password"])
        assert user is not None
        assert roles[each["email"]] == each["role"]
    rights = {
        user.email.split("@")[0]: (user.is_staff, user.is_superuser) for user in User.objects.order_by("email")
    }
    assert rights == {"founder": (False, False), "finance": (True, False), "admin": (True, True)}


def test_passwords_are_random_and_for_their_owners_eyes(sign_ins: Path) -> None:
    make(sign_ins)
    passwords = [each["password"] for each in json.loads(sign_ins.read_text())]
    assert len(set(passwords)) == 3
    assert min(map(len, passwords)) >= 16
    assert stat.S_IMODE(sign_ins.stat().st_mode) == 0o600


def test_when_the_file_of_sign_ins_is_lost_people_get_new_passwords(sign_ins: Path) -> None:
    make(sign_ins)
    before = json.loads(sign_ins.read_text())
    sign_ins.unlink()
    make(sign_ins)
    after = json.loads(sign_ins.read_text())
    assert [each["email"] for each in after] == [each["email"] for each in before]
    assert all(authenticate(username=each["email"], password=each["password"]) for each in after)
    assert not any(authenticate(username=each["email"], password=each["password"]) for each in before)
