"""Answers kept for a day, so that a repeated request gets the one it missed."""

from django.db import models

from ledger.models.token import ApiToken


class StoredAnswer(models.Model):
    """The answer to a request that carried an Idempotency-Key header.

    Attributes:
        body_sha256: of the request; the same key with another body is an error of the sender. Empty while a stream
            is still read.
        chunked_bytes: length of a body that came in chunks: nobody can tell whether it ended or broke off.
        status: HTTP status of the answer; null while the first request is still at work.
    """

    pk = models.CompositePrimaryKey("token_id", "key")
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    body_sha256 = models.BinaryField(max_length=32)
    chunked_bytes = models.BigIntegerField(null=True)
    status = models.SmallIntegerField(null=True)
    content_type = models.CharField(max_length=100)
    answer = models.BinaryField()
    stored_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
