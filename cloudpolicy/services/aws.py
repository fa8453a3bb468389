"""Clients for AWS, and its failures in one line each."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.hooks import HierarchicalEmitter
from botocore.parsers import ResponseParserError
from django.conf import settings

from cloudpolicy.engine.cloud import mixed_policy_as_request

# Three attempts with back-off are botocore's "standard" mode; it repeats throttled and broken answers by itself.
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 15
ATTEMPTS = 3
# Who waits for a page had better hear soon that AWS does not answer: after nine seconds at most, which is less
# than what a page's own script waits for. See docs/adr/0164 and 0171.
HURRIED_TIMEOUT_SECONDS = 4
HURRIED_ATTEMPTS = 2
# For all that a page asks, together: nothing is begun after that, and what was begun ends within the nine seconds.
HURRIED_BUDGET_SECONDS = 5

# What AWS says when it wants to be asked later. It has done nothing then.
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "ResourceContention",
        "ResourceContentionFault",
        "ScalingActivityInProgress",
        "ScalingActivityInProgressFault",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class CloudUnavailable(Exception):
    """AWS could not be read or asked; the message is one line, for people.

    Attributes:
        code: AWS's own word for it; '' when no answer of AWS was understood.
        request_id: AWS's number of the request; '' when it gave none.
        was_refused: AWS has certainly done nothing. Else a request that changes something may have been made.
    """

    def __init__(self, message: str, *, code: str = "", request_id: str = "", was_refused: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.was_refused = was_refused

    @property
    def passes(self) -> bool:
        """Asked again later, it may be done: AWS wants to be left alone, or was not reached, or has failed."""
        return not self.was_refused or not self.code or self.code in THROTTLED


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """What STS gave for a role; lives in memory alone."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(slots=True)
class _Patience:
    """Seconds that somebody who waits for a page has waited for AWS. What else the page does is not in them."""

    waited: float = 0.0
    asked_at: float = 0.0

    def count_for(self, made: Any) -> None:
        """Let all requests of a client count, with their repetitions and the pauses between those."""
        made.meta.events.register("before-call", self.begin)
        made.meta.events.register("before-send", self.need_some)
        made.meta.events.register("after-call", self.end)
        made.meta.events.register("after-call-error", self.end)

    def begin(self, **_: Any) -> None:
        self.asked_at = time.monotonic()

    def need_some(self, **_: Any) -> None:
        """Raises CloudUnavailable: there is none left."""
        if self.waited + time.monotonic() - self.asked_at < HURRIED_BUDGET_SECONDS:
            return
        raise CloudUnavailable(
            f"AWS answers slowly: after {HURRIED_BUDGET_SECONDS} seconds not everything was read", was_refused=True
        )

    def end(self, **_: Any) -> None:
        self.waited += time.monotonic() - self.asked_at


_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@contextmanager
def while_somebody_waits() -> Iterator[None]:
    """Clients made in here give up soon: a person waits for the answer, and so does a thread of the web server.

    What they ask has a few seconds in total, too, so that many slow answers do not add up.
    """
    before = _patience.set(_Patience())
    try:
        yield
    finally:
        _patience.reset(before)


def client(
    service: str,
    *,
    region: str,
    endpoint: str | None = None,
    attempts: int = ATTEMPTS,
    role: RoleCredentials | None = None,
) -> Any:
    """Return a boto3 client for a service, at the configured endpoint or else at AWS itself.

    Credentials come from the environment, a role or the usual files. An endpoint on loopback is a server of our
    own, which asks for none: there a placeholder stands in.

    Args:
        endpoint: address of an AWS-compatible server; default is AWS_ENDPOINT_URL, and without that AWS.
        attempts: 1 for requests that change something: one that got no answer may have been made.
        role: credentials of an assumed role instead of those.

    Raises:
        CloudUnavailable: there are no credentials for AWS.
    """
    endpoint = endpoint or settings.AWS_ENDPOINT_URL or None
    patience = _patience.get()
    hurried = patience is not None
    with one_line_errors():
        session = _session()
        made = session.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=HURRIED_TIMEOUT_SECONDS if hurried else READ_TIMEOUT_SECONDS,
                retries={
                    "mode": "standard",
                    "total_max_attempts": min(attempts, HURRIED_ATTEMPTS) if hurried else attempts,
                },
            ),
            **_credentials(session, endpoint, role),
        )
    if patience is not None:
        patience.count_for(made)
    if service == "autoscaling" and is_loopback(endpoint):
        made.meta.events.register("provide-client-params.auto-scaling.UpdateAutoScalingGroup", _keep_mixed(made))
    return made


def _session() -> boto3.Session:
    """A session of its own, as clients are made in many threads; what all have in common is made once."""
    core = botocore.session.Session(event_hooks=copy(_built_in_handlers()), include_builtin_handlers=False)
    session = boto3.Session(botocore_session=core)
    # After boto3, which adds a folder of its own to the loader that it finds: the kept one would grow for ever.
    core.register_component("data_loader", _models())
    return session


@cache
def _built_in_handlers() -> HierarchicalEmitter:
    """What botocore registers for every session; a copy costs a tenth of registering it anew, 13 ms."""
    handlers = HierarchicalEmitter()
    botocore.session.Session(event_hooks=handlers)
    return handlers


@cache
def _models() -> Any:
    return botocore.loaders.create_loader()


def _keep_mixed(autoscaling: Any) -> Callable[..., None]:
    """AWS keeps what a request leaves out. moto forgets a mixed-instances policy that is not sent again."""

    def add(params: dict[str, Any], **_: Any) -> None:
        if "MixedInstancesPolicy" in params or "LaunchTemplate" in params:
            return
        found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[params["AutoScalingGroupName"]])
        for group in found["AutoScalingGroups"]:
            policy = mixed_policy_as_request(autoscaling, group)
            if policy is not None:
                params["MixedInstancesPolicy"] = policy

    return add


def _credentials(session: boto3.Session, endpoint: str | None, role: RoleCredentials | None) -> dict[str, str]:
    if role is not None:
        return {
            "aws_access_key_id": role.access_key,
            "aws_secret_access_key": role.secret_key,
            "aws_session_token": role.token,
        }
    if session.get_credentials() is not None:
        return {}
    if not is_loopback(endpoint):
        raise CloudUnavailable(
            "no AWS credentials are configured, and AWS_ENDPOINT_URL names no local server",
            code="NoCredentials",
            was_refused=True,
        )
    return {"aws_access_key_id": "capstack", "aws_secret_access_key": "capstack"}


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what botocore raises into CloudUnavailable with one line that says what to do about it."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        text = f"AWS credentials are missing or incomplete: {_one_line(error)}"
        raise CloudUnavailable(text, code="NoCredentials", was_refused=True) from error
    except ParamValidationError as error:
        text = f"the request is none: {_one_line(error)}"
        raise CloudUnavailable(text, code="ParamValidation", was_refused=True) from error
    except ClientError as error:
        raise _refusal(error) from error
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        # It never left this machine.
        raise CloudUnavailable(f"AWS cannot be reached: {_one_line(error)}", was_refused=True) from error
    except ResponseParserError as error:
        # A page of what stands in between, in place of an answer: whether AWS did it is not known.
        raise CloudUnavailable("AWS answered with something that cannot be read") from error
    except (BotoCoreError, ValueError) as error:
        # A malformed endpoint or region is a ValueError.
        raise CloudUnavailable(f"AWS cannot be reached: {_one_line(error)}") from error


def _refusal(error: ClientError) -> CloudUnavailable:
    answer = error.response.get("Error", {})
    about = error.response.get("ResponseMetadata", {})
    code = str(answer.get("Code", "unknown error"))
    # It becomes a part of our sentences.
    message = str(answer.get("Message", "")).rstrip(" .")
    if message.lstrip().startswith("<"):
        # Somebody's page in place of a reason, mostly of what stands in between; there is nothing in it to read.
        message = ""
    refused = f"AWS refused {error.operation_name}: {code}"
    return CloudUnavailable(
        _one_line(f"{refused}, {message}" if message else refused),
        code=code,
        request_id=str(about.get("RequestId", "")),
        # A server that failed may have done it first; one that is asked too often says so with 503, too.
        was_refused=code in THROTTLED or 400 <= int(about.get("HTTPStatusCode", 0)) < 500,
    )


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
