"""One answer to the question whether a part is ready."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """The state of one part, with a detail that names no company and no address."""

    name: str
    ok: bool
    detail: str
