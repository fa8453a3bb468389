"""Kinds of account, and which of them hold cash."""

CASH_KINDS = frozenset({"bank", "card", "processor"})

# An importer names accounts the way their provider does; the beginning of the name tells the kind.
KIND_BY_PREFIX = (("bank", "bank"), ("card", "card"), ("stripe", "processor"), ("cloud", "cloud"))


def kind_of_account(name: str) -> str | None:
    """Return the kind that an account's name implies, None when its beginning says nothing."""
    lowered = name.lower()
    for prefix, kind in KIND_BY_PREFIX:
        if lowered.startswith(prefix):
            return kind
    return None
