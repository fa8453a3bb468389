"""Somebody who looks at the pages of the cloud at an hour that the test decides."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.company import Membership, Role
from ledger.models.user import User
from tests.cloudpolicy.steered_company import NOW


@dataclass
class Hour:
    """What the clock of the application says."""

    now: datetime = NOW

    def pass_on(self, **much: int) -> None:
        self.now += timedelta(**much)


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> Hour:
    told = Hour()
    monkeypatch.setattr("django.utils.timezone.now", lambda: told.now)
    return told


@pytest.fixture
def reader(hour: Hour) -> Callable[[CompanyRef, Role], Client]:
    """Give a function that signs a new member of a company in."""

    def signed_in(company: CompanyRef, role: Role) -> Client:
        count = User.objects.count()
        user = User.objects.create_user(f"{role}{count}@example.com", "correct horse battery staple")
        Membership.objects.create(company_id=company.id, user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    return signed_in


def words(response: Any) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<(script|style|title)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("&#x27;", "'")
