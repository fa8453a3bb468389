"""Waking the workers of the imports queue from within a request."""

import socket

import pytest
from django.test import override_settings

from ledger.jobs import wake_delivery


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with override_settings(REDIS_QUEUE_URL=address):
            assert [wake_delivery(delivery_id=number) for number in range(5)] == [False] * 5
    assert [record.message.partition(":")[0] for record in caplog.records] == ["wake_failed"]
