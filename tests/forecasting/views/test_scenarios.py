"""The page of what-ifs over HTTP, without a script."""

from urllib.parse import urlencode

import pytest

from forecasting.models.scenario import Scenario
from forecasting.scenarios.scenario import read_changes
from forecasting.services.scenarios import keep_scenario
from ledger.models.company import Membership, Role
from ledger.models.user import User
from ledger.services.companies import create_company
from tests.forecasting.small_company import NOW, PLAN, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

CUT = {"0-kind": "cost_cut", "0-start": "2026-04-15", "0-share": "20", "0-scope": "all", "0-name": ""}
CHANGES = [{"kind": "cost_cut", "start": "2026-04-15", "share": 0.2}]


@pytest.fixture(autouse=True)
def april(monkeypatch):
    """The day after the small company's books end."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def acme():
    return small_company()


@pytest.fixture
def founder(client, acme):
    return sign_in(client, acme)


def sign_in(client, company):
    user = User.objects.create_user(f"{company.slug}@example.com", "correct horse battery staple")
    Membership.objects.create(company_id=company.id, user=user, role=Role.FOUNDER)
    client.force_login(user)
    return client


def page(client, query=(), **kwargs):
    return client.get(f"/scenarios?{urlencode(query, doseq=True)}", **kwargs)


def kept(company, name="Lean"):
    return keep_scenario(company_id=company.id, name=name, changes=read_changes(CHANGES), actor="test", now=NOW)


def test_a_stranger_is_led_to_the_door(client):
    assert client.get("/scenarios")["Location"].startswith("/sign-in")


def test_it_shows_the_forecast_as_it_is_and_how_to_begin(founder):
    text = page(founder).content.decode()
    assert "Add a change to see what it does" in text
    assert "As it is" in text
    assert "Cut costs" in text


def test_a_draft_is_told_in_days_gained(founder):
    response = page(founder, CUT)
    assert response.status_code == 200
    base, draft = response.context["rows"]
    assert draft.average.startswith("+")
    assert draft.sentences == (
        "Cut all costs by 20\N{NO-BREAK SPACE}% from 15\N{NO-BREAK SPACE}Apr\N{NO-BREAK SPACE}2026",
    )
    assert base.average == ""
    assert [trace["line"].get("dash") for trace in response.context["figure"]["data"]][2:4] == ["solid", "dash"]


def test_a_slider_is_answered_with_the_part_that_changes(founder):
    text = page(founder, CUT, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert 'id="scenarios"' in text


def test_adding_and_taking_out_keep_the_rest(founder):
    more = page(founder, CUT | {"add": "hire"}).context["groups"]
    assert [group.kind for group in more] == ["cost_cut", "hire"]
    less = page(founder, CUT | {"1-kind": "churn", "1-start": "2026-05-01", "1-per_month": "2", "remove": "0"})
    assert [group.kind for group in less.context["groups"]] == ["churn"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("slipped_tranche", "Second closing slips by 60 days"),
        ("lost_tranche", "Second closing falls through"),
        ("lost_customer", "Customers is lost from"),
    ],
)
def test_a_fresh_change_names_what_the_company_has_and_shows_at_once_what_it_does(founder, kind, said):
    response = page(founder, {"add": kind})
    assert response.context["asked"].draft.errors == {}
    _, draft = response.context["rows"]
    assert draft.sentences[0].startswith(said)


def test_a_company_without_cash_is_told_that_no_change_moves_the_day(client, founder):
    words = "no cash left on that day already"
    assert words not in page(founder).content.decode()
    spent = small_company("spent", plan=PLAN | {"opening_balance": {"USD": "-10.00"}})
    assert words in page(sign_in(client, spent)).content.decode()


def test_a_name_that_is_taken_out_again_is_asked_for(founder):
    response = page(founder, {"0-kind": "lost_tranche", "0-tranche": ""})
    assert "must name one: Second closing" in response.content.decode()


def test_what_has_nothing_to_name_is_not_offered(client):
    bare = small_company("bare", plan={key: PLAN[key] for key in PLAN if key != "tranches"})
    offered = dict(page(sign_in(client, bare)).context["kinds"])
    assert offered["New money"] == [("raise", "Raise money")]
    assert "Currencies" not in offered, "one currency alone cannot move"
    assert offered["People"] == [("hire", "Hire"), ("leave", "Somebody leaves")]


def test_salaries_are_labelled_with_the_currency_they_are_in(founder):
    hire = {"0-kind": "hire", "0-start": "2026-05-01", "0-monthly_gross": "8000", "0-people": "1"}
    assert "Gross salary per month, USD" in page(founder, hire).content.decode()
    assert "Gross salary per month, EUR" in page(founder, hire | {"0-currency": "eur"}).content.decode()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"0-share": "7000"}, "must be a number of 0 to 100"),
        ({"0-share": "much"}, "must be a number of 0 to 100"),
        ({"0-start": "soon"}, "must be a date"),
        ({"0-scope": "vendor"}, "must name the vendor"),
        ({"0-scope": "vendor", "0-name": "Nobody"}, "nothing was spent on the vendor"),
        ({"0-kind": "magic"}, "must be one of"),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_still_shown(founder, wrong, complaint):
    response = page(founder, CUT | wrong)
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert [row.name for row in response.context["rows"]] == ["As it is"]


@pytest.mark.parametrize("query", [{"basis": "gold"}, {"range": "9y"}])
def test_an_address_that_cannot_be_is_refused(founder, query):
    assert page(founder, query).status_code == 400


def test_nonsense_in_the_address_is_no_failure(founder):
    odd = {
        "show": ["x", "9" * 30, "7"],
        "edit": "-1",
        "99-kind": "hire",
        "0-": "x",
        "5-kind": "\x00",
        "remove": "z",
    }
    assert page(founder, odd).status_code == 200


def test_a_draft_is_kept_edited_and_archived(founder, acme):
    assert founder.post("/scenarios/keep", CUT | {"name": "Lean", "as": "new"}).status_code == 302
    scenario = Scenario.objects.get()
    assert (scenario.name, scenario.created_by) == ("Lean", "page:acme@example.com")

    opened = page(founder, {"edit": scenario.pk})
    assert opened.context["name"] == "Lean"
    assert [field.value for field in opened.context["groups"][0].inputs][:2] == ["2026-04-15", "20"]
    same = CUT | {"0-share": "30", "edit": scenario.pk, "name": "Lean", "as": "same"}
    assert founder.post("/scenarios/keep", same).status_code == 302
    assert scenario.versions.count() == 2

    assert founder.post(f"/scenarios/{scenario.pk}/archive").status_code == 302
    assert founder.post(f"/scenarios/{scenario.pk}/archive").status_code == 404
    assert page(founder).context["kept"] == []


def test_a_taken_name_keeps_what_was_typed(founder, acme):
    kept(acme)
    response = founder.post("/scenarios/keep", CUT | {"name": "lean", "as": "new"})
    assert response.status_code == 422
    text = response.content.decode()
    assert "is the name of another scenario" in text
    assert 'value="lean"' in text


def test_four_cases_stand_beside_the_base(founder, acme):
    numbers = [kept(acme, f"Case {n}").scenario_id for n in range(5)]
    rows = page(founder, {"show": numbers}).context["rows"]
    assert [row.place for row in rows] == [0, 1, 2, 3, 4]
    with_draft = page(founder, CUT | {"show": numbers}).context["rows"]
    assert [row.name for row in with_draft] == ["As it is", "Your draft", "Case 0", "Case 1", "Case 2"]


def test_what_does_not_fit_any_more_says_so_in_its_row(founder, acme):
    lost = read_changes([{"kind": "lost_tranche", "tranche": "Third"}])
    stored = keep_scenario(company_id=acme.id, name="Old", changes=lost, actor="test", now=NOW)
    response = page(founder, {"show": stored.scenario_id})
    assert "Not possible today" in response.content.decode()


def test_another_companys_scenarios_do_not_exist(client, acme):
    theirs = kept(acme)
    stranger = sign_in(client, small_company("globex"))
    response = page(stranger, {"show": theirs.scenario_id, "edit": theirs.scenario_id})
    assert "Lean" not in response.content.decode()
    assert stranger.post(f"/scenarios/{theirs.scenario_id}/archive").status_code == 404
    stranger.post("/scenarios/keep", CUT | {"name": "Mine", "as": "same", "edit": theirs.scenario_id})
    assert Scenario.objects.get(pk=theirs.scenario_id).name == "Lean"


def test_an_empty_company_is_told_what_to_do(client):
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    text = page(sign_in(client, company)).content.decode()
    assert "There is no forecast to compare with yet" in text
    assert 'href="/imports"' in text


def test_it_asks_the_database_no_more_for_many_scenarios(founder, acme, django_assert_max_num_queries):
    for n in range(12):
        kept(acme, f"Case {n}")
    page(founder, CUT)
    with django_assert_max_num_queries(40):
        page(founder, CUT)


def test_a_name_is_never_markup(founder, acme):
    stored = kept(acme, "<b>Lean</b>")
    text = page(founder, {"show": stored.scenario_id}).content.decode()
    assert "<b>Lean" not in text


def test_a_fifth_case_takes_the_place_of_the_first(founder, acme):
    numbers = [kept(acme, f"Case {n}").scenario_id for n in range(5)]
    listed = page(founder, {"show": numbers[:4]}).context["kept"]
    response = founder.get(listed[4].toggle_url)
    assert [row.name for row in response.context["rows"][1:]] == ["Case 1", "Case 2", "Case 3", "Case 4"]


def test_a_link_for_members_names_its_company(client, acme):
    globex = small_company("globex")
    stored = kept(acme)
    client = sign_in(client, acme)
    Membership.objects.create(
        company_id=globex.id, user=User.objects.get(email="acme@example.com"), role=Role.ADMIN
    )
    (listed,) = page(client, {"company": "acme"}).context["kept"]
    page(client, {"company": "globex"})
    followed = client.get(listed.share_url.removeprefix("http://testserver"))
    assert followed.context["company"].slug == "acme"
    assert [row.name for row in followed.context["rows"]] == ["As it is", stored.name]
