"""Lines of Stripe's invoices and credit notes, in minor units."""

from typing import Any

from ledger.providers.stripe_amounts import listed, minor_units


def net_of_line(line: dict[str, Any]) -> int:
    """What a line of an invoice or a credit note comes to, less discounts and the tax within it."""
    discounts = sum(whole(discount, "amount") for discount in listed(line, "discount_amounts"))
    return minor_units(line, "amount") - discounts - _inclusive_tax(line)


def _inclusive_tax(line: dict[str, Any]) -> int:
    taxes = [tax for tax in listed(line, "tax_amounts") if tax.get("inclusive") is True]
    taxes = taxes or [tax for tax in listed(line, "taxes") if tax.get("tax_behavior") == "inclusive"]
    return sum(whole(tax, "amount") for tax in taxes)


def shares(nets: list[int], earned: int) -> list[int]:
    """Share `earned` minor units among the lines above zero; each is rounded down, the last takes the rest."""
    total = sum(nets)
    if total <= 0 or earned <= 0:
        return [0] * len(nets)
    parts = [net * earned // total for net in nets]
    last = max(place for place, net in enumerate(nets) if net)
    parts[last] += earned - sum(parts)
    return parts


def whole(thing: dict[str, Any], field: str) -> int:
    """A field that may be left out, as 0 then."""
    value = thing.get(field)
    return value if type(value) is int else 0
