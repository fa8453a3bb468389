"""Exported heads in a bucket: an object per export, never written twice."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ledger.domain.chain_check import Span
from ledger.domain.exported_head import UnreadableHead, read_head_line
from ledger.services.chain_heads.place import PlaceUnusable

_PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})

# The last key seen in each folder of a bucket: an exporter that comes every minute need not list all anew.
_last_keys: dict[tuple[str, str], str] = {}


class Bucket:
    def __init__(self, *, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @classmethod
    def of(cls, where: str, *, endpoint_url: str | None, region: str) -> "Bucket":
        """Return the bucket that `s3://bucket/prefix` names.

        Raises:
            PlaceUnusable: the address names no bucket.
        """
        address = urlsplit(where)
        if not address.netloc:
            raise PlaceUnusable(f"{where} names no bucket: write s3://bucket/prefix")
        client = boto3.client("s3", endpoint_url=endpoint_url, region_name=region, config=_PATIENCE)
        return cls(client=client, bucket=address.netloc, prefix=address.path.strip("/"))

    def _folder(self, company_id: int) -> str:
        return f"{self._prefix}company-{company_id}/"

    def spans(self, *, company_id: int) -> Iterator[Span]:
        for key in self._keys(company_id):
            yield self._read(key, company_id)

    def last(self, *, company_id: int) -> Span | None:
        place = (self._bucket, self._folder(company_id))
        last = _last_keys.get(place)
        for key in self._keys(company_id, after=last or ""):
            last = key
        if last is None:
            return None
        span = self._read(last, company_id)
        _last_keys[place] = last
        return span

    def add(self, line: str, *, last: int, company_id: int) -> None:
        # Twenty digits: the order of names is that of positions.
        key = f"{self._folder(company_id)}{last:020d}.json"
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=line.encode("utf-8"),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except (BotoCoreError, ClientError) as error:
            raise self._unusable(key, error) from None

    def _keys(self, company_id: int, *, after: str = "") -> Iterator[str]:
        folder = self._folder(company_id)
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=folder, StartAfter=after):
                for listed in page.get("Contents", ()):
                    yield listed["Key"]
        except (BotoCoreError, ClientError) as error:
            raise self._unusable(folder, error) from None

    def _read(self, key: str, company_id: int) -> Span:
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise self._unusable(key, error) from None
        try:
            return read_head_line(body.decode("utf-8", "replace"), company_id=company_id)
        except UnreadableHead as error:
            raise PlaceUnusable(f"s3://{self._bucket}/{key} {error}") from None

    def _unusable(self, key: str, error: Exception) -> PlaceUnusable:
        return PlaceUnusable(f"s3://{self._bucket}/{key}: {error}")
