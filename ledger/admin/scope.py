"""Who sees and does what in the admin: rows of the companies in which a person's role allows it, and no others."""

from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary

from django.contrib import admin
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from ledger.models.account import Account
from ledger.models.company import Company, Role
from ledger.selectors.memberships import companies_of

NOBODY: frozenset[str] = frozenset()
ADMINS = frozenset({Role.ADMIN.value})
FINANCE = ADMINS | {Role.FINANCE.value}

_roles_of_requests: WeakKeyDictionary[HttpRequest, dict[int, str]] = WeakKeyDictionary()


def roles_of(request: HttpRequest) -> dict[int, str]:
    """Return {company number: role} of whoever asks, read once per request. A superuser is admin of all."""
    roles = _roles_of_requests.get(request)
    if roles is None:
        roles = {company.id: role for company, role in companies_of(request.user)}
        _roles_of_requests[request] = roles
    return roles


def companies_with(request: HttpRequest, roles: Collection[str]) -> frozenset[int]:
    """Numbers of the companies in which whoever asks has one of the roles."""
    return frozenset(company_id for company_id, role in roles_of(request).items() if role in roles)


def actor_of(request: HttpRequest) -> str:
    """Who did something by hand, for the journal."""
    return f"admin:{request.user.get_username()}"[:255]


class CompanyScopedAdmin(admin.ModelAdmin):
    """An admin whose rows belong to companies.

    Attributes:
        view_roles, add_roles, change_roles, delete_roles: who may, within a company. Superusers are admins of all
            companies; what is open to nobody is closed to them too.
    """

    view_roles = FINANCE
    add_roles = NOBODY
    change_roles = NOBODY
    delete_roles = NOBODY
    # A count of everything for "3 results (5 total)" reads the whole table.
    show_full_result_count = False
    # So do counts beside the filters.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    actions = None

    def company_id_of(self, row: Any) -> int:
        return int(row.company_id)

    def only_companies(self, rows: QuerySet, company_ids: Collection[int]) -> QuerySet:
        return rows.filter(company_id__in=company_ids)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return self.only_companies(super().get_queryset(request), companies_with(request, self.view_roles))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.view_roles, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.add_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.change_roles, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.delete_roles, obj)

    def allows(self, request: HttpRequest, roles: Collection[str], row: Any = None) -> bool:
        """Whether whoever asks has one of the roles in the row's company; without a row, in any company."""
        allowed = companies_with(request, roles)
        return bool(allowed) if row is None else self.company_id_of(row) in allowed

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        target: type[Model] = db_field.related_model
        allowed = companies_with(request, self.add_roles | self.change_roles)
        if target is Company:
            kwargs["queryset"] = Company.objects.filter(id__in=allowed).order_by("name")
        elif target is Account:
            accounts = Account.objects.filter(company_id__in=allowed)
            kwargs["queryset"] = accounts.order_by("company__name", "name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class CompanyFilter(admin.SimpleListFilter):
    """Filter by company, among those that whoever asks may see."""

    title = "company"
    parameter_name = "company"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        visible = companies_with(request, model_admin.view_roles)
        names = Company.objects.filter(id__in=visible).order_by("name").values_list("id", "name")
        return [(str(company_id), name) for company_id, name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(company_id=int(value)) if value.isdecimal() and len(value) < 19 else queryset.none()
