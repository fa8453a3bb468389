"""Reasons as the pages speak: the engine writes its terms and UTC, people read theirs and the company's clock."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from cloudpolicy.engine.reason import Reason

# Only the engine's own words are put otherwise, never what a person wrote: these codes quote nobody.
_OF_P5 = frozenset(
    {
        "coverage_unknown",
        "out_of_reach",
        "p5_beyond",
        "p5_missing",
        "p5_negative",
        "p5_not_a_number",
        "reached",
        "uncalibrated",
    }
)
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d) UTC\b")
_P5 = re.compile(r"\b(?:(no|a) )?p5\b")


def reason_words(reason: Reason, *, zone: tzinfo) -> str:
    """The text of a reason: `p5` is the cautious runway, and the first instant in it stands in `zone`."""
    text = reason.text
    if reason.code in _OF_P5:
        text = _P5.sub(lambda found: f"{found[1] or 'the'} cautious runway", text)

    def local(found: re.Match[str]) -> str:
        moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).astimezone(zone)
        return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}"

    # What a person gave as a reason comes after the instant, and is quoted as it is.
    return _INSTANT.sub(local, text, count=1)


def reasons_in_words(reasons: Iterable[Reason], *, zone: tzinfo) -> str:
    """All in one line; '' without any."""
    return "; ".join(reason_words(reason, zone=zone) for reason in reasons)
