"""The page of the plan over HTTP, without a script."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from forecasting.models.plan import Plan
from forecasting.scenarios.change import InvalidScenario
from forecasting.selectors.plans import plan_in_force
from forecasting.services.plans import record_plan
from ledger.domain.event import parse_event
from ledger.domain.problems import FieldProblem
from ledger.models.company import Membership, Role
from ledger.models.user import User
from ledger.services.companies import create_company
from ledger.services.record import record
from tests.forecasting.small_company import NOW, PLAN, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

HIRE = {"start": "2026-05-01", "monthly_gross": "8,000", "currency": "usd", "do": "keep", "based_on": "1"}
TRANCHE = {
    "milestone": "Second closing",
    "date": "2026-06-01",
    "amount": "250,000.50",
    "probability": "62,5",
    "delay.mean_days": "18",
    "delay.sd_days": "9.5",
    "place": "0",
    "based_on": "1",
    "do": "keep",
}


@pytest.fixture(autouse=True)
def april(monkeypatch):
    """The day after the small company's books end."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def acme():
    return small_company()


@pytest.fixture
def finance(client, acme):
    return sign_in(client, acme, Role.FINANCE)


def sign_in(client, company, role):
    user = User.objects.create_user(f"{company.slug}@example.com", "correct horse battery staple")
    Membership.objects.create(company_id=company.id, user=user, role=role)
    client.force_login(user)
    return client


def put(client, key, values, **kwargs):
    return client.post(f"/plan/rows/{key}", values, **kwargs)


def raw(company):
    return plan_in_force(company_id=company.id).raw


def errors(response):
    return {each.name: each.error for each in response.context["editing"].row.inputs if each.error}


def test_a_stranger_is_led_to_the_door_and_a_founder_reads(client, acme):
    assert client.get("/plan")["Location"].startswith("/sign-in")
    founder = sign_in(client, acme, Role.FOUNDER)
    text = founder.get("/plan").content.decode()
    assert "Second closing" in text
    assert "?edit=" not in text
    assert put(founder, "planned_hires", HIRE).status_code == 403
    assert raw(acme) == PLAN


def test_a_row_is_added_as_it_is_typed(finance, acme):
    response = put(finance, "planned_hires", HIRE)
    assert response.status_code == 302
    hire = {"start": "2026-05-01", "monthly_gross": "8000", "currency": "USD", "confirmed": False}
    assert raw(acme) == PLAN | {"planned_hires": [hire]}
    assert plan_in_force(company_id=acme.id).actor == "page:acme@example.com"
    assert "Saved as version 2" in finance.get("/plan").content.decode()


def test_a_row_is_changed_where_it_stands_and_opens_as_it_was_typed(finance, acme):
    assert put(finance, "tranches", TRANCHE).status_code == 302
    assert raw(acme)["tranches"] == [
        {
            "milestone": "Second closing",
            "date": "2026-06-01",
            "amount": "250000.50",
            "probability": 0.625,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9.5},
        }
    ]
    form = finance.get("/plan?edit=tranches-0").context["editing"].row
    assert form.typed == {name: form.typed[name] for name in TRANCHE if name in form.typed} | {
        "probability": "62.5"
    }
    assert form.typed["amount"] == "250,000.50"


def test_a_row_is_taken_out(finance, acme):
    assert put(finance, "tranches", {"place": "0", "based_on": "1", "do": "remove"}).status_code == 302
    assert raw(acme)["tranches"] == []


def test_what_is_looked_at_is_told_and_not_saved(finance, acme):
    response = put(finance, "tranches", TRANCHE | {"probability": "1", "do": "look"})
    looked = response.context["editing"].look
    assert "sooner" in looked.lead
    assert [row.name for row in looked.rows] == ["Cautious", "Middle", "Lucky"]
    assert raw(acme) == PLAN
    fragment = put(finance, "tranches", TRANCHE | {"do": "look"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="plan-effect"' in fragment
    assert "<html" not in fragment


def test_only_a_button_saves(finance, acme):
    assert (
        put(finance, "tranches", {name: said for name, said in TRANCHE.items() if name != "do"}).status_code == 200
    )
    assert Plan.objects.filter(company_id=acme.id).count() == 1


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(finance, acme):
    response = put(finance, "tranches", TRANCHE | {"amount": "1.000,00", "probability": "100"})
    assert response.status_code == 422
    assert errors(response) == {"amount": "must be an amount such as 12,500.00"}
    response = put(finance, "tranches", TRANCHE | {"probability": "100", "milestone": "a\x00b"})
    assert set(errors(response)) == {"probability", "milestone"}
    assert response.context["editing"].row.typed["delay.mean_days"] == "18"
    assert raw(acme) == PLAN


def test_a_second_credit_with_the_same_last_day_is_refused_as_a_whole(finance, acme):
    credit = {"provider": "AWS", "remaining": "500", "expires": "2026-12-31", "do": "keep"}
    put(finance, "cloud_credits", credit | {"based_on": "1"})
    response = put(finance, "cloud_credits", credit | {"based_on": "2"})
    assert response.status_code == 422
    assert "add them up" in response.context["editing"].row.error
    assert len(raw(acme)["cloud_credits"]) == 1


def test_who_saves_second_sees_the_others_plan_with_what_they_typed(finance, acme):
    moved = [{**PLAN["tranches"][0], "milestone": "Bridge"}, *PLAN["tranches"]]
    record_plan(company_id=acme.id, raw=PLAN | {"tranches": moved}, actor="other", now=NOW)
    response = put(finance, "tranches", TRANCHE | {"probability": "50"})
    assert response.status_code == 409
    assert response.context["editing"].row.place == 1  # where the row stands now
    assert response.context["based_on"] == 2
    assert (
        put(finance, "tranches", TRANCHE | {"probability": "50", "place": "1", "based_on": "2"}).status_code == 302
    )
    assert [row["probability"] for row in raw(acme)["tranches"]] == [0.7, 0.5]


def test_a_row_that_somebody_else_took_out_is_added_and_not_put_over_another(finance, acme):
    record_plan(company_id=acme.id, raw=PLAN | {"tranches": []}, actor="other", now=NOW)
    response = put(finance, "tranches", TRANCHE)
    assert response.status_code == 409
    assert response.context["editing"].row.place is None
    assert "adds yours beside the others" in response.content.decode()
    assert put(finance, "tranches", {"place": "0", "based_on": "1", "do": "remove"}).status_code == 409


def test_what_the_plan_does_not_have_cannot_be_opened(finance):
    for query in ("edit=tranches-1", "edit=tranches", "edit=fx-0", "add=fx_history", "edit=tranches-" + "9" * 40):
        assert finance.get(f"/plan?{query}").status_code == 404


def test_a_form_that_does_not_say_what_it_was_made_from_is_refused(finance, acme):
    for based_on in ("", "x", "-1", "9" * 30, "²"):
        assert put(finance, "tranches", TRANCHE | {"based_on": based_on}).status_code == 400
    assert raw(acme) == PLAN


def test_balances_are_changed_by_currency(finance, acme):
    form = {
        "as_of": "2026-03-31",
        "history_start": "2025-11-01",
        "currency-0": "USD",
        "opening-0": "99,000",
        "currency-1": "eur",
        "opening-1": "-20.5",
        "rate-1": "1.08",
        "based_on": "1",
    }
    assert finance.post("/plan/books", form | {"do": "look"}).context["editing"].look.rows
    assert finance.post("/plan/books", form | {"do": "keep"}).status_code == 302
    assert raw(acme)["opening_balance"] == {"USD": "99000", "EUR": "-20.5"}
    assert raw(acme)["fx"] == {"EUR": "1.08"}
    assert raw(acme)["tranches"] == PLAN["tranches"]


def test_balances_that_cannot_be_read_are_refused_beside_their_line(finance, acme):
    form = {"as_of": "soon", "currency-0": "USD", "opening-0": "5", "currency-1": "EURO", "opening-1": "7"}
    response = finance.post("/plan/books", form | {"based_on": "1", "do": "keep"})
    assert response.status_code == 422
    assert set(response.context["editing"].books.told_errors) == {
        "the day of the balances must be a date as YYYY-MM-DD",
        "EURO must be a currency code of three capital letters, e.g. USD",
    }
    response = finance.post("/plan/books", form | {"opening-0": "5e3", "based_on": "1", "do": "keep"})
    assert response.context["editing"].books.told_errors == ("USD must be an amount such as 12,500.00",)
    assert raw(acme) == PLAN


def test_the_document_is_edited_downloaded_and_loaded(finance, acme):
    told = finance.get("/plan/plan.json")
    assert json.loads(told.content) == PLAN
    assert 'filename="acme-plan-v1.json"' in told["Content-Disposition"]
    opened = finance.get("/plan?edit=json").context["editing"].text
    changed = opened.replace("Second closing", "Second closing, signed")
    looked = finance.post("/plan/json", {"text": changed, "based_on": "1", "do": "look"})
    assert len(looked.context["editing"].changes) == 2
    file = SimpleUploadedFile("plan.json", changed.encode(), content_type="application/json")
    assert (
        finance.post("/plan/json", {"file": file, "text": "{", "based_on": "1", "do": "keep"}).status_code == 302
    )
    assert raw(acme)["tranches"][0]["milestone"] == "Second closing, signed"


def test_a_document_that_is_no_plan_is_refused_by_path_and_stays_typed(finance, acme):
    for text, path in (
        ("", "$"),
        ("[]", "$"),
        ('{"as_of": "2026-03-31", "as_of": "2026-03-31"}', "$"),
        ('{"as_of": "2026-03-31", "trenches": []}', "trenches"),
        ('{"tranches": []}', "as_of"),
    ):
        response = finance.post("/plan/json", {"text": text, "based_on": "1", "do": "keep"})
        assert response.status_code == 422
        assert path in [problem.path for problem in response.context["editing"].problems]
        assert response.context["editing"].text == text
    assert raw(acme) == PLAN


def test_who_changed_what_is_told_and_a_version_comes_back(finance, acme):
    put(finance, "tranches", TRANCHE)
    versions = finance.get("/plan?versions=1").context["versions"]
    assert [(each.version, each.actor) for each in versions] == [(2, "acme@example.com"), (1, "test")]
    assert versions[0].changes[0].startswith("Tranche Second closing: amount 200,000.00")
    assert "odds that it comes 70" in versions[0].changes[0]
    assert finance.post("/plan/versions/1/restore", {"based_on": "2"}).status_code == 302
    assert raw(acme) == PLAN
    assert finance.post("/plan/versions/9/restore", {"based_on": "3"}).status_code == 404
    assert finance.post("/plan/versions/2/restore", {"based_on": "1"}).status_code == 409


def test_what_has_come_is_said_and_no_longer_waited_for(finance, acme):
    put(finance, "tranches", TRANCHE | {"date": "2026-04-02"})
    raw_event = {
        "source": "bank",
        "event_type": "income",
        "amount": "249000.00",
        "currency": "USD",
        "occurred_at": "2026-04-01T09:00:00Z",
        "category": "funding",
        "counterparty": "Northgate",
        "external_ref": "closing-2",
    }
    record(company_id=acme.id, drafts=[parse_event(raw_event, now=NOW)], actor="test", now=NOW)
    response = finance.get("/plan")
    (row,) = response.context["sections"][0].rows
    assert row.doubt.startswith("Came on 1\N{NO-BREAK SPACE}Apr")
    assert all(group.title != "New money" for group in response.context["timeline"].groups)


def test_a_company_without_anything_starts_its_plan_here(client):
    bare = create_company(slug="bare", name="Bare", currency="USD", timezone="UTC", now=NOW)
    finance = sign_in(client, bare, Role.FINANCE)
    text = finance.get("/plan").content.decode()
    assert "There is no plan yet" in text
    assert "There is no forecast yet" in text
    assert finance.get("/plan/plan.json").status_code == 404
    assert finance.get("/plan?edit=books").status_code == 200
    assert put(finance, "planned_hires", HIRE | {"based_on": "0"}).status_code == 302
    assert raw(bare)["as_of"] == "2026-04-01"
    assert raw(bare)["planned_hires"][0]["monthly_gross"] == "8000"


def test_another_companys_plan_is_not_shown(finance):
    small_company("rival")
    assert finance.get("/plan?company=rival").status_code == 404
    assert finance.post("/plan/versions/1/restore?company=rival", {"based_on": "1"}).status_code == 404


def test_a_plan_beyond_what_can_be_simulated_is_shown_and_says_so(finance, acme, monkeypatch):
    def beyond(*_args, **_kwargs):
        raise InvalidScenario((FieldProblem("changes", "cannot be simulated together: too large"),))

    monkeypatch.setattr("forecasting.services.what_if.KnownNow.case", beyond)
    text = finance.get("/plan").content.decode()
    assert "cannot be simulated together: too large." in text
    looked = put(finance, "tranches", TRANCHE | {"do": "look"})
    lead = looked.context["editing"].look.lead
    assert "no forecast could be made" in lead
    assert lead.endswith("too large."), "the same sentence as on the page"


def test_a_text_that_is_too_large_for_a_form_is_refused_by_its_size_and_nothing_is_saved(finance, acme):
    response = finance.post("/plan/json", {"text": "x" * 3_000_000, "based_on": "1", "do": "keep"}, follow=False)
    assert response.status_code == 413
    assert "Nothing was saved" in response.content.decode()
    assert raw(acme) == PLAN
