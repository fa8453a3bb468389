"""Why a plan may not be acted on, or what a reader of it should know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `code` stays the same while the text's figures move, so that decisions can be compared."""

    code: str
    text: str
