"""Run a policy over the past year's forecasts and over simulated futures, before it is enabled."""

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy, parse_policy
from cloudpolicy.engine.policy import Policy
from cloudpolicy.management.policy_file import read_policy_file, refusal_of
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.replay import PolicyReplay, Worth, replay_policy
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = (
        "Say what a policy would have done with the past year's forecasts, and would do in simulated futures:"
        " flaps, time in each band, minutes below a floor, savings. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", type=Path, nargs="?", help="a policy in YAML or JSON; default: the one in force"
        )
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--price",
            metavar="AMOUNT",
            help="of an instance-hour, in the company's currency; default: from bills and entered prices",
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, alone on stdout")

    def handle(self, *args: Any, path: Path | None, company: str, price: str | None, **options: Any) -> None:
        now = timezone.now()
        try:
            ref = company_ref(slug=company)
            policy = _from_file(path) if path else policy_in_force(company_id=ref.id, now=now).policy
            told = replay_policy(company=ref, policy=policy, price=_price(price), now=now)
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except InvalidPolicy as error:
            raise CommandError(f"the stored policy is broken: {error}") from error
        except CloudUnavailable as error:
            raise CommandError(f"the groups cannot be read: {error}") from error
        self.stdout.write(json.dumps(told.to_json(), indent=2) if options["json"] else "\n".join(_lines(told)))


def _from_file(path: Path) -> Policy:
    text, document = read_policy_file(path)
    try:
        return parse_policy(document)
    except InvalidPolicy as invalid:
        raise refusal_of(path, invalid, text=text) from invalid


def _price(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 < price < 100_000:
        raise CommandError(f"--price must be an amount above 0 and below 100,000, not {text}")
    return price


def _lines(told: PolicyReplay) -> list[str]:
    lines = [f"{told.policy} over {told.groups} groups, as if every plan had been applied at once"]
    if told.price is not None:
        lines.append(f"An instance-hour at {told.price.normalize():f} {told.currency}: {told.price_said}")
    if told.past is None:
        lines.append(f"Past year: {told.past_refusal}.")
    else:
        past = told.past
        replayed, per_year = past.replayed, past.replayed.flaps_per_year
        lines += [
            f"Past year: {past.forecasts} forecasts, {past.looked_back} of them looked back",
            f"  moves {replayed.moves}, turned round {replayed.flaps}"
            + ("" if per_year is None else f" ({per_year:.1f} a year)"),
            *_bands({band: round(days, 1) for band, days in replayed.days_in_band.items()}),
            f"  minutes below a floor {replayed.minutes_below_floor:,.0f}",
            _saved(past.worth, told),
        ]
    if told.future is None:
        lines.append(f"Simulated futures: {told.future_refusal}.")
    else:
        future = told.future
        lines += [
            f"{future.futures} simulated futures of up to {future.days} days, on average",
            f"  moves {future.moves_per_year:.1f} a year, turned round {future.flaps_per_year:.1f} a year,"
            f" {future.worst_flaps} times in the worst of them",
            *_bands(future.days_in_band),
            f"  minutes below a floor {future.worst_minutes_below_floor:,.0f} in the worst of them",
            _saved(future.worth, told),
        ]
        if future.p5_days_gained is not None:
            lines.append(f"  cautious runway (p5) gains {future.p5_days_gained:+.0f} days")
    return lines


def _bands(days: dict[str, float]) -> list[str]:
    return [f"  {band}: {length:.1f} days" for band, length in days.items()]


def _saved(worth: Worth, told: PolicyReplay) -> str:
    hours = f"  instance-hours saved {worth.instance_hours:,.0f}"
    if worth.money is None:
        return f"{hours}; worth unknown without --price: {told.price_said}"
    days = "" if worth.days_gained is None else f", {worth.days_gained:+.1f} days of runway"
    return f"{hours}, {worth.money:,.2f} {told.currency}{days}"
