"""Which kind of place keeps the exported heads, by its address."""

from django.conf import settings

from ledger.services.chain_heads.folder import Folder
from ledger.services.chain_heads.place import Place


def place_of(where: str) -> Place:
    """Return the place that a setting names: `s3://bucket/prefix` or a folder.

    Raises:
        PlaceUnusable: the address names no bucket.
    """
    if where.startswith("s3://"):
        # Not at the top: the client of AWS takes a quarter of a second to load, and most keep heads in a folder.
        from ledger.services.chain_heads.bucket import Bucket

        return Bucket.of(where, endpoint_url=settings.AWS_ENDPOINT_URL or None, region=settings.AWS_REGION)
    return Folder(where)
