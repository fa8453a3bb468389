"""What the page of the cloud says first: one line, and why."""

from dataclasses import dataclass, replace

from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.decisions import Decision
from cloudpolicy.selectors.kill_switch import KillSwitch
from cloudpolicy.views.mending import HOLDS_BACK
from cloudpolicy.views.proposal import Proposal
from cloudpolicy.views.run_words import RunCard


@dataclass(frozen=True, slots=True)
class Headline:
    """`state` is good, warn, bad, busy or unknown."""

    title: str
    text: str
    state: str


def headline(
    *,
    switch: KillSwitch,
    run: RunCard | None,
    run_is_followed: bool,
    policy_problem: str,
    is_read_only: bool,
    refusal: str,
    newest: Decision | None,
    proposal: Proposal | None,
) -> Headline:
    """The most pressing of what is true.

    Args:
        run: the newest, while it stays on the page.
        run_is_followed: it has ended, and the groups were read and decided about since.
        is_read_only: something stands against acting on today's forecast.
        newest: decision.
        proposal: of the newest decision; None without one.
    """
    if policy_problem:
        return Headline("The policy cannot be read", "Nothing is planned until it is put right.", "bad")
    if switch.on:
        stops = "What is being applied stops before its next call. " if run is not None and run.run.is_open else ""
        return Headline("Kill switch on", f"{stops}Nothing changes your cloud until it is turned off.", "warn")
    if run is not None and not run_is_followed and (run.run.is_open or run.run.state == RunState.PARTLY):
        steps = f"{len(run.steps)} step{'' if len(run.steps) == 1 else 's'}"
        done = f"{run.run.done} of {steps} done." if run.steps else "It has not begun yet."
        text = f"{done} It waits for a worker." if run.waits_for_worker else done
        if run.run.state == RunState.PARTLY:
            text = f"{done} What is left is planned anew once the groups are read again."
        return Headline(run.title, text, run.state)
    said = _today(is_read_only=is_read_only, refusal=refusal, newest=newest, proposal=proposal)
    if run is None or run.run.state not in (RunState.PARTLY, RunState.STOPPED):
        return said
    text = f"{said.text} The last run ended early: plan {run.run.plan_id} was {run.run.said}."
    # Something was not done that somebody wanted: that is not well, whatever the policy wants by now.
    return replace(said, text=text, state="warn" if said.state == "good" else said.state)


def _today(*, is_read_only: bool, refusal: str, newest: Decision | None, proposal: Proposal | None) -> Headline:
    if newest is None:
        if refusal:
            return Headline("The cloud cannot be read", f"{refusal}.".replace("..", "."), "bad")
        return Headline("Nothing is planned yet", "The first plan follows the first forecast.", "unknown")
    if is_read_only:
        return Headline(
            "Read-only for now",
            "Nothing will be changed, for the reasons below. Once they are gone, this ends by itself.",
            "warn",
        )
    if refusal:
        # What is known of the groups is old, so nothing is said of them that may be wrong by now.
        return Headline("The cloud cannot be read", "What stands below is from the last time it could be.", "bad")
    if any(reason.code == "no_groups" for reason in newest.plan.warnings):
        return Headline("No group to act on", "None in your cloud carries the tag of the policy.", "unknown")
    if proposal is None or not proposal.calls:
        if any(reason.code in HOLDS_BACK for reason in newest.plan.warnings):
            return Headline(
                "Nothing to change now", "What the policy waits for or leaves alone is told below.", "good"
            )
        return Headline("Nothing to change", "Every group is as the policy wants it.", "good")
    return _of_proposal(newest, proposal)


def _of_proposal(newest: Decision, proposal: Proposal) -> Headline:
    count = len(proposal.calls)
    title = f"{count:,} change{'' if count == 1 else 's'} proposed"
    if proposal.is_done:
        return Headline("Nothing to change", f"Plan {newest.plan.plan_id} is carried out.", "good")
    if proposal.void:
        return Headline(title, "The plan no longer stands; look again for a fresh one.", "warn")
    if proposal.may_be_applied:
        return Headline(title, "Approved, and ready to be applied below.", "warn")
    if proposal.consent.given:
        return Headline(title, "One person has approved the plan below; it waits for a second.", "warn")
    return Headline(title, "The plan below waits for approval; nothing is changed before.", "warn")
