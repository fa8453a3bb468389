"""Plans at work: runs, and the journal of their steps."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class RunKind(models.TextChoices):
    APPLY = "apply", "Apply"
    ROLLBACK = "rollback", "Roll back"


class RunState(models.TextChoices):
    """`open` runs go on at `resume_at`; the others have ended."""

    OPEN = "open", "Under way"
    DONE = "done", "Done"
    PARTLY = "partly", "Partly done"
    STOPPED = "stopped", "Stopped before anything was changed"


class Phase(models.TextChoices):
    """What a line of the journal says about a step; the last line is where it stands.

    The order of a step that goes well: intent, made, there.
    """

    INTENT = "intent", "About to ask"
    MADE = "made", "Asked, and answered"
    FOUND_MADE = "found_made", "Found to be made, by looking"
    NOT_MADE = "not_made", "Found not to be made, by looking"
    PUT_OFF = "put_off", "To be asked again later"
    THERE = "there", "There"
    ALREADY = "already", "Was there already"
    REFUSED = "refused", "Refused"
    CHANGED = "changed", "Changed by somebody else"
    LATE = "late", "Not there in time"


class ScalingRun(models.Model):
    """One attempt to carry a plan out, or to take one back. A company has at most one that is open.

    Attributes:
        undoes: for a roll-back, the run that it takes back.
        calls: list of `ApiCall.as_dict`, in their order; each is one step. Null for a roll-back that has not yet
            settled what is in doubt in the run that it takes back.
        resume_at: when the sweep looks after it. While an engine is at work it lies ahead of it, so that one that
            was killed is followed up.
        attempts: how often in a row it had to be put off.
        outcome: one line for people; '' while it is open and nothing is wrong.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="scaling_runs")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=8, choices=RunKind)
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    calls = models.JSONField(null=True)
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=7, choices=RunState, default=RunState.OPEN)
    outcome = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    resume_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company"], condition=models.Q(state=RunState.OPEN), name="one_open_run_per_company"
            ),
            models.UniqueConstraint(
                fields=["undoes"],
                condition=models.Q(state__in=[RunState.OPEN, RunState.DONE]),
                name="a_run_is_taken_back_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state=RunState.OPEN, ended_at__isnull=True, resume_at__isnull=False)
                | (~models.Q(state=RunState.OPEN) & models.Q(ended_at__isnull=False, resume_at__isnull=True)),
                name="scaling_run_is_open_or_ended",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=RunKind.APPLY, undoes__isnull=True)
                | models.Q(kind=RunKind.ROLLBACK, undoes__isnull=False),
                name="only_a_roll_back_undoes_a_run",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-id"], name="scaling_run_newest_first"),
            models.Index(
                fields=["resume_at"], condition=models.Q(state=RunState.OPEN), name="scaling_run_to_resume"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.kind} plan {self.plan_id}"


class StepEntry(models.Model):
    """One line of a run's journal. Lines are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE.

    Attributes:
        line: counts from 1 within the run, so that two engines never both write the next line.
        step: place of the call in the run's `calls`, from 0.
        phase: what it says.
        content: with an intent, `before`: the settings found; with what settled something, `learned`; with what
            the cloud answered, `request_id` and `code`.
        text: for people.
    """

    company = models.ForeignKey(Company, db_index=False, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(ScalingRun, db_index=False, on_delete=models.PROTECT, related_name="journal")
    line = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    phase = models.CharField(max_length=10, choices=Phase)
    content = models.JSONField(default=dict)
    text = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "line"], name="step_entries_of_a_run_are_numbered"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.step}: {self.phase}"
