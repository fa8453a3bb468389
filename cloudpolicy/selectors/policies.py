"""Versions and drafts of a company's policy, as people and machines read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudpolicy.models.policy import PolicyDraft, PolicyVersion

MAX_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version. `because` is why it was put in force; '' where nobody said."""

    version_id: int
    version: int
    name: str
    digest: str
    actor: str
    because: str
    created_at: datetime
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A policy in the making; `text` is YAML, right or wrong."""

    name: str
    text: str
    based_on: int
    actor: str
    saved_at: datetime


def newest_policy(*, company_id: int) -> StoredPolicy | None:
    """The version in force; None for a company that nobody has planned for yet."""
    return next(iter(policy_versions(company_id=company_id, limit=1)), None)


def policy_versions(*, company_id: int, limit: int = MAX_VERSIONS) -> tuple[StoredPolicy, ...]:
    """The newest versions, the one in force first."""
    rows = PolicyVersion.objects.filter(company_id=company_id).order_by("-version")
    return tuple(_policy(row) for row in rows[: min(limit, MAX_VERSIONS)])


def policy_version(*, company_id: int, version: int) -> StoredPolicy | None:
    row = PolicyVersion.objects.filter(company_id=company_id, version=version).first()
    return None if row is None else _policy(row)


def drafts_of(*, company_id: int) -> tuple[StoredDraft, ...]:
    """By name."""
    rows = PolicyDraft.objects.filter(company_id=company_id).order_by("name")
    return tuple(StoredDraft(row.name, row.text, row.based_on, row.actor, row.saved_at) for row in rows)


def _policy(row: PolicyVersion) -> StoredPolicy:
    return StoredPolicy(
        version_id=row.pk,
        version=row.version,
        name=row.name,
        digest=row.digest,
        actor=row.actor,
        because=row.because,
        created_at=row.created_at,
        document=row.document,
    )
