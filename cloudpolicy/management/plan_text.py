"""A plan as text on a terminal."""

from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.selectors.plans import StoredPlan


def plan_lines(plan: StoredPlan) -> list[str]:
    """The plan for people; nothing in it is missing that the JSON tells."""
    figure = "no usable p5" if plan.p5_days is None else f"p5 {plan.p5_days} days, {plan.band}"
    run = "no forecast" if plan.forecast_run is None else f"forecast run {plan.forecast_run}"
    lines = [f"Plan {plan.plan_id}: {figure} ({run}, {plan.policy})"]
    if plan.wanted_p5_days is not None:
        lines.append(f"Asked for: the cheapest steps to a p5 of {plan.wanted_p5_days} days")
    lines += [f"Read-only: {reason.text}" for reason in plan.read_only_because]
    lines += [f"Note: {warning.text}" for warning in plan.warnings]
    if not plan.calls:
        return [*lines, "Nothing to do."]
    lines.append("It would make these calls; none was made." if not plan.read_only_because else "It would imply:")
    for number, (call, worth) in enumerate(plan.priced_calls(), start=1):
        lines.append(f"{number:>3}. {call['says']} ({call['action']}, {call['region']}): {call['because']}")
        lines += [
            f"       {name}: {_shown(before)} -> {_shown(call['after'][name])}"
            for name, before in call["before"].items()
        ]
        lines.append(f"       needs {call['permission']}")
        lines.append(f"       {_worth(worth, plan)}")
    if plan.worth is not None and plan.worth.monthly_saving is not None:
        days = "" if plan.worth.days_of_p5 is None else f", {plan.worth.days_of_p5:+d} days of p5"
        lines.append(f"Together: {plan.worth.monthly_saving:,.2f} {plan.worth.currency} a month{days}")
        if plan.worth.credit_share:
            lines.append(
                f"Credits pay {plan.worth.credit_share:.0%} of the bill: that part stays in the bank once they end"
            )
    if plan.worth is not None and plan.worth.because:
        lines.append(f"Days unknown: {plan.worth.because}")
    return lines


def _worth(worth: CallWorth, plan: StoredPlan) -> str:
    if worth.monthly_saving is None:
        return f"saves an unknown amount: {worth.because}"
    currency = plan.worth.currency if plan.worth else ""
    text = f"saves {worth.monthly_saving:,.2f} {currency} a month"
    if worth.low != worth.high:
        text += f" ({worth.low:,.2f} to {worth.high:,.2f})"
    if worth.days_of_p5 is not None:
        text += f", {worth.days_of_p5:+d} days of p5 by itself"
    return f"{text}; {worth.price}"


def _shown(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
