"""Statements of balances and credit grants: stated by finance staff, never edited; the last one said counts."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.companies import currency_choices
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, actor_of
from ledger.models.statement import BalanceStatement, CreditGrantStatement
from ledger.services.statements import state_balance, state_credit_grant

# Who says so, when a person says it in the admin.
ORIGIN = "admin"


class BalanceForm(forms.ModelForm):
    currency = forms.ChoiceField(choices=currency_choices, initial="USD")

    class Meta:
        model = BalanceStatement
        fields = ("company", "account", "currency", "amount", "day")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        account, company = values.get("account"), values.get("company")
        if account is not None and company is not None and account.company_id != company.id:
            raise ValidationError({"account": f"{account} is not an account of {company}."})
        return values


class CreditGrantForm(forms.ModelForm):
    remaining = forms.DecimalField(min_value=Decimal(0), max_digits=20, decimal_places=6)

    class Meta:
        model = CreditGrantStatement
        fields = ("company", "provider", "remaining", "expires_on", "day")


class StatementAdmin(CompanyScopedAdmin):
    add_roles = FINANCE
    list_filter = (CompanyFilter,)
    ordering = ("-day", "-revision")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("origin", "revision", "actor", "recorded_at") if obj else ()

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj else ("origin", "revision", "actor", "recorded_at")


@admin.register(BalanceStatement)
class BalanceStatementAdmin(StatementAdmin):
    form = BalanceForm
    list_select_related = ("company", "account")
    list_display = ("day", "company", "account", "amount", "currency", "origin", "revision", "actor")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        state_balance(
            company_id=obj.company_id,
            currency=obj.currency,
            amount=obj.amount,
            day=obj.day,
            account=obj.account.name if obj.account else None,
            origin=ORIGIN,
            actor=actor_of(request),
            now=timezone.now(),
        )
        stored = BalanceStatement.objects.filter(
            company_id=obj.company_id, account_id=obj.account_id, currency=obj.currency, day=obj.day, origin=ORIGIN
        ).latest("revision")
        obj.pk = stored.pk


@admin.register(CreditGrantStatement)
class CreditGrantStatementAdmin(StatementAdmin):
    form = CreditGrantForm
    list_select_related = ("company",)
    list_display = ("day", "company", "provider", "remaining", "expires_on", "origin", "revision", "actor")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        state_credit_grant(
            company_id=obj.company_id,
            provider=obj.provider,
            remaining=obj.remaining,
            expires_on=obj.expires_on,
            day=obj.day,
            origin=ORIGIN,
            actor=actor_of(request),
            now=timezone.now(),
        )
        stored = CreditGrantStatement.objects.filter(
            company_id=obj.company_id, provider=obj.provider, expires_on=obj.expires_on, day=obj.day, origin=ORIGIN
        ).latest("revision")
        obj.pk = stored.pk
