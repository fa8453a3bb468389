"""Clients for AWS are made often, and share what is the same for all of them."""

from types import SimpleNamespace
from typing import Any

from cloudpolicy.services import aws


def new_client() -> Any:
    return aws.client("ec2", region="us-east-1", endpoint="http://127.0.0.1:1")


def what_boto3_adds() -> int:
    """How many handlers a new session calls for an event that boto3 alone listens to."""
    answers = aws._session().events.emit("creating-client-class.s3", class_attributes={}, base_classes=[])
    return len(answers)


def test_every_client_does_what_botocore_does_for_its_own() -> None:
    for _ in range(2):
        params = {"UserData": "a script of a new machine"}
        new_client().meta.events.emit(
            "before-parameter-build.ec2.RunInstances",
            params=params,
            model=SimpleNamespace(input_shape=None, idempotent_members=()),
            context={},
        )
        assert params["UserData"] == "YSBzY3JpcHQgb2YgYSBuZXcgbWFjaGluZQ==", "encoded, and once"


def test_a_client_leaves_nothing_behind_in_what_all_share() -> None:
    new_client()
    paths, handlers = list(aws._models().search_paths), what_boto3_adds()
    for _ in range(3):
        new_client()
    assert aws._models().search_paths == paths
    assert what_boto3_adds() == handlers
