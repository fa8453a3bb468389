"""An AWS-compatible server over real HTTP, empty for every test, behind a proxy that notes what is asked of it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings

from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.strict_proxy import StrictProxy


@pytest.fixture
def aws(moto_url: str, settings: Settings) -> Iterator[RecordingProxy]:
    """Give an empty AWS-compatible server that the settings point at."""
    proxy = RecordingProxy(upstream_port=_port(moto_url))
    settings.AWS_ENDPOINT_URL = proxy.url
    settings.AWS_REGION = "us-east-1"
    yield proxy
    proxy.close()


@pytest.fixture
def strict_aws(moto_url: str, settings: Settings) -> Iterator[StrictProxy]:
    """Give the same with AWS's manners: it refuses what AWS refuses, and fails as AWS fails."""
    proxy = StrictProxy(_port(moto_url))
    settings.AWS_ENDPOINT_URL = proxy.url
    settings.AWS_REGION = "us-east-1"
    yield proxy
    proxy.close()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
