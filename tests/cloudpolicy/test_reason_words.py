"""Reasons as the pages speak: cautious runway and not p5, the company's clock, and people quoted as they wrote."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloudpolicy.engine.document import parse_policy
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.trust import judge
from cloudpolicy.services.reason_words import reason_words, reasons_in_words
from tests.cloudpolicy.engine.samples import NOW, runway

NEW_YORK = ZoneInfo("America/New_York")
LIMITS = parse_policy(FOUNDING_LADDER).limits


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("uncalibrated", "p5 is uncalibrated: it", "the cautious runway is uncalibrated: it"),
        ("p5_missing", "the forecast has no p5", "the forecast has no cautious runway"),
        ("out_of_reach", "all leads to a p5 of 70 days", "all leads to a cautious runway of 70 days"),
    ],
)
def test_a_term_of_the_model_is_said_as_the_pages_say_it(code: str, text: str, said: str) -> None:
    assert reason_words(Reason(code, text), zone=UTC) == said


def test_the_end_of_an_exclusion_stands_in_the_companys_time_and_its_reason_as_it_was_written() -> None:
    ends_at = datetime(2026, 12, 3, 3, 6, tzinfo=UTC)
    because = "plan 3 was rolled back: p5 is wrong until 2026-12-01 09:00 UTC"
    left = Exclusion("", "us-east-1", "capstack-dev-asg", ends_at, because)
    said = reason_words(left.reason, zone=NEW_YORK)
    assert said == f"capstack-dev-asg is left alone until 2026-12-02 22:06 EST: {because}"


def test_no_reason_against_a_forecast_speaks_of_p5() -> None:
    """Whatever the engine may say of a forecast, in the words of the pages."""
    for p5 in (None, "many", float("nan"), -3, 10_000):
        for share in (None, 0.4):
            trust = judge(runway=runway(p5, share_below_p5=share), limits=LIMITS, now=NOW)
            assert "p5" in " ".join(reason.text for reason in trust.against)
            assert "p5" not in reasons_in_words(trust.against, zone=NEW_YORK)
