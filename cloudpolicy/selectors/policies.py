"""Versions and drafts of a company's policy, as people and machines read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudpolicy.models.policy import PolicyDraft, PolicyVersion

MAX_VERSIONS = 100
# In the order of VersionNote.
_NOTED = ("id", "version", "name", "digest", "actor", "because", "created_at")


@dataclass(frozen=True, slots=True)
class VersionNote:
    """What is told of a version in a list. `because` is why it was put in force; '' where nobody said."""

    version_id: int
    version: int
    name: str
    digest: str
    actor: str
    because: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPolicy(VersionNote):
    """One version with its document."""

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
    return _stored(PolicyVersion.objects.filter(company_id=company_id).order_by("-version").first())


def policy_versions(*, company_id: int, limit: int = MAX_VERSIONS) -> tuple[VersionNote, ...]:
    """The newest versions, the one in force first; documents are not read."""
    rows = PolicyVersion.objects.filter(company_id=company_id).order_by("-version")
    return tuple(VersionNote(*row) for row in rows.values_list(*_NOTED)[: min(limit, MAX_VERSIONS)])


def policy_version(*, company_id: int, version: int) -> StoredPolicy | None:
    return _stored(PolicyVersion.objects.filter(company_id=company_id, version=version).first())


def drafts_of(*, company_id: int) -> tuple[StoredDraft, ...]:
    """By name."""
    rows = PolicyDraft.objects.filter(company_id=company_id).order_by("name")
    return tuple(StoredDraft(row.name, row.text, row.based_on, row.actor, row.saved_at) for row in rows)


def _stored(row: PolicyVersion | None) -> StoredPolicy | None:
    if row is None:
        return None
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
