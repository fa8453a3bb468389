"""A job that leaves its worker large."""

KEPT: list[bytearray] = []


def grow() -> None:
    """Keep 450 MB; zeros that were never written would not count as resident."""
    KEPT.append(bytearray(b"x") * 450_000_000)
