"""Why a plan is not approved, applied or rolled back. Each message is one line for people."""

MAX_REASON = 500


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
    """Raises NotAllowed: it is empty, too long, or cannot be kept."""
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON or "\0" in text:
        raise NotAllowed(f"a reason of at most {MAX_REASON} characters is needed", field="reason")
    return text
