"""Rules that say what events are for, edited by finance staff, and what was assigned by them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, actor_of
from ledger.domain.category_rules import InvalidPattern, check_pattern
from ledger.jobs import wake_books
from ledger.models.category import CategoryAssignment, CategoryRule, RuleTest


class CategoryRuleForm(forms.ModelForm):
    class Meta:
        model = CategoryRule
        fields = ("company", "priority", "test", "pattern", "account", "category", "counterparty", "active")
        help_texts = {
            "priority": "The rule with the lowest number wins.",
            "pattern": "Compared without regard to case, with the name as it came and with the cleaned one.",
            "account": "Only events of this account.",
            "counterparty": "The name to show these events under; empty leaves it as it came.",
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        company = values.get("company") or (self.instance.company if self.instance.pk else None)
        if company is None:  # what was chosen is refused beside its field
            return values
        account, test, pattern = values.get("account"), values.get("test"), values.get("pattern", "")
        if account is not None and account.company_id != company.id:
            raise ValidationError({"account": f"{account} is not an account of {company}."})
        if test == RuleTest.ACCOUNT and account is None:
            raise ValidationError({"account": "Say which account."})
        if test in (RuleTest.CONTAINS, RuleTest.REGEX) and not pattern.strip():
            raise ValidationError({"pattern": "Say what to look for."})
        if test == RuleTest.REGEX:
            try:
                check_pattern(pattern)
            except InvalidPattern as error:
                raise ValidationError({"pattern": f"{pattern} {error}."}) from None
        return values


@admin.register(CategoryRule)
class CategoryRuleAdmin(CompanyScopedAdmin):
    add_roles = FINANCE
    change_roles = FINANCE
    delete_roles = FINANCE
    form = CategoryRuleForm
    list_display = ("priority", "company", "test", "pattern", "account", "category", "counterparty", "active")
    list_display_links = ("priority", "category")
    list_filter = (CompanyFilter, "active", "test")
    list_select_related = ("company", "account")
    search_fields = ("pattern", "category", "counterparty")
    ordering = ("company__name", "priority", "id")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("company", "actor", "changed_at") if obj else ()

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj else ("actor", "changed_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.actor = actor_of(request)
        obj.changed_at = timezone.now()
        super().save_model(request, obj, form, change)
        # Another set of rules is applied to the whole journal; a lost wake-up is made up for by the sweeper.
        wake_books(company_id=obj.company_id)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        wake_books(company_id=obj.company_id)


@admin.register(CategoryAssignment)
class CategoryAssignmentAdmin(CompanyScopedAdmin):
    list_display = ("position", "company", "category", "counterparty", "revision", "rule", "actor", "assigned_at")
    list_filter = (CompanyFilter,)
    list_select_related = ("company", "rule")
    ordering = ("-id",)
    search_fields = ("category",)
    exclude = ("event_id",)
