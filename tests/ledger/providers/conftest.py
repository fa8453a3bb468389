"""Somebody outside to talk to."""

from collections.abc import Iterator

import pytest

from tests.ledger.providers.outside_server import OutsideServer, outside_server


@pytest.fixture
def outside() -> Iterator[OutsideServer]:
    with outside_server() as server:
        yield server
