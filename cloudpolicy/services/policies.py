"""The policy a company is under."""

from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.engine.document import canonical_digest, parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy import Policy
from cloudpolicy.models.policy import PolicyVersion


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy and where it is kept."""

    version_id: int
    version: int
    digest: str
    policy: Policy


def policy_in_force(*, company_id: int, now: datetime) -> PolicyInForce:
    """Return the newest version of a company's policy. A company without one starts with the founding ladder.

    Raises:
        InvalidPolicy: the stored document is no policy (somebody wrote it past this application).
    """
    row = PolicyVersion.objects.filter(company_id=company_id).order_by("-version").first()
    if row is None:
        # Two planners may both find none; the unique key lets one of them in.
        row, _ = PolicyVersion.objects.get_or_create(
            company_id=company_id,
            version=1,
            defaults={
                "name": FOUNDING_LADDER["name"],
                "document": FOUNDING_LADDER,
                "digest": canonical_digest(FOUNDING_LADDER),
                "actor": "capstack",
                "created_at": now,
            },
        )
    return PolicyInForce(row.pk, row.version, row.digest, parse_policy(row.document))
