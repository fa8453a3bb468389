"""Files that people handed in to be imported, as they came, and what became of them."""

from django.db import models

from ledger.models.company import Company


class ImportState(models.TextChoices):
    """CHECKING leads to CHECKED or REFUSED; from CHECKED a person's word leads to WAITING, and that to DONE.

    A person may stop the work: a check is DISCARDED with its file, an import is STOPPED and may go on (WAITING).
    """

    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked, waits for your confirmation"
    REFUSED = "refused", "Refused"
    WAITING = "waiting", "Being imported"
    STOPPED = "stopped", "Stopped"
    DONE = "done", "Imported"
    DISCARDED = "discarded", "Discarded"


class ImportFile(models.Model):
    """A file and the way it goes. Its content lies in ImportChunk rows: every worker reaches the database.

    Attributes:
        choices: what the uploader said about a CSV file, as `csv_choices` writes it.
        attempts: how often a worker began the work of the current state and was not ended from outside.
        claims: how often a worker claimed the file. It is part of the name of the next job: one that was killed
            keeps its name in the queue for an hour.
        mapping: name of the saved mapping that was applied or made with it; empty for none.
        lines_read, bytes_read: how far the work of the current state is; bytes of all readings of the file.
        recorded: events that the import has recorded so far.
        bytes_total: what there is to read, unpacked; 0 while it is not known.
        preview, report: `ImportReport.to_json()` of the dry run and of the import, with the first problems only.
        reason: why it was refused.
        claimed_at: when a worker last showed that it is at work on the file; null when none is. It is the worker's
            claim: whoever finds another value there than the one it wrote has lost the file.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="import_files")
    name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    format = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    choices = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.CHECKING)
    attempts = models.IntegerField(default=0)
    claims = models.IntegerField(default=0)
    mapping = models.CharField(max_length=64, blank=True, default="")
    lines_read = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    recorded = models.BigIntegerField(default=0)
    preview = models.JSONField(null=True)
    report = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=255)
    uploaded_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-uploaded_at"]
        indexes = [
            models.Index(fields=["company", "-uploaded_at"], name="import_file_by_company"),
            models.Index(
                fields=["uploaded_at"],
                condition=models.Q(state__in=["checking", "waiting"]),
                name="import_file_at_work",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ImportState.values), name="import_file_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportChunk(models.Model):
    """A piece of a file's content; the pieces follow each other by number, from 0."""

    import_file = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["import_file", "number"], name="import_chunk_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.import_file} {self.number}"
