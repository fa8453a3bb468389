"""A machine that proved who it is."""

from dataclasses import dataclass

from ledger.domain.company import CompanyRef


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """Attributes:
    name: of the token; stands in the journal as `token:<name>`.
    scopes: what the token may do.
    """

    token_id: int
    name: str
    scopes: frozenset[str]
    company: CompanyRef

    @property
    def company_id(self) -> int:
        return self.company.id

    @property
    def actor(self) -> str:
        return f"token:{self.name}"
