"""Memberships: admins of a company let people in by their e-mail address; nobody changes their own role."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin
from ledger.models.company import Membership
from ledger.models.user import User
from ledger.services.memberships import grant_membership, revoke_membership


class InvitationForm(forms.ModelForm):
    """A new membership. People are named, not chosen from a list: who else has an account is nobody's business."""

    email = forms.EmailField(label="E-mail", help_text="Of a person who has an account already.")

    class Meta:
        model = Membership
        fields = ("company", "role")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        email = values.get("email")
        if email is None:
            return values
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise ValidationError({"email": "Nobody with this address has an account. An operator can make one."})
        company = values.get("company")
        if company is not None and Membership.objects.filter(company=company, user=user).exists():
            raise ValidationError({"email": "This person is in the company already: change their role there."})
        self.instance.user = user
        return values


@admin.register(Membership)
class MembershipAdmin(CompanyScopedAdmin):
    view_roles = ADMINS
    add_roles = ADMINS
    change_roles = ADMINS
    delete_roles = ADMINS
    list_display = ("user", "company", "role")
    list_filter = (CompanyFilter, "role")
    list_select_related = ("user", "company")
    search_fields = ("user__email",)
    ordering = ("company__name", "user__email")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("company", "user", "role") if obj else ("company", "email", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("company", "user") if obj else ()

    def allows(self, request: HttpRequest, roles: Any, row: Any = None) -> bool:
        own = row is not None and row.user_id == request.user.pk and not request.user.is_superuser
        # A company must not lose its last admin by a slip of the hand.
        return super().allows(request, roles, row) and not own

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().allows(request, self.view_roles, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        grant_membership(company_id=obj.company_id, email=obj.user.email, role=obj.role)
        obj.pk = Membership.objects.get(company_id=obj.company_id, user_id=obj.user_id).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        revoke_membership(membership_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for membership in queryset:
            self.delete_model(request, membership)
