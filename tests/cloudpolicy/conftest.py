"""An AWS-compatible server over real HTTP, empty for every test, behind a proxy that notes what is asked of it."""

import logging
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.strict_proxy import StrictProxy


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield port
    server.stop()


@pytest.fixture
def aws(moto_port: int, settings: Settings) -> Iterator[RecordingProxy]:
    """Give an empty AWS-compatible server that the settings point at."""
    urlopen(Request(f"http://127.0.0.1:{moto_port}/moto-api/reset", method="POST"), timeout=20).close()
    proxy = RecordingProxy(upstream_port=moto_port)
    settings.AWS_ENDPOINT_URL = proxy.url
    settings.AWS_REGION = "us-east-1"
    yield proxy
    proxy.close()


@pytest.fixture
def strict_aws(moto_port: int, settings: Settings) -> Iterator[StrictProxy]:
    """Give the same with AWS's manners: it refuses what AWS refuses, and fails as AWS fails."""
    urlopen(Request(f"http://127.0.0.1:{moto_port}/moto-api/reset", method="POST"), timeout=20).close()
    proxy = StrictProxy(moto_port)
    settings.AWS_ENDPOINT_URL = proxy.url
    settings.AWS_REGION = "us-east-1"
    yield proxy
    proxy.close()
