"""What calls save a month: instances times the price of their hours, and unknown where there is none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.call_savings import call_savings
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group, Instance
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances, UnknownMarket
from cloudpolicy.engine.price import EITHER, ON_DEMAND, SPOT, Entered, Metered, PriceBook
from cloudpolicy.engine.saving import HOURS_PER_MONTH, Footing, footing_of
from cloudpolicy.engine.worth import CallWorth, parse_call_worth

D = Decimal
PLAIN = LaunchTemplate("lt-1", "web", "$Latest", 1)
BOOK = PriceBook(
    by_type={
        ("200", "us-east-1", "m5.large", ON_DEMAND): Metered(D(100), D(10), D(10), D("0.1"), D("0.1")),
        ("200", "us-east-1", "m5.large", SPOT): Metered(D(100), D(4), D(4), D("0.03"), D("0.05")),
    }
)


def group(market: Market = PLAIN, *, desired: int = 10, types: tuple[str, ...] = ("m5.large",)) -> Group:
    instances = tuple(Instance(f"i-{place}", kind) for place, kind in enumerate(types))
    return Group("web", "staging", "us-east-1", Capacity(0, 20, desired), market, True, instances=instances)


def call(
    before: Mapping[str, Any], after: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> ApiCall:
    return ApiCall("resize_group", "web", "staging", "us-east-1", "p", before, after, parameters or {})


def resize(before: int, after: int) -> ApiCall:
    return call({"min": 0, "max": 20, "desired": before}, {"min": 0, "max": 20, "desired": after})


def price(*calls: ApiCall, of: Group | None = None, book: PriceBook = BOOK) -> tuple[CallWorth, ...]:
    return call_savings(calls=calls, groups=[of or group()], book=book)


def month(amount: str) -> Decimal:
    return (D(amount) * HOURS_PER_MONTH).quantize(D("0.01"))


def test_instances_taken_away_save_the_price_of_their_hours() -> None:
    (worth,) = price(resize(10, 4))
    assert worth.monthly_saving == worth.low == worth.high == month("0.6")
    assert worth.price == "bill lines of m5.large in us-east-1, 30 days"


def test_instances_added_cost() -> None:
    (worth,) = price(resize(10, 12))
    assert worth.monthly_saving == -month("0.2")


def test_calls_on_one_group_are_priced_after_each_other_so_that_savings_add_up() -> None:
    mixed = group(MixedInstances({"OnDemandPercentageAboveBaseCapacity": 50, "OnDemandBaseCapacity": 0}))
    spot_off = call({"spot": True, "on_demand_percent": 50}, {"spot": False, "on_demand_percent": 100})
    first, second = price(spot_off, resize(10, 4), of=mixed)
    assert first.monthly_saving == -month("0.3")  # five hours of spot become five on demand
    assert second.monthly_saving == month("0.6")


def test_of_a_mixed_group_spot_goes_first_and_the_base_last() -> None:
    assert Footing(8, 1, 50).instances() == {ON_DEMAND: 5, SPOT: 3}
    assert Footing(1, 1, 0).instances() == {ON_DEMAND: 1, SPOT: 0}
    assert Footing(0, 1, 50).instances() == {ON_DEMAND: 0, SPOT: 0}


def test_a_spot_price_is_a_range() -> None:
    spot = group(LaunchTemplate("lt-1", "web", "$Latest", 1, {"MarketType": "spot"}))
    (worth,) = price(resize(10, 9), of=spot)
    assert (worth.low, worth.monthly_saving, worth.high) == (month("0.03"), month("0.04"), month("0.05"))


def test_what_is_paid_ahead_need_not_fall_away() -> None:
    reserved = Metered(D(100), D(2), D(6), D("0.06"), D("0.06"))
    book = PriceBook(by_type={("200", "us-east-1", "m5.large", ON_DEMAND): reserved})
    (worth,) = price(resize(10, 9), book=book)
    assert (worth.low, worth.monthly_saving, worth.high) == (month("0.02"), month("0.06"), month("0.06"))


def test_without_a_price_it_is_unknown_and_says_what_is_missing() -> None:
    (worth,) = price(resize(10, 9), book=PriceBook())
    assert worth.monthly_saving is None
    assert worth.because == (
        "no bill line and no entered price says what an on-demand hour of m5.large in us-east-1 costs"
    )


def test_one_type_without_a_price_makes_the_whole_group_unknown() -> None:
    (worth,) = price(resize(10, 9), of=group(types=("m5.large", "m5.xlarge")))
    assert worth.monthly_saving is None


def test_types_are_weighed_by_their_number() -> None:
    dear = Metered(D(1), D("0.4"), D("0.4"), D("0.4"), D("0.4"))
    book = PriceBook(by_type={**BOOK.by_type, ("200", "us-east-1", "m5.xlarge", ON_DEMAND): dear})
    (worth,) = price(resize(10, 9), of=group(types=("m5.large", "m5.large", "m5.xlarge")), book=book)
    assert worth.monthly_saving == month("0.2")


def test_lines_of_the_groups_own_instances_go_before_those_of_its_type() -> None:
    own = Metered(D(10), D(3), D(3), D("0.3"), D("0.3"))
    book = PriceBook(by_type=BOOK.by_type, by_instance={("i-0", ON_DEMAND): own})
    (worth,) = price(resize(10, 9), book=book)
    assert worth.monthly_saving == month("0.3")


@pytest.mark.parametrize(("market", "known"), [(PLAIN, True), (UnknownMarket("a launch configuration"), True)])
def test_an_hour_metered_without_its_market_prices_a_change_of_number(market: Market, known: bool) -> None:
    own = Metered(D(10), D(3), D(3), D("0.3"), D("0.3"))
    (worth,) = price(resize(10, 9), of=group(market), book=PriceBook(by_instance={("i-0", EITHER): own}))
    assert (worth.monthly_saving == month("0.3")) is known


def test_an_hour_metered_without_its_market_does_not_price_turning_spot_off() -> None:
    own = Metered(D(10), D(3), D(3), D("0.3"), D("0.3"))
    spot = group(LaunchTemplate("lt-1", "web", "$Latest", 1, {"MarketType": "spot"}))
    (worth,) = price(
        call({"spot": True}, {"spot": False}), of=spot, book=PriceBook(by_instance={("i-0", EITHER): own})
    )
    assert worth.monthly_saving is None


def test_a_version_that_the_group_does_not_follow_changes_nothing_and_pointing_at_it_does() -> None:
    spot = group(LaunchTemplate("lt-1", "web", "1", 1, {"MarketType": "spot"}))
    create, point = price(
        call({"spot": True, "version": "1"}, {"spot": False, "version": "2"}, {"follows": "1"}),
        call({"spot": True, "version": "1"}, {"spot": False, "version": "2"}),
        of=spot,
    )
    assert (create.monthly_saving, point.monthly_saving) == (D(0), -month("0.6"))


def test_bills_go_before_entered_prices_and_a_group_before_its_type() -> None:
    of_type = Entered("", "us-east-1", "m5.large", "", ON_DEMAND, D("7"), "entered by ada")
    of_group = Entered("", "us-east-1", "", "web", ON_DEMAND, D("5"), "entered for web")
    assert price(resize(10, 9), book=PriceBook(entered=[of_type]))[0].monthly_saving == month("7")
    assert price(resize(10, 9), book=PriceBook(entered=[of_type, of_group]))[0].price == "entered for web"
    billed = PriceBook(by_type=BOOK.by_type, entered=[of_type, of_group])
    assert price(resize(10, 9), book=billed)[0].monthly_saving == month("0.1")


def test_a_price_of_another_account_region_or_market_does_not_count() -> None:
    for entered in (
        Entered("eu", "us-east-1", "m5.large", "", ON_DEMAND, D(7), ""),
        Entered("", "eu-west-1", "m5.large", "", ON_DEMAND, D(7), ""),
        Entered("", "us-east-1", "m5.large", "", SPOT, D(7), ""),
    ):
        assert price(resize(10, 9), book=PriceBook(entered=[entered]))[0].monthly_saving is None
    other = PriceBook(by_type=BOOK.by_type, account_numbers={"": "999"})
    assert price(resize(10, 9), book=other)[0].monthly_saving is None


def test_a_call_of_an_unknown_kind_is_not_guessed_at() -> None:
    (worth,) = price(call({"state": "running"}, {"state": "stopped"}))
    assert worth.because == "what it changes has no price per instance-hour: state"
    (gone,) = call_savings(calls=[resize(2, 1)], groups=[], book=BOOK)
    assert gone.because == "web is no auto-scaling group that was read"


def test_a_change_of_bounds_alone_saves_nothing() -> None:
    (worth,) = price(call({"min": 0, "max": 20, "desired": 10}, {"min": 0, "max": 12, "desired": 10}))
    assert worth.monthly_saving == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"AZRebalance": "runs", "Launch": "runs"}, {"AZRebalance": "suspended", "Launch": "suspended"}),
        ({"usd_per_month": 900, "alert_percent": None}, {"usd_per_month": 500, "alert_percent": 80}),
    ],
)
def test_processes_and_budgets_bring_and_take_no_instance(
    before: dict[str, object], after: dict[str, object]
) -> None:
    (worth,) = call_savings(calls=[call(before, after)], groups=[], book=BOOK)
    assert (worth.monthly_saving, worth.because) == (D(0), "")


def test_an_empty_group_takes_its_type_from_the_template() -> None:
    empty = group(LaunchTemplate("lt-1", "web", "$Latest", 1, instance_type="m5.large"), desired=0, types=())
    assert price(resize(0, 1), of=empty)[0].monthly_saving == -month("0.1")
    assert "nobody says of which type" in price(resize(0, 1), of=group(desired=0, types=()))[0].because


def test_worth_reads_back_as_it_was_kept() -> None:
    worth = CallWorth(D("1.50"), D("1.00"), D("2.00"), 3, 2, True, "bill", "")
    assert parse_call_worth(worth.as_dict()) == worth
    assert footing_of(group(UnknownMarket("x"))).instances() == {EITHER: 10}
