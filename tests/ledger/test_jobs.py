"""Waking the workers of the imports queue from within a request."""

import socket

import pytest
import redis
from django.test import override_settings
from django_rq import get_queue

from ledger.domain.company import CompanyRef
from ledger.jobs import QUEUE, sweep_chains, wake_delivery
from ledger.services.chain_verdicts import verify_and_keep
from tests.ledger.conftest import NOW


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with override_settings(REDIS_QUEUE_URL=address):
            assert [wake_delivery(delivery_id=number) for number in range(5)] == [False] * 5
    assert [record.message.partition(":")[0] for record in caplog.records] == ["wake_failed"]


def test_a_chain_that_was_not_looked_at_for_long_is_enqueued_once(
    company: CompanyRef, empty_redis: redis.Redis
) -> None:
    assert [sweep_chains(now=NOW) for _ in range(2)] == [1, 1]
    (job,) = get_queue(QUEUE).jobs
    assert (job.func_name, job.kwargs) == ("ledger.jobs.verify_chain", {"company_id": company.id})
    verify_and_keep(company_id=company.id, now=NOW)
    assert sweep_chains(now=NOW) == 0
