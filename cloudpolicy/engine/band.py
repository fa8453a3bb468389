"""Which rows of the ladder are in force: low thresholds to enter, high ones to leave."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cloudpolicy.engine.policy import Policy, Row


@dataclass(frozen=True, slots=True)
class Band:
    """Where the runway stands on the ladder.

    Attributes:
        rows: the rows in force, the most severe (lowest threshold) first.
    """

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Band":
        """The band of these rows, in any order."""
        return cls(tuple(sorted(rows, key=lambda row: (row.below_days, row.environment))))

    @property
    def name(self) -> str:
        """`below 60`, after the most severe row in force, or `above the ladder`."""
        return f"below {self.rows[0].below_days}" if self.rows else "above the ladder"

    @property
    def row_names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    def row_of(self, environment: str) -> Row | None:
        """The most severe row in force for an environment."""
        for row in self.rows:
            if row.environment == environment:
                return row
        return None


def band_at(*, policy: Policy, p5_days: float, rows_in_force: Collection[str]) -> Band:
    """Step the ladder once.

    A row comes into force when p5 is below its threshold; once in force it stays until p5 is above `until_days`.

    Args:
        p5_days: a finite number of days.
        rows_in_force: names of the rows that the last trusted decision left in force; empty for the first one.
    """
    return Band.of(
        row
        for row in policy.rows
        if p5_days < row.below_days or (row.name in rows_in_force and p5_days <= row.until_days)
    )
