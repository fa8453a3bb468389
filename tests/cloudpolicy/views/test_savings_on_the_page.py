"""What the page of the cloud says of money: each step priced, prices entered, and whether it came true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from cloudpolicy.engine.call import parse_call
from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.instance_price import InstancePrice
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.saving_score import SavingScore, Verdict
from cloudpolicy.selectors.cost_days import CostDay
from cloudpolicy.services.cheapest_steps import CheapestSteps, Step
from cloudpolicy.services.scoring import look_at_savings
from cloudpolicy.views import cheapest as cheapest_page
from cloudpolicy.views.cost_figure import cost_chart
from cloudpolicy.views.worth_words import days_text, range_text, worth_of
from ledger.domain.company import CompanyRef
from ledger.models.company import Company, Role
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, finish, make_five_groups, planned_company
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.views.conftest import Hour, words

Reader = Callable[[CompanyRef, Role], Client]
URL = "/cloud"


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    return strict_aws


def priced(plan: ScalingPlan, *worths: CallWorth, **changes: object) -> PlanPrice:
    calls = [*worths, *[CallWorth(Decimal(0), Decimal(0), Decimal(0), 0, 0)] * (len(plan.calls) - len(worths))]
    known = [call.monthly_saving for call in calls]
    values = {
        "credit_share": Decimal("0.4"),
        "monthly_saving": None if None in known else sum(each for each in known if each is not None),
        "base_p5_days": 50,
        "p5_days": 54,
        **changes,
    }
    return PlanPrice.objects.create(
        company_id=plan.company_id,
        plan=plan,
        priced_at=NOW,
        prices="0" * 64,
        currency="USD",
        calls=[call.as_dict() for call in calls],
        **values,
    )


@pytest.mark.django_db
def test_each_call_tells_what_it_saves_and_the_days_it_buys(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    sure = CallWorth(Decimal(1200), Decimal(1200), Decimal(1200), 3, 3, price="0.10 USD an hour by bills")
    unsure = CallWorth(Decimal(500), Decimal(400), Decimal(650), 2, 1)
    priced(plan, sure, unsure)
    page = reader(company, Role.FOUNDER).get(URL)
    text = words(page)
    assert "$1.2 k 0.10 USD an hour by bills +3 days" in text
    assert "$400 to $650 +1 day alone +2 days" in text
    assert "500.00 USD, between 400.00 USD and 650.00 USD" in page.content.decode().replace("\u202f", " ")
    assert "All together save $1.6 k to $1.8 k a month and buy +4 days of cautious runway" in text
    assert "50 days without, 54 days with them" in text
    assert "Credits pay 40 % of the bill at present, so $1.0 k a month stay in the bank" in text


@pytest.mark.django_db
def test_an_unknown_price_is_said_and_entered_on_the_page(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    priced(
        plan,
        CallWorth(because="nobody knows what t3.small costs"),
        base_p5_days=None,
        p5_days=None,
        because="no step has a price",
    )
    admin, founder = reader(company, Role.ADMIN), reader(company, Role.FOUNDER)
    text = words(admin.get(URL))
    assert "price unknown nobody knows what t3.small costs unknown" in text
    assert "What all together save is not known: a price is missing. Enter a price" in text
    given = {"what": "type us-east-1 t3.small", "market": "on_demand", "per_hour": "0,0208", "why": "price list"}
    assert founder.post("/cloud/prices", given).status_code == 403
    wrong = admin.post("/cloud/prices", {**given, "per_hour": "dear", "why": ""})
    assert wrong.status_code == 422
    assert "An hour:" in words(wrong)
    assert "Where it is from: say why" in words(wrong)
    assert b'value="dear"' in wrong.content, "nothing that was typed is lost"
    assert not InstancePrice.objects.exists()
    kept = admin.post("/cloud/prices", given, follow=True)
    assert "The price is kept." in words(kept)
    assert "t3.small in us-east-1, on demand 0.0208 USD" in words(kept)
    newest = PlanPrice.objects.latest("id")
    assert newest.plan_id == ScalingPlan.objects.latest("id").pk, "the plan is priced anew at once"
    admin.post("/cloud/prices", {**given, "per_hour": ""})
    assert "None was entered." in words(admin.get(URL))


@pytest.mark.django_db
def test_predicted_and_billed_stand_side_by_side_and_a_poor_band_is_flagged(
    cloud: StrictProxy, reader: Reader
) -> None:
    company, plan = planned_company()
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert "Nothing can be told yet." in text
    assert "No bill of the cloud is known." in text
    approve(plan)
    SavingScore.objects.create(
        company_id=company.id,
        run=begin(plan),
        after_days=7,
        band="below 60",
        verdict=Verdict.SHORT,
        currency="USD",
        predicted=Decimal(700),
        billed=Decimal(200),
        predicted_days=2.4,
        billed_days=0.6,
        text="the rest of the bill grew by a tenth",
        scored_at=NOW,
    )
    CostFigure.objects.create(
        company_id=company.id,
        start=date(2026, 3, 1),
        stop=date(2026, 3, 31),
        currency="USD",
        cost=Decimal(9000),
        saved=Decimal(1000),
        looked_at=NOW,
    )
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert "Below 60 does not deliver: the bills fell by $200 where $700 was predicted, over 1 run." in text
    assert "below 60 7 days $700 $200 +2 days +1 day less than half of it" in text
    assert "Share saved 10 %" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("predicted", "billed", "flag", "verdict"),
    [
        (700, -300, "the bills rose by $300 where a fall of $700 was predicted", "the bills rose"),
        (-300, -900, "the bills rose by $900 where $300 was predicted", "cost half as much again, or more"),
    ],
)
def test_bills_that_rose_are_said_to_have_risen(
    cloud: StrictProxy, reader: Reader, predicted: int, billed: int, flag: str, verdict: str
) -> None:
    company, plan = planned_company()
    approve(plan)
    SavingScore.objects.create(
        company_id=company.id,
        run=begin(plan),
        after_days=30,
        band="below 60",
        verdict=Verdict.SHORT,
        currency="USD",
        predicted=Decimal(predicted),
        billed=Decimal(billed),
        scored_at=NOW,
    )
    CostFigure.objects.create(company_id=company.id, currency="USD", cost=9000, saved=-300, looked_at=NOW)
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert f"Below 60 does not deliver: {flag}, over 1 run." in text
    assert verdict in text
    assert "Share saved \N{MINUS SIGN}3 % Saved \N{MINUS SIGN}$300" in text
    ScalingPlan.objects.update(wanted_p5_days=90)
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert ("does not deliver" in text, "asked for 90 days 30 days" in text) == (False, True)


@pytest.mark.django_db
def test_the_cheapest_steps_to_a_runway_are_told(
    cloud: StrictProxy, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, plan = planned_company(days=80)
    client = reader(company, Role.FOUNDER)
    assert "How long should it last?" in words(client.get("/cloud/cheapest"))
    for wrong, said in (
        ("soon", "must be a whole number of days"),
        ("0", "must be from 1 to"),
        ("99999", "must be"),
    ):
        refused = client.get(f"/cloud/cheapest?days={wrong}")
        assert (refused.status_code, said in words(refused)) == (422, True)
        assert f'value="{wrong}"' in refused.content.decode()
    unknown = client.get("/cloud/cheapest?days=90")
    assert "cannot be looked for: the forecast knows no bill of AWS" in words(unknown)

    call = parse_call(plan.calls[-1])
    answer = CheapestSteps(
        wanted_p5_days=90,
        base_p5_days=80,
        p5_days=93,
        reaches=True,
        is_exact=True,
        currency="USD",
        monthly_saving=Decimal(1500),
        steps=(Step(call, CallWorth(Decimal(1500), Decimal(1500), Decimal(1800), price="0.10 USD an hour")),),
        left_out=(
            "capstack-dev-asg: nobody knows what t3.small costs",
            "x is left alone until 2026-12-04 15:34 UTC",
        ),
        lacks_prices=True,
    )
    Company.objects.update(timezone="America/New_York")
    monkeypatch.setattr(cheapest_page, "cheapest_steps", lambda **_: answer)
    found = words(client.get("/cloud/cheapest?days=90"))
    assert "These steps reach 90 days The cautious runway is 80 days without them and 93 days with them" in found
    assert f"{call.group} {call.environment}, us-east-1 min 3 → becomes 2" in found
    assert "$1.5 k to $1.8 k 0.10 USD an hour" in found
    assert "Not counted on capstack-dev-asg: nobody knows" in found
    assert "x is left alone until 2026-12-04 10:34 EST" in found, "in the time that the page says"
    assert "See the prices" in found
    monkeypatch.setattr(cheapest_page, "cheapest_steps", lambda **_: replace(answer, lacks_prices=False))
    assert "See the prices" not in words(client.get("/cloud/cheapest?days=90"))
    monkeypatch.setattr(
        cheapest_page, "cheapest_steps", lambda **_: replace(answer, reaches=False, is_exact=False)
    )
    short = words(client.get("/cloud/cheapest?days=90"))
    assert "No set of steps reaches 90 days" in short
    assert "They are all that may be taken away: above the floors" in short
    assert "not every size of these groups was tried" in short


@pytest.mark.django_db
def test_a_run_of_which_no_bill_has_told_says_what_it_waits_for(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, plan = planned_company()
    approve(plan)
    run = finish(begin(plan), FakeClock())
    client = reader(company, Role.FOUNDER)
    hour.now = NOW + timedelta(days=7)
    assert "Nothing can be told yet." in words(client.get(URL))
    hour.pass_on(days=1)
    text = words(client.get(URL))
    assert (
        f"Run {run.pk} of plan {plan.pk}, 7 days after it: no bill with lines speaks of all days from 2 Apr to"
        in text
    )
    assert "until 23 Jun" in text
    assert "30 days after it" not in text
    hour.pass_on(days=75)
    look_at_savings(company_id=company.id, now=hour.now)
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert "no bill was imported of 7 of these 7 days" in text
    assert ("7 days after it" in text, "30 days after it" in text) == (False, True)


def test_cost_and_runway_are_drawn_told_and_tabled() -> None:
    first = date(2026, 3, 1)
    days = [
        CostDay(first + timedelta(days=place), gross, Decimal(30), p5)
        for place, (gross, p5) in enumerate([(Decimal(100), 60), (None, 58), (Decimal(20), None)])
    ]
    chart = cost_chart(days=days, today=date(2026, 3, 4), currency="USD")
    assert chart is not None
    cost, runway = chart.figure["data"]
    assert (cost["y"], runway["y"]) == ([100.0, 20.0], [60, 58])
    assert "the cloud cost $120 by the bills, on 2 days, and credits of $60 were used" in chart.summary
    assert "between 58 and 60 days" in chart.summary
    assert [row[1] for row in chart.rows] == ["20.00\u202fUSD", "no bill", "100.00\u202fUSD"]
    assert cost_chart(days=days[1:2], today=first, currency="USD") is None


def test_what_is_uncertain_is_a_range_and_what_costs_has_a_minus() -> None:
    assert range_text(Decimal(1000), Decimal(1004), "USD") == "$1.0\u202fk"
    assert [
        days_text(days, is_least=least) for days, least in ((3.2, False), (-1, False), (0, True), (None, False))
    ] == [
        "+3 days",
        "\N{MINUS SIGN}1 day",
        "at least 0 days",
        "",
    ]
    cost = worth_of(CallWorth(Decimal(-800), Decimal(-800), Decimal(-800), -2, None), currency="USD")
    assert (cost.saves, cost.buys, cost.alone) == ("\N{MINUS SIGN}$800", "\N{MINUS SIGN}2 days", "")
