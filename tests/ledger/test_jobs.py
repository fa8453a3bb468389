"""Waking the workers of the imports queue from within a request."""

import socket
from datetime import datetime, timedelta

import pytest
import redis
from django.test import override_settings
from django_rq import get_queue
from pytest_django.fixtures import Settings
from rq.job import Job, JobStatus

from ledger.domain.company import CompanyRef
from ledger.jobs import QUEUE, sweep_chains, sweep_deliveries, sweep_plaid, wake_delivery
from ledger.models.delivery import Delivery, DeliveryState, Verdict
from ledger.models.endpoint import WebhookEndpoint
from ledger.models.plaid import PlaidItem
from ledger.services import deliveries, plaid_queue
from ledger.services.chain_verdicts import verify_and_keep
from ledger.services.endpoints import NewEndpoint, create_endpoint
from tests.ledger.conftest import NOW


@pytest.mark.django_db
def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with override_settings(REDIS_QUEUE_URL=address):
            assert [wake_delivery(delivery_id=number) for number in range(5)] == [False] * 5
    assert [record.message.partition(":")[0] for record in caplog.records] == ["wake_failed"]


def _began_and_was_killed(waiting: Job) -> None:
    """What a worker leaves that is killed in the middle of a job: for the queue the job goes on running."""
    get_queue(QUEUE).remove(waiting)
    waiting.set_status(JobStatus.STARTED)


def test_a_bank_is_read_again_once_the_lease_of_a_killed_worker_is_over(
    company: CompanyRef, empty_redis: redis.Redis, settings: Settings
) -> None:
    settings.PLAID_CLIENT_ID = "client"
    item = PlaidItem.objects.create(
        company_id=company.id, item_id="item", access_token=b"", created_at=NOW, wanted_at=NOW
    )
    assert [sweep_plaid(now=NOW) for _ in range(2)] == [1, 1]
    (waiting,) = get_queue(QUEUE).jobs
    _began_and_was_killed(waiting)
    PlaidItem.objects.update(claimed_at=NOW)
    assert sweep_plaid(now=NOW + plaid_queue.LEASE) == 0
    assert [sweep_plaid(now=NOW + plaid_queue.LEASE + timedelta(seconds=1)) for _ in range(2)] == [1, 1]
    (again,) = get_queue(QUEUE).jobs
    assert again.kwargs == waiting.kwargs == {"item_number": item.pk}
    # The walk that followed is over, and there are news again: the dead job still stands.
    get_queue(QUEUE).empty()
    later = NOW + timedelta(minutes=20)
    PlaidItem.objects.update(claimed_at=None, synced_at=later)
    assert sweep_plaid(now=later) == 1
    assert len(get_queue(QUEUE).jobs) == 1


def _waiting(endpoint: NewEndpoint, received_at: datetime) -> int:
    return Delivery.objects.create(
        company_id=WebhookEndpoint.objects.get(pk=endpoint.id).company_id,
        endpoint_id=endpoint.id,
        received_at=received_at,
        body=b"{}",
        size_bytes=2,
        sha256=bytes(32),
        verdict=Verdict.VERIFIED,
        state=DeliveryState.WAITING,
        due_at=received_at,
    ).pk


def test_a_delivery_is_taken_up_again_once_the_lease_of_a_killed_worker_is_over(
    company: CompanyRef, empty_redis: redis.Redis
) -> None:
    endpoint = create_endpoint(company_id=company.id, provider_name="generic", name="", actor="t", now=NOW)
    delivery = _waiting(endpoint, NOW)
    assert sweep_deliveries(now=NOW) == 1
    (waiting,) = get_queue(QUEUE).jobs
    _began_and_was_killed(waiting)
    Delivery.objects.update(claimed_at=NOW, attempts=1)
    assert [sweep_deliveries(now=NOW + deliveries.LEASE + timedelta(seconds=1)) for _ in range(2)] == [1, 1]
    (again,) = get_queue(QUEUE).jobs
    assert again.kwargs == waiting.kwargs == {"delivery_id": delivery}
    # A replay of it starts over, and the dead job still stands.
    get_queue(QUEUE).empty()
    later = NOW + timedelta(minutes=20)
    assert deliveries.release_for_replay(delivery_pk=delivery, now=later)
    assert sweep_deliveries(now=later) == 1
    assert len(get_queue(QUEUE).jobs) == 1


def test_deliveries_of_an_endpoint_are_read_again_in_their_order_though_a_dead_job_has_the_first_ones_name(
    company: CompanyRef, empty_redis: redis.Redis
) -> None:
    endpoint = create_endpoint(company_id=company.id, provider_name="generic", name="", actor="t", now=NOW)
    late, early = (_waiting(endpoint, NOW - timedelta(hours=hours)) for hours in (1, 2))
    assert sweep_deliveries(now=NOW) == 2
    for job in get_queue(QUEUE).jobs:
        _began_and_was_killed(job)
    assert deliveries.release_endpoint_for_replay(endpoint_pk=endpoint.id, now=NOW) == 2
    assert sweep_deliveries(now=NOW) == 2
    assert [job.kwargs["delivery_id"] for job in get_queue(QUEUE).jobs] == [early, late]


def test_a_chain_that_was_not_looked_at_for_long_is_enqueued_once(
    company: CompanyRef, empty_redis: redis.Redis
) -> None:
    assert [sweep_chains(now=NOW) for _ in range(2)] == [1, 1]
    (job,) = get_queue(QUEUE).jobs
    assert (job.func_name, job.kwargs) == ("ledger.jobs.verify_chain", {"company_id": company.id})
    verify_and_keep(company_id=company.id, now=NOW)
    assert sweep_chains(now=NOW) == 0
