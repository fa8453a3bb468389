"""Why a plan is not approved, applied or rolled back. Each message is one line for people."""

from unicodedata import category

MAX_REASON = 500
# Unicode's Bidi_Control: they turn the text that follows round, and an audit trail reads otherwise than was typed.
TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MISLEADING = "must not contain control characters, such as those that turn the direction of text"


class NotAllowed(ValueError):
    """It may not be done, or not now; nothing was changed.

    Attributes:
        field: what of the request is wrong; '' when it is not the request.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class PlanNotFound(LookupError):
    """The company has no plan of that number."""


class EngineBusy(RuntimeError):
    """Another engine is at work on one of the company's cloud accounts."""


def need_reason(reason: str) -> str:
    """Raises NotAllowed: it is empty, too long, cannot be kept, or reads otherwise than it was written."""
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON or "\0" in text:
        raise NotAllowed(f"a reason of at most {MAX_REASON} characters is needed", field="reason")
    if misleads(text):
        raise NotAllowed(f"the reason {MISLEADING}", field="reason")
    return text


def misleads(text: str) -> bool:
    """Whether a text of one or more lines may be shown in another order than it is stored, or not at all."""
    return any(letter in TURNS_TEXT or (category(letter) == "Cc" and letter not in "\t\n\r") for letter in text)
