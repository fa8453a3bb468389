"""Clients for AWS, and its failures in one line each."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from django.conf import settings

# Three attempts with back-off are botocore's "standard" mode; it repeats throttled and broken answers by itself.
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 15
ATTEMPTS = 3


class CloudUnavailable(Exception):
    """AWS could not be read; the message is one line, for people."""


def client(service: str, *, region: str, endpoint: str | None = None) -> Any:
    """Return a boto3 client for a service, at the configured endpoint or else at AWS itself.

    Credentials come from the environment, a role or the usual files. An endpoint on loopback is a server of our
    own, which asks for none: there a placeholder stands in.

    Args:
        endpoint: address of an AWS-compatible server; default is AWS_ENDPOINT_URL, and without that AWS.

    Raises:
        CloudUnavailable: there are no credentials for AWS.
    """
    session = boto3.Session()
    endpoint = endpoint or settings.AWS_ENDPOINT_URL or None
    with one_line_errors():
        credentials = session.get_credentials()
    placeholder = {}
    if credentials is None:
        if not is_loopback(endpoint):
            raise CloudUnavailable("no AWS credentials are configured, and AWS_ENDPOINT_URL names no local server")
        placeholder = {"aws_access_key_id": "capstack", "aws_secret_access_key": "capstack"}
    with one_line_errors():
        return session.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
            **placeholder,
        )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what botocore raises into CloudUnavailable with one line that says what to do about it."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise CloudUnavailable(f"AWS credentials are missing or incomplete: {_one_line(error)}") from error
    except ClientError as error:
        answer = error.response.get("Error", {})
        code, message = answer.get("Code", "unknown error"), answer.get("Message", "")
        refused = f"AWS refused {error.operation_name}: {code}"
        raise CloudUnavailable(_one_line(f"{refused}, {message}" if message else refused)) from error
    except (BotoCoreError, ValueError) as error:
        # A malformed endpoint or region is a ValueError.
        raise CloudUnavailable(f"AWS cannot be reached: {_one_line(error)}") from error


def is_loopback(endpoint: str | None) -> bool:
    """Whether an endpoint address points at this very machine."""
    host = urlsplit(endpoint or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:300]
