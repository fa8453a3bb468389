"""Answers to `GET /runway` as they were last sent, kept in this process.

An answer is made of a run, which never changes, and of what `Standing` says; it is sent again only while that is
still so, which is looked up for every request. So nothing is ever invalidated, and nothing sent is stale.
"""

from dataclasses import dataclass
from datetime import datetime

# 35 kB each.
MAX_KEPT = 512


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides what `GET /runway` answers.

    Attributes:
        run_id: in force; with it go the forecast and what earlier days had said.
        checked_at: when the run was last found to be what the inputs imply.
        head: last position of the journal, of which some may not be in the run yet.
        refusal: why the last attempt could not produce a forecast.
    """

    company_id: int
    basis: str
    run_id: int
    checked_at: datetime
    plan_version: int
    refusal: str
    head: int


_answers: dict[tuple[int, str], tuple[Standing, bytes]] = {}


def keep(*, standing: Standing, answer: bytes) -> None:
    """Keep an answer in place of the one before on the company's basis."""
    key = (standing.company_id, standing.basis)
    if len(_answers) >= MAX_KEPT and key not in _answers:
        _answers.clear()
    _answers[key] = standing, answer


def kept(*, standing: Standing) -> bytes | None:
    """Return the answer that was given at this very standing, if it is still here."""
    found = _answers.get((standing.company_id, standing.basis))
    return found[1] if found is not None and found[0] == standing else None


def forget_all() -> None:
    """Keep nothing."""
    _answers.clear()
