"""The page of the cloud, gathered: what is true today, what is proposed, what is under way, what was decided."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.policy import Policy
from cloudpolicy.models.run import RunKind, RunState
from cloudpolicy.selectors.decisions import Decision, decision, decisions
from cloudpolicy.selectors.exclusions import StandingExclusion, standing_exclusions
from cloudpolicy.selectors.groups_seen import Inventory, groups_seen
from cloudpolicy.selectors.kill_switch import KillSwitch, Turn, kill_switch, kill_switch_turns
from cloudpolicy.selectors.plans import StoredPlan, newest_like
from cloudpolicy.selectors.runs import RunView, newest_run, runs_of_plans
from cloudpolicy.selectors.stopped_things import stopped_things
from cloudpolicy.selectors.unplanned import last_refusal
from cloudpolicy.services.policies import PolicyInForce, policy_in_force
from cloudpolicy.services.standing_plans import find_plan, implied_today, void_because
from cloudpolicy.views.bands_figure import SHOWN_DAYS, bands_chart
from cloudpolicy.views.cloud_headline import Headline, headline
from cloudpolicy.views.ladder_rows import EnvironmentRow, GroupRow, environment_rows, group_rows
from cloudpolicy.views.mending import Told, told
from cloudpolicy.views.proposal import Proposal, is_done, proposal_of
from cloudpolicy.views.run_words import RunCard, may_be_undone, run_card
from cloudpolicy.views.savings_board import SavingsBoard, savings_board
from cloudpolicy.views.stopped_rows import StoppedRow, stopped_rows
from forecasting.selectors.said_runways import runways_said
from ledger.domain.company import CompanyRef
from ledger.views.books_charts import Chart

GROUPS_SHOWN = 200
HISTORY_SHOWN = 15
# How long a run that has ended stays on top of the page.
RUN_STAYS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CloudBoard:
    """Everything that the page shows.

    Attributes:
        policy: None where what is kept is no policy, as `policy_problem` says; then there are no bands.
        p5_days: today's usable figure.
        against, waits: why nothing may act on today's forecast, and what else there is to know.
        refusal: why the cloud could not be read at the last attempt; '' when it could.
        groups: the first GROUPS_SHOWN that are the policy's; `more_groups` are, and `others` are somebody else's.
        stopped: what plans have stopped and nobody has started since.
        exclusions: what is left alone for a while because of what a person did.
        proposal: the policy's newest plan, where it asks for something; None when it asks for nothing.
        asked_for: the newest plan that a person asked for, while it stands and is not carried out.
        is_first_visit: nothing was ever applied, so the page says what it is for.
        run: what is under way, or has ended lately; `run_may_be_undone` as far as it is known.
        older_before: where the history goes on; None at its end.
    """

    headline: Headline
    switch: KillSwitch
    turns: tuple[Turn, ...]
    policy: PolicyInForce | None
    policy_problem: str
    p5_days: int | None
    figure: Chart | None
    environments: tuple[EnvironmentRow, ...]
    against: tuple[Told, ...]
    waits: tuple[Told, ...]
    refusal: str
    inventory: Inventory | None
    groups: tuple[GroupRow, ...]
    more_groups: int
    others: int
    stopped: tuple[StoppedRow, ...]
    exclusions: tuple[StandingExclusion, ...]
    proposal: Proposal | None
    asked_for: StoredPlan | None
    is_first_visit: bool
    run: RunCard | None
    run_may_be_undone: bool
    savings: SavingsBoard
    history: tuple[Decision, ...]
    older_before: int | None

    @property
    def groups_are_older(self) -> bool:
        """They were read before the run on top changed what it did: one that ends early is followed by no look."""
        if self.run is None or self.inventory is None:
            return False
        asked = any(step.request_ids for step in self.run.steps)
        ended_at = self.run.run.ended_at
        return asked and (ended_at is None or self.inventory.seen_at < ended_at)

    @property
    def run_is_over(self) -> bool:
        """The run on top has ended, and another plan waits that was made since: that plan comes first."""
        return self.run_is_followed and self.proposal is not None and not self.proposal_is_run

    @property
    def run_is_followed(self) -> bool:
        return self.run is not None and _is_followed(self.run.run, self.inventory)

    @property
    def proposal_is_run(self) -> bool:
        """The run on top is that of the proposal: its steps are the proposal's calls, with where they stand.

        What is left of one that is partly applied is another plan, which follows once the groups are read again.
        """
        if self.proposal is None or self.run is None:
            return False
        is_left = self.run.run.state == RunState.PARTLY and bool(self.proposal.void)
        is_same = self.run.run.plan_id == self.proposal.decision.plan.plan_id
        return is_same and (self.proposal.is_done or (is_left and self.run.run.kind == RunKind.APPLY))


@dataclass(frozen=True, slots=True)
class _Today:
    """What today's forecast says to the policy in force."""

    p5_days: int | None = None
    figure: Chart | None = None
    environments: tuple[EnvironmentRow, ...] = ()
    against: tuple[Told, ...] = ()
    waits: tuple[Told, ...] = ()


def cloud_board(*, company: CompanyRef, user_id: int, before_id: int | None, now: datetime) -> CloudBoard:
    """Gather the page.

    Args:
        before_id: the history goes on after this plan; None for its beginning.
        now: in the company's time zone.
    """
    policy, problem = _policy(company, now)
    history = decisions(company_id=company.id, limit=HISTORY_SHOWN, before_id=before_id)
    newest = _newest(company)
    proposal = None
    if policy is not None and newest is not None and newest.plan.calls:
        proposal = proposal_of(decision=newest, company_id=company.id, user_id=user_id, is_newest=True, now=now)
    today = _today(company, policy.policy, now) if policy else _Today()
    inventory = groups_seen(company_id=company.id)
    exclusions = standing_exclusions(company_id=company.id, now=now)
    groups: tuple[GroupRow, ...] = ()
    if policy and inventory:
        standing = [each.exclusion for each in exclusions]
        groups = group_rows(groups=inventory.groups, policy=policy.policy, exclusions=standing, now=now)
    switch, refusal = kill_switch(company_id=company.id), last_refusal(company_id=company.id)
    last_run = newest_run(company_id=company.id)
    run = _run_on_top(last_run, now)
    card = run_card(run, company_id=company.id, now=now) if run else None
    return CloudBoard(
        headline=headline(
            switch=switch,
            run=card,
            run_is_followed=card is not None and _is_followed(card.run, inventory),
            policy_problem=problem,
            is_read_only=bool(today.against),
            refusal=refusal,
            newest=newest,
            proposal=proposal,
        ),
        switch=switch,
        turns=kill_switch_turns(company_id=company.id),
        policy=policy,
        policy_problem=problem,
        p5_days=today.p5_days,
        figure=today.figure,
        environments=today.environments,
        against=today.against,
        waits=_unsaid(today.waits, newest, proposal, exclusions, now.tzinfo),
        refusal=refusal,
        inventory=inventory,
        groups=groups[:GROUPS_SHOWN],
        more_groups=max(0, len(groups) - GROUPS_SHOWN),
        others=len(inventory.groups) - len(groups) if policy and inventory else 0,
        stopped=stopped_rows(stopped_things(company_id=company.id)),
        exclusions=exclusions,
        proposal=proposal,
        asked_for=_asked_for(company, now) if policy else None,
        is_first_visit=last_run is None,
        run=card,
        run_may_be_undone=run is not None and _may_be_undone(company, run),
        savings=savings_board(company=company, inventory=inventory, now=now),
        history=history,
        older_before=history[-1].plan.plan_id if len(history) == HISTORY_SHOWN else None,
    )


def _newest(company: CompanyRef) -> Decision | None:
    newest = newest_like(company_id=company.id, asked=False)
    return decision(company_id=company.id, plan_id=newest.plan_id) if newest else None


def _asked_for(company: CompanyRef, now: datetime) -> StoredPlan | None:
    asked = newest_like(company_id=company.id, asked=True)
    found = decision(company_id=company.id, plan_id=asked.plan_id) if asked and asked.calls else None
    if asked is None or found is None or is_done(found):
        return None
    plan = find_plan(company_id=company.id, plan_id=asked.plan_id)
    return None if void_because(plan=plan, now=now) else asked


def _policy(company: CompanyRef, now: datetime) -> tuple[PolicyInForce | None, str]:
    try:
        return policy_in_force(company_id=company.id, now=now), ""
    except InvalidPolicy as broken:
        return None, str(broken)


def _today(company: CompanyRef, policy: Policy, now: datetime) -> _Today:
    implied = implied_today(company=company, policy=policy, now=now)
    p5_days = None if implied.p5_days is None else int(implied.p5_days)
    said = runways_said(company_id=company.id, since=now - timedelta(days=SHOWN_DAYS))
    return _Today(
        p5_days=p5_days,
        figure=bands_chart(said=said, p5_days=p5_days, policy=policy, now=now),
        environments=environment_rows(policy=policy, band=implied.band, p5_days=p5_days),
        against=told(implied.read_only_because, zone=now.tzinfo),
        # No group was looked at, so of groups it says nothing.
        waits=told((reason for reason in implied.warnings if reason.code != "no_groups"), zone=now.tzinfo),
    )


def _unsaid(
    waits: tuple[Told, ...],
    newest: Decision | None,
    proposal: Proposal | None,
    exclusions: tuple[StandingExclusion, ...],
    zone: tzinfo | None,
) -> tuple[Told, ...]:
    """What today's forecast and the newest plan have to tell, unless what is shown besides tells it."""
    if proposal is not None:
        return tuple(each for each in waits if each not in proposal.warnings)
    listed = {each.exclusion.reason.text for each in exclusions}
    unlisted = [each for each in newest.plan.warnings if each.text not in listed] if newest else []
    of_groups = told(unlisted, zone=zone)
    return tuple(dict.fromkeys((*waits, *of_groups)))


def _may_be_undone(company: CompanyRef, run: RunView) -> bool:
    runs = runs_of_plans(company_id=company.id, plan_ids=[run.plan_id])
    return may_be_undone(runs.get(run.plan_id, ()))


def _is_followed(run: RunView, inventory: Inventory | None) -> bool:
    """Whether what is decided today was decided after the run: the groups were read since, or it is done."""
    if run.ended_at is None:
        return False
    return run.state == RunState.DONE or (inventory is not None and inventory.seen_at >= run.ended_at)


def _run_on_top(run: RunView | None, now: datetime) -> RunView | None:
    if run is None or run.is_open:
        return run
    return run if run.ended_at is not None and now - run.ended_at < RUN_STAYS else None
