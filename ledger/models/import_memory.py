"""What earlier imports leave behind for later ones: how far one came, whose account it was, what columns mean."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class ImportCheckpoint(models.Model):
    """How far the import of a file came; there as long as it is not finished.

    Attributes:
        digest: of the file's content and of everything that decides how it is read.
        done: how many of the things found in the file are recorded, counted from its beginning.
        report: what became of them, as `ImportReport.to_json()`.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.BinaryField(max_length=32)
    done = models.BigIntegerField()
    report = models.JSONField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "digest"], name="one_checkpoint_per_file"),
        ]

    def __str__(self) -> str:
        return f"{self.done} of {bytes(self.digest).hex()[:12]}"


class AccountNumber(models.Model):
    """A bank's number of an account, known again by its digest, and the account that it is in the ledger.

    Attributes:
        ending: the last characters, for people; of a card no more is kept anywhere.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    fingerprint = models.BinaryField(max_length=32)
    ending = models.CharField(max_length=4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="numbers")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "fingerprint"], name="one_account_per_number"),
        ]

    def __str__(self) -> str:
        return f"…{self.ending} is {self.account}"


class SavedMapping(models.Model):
    """What the columns of one kind of CSV file mean, as somebody said once for all files with that header.

    Attributes:
        header: the names of its columns, in order, compared by `csv_header.plain_name`.
        header_digest: of those names; an index entry has no room for hundreds of them.
        choices: as `csv_choices.choices_json` writes them.
        account: for lines that name none; empty for the company's first bank account.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="saved_mappings", db_index=False)
    name = models.CharField(max_length=64)
    header = models.JSONField()
    header_digest = models.BinaryField(max_length=32)
    choices = models.JSONField()
    account = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=255)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = "CSV mapping"
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="mapping_name_is_unique_in_company"),
            models.UniqueConstraint(fields=["company", "header_digest"], name="one_mapping_per_header"),
        ]

    def __str__(self) -> str:
        return self.name
