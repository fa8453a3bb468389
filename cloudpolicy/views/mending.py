"""Why nothing may act, and what a reader should know, each with the page that mends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from django.urls import reverse

from cloudpolicy.engine.reason import Reason
from cloudpolicy.services.reason_words import reason_words

# By the code of a reason: the page that mends it, and what one does there.
_MENDED_AT = {
    "no_forecast": ("runway", "See what the forecast is missing"),
    "p5_missing": ("runway", "Look at the forecast"),
    "p5_not_a_number": ("runway", "Look at the forecast"),
    "p5_negative": ("runway", "Look at the forecast"),
    "p5_beyond": ("runway", "Look at the forecast"),
    "forecast_stale": ("runway", "Look at the forecast"),
    "forecast_behind": ("runway", "Look at the forecast"),
    "feed_silent": ("imports", "Import what is missing"),
    "uncalibrated": ("accuracy", "See how past forecasts came out"),
    "coverage_unknown": ("accuracy", "See how past forecasts came out"),
    "chain_broken": ("ledger", "Look at the journal"),
    "chain_check_stale": ("ledger", "Look at the journal"),
    "chain_unverified": ("ledger", "Look at the journal"),
    "policy_unreadable": ("cloud-policy", "Put the policy right"),
    "account_unreconciled": ("reconcile", "Reconcile the account"),
    "account_silent": ("reconcile", "See when it was last heard of"),
    "account_late": ("reconcile", "See when it was last heard of"),
    "quiet_hours": ("cloud-policy", "See the quiet hours"),
    "skip_day": ("cloud-policy", "See the skipped days"),
    "dwell": ("cloud-policy", "See the pace"),
    "cooldown": ("cloud-policy", "See the pace"),
    "excluded": ("cloud", "See what is left alone"),
    "groups_wait": ("cloud-policy", "See the limits"),
    "unknown_environment": ("cloud-policy", "Add the environment"),
    "not_opted_in": ("cloud-policy", "See which tag opts in"),
    "no_groups": ("cloud-policy", "See which tag opts in"),
}

# Codes of reasons why something stays as it is although the policy asks for something else.
HOLDS_BACK = frozenset(
    {
        "bad_journal",
        "cooldown",
        "dwell",
        "excluded",
        "groups_wait",
        "impossible_size",
        "quiet_hours",
        "resource_changed",
        "resource_left",
        "skip_day",
        "spot_unreadable",
        "tags_unread",
        "template_shared",
        "unknown_environment",
    }
)

# By the code of a reason: what happens by itself, and what does not.
_MEASURED = (
    "Looking back over your own history measures it: that begins by itself, takes a minute or two, is done again"
    " each month, and needs five months of events."
)
_ADVICE = {
    "uncalibrated": _MEASURED,
    "coverage_unknown": _MEASURED,
    "forecast_stale": "A new one comes by itself; where none does, the forecast worker stands still.",
    "forecast_behind": "They are read by themselves; where they are not, the forecast worker stands still.",
    "chain_unverified": "That is done by itself, within minutes of a start and then twice a day.",
    "chain_check_stale": "It is checked by itself twice a day; where it is not, the imports worker stands still.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One reason, with what comes of it by itself; `url` and `link` are '' where no page of ours mends it."""

    text: str
    url: str = ""
    link: str = ""


def told(reasons: Iterable[Reason], *, zone: tzinfo | None) -> tuple[Told, ...]:
    """Sentences of these reasons, each once, with times in the company's zone; None is UTC."""
    found = {}
    for reason in reasons:
        page, link = _MENDED_AT.get(reason.code, ("", ""))
        text = reason_words(reason, zone=zone or UTC)
        said = " ".join(filter(None, (_sentence(text, code=reason.code), _ADVICE.get(reason.code, ""))))
        found[reason.text] = Told(said, reverse(page) if page else "", link)
    return tuple(found.values())


def _sentence(text: str, *, code: str) -> str:
    # Names of groups and accounts begin as they are written.
    first, _, _ = text.partition(" ")
    is_name = code.startswith("account_") and first not in ("all", "the")
    is_word = first.isalpha() and first.islower() and len(first) < 7 and not is_name
    begun = text[:1].upper() + text[1:] if is_word else text
    return f"{begun.rstrip('.')}."
