"""What `apply_scaling` and `rollback_scaling` share: finding the plan, following its run, telling how it ended."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.selectors.runs import RunView, run_view
from cloudpolicy.services.engine_lock import LockLost
from cloudpolicy.services.refusals import EngineBusy, NotAllowed, PlanNotFound
from cloudpolicy.services.running import work_on
from cloudpolicy.services.standing_plans import MAX_PLAN_NUMBER

LOOK_EVERY_SECONDS = 1.0
# A worker that took the run up first may be at it for as long as one job lasts.
BUSY_FOR = timedelta(minutes=10)


class PlanCommand(BaseCommand):
    """A command on one plan."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("plan_id", type=int, metavar="PLAN_ID")
        parser.add_argument("--reason", default="by hand, on the command line", help="Kept with the run.")
        parser.add_argument("--no-wait", action="store_true", help="Do what can be done now, and leave the rest.")
        parser.add_argument("--json", action="store_true", help="Print the run as JSON, and nothing else.")

    def follow(self, run: ScalingRun, *, wait: bool) -> RunView:
        """Carry a run on until it has ended, here or by a worker."""
        busy_until = timezone.now() + BUSY_FOR
        while True:
            try:
                run = work_on(run_id=run.pk)
            except EngineBusy as busy:
                if timezone.now() > busy_until:
                    raise CommandError(str(busy)) from busy
                run.refresh_from_db()
            except LockLost as lost:
                raise CommandError(f"{lost}; the run is resumed by the scheduler") from lost
            except OperationalError as lost:
                raise CommandError("the database went away; the run is resumed by the scheduler") from lost
            if run.state != RunState.OPEN or not wait:
                view = run_view(company_id=run.company_id, run_id=run.pk)
                assert view is not None
                return view
            if run.outcome:
                self.stderr.write(f"waiting: {run.outcome}")
            pause = ((run.resume_at or timezone.now()) - timezone.now()).total_seconds()
            time.sleep(min(max(pause, LOOK_EVERY_SECONDS), 60.0))

    def tell(self, view: RunView, *, as_json: bool) -> None:
        """Print the run.

        Raises:
            CommandError: it ended early.
        """
        self.stdout.write(json.dumps(view.to_json(), indent=2) if as_json else "\n".join(_lines(view)))
        if view.state in (RunState.PARTLY, RunState.STOPPED):
            raise CommandError(f"plan {view.plan_id} is {view.said}: {view.because}")


def company_of_plan(plan_id: int) -> int:
    """The company that a plan belongs to: whoever has a shell may act for all.

    Raises:
        PlanNotFound: there is none of that number.
    """
    found = None
    if 0 < plan_id <= MAX_PLAN_NUMBER:
        found = ScalingPlan.objects.filter(pk=plan_id).values_list("company_id", flat=True).first()
    if found is None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    return found


@contextmanager
def one_line_refusals() -> Iterator[None]:
    try:
        yield
    except (PlanNotFound, NotAllowed, EngineBusy) as refused:
        raise CommandError(str(refused)) from refused
    except InvalidPolicy as broken:
        raise CommandError(f"the stored policy is broken: {broken}") from broken


def _lines(view: RunView) -> list[str]:
    lines = [f"Run {view.run_id} of plan {view.plan_id}: {view.said} ({view.done} of {len(view.steps)} steps)"]
    if view.because:
        lines.append(f"Because: {view.because}")
    for step in view.steps:
        ids = f" [{', '.join(step.request_ids)}]" if step.request_ids else ""
        text = f", {step.text}" if step.text else ""
        lines.append(f"{step.step + 1:>3}. {step.says} ({step.action}, {step.region}): {step.phase}{text}{ids}")
    return lines
