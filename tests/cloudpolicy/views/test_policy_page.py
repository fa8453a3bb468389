"""The page of the policy over HTTP, without a script."""

import html
import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from capstack.demo.cloud import seed_groups
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import read_yaml, write_yaml
from cloudpolicy.models.policy import PolicyDraft, PolicyVersion
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.views.policy_form import document_of, typed_from
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef
from ledger.models.company import Membership, Role
from ledger.models.user import User
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("aws")]
URL = "/cloud/policy"


@pytest.fixture(autouse=True)
def april(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def acme() -> CompanyRef:
    return steered_company(days=80)


@pytest.fixture
def admin(client: Client, acme: CompanyRef) -> Client:
    return sign_in(client, acme, Role.ADMIN)


def sign_in(client: Client, company: CompanyRef, role: Role) -> Client:
    user = User.objects.create_user(f"{role}-{company.slug}@example.com", "correct horse battery staple")
    Membership.objects.create(company_id=company.id, user=user, role=role)
    client.force_login(user)
    return client


def form(**changes: str) -> dict[str, str]:
    return {**typed_from(FOUNDING_LADDER), "based_on": "1", **changes}


def post(client: Client, given: dict[str, str], do: str, **more: Any) -> Any:
    return client.post(URL, {**given, "do": do}, **more)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_a_stranger_is_led_to_the_door(client: Client) -> None:
    assert client.get(URL)["Location"].startswith("/sign-in")


def test_it_shows_the_founding_ladder_as_a_form(admin: Client) -> None:
    text = text_of(admin.get(URL))
    assert "founding ladder, version 1" in text
    assert 'name="rows[2].capacity.max" value="8"' in text
    assert "this is what is in force" in text


def test_the_form_says_exactly_what_the_document_says() -> None:
    assert document_of(typed_from(FOUNDING_LADDER))["rows"][0]["environment"] == "dev"
    document = {
        **deepcopy(FOUNDING_LADDER),
        "quiet": {
            "hours": [
                {"days": ["fri", "sat"], "from": "18:00", "until": "07:30"},
                {"from": "01:00", "until": "02:00"},
            ],
            "skip_days": ["2026-12-24", "2026-12-25"],
        },
        "groups": [
            {"group": "capstack-dev-asg", "floor": 1},
            {"group": "odd", "exclude_until": "2026-06-01", "because": "load test"},
        ],
    }
    document["rows"][0] |= {
        "suspended_processes": ["AZRebalance", "Launch"],
        "budget": {"usd_per_month": 900, "alert_percent": 75},
    }
    document["floors"] = {"production": 2, "on call": 1}
    again = document_of(typed_from(document))
    for key in ("quiet", "groups", "rows", "otherwise", "pace", "approval", "limits", "floors", "schema"):
        assert again[key] == document[key], key


def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(admin: Client) -> None:
    given = form(**{"rows[1].until_days": "soon", "rows[2].capacity.min": "1", "quiet.hours": "mon late"})
    response = post(admin, given, "enable", follow=True)
    text = text_of(response)
    assert response.status_code == 422
    assert 'id="e-rows[1].until_days">must be a whole number' in text
    assert "min 1 is below the floor of 2" in text
    assert 'name="rows[1].until_days" value="soon"' in text
    assert 'id="e-quiet.hours"' in text
    assert PolicyVersion.objects.count() == 1


def test_an_admin_puts_a_policy_in_force_and_says_why(admin: Client, acme: CompanyRef) -> None:
    given = form(**{"pace.cooldown_minutes": "1440", "because": "less to and fro"})
    response = post(admin, given, "enable", follow=True)
    assert "Version 2 is in force" in text_of(response)
    row = PolicyVersion.objects.get(company_id=acme.id, version=2)
    assert (row.because, row.actor) == ("less to and fro", "page:admin-acme@example.com")
    assert row.document["pace"] == {"dwell_forecasts": 1, "cooldown_minutes": 1440}


def test_the_same_policy_again_is_no_new_version(admin: Client) -> None:
    assert "says this already" in text_of(post(admin, form(because="just so"), "enable", follow=True))
    assert PolicyVersion.objects.count() == 1


def test_without_a_reason_nothing_is_put_in_force(admin: Client) -> None:
    response = post(admin, form(**{"pace.cooldown_minutes": "5"}), "enable")
    assert response.status_code == 422
    assert "must say why" in text_of(response)


def test_two_people_do_not_overwrite_each_other(admin: Client, acme: CompanyRef) -> None:
    admin.get(URL)
    document = {**FOUNDING_LADDER, "name": "hers"}
    enable_policy(company_id=acme.id, document=document, actor="her", because="mine", now=NOW)
    given = form(**{"pace.cooldown_minutes": "5", "because": "his"})
    response = post(admin, given, "enable")
    assert response.status_code == 409
    assert "version 2 was put in force by her meanwhile" in text_of(response)
    assert 'name="pace.cooldown_minutes" value="5"' in text_of(response)
    assert PolicyVersion.objects.count() == 2


@pytest.mark.parametrize("role", [Role.FOUNDER, Role.FINANCE])
@pytest.mark.parametrize("do", ["enable", "keep", "drop"])
def test_only_an_admin_changes_a_policy(client: Client, acme: CompanyRef, role: Role, do: str) -> None:
    given = form(because="because", draft="x", **{"pace.cooldown_minutes": "5"})
    assert post(sign_in(client, acme, role), given, do).status_code == 403
    assert PolicyDraft.objects.count() == 0


def test_a_founder_looks_at_what_it_would_change_today(
    client: Client, acme: CompanyRef, aws: RecordingProxy
) -> None:
    seed_groups(endpoint=aws.url, region="us-east-1")
    publish_forecast(company_id=acme.id, now=NOW)
    aws.actions.clear()
    given = form(**{"rows[2].capacity.desired": "5"})
    text = text_of(post(sign_in(client, acme, Role.FOUNDER), given, "look"))
    assert "min 2, max 8, desired 4" in text
    assert "<strong>min 2, max 8, desired 5</strong>" in text
    assert "A policy is put in force by an admin" in text
    assert not aws.mutating
    assert PolicyVersion.objects.count() == 1


def test_a_cloud_that_does_not_answer_is_said(admin: Client, settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    assert "The groups cannot be read" in text_of(post(admin, form(), "look"))


def test_a_replay_shows_flaps_bands_and_worth(admin: Client, acme: CompanyRef, aws: RecordingProxy) -> None:
    seed_groups(endpoint=aws.url, region="us-east-1")
    assert "no earlier forecast is stored yet" in text_of(post(admin, form(), "replay"))
    publish_forecast(company_id=acme.id, now=NOW - timedelta(days=3))
    text = text_of(post(admin, form(price="0.25"), "replay"))
    assert "An instance-hour at 0.25" in text
    assert "as given." in text
    assert "Turned round, times a year" in text
    assert "Days below 90" in text
    assert 'id="replay-figure"' in text
    assert "must be an amount" in text_of(post(admin, form(price="-1"), "replay"))


def test_rows_are_added_and_taken_out_without_a_script(admin: Client) -> None:
    text = text_of(post(admin, form(), "add rows"))
    assert 'name="rows[4].below_days" value="60"' in text
    text = text_of(post(admin, form(), "remove rows[0]"))
    assert 'name="rows[0].environment" value="staging"' in text
    assert "rows[3]" not in text


def test_yaml_and_form_show_the_same_draft(admin: Client) -> None:
    text = post(admin, form(**{"rows[0].below_days": "41"}), "as yaml").content.decode()
    assert "below_days: 41" in text
    document = {**FOUNDING_LADDER, "name": "from a text"}
    back = text_of(post(admin, {"text": write_yaml(document), "based_on": "1"}, "as form"))
    assert 'name="name" value="from a text"' in back


def test_a_fault_in_yaml_names_its_line(admin: Client) -> None:
    text = write_yaml(FOUNDING_LADDER).replace("desired: 2", "desired: many")
    line = text[: text.index("many")].count("\n") + 1
    shown = text_of(post(admin, {"text": text, "based_on": "1"}, "look"))
    assert f'<code>rows[1].capacity.desired</code> <span class="quiet">line {line}</span>' in shown
    broken = text_of(post(admin, {"text": "a: [", "based_on": "1"}, "look"))
    assert "<code>line 1</code> is not YAML" in broken


def test_a_draft_is_kept_opened_and_gone_once_it_is_in_force(admin: Client, acme: CompanyRef) -> None:
    given = form(draft="lean", **{"pace.dwell_forecasts": "3"})
    assert "Kept as a draft" in text_of(post(admin, given, "keep", follow=True))
    opened = text_of(admin.get(URL, {"draft": "lean"}))
    assert 'name="pace.dwell_forecasts" value="3"' in opened
    post(admin, {**given, "because": "slower", "opened": "lean"}, "enable")
    assert PolicyDraft.objects.count() == 0
    assert admin.get(URL, {"draft": "lean"}).status_code == 404


def test_a_draft_may_be_wrong_and_stays_as_it_was_written(admin: Client) -> None:
    post(admin, {"text": "rows: [", "based_on": "1", "draft": "later"}, "keep")
    assert "rows: [" in text_of(admin.get(URL, {"draft": "later"}))
    assert post(admin, {"text": "x", "based_on": "1", "draft": ""}, "keep").status_code == 422
    taken = post(admin, {"text": "another", "based_on": "1", "draft": "later"}, "keep")
    assert "there is a draft of this name already" in text_of(taken)
    assert PolicyDraft.objects.get().text == "rows: ["
    post(admin, {"text": "x", "based_on": "1", "draft": "later", "opened": "later"}, "keep")
    assert PolicyDraft.objects.get().text == "x"
    # A name that was only typed does not take somebody's draft with it.
    post(admin, form(draft="later", because="why", **{"pace.dwell_forecasts": "2"}), "enable")
    assert PolicyDraft.objects.count() == 1
    post(admin, {"text": "x", "based_on": "1", "opened": "later"}, "drop")
    assert PolicyDraft.objects.count() == 0


def test_drafts_and_versions_of_other_companies_are_not_there(admin: Client) -> None:
    other = steered_company(days=50, slug="other")
    enable_policy(
        company_id=other.id, document={**FOUNDING_LADDER, "name": "theirs"}, actor="x", because="x", now=NOW
    )
    PolicyDraft.objects.create(company_id=other.id, name="secret", text="x", based_on=1, actor="x", saved_at=NOW)
    assert admin.get(URL, {"draft": "secret"}).status_code == 404
    assert admin.get(URL, {"version": "2"}).status_code == 404
    assert "theirs" not in text_of(admin.get(URL))


def test_each_link_leads_to_the_company_of_its_page_whatever_another_tab_shows(
    admin: Client, acme: CompanyRef
) -> None:
    other = steered_company(days=50, slug="other")
    Membership.objects.create(company_id=other.id, user=User.objects.get(), role=Role.FOUNDER)
    enable_policy(
        company_id=acme.id, document={**FOUNDING_LADDER, "name": "ours"}, actor="x", because="x", now=NOW
    )
    page = admin.get(URL, {"company": "acme"}).content.decode()
    assert admin.get("/cloud", {"company": "other"}).status_code == 200, "the other tab"
    links = [
        html.unescape(link) for link in re.findall(r'href="(/cloud[^"]*)"', page.split('class="page-head"')[1])
    ]
    assert {link.split("?")[0] for link in links} == {"/cloud", URL, f"{URL}.yaml"}
    assert all("company=acme" in link for link in links), links
    assert "ours" in admin.get(next(link for link in links if ".yaml" in link)).content.decode()
    assert "ours" in text_of(admin.get(next(link for link in links if "version=2" in link)))


def test_the_file_is_what_import_policy_reads(admin: Client) -> None:
    response = admin.get(f"{URL}.yaml")
    assert response.headers["Content-Type"].startswith("application/yaml")
    assert read_yaml(response.content.decode()) == FOUNDING_LADDER


@pytest.mark.parametrize(
    "given",
    [
        {"text": "\0"},
        {"text": "a: " + "[" * 3000},
        {"rows[999].below_days": "1"},
        {"floors": "production", "rows[0].below_days": "9" * 5000},
        {"based_on": "x", "quiet.hours": "\ud7ff - -"},
        {"do": "remove rows[77]"},
        {"limits.coverage_tolerance": ".", "on_demand_percent_with_spot": "٣"},
    ],
)
def test_whatever_is_typed_is_answered(admin: Client, given: dict[str, str]) -> None:
    for do in ("look", "enable", "keep", "as form", "as yaml", "replay"):
        response = admin.post(URL, {"do": do, "draft": f"draft to {do}", **given})
        assert response.status_code in (200, 302, 422), do
