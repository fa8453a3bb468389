"""The page of the policy: edited as a form or as YAML, with what it would change today and would have done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from cloudpolicy.engine.document import InvalidPolicy, parse_policy
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.policy_text import Lines, read_yaml, write_yaml
from cloudpolicy.engine.reader import PolicyProblem
from cloudpolicy.selectors.policies import StoredPolicy, drafts_of, policy_version, policy_versions
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.policies import PolicyMoved, drop_draft, enable_policy, save_draft, stored_policy
from cloudpolicy.services.preview import preview_policy
from cloudpolicy.services.replay import replay_policy
from cloudpolicy.views.cloud import query_of
from cloudpolicy.views.policy_form import document_of, entries_of, read_typed, sections_of, typed_from
from cloudpolicy.views.replay_figure import band_rows, past_chart, past_words
from ledger.models.company import Role
from ledger.views.company_page import actor_of, answer, company_page, is_fragment, local_now
from ledger.views.current_company import CurrentCompany

FORM, YAML = "form", "yaml"
VERSIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being edited.

    Attributes:
        way: edited as a form or as YAML.
        typed: values of the form; empty for YAML.
        text: YAML; empty for the form.
        problems: why it is no policy.
        policy: None while it is none.
        name: to keep it under, as typed.
        opened: the draft that this began from; '' when it began from a version.
    """

    way: str
    based_on: int
    document: Any
    typed: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    problems: tuple[PolicyProblem, ...] = ()
    policy: Policy | None = None
    name: str = ""
    opened: str = ""

    def shown_as(self, way: str) -> "Draft":
        """The same in the other way, as far as it can be read."""
        if way == self.way:
            return self
        if way == YAML:
            return replace(self, way=YAML, typed={}, text=write_yaml(self.document))
        if not isinstance(self.document, Mapping):
            return self
        return replace(self, way=FORM, typed=typed_from(self.document), text="")


@require_http_methods(["GET", "HEAD", "POST"])
@company_page
def policy(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """GET: `as` form | yaml, `version` a former one, `draft` a kept one. POST: the fields or `text`, and `do`:
    look | replay | as yaml | as form | keep | enable | drop | add rows | remove rows[2] …
    """
    in_force = stored_policy(company_id=chosen.company.id, now=timezone.now())
    if request.method != "POST":
        return _show(request, chosen, in_force, _opened(request, chosen, in_force))
    asked = request.POST.get("do", "look")
    draft = _posted(request.POST, asked, in_force)
    if asked in ("keep", "enable", "drop"):
        if chosen.role != Role.ADMIN.value:
            raise PermissionDenied("A policy is put in force by an admin of the company.")
        return {"keep": _keep, "enable": _enable, "drop": _drop}[asked](request, chosen, in_force, draft)
    if asked in ("as yaml", "as form"):
        return _show(request, chosen, in_force, draft.shown_as(asked.removeprefix("as ")))
    return _show(request, chosen, in_force, draft, looks=asked == "look", replays=asked == "replay")


@require_safe
@company_page
def policy_yaml(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:  # noqa: ARG001
    """The policy in force as a file that `import_policy` reads."""
    stored = stored_policy(company_id=chosen.company.id, now=timezone.now())
    name = f"{chosen.company.slug}-policy-v{stored.version}.yaml"
    return HttpResponse(
        write_yaml(stored.document),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _opened(request: HttpRequest, chosen: CurrentCompany, in_force: StoredPolicy) -> Draft:
    """The policy in force, a former version or a kept draft, as the address asks."""
    company_id, name, number = chosen.company.id, request.GET.get("draft"), request.GET.get("version", "")
    if name is not None:
        kept = next((each for each in drafts_of(company_id=company_id) if each.name == name), None)
        if kept is None:
            raise Http404("There is no draft of this name.")
        draft = replace(_from_text(kept.text, based_on=kept.based_on), name=name, opened=name)
        return draft if request.GET.get("as") == YAML or draft.problems else draft.shown_as(FORM)
    stored = in_force
    if number:
        known = number.isdecimal() and len(number) < 10
        found = policy_version(company_id=company_id, version=int(number)) if known else None
        if found is None:
            raise Http404("There is no such version.")
        stored = found
    draft = _judged(Draft(FORM, in_force.version, stored.document, typed=typed_from(stored.document)))
    return draft.shown_as(YAML) if request.GET.get("as") == YAML else draft


def _posted(given: Any, asked: str, in_force: StoredPolicy) -> Draft:
    number = given.get("based_on", "")
    based_on = int(number) if number.isdecimal() and len(number) < 10 else in_force.version
    if "text" in given:
        draft = _from_text(given["text"].replace("\r\n", "\n"), based_on=based_on)
    else:
        typed = read_typed(given, change=asked)
        draft = _judged(Draft(FORM, based_on, document_of(typed), typed=typed))
    return replace(draft, name=given.get("draft", "").strip(), opened=given.get("opened", ""))


def _from_text(text: str, *, based_on: int) -> Draft:
    try:
        document = read_yaml(text)
    except InvalidPolicy as invalid:
        return Draft(YAML, based_on, None, text=text, problems=invalid.problems)
    return _judged(Draft(YAML, based_on, document, text=text))


def _judged(draft: Draft) -> Draft:
    try:
        return replace(draft, policy=parse_policy(draft.document))
    except InvalidPolicy as invalid:
        return replace(draft, problems=invalid.problems)


def _keep(request: HttpRequest, chosen: CurrentCompany, in_force: StoredPolicy, draft: Draft) -> HttpResponse:
    text = draft.text if draft.way == YAML else write_yaml(draft.document)
    try:
        save_draft(
            company_id=chosen.company.id,
            name=draft.name,
            instead_of=draft.opened,
            text=text,
            based_on=draft.based_on,
            actor=actor_of(request),
            now=timezone.now(),
        )
    except InvalidPolicy as invalid:
        return _refused(request, chosen, in_force, draft, invalid.problems)
    messages.success(request, "Kept as a draft. Nothing is changed in the cloud by it.")
    query = {"draft": draft.name} | ({"as": YAML} if draft.way == YAML else {})
    return HttpResponseRedirect(f"{reverse('cloud-policy')}?{urlencode(query)}")


def _enable(request: HttpRequest, chosen: CurrentCompany, in_force: StoredPolicy, draft: Draft) -> HttpResponse:
    if draft.policy is None:
        return _refused(request, chosen, in_force, draft, draft.problems)
    try:
        enabled = enable_policy(
            company_id=chosen.company.id,
            document=draft.document,
            actor=actor_of(request),
            because=request.POST.get("because", ""),
            instead_of=draft.based_on,
            draft=draft.opened,
            now=timezone.now(),
        )
    except InvalidPolicy as invalid:
        return _refused(request, chosen, in_force, draft, invalid.problems)
    except PolicyMoved as moved:
        problem = PolicyProblem("based_on", f"{moved}: look at it, then put yours in force again")
        # The next attempt knows of it.
        draft = replace(draft, based_on=in_force.version)
        return _refused(request, chosen, in_force, draft, (problem,), status=409)
    if enabled.status == "unchanged":
        messages.success(request, f"Version {enabled.version} says this already. Nothing was changed.")
    else:
        messages.success(request, f"Version {enabled.version} is in force. A worker looks at the groups next.")
    return HttpResponseRedirect(reverse("cloud-policy"))


def _drop(request: HttpRequest, chosen: CurrentCompany, _in_force: StoredPolicy, draft: Draft) -> HttpResponse:
    if not drop_draft(company_id=chosen.company.id, name=draft.opened):
        raise Http404("There is no draft of this name.")
    messages.success(request, "The draft is gone.")
    return HttpResponseRedirect(reverse("cloud-policy"))


def _refused(
    request: HttpRequest,
    chosen: CurrentCompany,
    in_force: StoredPolicy,
    draft: Draft,
    problems: tuple[PolicyProblem, ...],
    *,
    status: int = 422,
) -> HttpResponse:
    return _show(request, chosen, in_force, replace(draft, problems=problems), status=status)


def _show(
    request: HttpRequest,
    chosen: CurrentCompany,
    in_force: StoredPolicy,
    draft: Draft,
    *,
    looks: bool = False,
    replays: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Render. Neither a preview nor a replay is made of what is no policy."""
    context: dict[str, Any] = {}
    if looks and draft.policy is not None:
        context |= _preview(chosen, in_force, draft.policy)
    if replays and draft.policy is not None:
        context |= _replay(request, chosen, draft.policy)
    company_id = chosen.company.id
    return answer(
        request,
        chosen,
        page="cloudpolicy/policy.html",
        fragment="cloudpolicy/policy_live.html",
        # htmx does not swap an answer that says error; what the form asked of it was only to look.
        status=200 if is_fragment(request) else status,
        in_force=in_force,
        draft=draft,
        is_kept=request.method != "POST" and not draft.opened,
        is_in_force=draft.document == in_force.document,
        is_changed=draft.policy is None or draft.policy != _read(in_force),
        rows=entries_of(draft.typed, "rows", draft.problems),
        otherwise=entries_of(draft.typed, "otherwise", draft.problems),
        groups=entries_of(draft.typed, "groups", draft.problems),
        sections=sections_of(draft.typed, draft.problems),
        problems=_with_lines(draft),
        because=request.POST.get("because", ""),
        price=request.POST.get("price", ""),
        may_enable=chosen.role == Role.ADMIN.value,
        drafts=drafts_of(company_id=company_id),
        versions=policy_versions(company_id=company_id, limit=VERSIONS_SHOWN),
        zone=chosen.company.timezone,
        query=query_of(chosen),
        **context,
    )


def _preview(chosen: CurrentCompany, in_force: StoredPolicy, proposed: Policy) -> dict[str, Any]:
    try:
        return {
            "preview": preview_policy(
                company=chosen.company,
                in_force=_read(in_force),
                proposed=proposed,
                now=timezone.now(),
            )
        }
    except CloudUnavailable as unavailable:
        return {"cloud_problem": str(unavailable)}


def _replay(request: HttpRequest, chosen: CurrentCompany, proposed: Policy) -> dict[str, Any]:
    price, problem = _price(request.POST.get("price", ""))
    if problem:
        return {"price_problem": problem}
    try:
        told = replay_policy(company=chosen.company, policy=proposed, price=price, now=timezone.now())
    except CloudUnavailable as unavailable:
        return {"cloud_problem": str(unavailable)}
    if told.past is None:
        return {"replay": told, "band_rows": band_rows(told)}
    zone = local_now(chosen).tzinfo
    assert zone is not None
    return {
        "replay": told,
        "band_rows": band_rows(told),
        "figure": past_chart(told.past.replayed, policy=proposed, zone=zone),
        "figure_summary": past_words(told.past.replayed),
    }


def _price(text: str) -> tuple[Decimal | None, str]:
    text = text.strip().replace(",", ".")
    if not text:
        return None, ""
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if price.is_finite() and 0 < price < 100_000:
        return price, ""
    return None, "must be an amount above 0 and below 100,000"


def _read(stored: StoredPolicy) -> Policy | None:
    """What a kept version says; None where somebody wrote it past this application, and it is no policy."""
    try:
        return parse_policy(stored.document)
    except InvalidPolicy:
        return None


def _with_lines(draft: Draft) -> list[tuple[str, str, int | None]]:
    """Path, message and line of every problem."""
    if not draft.problems:
        return []
    lines = Lines(draft.text if draft.way == YAML else "")
    return [(each.path, each.message, lines.line_of(each.path)) for each in draft.problems]
