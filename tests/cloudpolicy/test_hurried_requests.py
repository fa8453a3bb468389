"""A cloud that does not answer is told of soon to who waits for a page, and waited for by who can wait."""

from itertools import count
from types import SimpleNamespace

import pytest
from django.test import Client

from cloudpolicy.services import aws
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import plan_scaling
from ledger.models.company import Membership, Role
from ledger.models.user import User
from tests.cloudpolicy.groups_of_five import make_five_groups
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy, Trouble

DESCRIBE = "DescribeAutoScalingGroups"
SILENT_SECONDS = 0.6


@pytest.fixture
def silent_aws(strict_aws: StrictProxy, monkeypatch: pytest.MonkeyPatch) -> StrictProxy:
    """Give a cloud that does not answer for a while, which is too long for a page and not for a worker."""
    make_five_groups()
    monkeypatch.setattr(aws, "HURRIED_TIMEOUT_SECONDS", SILENT_SECONDS / 3)
    strict_aws.forget()
    strict_aws.troubles = [Trouble(DESCRIBE, 200, seconds=SILENT_SECONDS) for _ in range(9)]
    return strict_aws


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/cloud/look", "/cloud/cheapest?days=90", "/cloud/cheapest/plan"])
def test_a_page_gives_up_after_two_short_attempts(silent_aws: StrictProxy, path: str) -> None:
    company = steered_company(days=80)
    user = User.objects.create_user("ada@example.com", "correct horse battery staple")
    Membership.objects.create(company_id=company.id, user=user, role=Role.FOUNDER)
    client = Client()
    client.force_login(user)
    told = client.get(path) if "?" in path else client.post(path, {"days": "90"}, follow=True)
    assert "cannot be read" in told.content.decode()
    assert "Read timeout" in told.content.decode()
    assert silent_aws.actions[DESCRIBE] == 2


@pytest.mark.django_db
def test_slow_answers_of_one_page_do_not_add_up(strict_aws: StrictProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    make_five_groups()
    company = steered_company(days=80)
    # A request looks at the clock when it begins, when it is sent and when it ends: each takes two seconds.
    seconds = count()
    monkeypatch.setattr(aws, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    for _ in range(2):
        strict_aws.forget()
        with aws.while_somebody_waits(), pytest.raises(CloudUnavailable, match="AWS answers slowly"):
            plan_scaling(company_id=company.id, now=NOW)
        assert sum(strict_aws.actions.values()) == 2, "each page has a patience of its own"
    assert plan_scaling(company_id=company.id, now=NOW).calls, "a worker has time for all of them"


@pytest.mark.django_db
def test_who_can_wait_gets_the_slow_answer(silent_aws: StrictProxy) -> None:
    company = steered_company(days=80)
    with aws.while_somebody_waits(), pytest.raises(CloudUnavailable):
        plan_scaling(company_id=company.id, now=NOW)
    assert plan_scaling(company_id=company.id, now=NOW).calls, "the hurry ends with the request"
