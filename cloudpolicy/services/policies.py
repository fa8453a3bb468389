"""The policy a company is under, and putting another one in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

import cloudpolicy
from cloudpolicy.engine.document import InvalidPolicy, canonical_digest, opt_in_of, parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy import OptInTag, Policy
from cloudpolicy.engine.policy_text import MAX_BYTES
from cloudpolicy.engine.reader import PolicyProblem
from cloudpolicy.models.policy import PolicyDraft, PolicyVersion
from cloudpolicy.selectors.policies import StoredPolicy, newest_policy
from cloudpolicy.services.next_look import look_again
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.refusals import MISLEADING, misleads
from ledger.domain.actor import person
from ledger.selectors.companies import company_ref

BECAUSE_LENGTH = 500
NAME_LENGTH = 80
MAX_DRAFTS = 50


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy and where it is kept."""

    version_id: int
    version: int
    digest: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Enabled:
    """What putting a policy in force came to.

    Attributes:
        status: `recorded`, or `unchanged` when the version in force says the same.
    """

    status: str
    version: int
    digest: str


class PolicyMoved(Exception):
    """Somebody else put a version in force meanwhile; the message says which."""


def policy_in_force(*, company_id: int, now: datetime) -> PolicyInForce:
    """Return the newest version of a company's policy. A company without one starts with the founding ladder.

    Raises:
        InvalidPolicy: the stored document is no policy (somebody wrote it past this application).
    """
    stored = stored_policy(company_id=company_id, now=now)
    return PolicyInForce(stored.version_id, stored.version, stored.digest, parse_policy(stored.document))


def unreadable_because(broken: InvalidPolicy) -> str:
    """Why nothing may be done by a policy, in one line: it is kept, and nobody can read it."""
    return f"the stored policy cannot be read: {broken}"


def opt_in_tag(*, company_id: int) -> OptInTag:
    """The tag without which nothing is touched, also while the policy cannot be read: what was changed can be
    taken back then, and what was taken from the policy meanwhile is left alone.
    """
    documents = PolicyVersion.objects.filter(company_id=company_id).order_by("-version")
    tags = (opt_in_of(document) for document in documents.values_list("document", flat=True).iterator())
    said = next((tag for tag in tags if tag is not None), None) or opt_in_of(FOUNDING_LADDER)
    assert said is not None
    return said


def stored_policy(*, company_id: int, now: datetime) -> StoredPolicy:
    """The version in force as it is kept; the founding ladder becomes the first one."""
    stored = newest_policy(company_id=company_id)
    if stored is not None:
        return stored
    # Two may both find none; the unique key lets one of them in.
    PolicyVersion.objects.get_or_create(
        company_id=company_id,
        version=1,
        defaults={
            "name": FOUNDING_LADDER["name"],
            "document": FOUNDING_LADDER,
            "digest": canonical_digest(FOUNDING_LADDER),
            "actor": "capstack",
            "because": "every company starts with it",
            "created_at": now,
        },
    )
    stored = newest_policy(company_id=company_id)
    assert stored is not None
    return stored


def enable_policy(
    *,
    company_id: int,
    document: object,
    actor: str,
    because: str,
    now: datetime,
    instead_of: int | None = None,
    draft: str = "",
) -> Enabled:
    """Put a document in force as the company's newest version, unless that says the same already.

    The groups are looked at again at once: a wake-up, and a mark for the sweep in case it is lost.

    Args:
        document: decoded JSON.
        because: why, in one line.
        instead_of: number of the version that its writer saw in force; None when they do not care.
        draft: name of the draft it was, which goes.

    Raises:
        CompanyNotFound: no such company.
        InvalidPolicy: every problem with its path; `because` is one of the paths.
        PolicyMoved: another version is in force than `instead_of`.
    """
    company_ref(company_id=company_id)
    problems = because_problems(because)
    try:
        policy = parse_policy(document)
    except InvalidPolicy as invalid:
        raise InvalidPolicy((*invalid.problems, *problems)) from invalid
    if problems:
        raise InvalidPolicy(problems)
    assert isinstance(document, Mapping)
    digest = canonical_digest(document)
    with transaction.atomic():
        lock_planning(company_id)
        before = stored_policy(company_id=company_id, now=now)
        if instead_of is not None and before.version != instead_of:
            raise PolicyMoved(
                f"version {before.version} was put in force by {person(before.actor)} meanwhile; yours began from "
                f"version {instead_of}"
            )
        if draft:
            PolicyDraft.objects.filter(company_id=company_id, name=draft).delete()
        if before.digest == digest or _says_the_same(before, policy):
            return Enabled("unchanged", before.version, before.digest)
        version = before.version + 1
        PolicyVersion.objects.create(
            company_id=company_id,
            version=version,
            name=policy.name,
            document=dict(document),
            digest=digest,
            actor=actor,
            because=because.strip(),
            created_at=now,
        )
        look_again(company_id=company_id, now=now)
    return Enabled("recorded", version, digest)


def save_draft(
    *, company_id: int, name: str, text: str, based_on: int, actor: str, now: datetime, instead_of: str = ""
) -> None:
    """Keep a policy in the making under a name.

    Args:
        instead_of: name of the draft that it began from, which may be replaced; any other may not.

    Raises:
        InvalidPolicy: the name or the text cannot be kept; a text that is no policy can.
    """
    name = name.strip()
    problems = []
    if misleads(name):
        problems.append(PolicyProblem("draft", MISLEADING))
    elif not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        problems.append(PolicyProblem("draft", f"must be a name of 1 to {NAME_LENGTH} characters"))
    if misleads(text):
        problems.append(PolicyProblem("text", MISLEADING))
    drafts = PolicyDraft.objects.filter(company_id=company_id)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        problems.append(PolicyProblem("text", f"is longer than {MAX_BYTES // 1024} KB"))
    if not problems and name != instead_of and drafts.filter(name=name).exists():
        problems.append(
            PolicyProblem("draft", "there is a draft of this name already: open it, or take another name")
        )
    if not problems and drafts.exclude(name=name).count() >= MAX_DRAFTS:
        problems.append(PolicyProblem("draft", f"there are {MAX_DRAFTS} drafts already; drop one first"))
    if problems:
        raise InvalidPolicy(tuple(problems))
    values = {"text": text, "based_on": based_on, "actor": actor, "saved_at": now}
    PolicyDraft.objects.update_or_create(company_id=company_id, name=name, defaults=values)


def drop_draft(*, company_id: int, name: str) -> bool:
    """Returns whether there was one."""
    deleted, _ = PolicyDraft.objects.filter(company_id=company_id, name=name).delete()
    return bool(deleted)


def _says_the_same(stored: StoredPolicy, policy: Policy) -> bool:
    """Whether a kept document means the same; one may leave out what the other says by its default."""
    try:
        return parse_policy(stored.document) == policy
    except InvalidPolicy:
        return False


def because_problems(because: str) -> tuple[PolicyProblem, ...]:
    if misleads(because.strip()):
        return (PolicyProblem("because", MISLEADING),)
    if 1 <= len(because.strip()) <= BECAUSE_LENGTH and because.strip().isprintable():
        return ()
    return (PolicyProblem("because", f"must say why, in one line of 1 to {BECAUSE_LENGTH} characters"),)


def policy_schema() -> dict[str, Any]:
    """The published JSON Schema of a policy."""
    path = Path(cloudpolicy.__file__).with_name("policy_schema.json")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
