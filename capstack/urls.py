"""Every address of the application; each app owns its own part."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView, TemplateView

from capstack.api import api
from capstack.views.sign_in import SignIn, SignOut
from capstack.views.theme import choose_theme
from cloudpolicy.views import cloud, cloud_acts
from cloudpolicy.views.cheapest import cheapest, plan_steps
from cloudpolicy.views.policy import policy, policy_yaml
from forecasting.views import plan, scenarios
from forecasting.views.accuracy import accuracy
from forecasting.views.runway import runway

handler400 = "capstack.views.refusal.bad_request"
handler500 = "capstack.views.refusal.server_error"

urlpatterns = [
    path("", runway, name="runway"),
    path("plan", plan.plan, name="plan"),
    path("plan/rows/<slug:key>", plan.keep_row, name="keep-plan-row"),
    path("plan/books", plan.keep_books, name="keep-plan-books"),
    path("plan/json", plan.keep_json, name="keep-plan-json"),
    path("plan/plan.json", plan.plan_json, name="plan-json"),
    path("plan/versions/<int:version>/restore", plan.restore, name="restore-plan"),
    path("accuracy", accuracy, name="accuracy"),
    path("scenarios", scenarios.scenarios, name="scenarios"),
    path("scenarios/keep", scenarios.keep, name="keep-scenario"),
    path("scenarios/<int:scenario_id>/archive", scenarios.archive, name="archive-scenario"),
    path("cloud", cloud.cloud, name="cloud"),
    path("cloud/look", cloud_acts.look, name="cloud-look"),
    path("cloud/kill-switch", cloud_acts.turn_switch, name="cloud-kill-switch"),
    path("cloud/cheapest", cheapest, name="cloud-cheapest"),
    path("cloud/cheapest/plan", plan_steps, name="cloud-cheapest-plan"),
    path("cloud/exclusions/<int:exclusion_id>/lift", cloud_acts.lift, name="cloud-lift"),
    path("cloud/prices", cloud_acts.price, name="cloud-price"),
    path("cloud/plans/<int:plan_id>", cloud.plan, name="cloud-plan"),
    path("cloud/plans/<int:plan_id>/approve", cloud_acts.approve, name="cloud-approve"),
    path("cloud/plans/<int:plan_id>/apply", cloud_acts.apply_plan, name="cloud-apply"),
    path("cloud/plans/<int:plan_id>/rollback", cloud_acts.roll_back, name="cloud-rollback"),
    path("cloud/runs/<int:run_id>", cloud.run, name="cloud-run"),
    path("cloud/policy", policy, name="cloud-policy"),
    path("cloud/policy.yaml", policy_yaml, name="cloud-policy-yaml"),
    path("", include("ledger.urls")),
    path("api/v1/", api.urls),
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("theme", choose_theme, name="theme"),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/favicon.svg"))),
    path("robots.txt", TemplateView.as_view(template_name="robots.txt", content_type="text/plain")),
    # One door: the admin's own has no lock.
    path("admin/login/", RedirectView.as_view(pattern_name="sign-in", query_string=True)),
    path("admin/logout/", SignOut.as_view()),
    path("admin/", admin.site.urls),
]
