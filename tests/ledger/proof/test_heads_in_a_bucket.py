"""Heads in a bucket: an object per export, in order, never written twice."""

import boto3
import pytest
from django.core.management import CommandError, call_command

from ledger.domain.company import CompanyRef
from ledger.services.chain_heads import bucket as bucket_of_heads
from ledger.services.chain_heads.export import export_heads
from ledger.services.chain_heads.place import PlaceUnusable
from ledger.services.chain_heads.places import place_of
from ledger.services.sealing import seal
from tests.ledger.conftest import NOW
from tests.ledger.proof.conftest import Tamper, record_numbered
from tests.ledger.proof.test_verify import verify


@pytest.fixture
def bucket(moto_url: str, settings: object) -> str:
    settings.AWS_ENDPOINT_URL = moto_url  # type: ignore[attr-defined]
    bucket_of_heads._last_keys.clear()
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="audit")
    return "s3://audit/heads"


def test_a_rewritten_chain_is_told_by_heads_in_a_bucket(
    sealed_company: CompanyRef, bucket: str, tamper: Tamper, moto_url: str
) -> None:
    place = place_of(bucket)
    assert export_heads(company=sealed_company, place=place, now=NOW) == 10
    record_numbered(sealed_company, range(20, 23))
    seal(company_id=sealed_company.id, now=NOW)
    for _ in range(2):
        assert export_heads(company=sealed_company, place=place, now=NOW) == 13
    names = [
        kept["Key"]
        for kept in boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1").list_objects_v2(
            Bucket="audit"
        )["Contents"]
    ]
    folder = f"heads/company-{sealed_company.id}"
    assert names == [f"{folder}/{10:020d}.json", f"{folder}/{13:020d}.json"]
    assert verify("--heads", bucket)[0]["companies"]["acme"]["exported"] == 13

    tamper("UPDATE ledger_capitalevent SET amount = 1 WHERE position = 12", "DELETE FROM ledger_seal")
    seal(company_id=sealed_company.id, now=NOW)
    found = verify("--heads", bucket)[0]["companies"]["acme"]["broken"]
    assert (found["position"], found["kind"]) == (12, "edited")
    assert "rewritten" in found["detail"]


def test_what_was_exported_is_not_written_over(sealed_company: CompanyRef, bucket: str) -> None:
    place = place_of(bucket)
    export_heads(company=sealed_company, place=place, now=NOW)
    with pytest.raises(PlaceUnusable, match=r"PreconditionFailed|At least one of the pre-conditions"):
        place.add("{}", last=10, company_id=sealed_company.id)


def test_a_bucket_that_is_not_there_is_refused_in_one_line(sealed_company: CompanyRef, bucket: str) -> None:
    with pytest.raises(CommandError, match="NoSuchBucket") as refused:
        call_command("verify_ledger", "--heads", "s3://nobody/heads")
    assert "\n" not in str(refused.value)
    with pytest.raises(CommandError, match="names no bucket"):
        call_command("verify_ledger", "--heads", "s3:///heads")
