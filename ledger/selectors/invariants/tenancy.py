"""No row refers to a row of another company: every reference of every table, also of tables made later."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models
from django.db.models import ForeignKey, Model

from ledger.domain.company import CompanyRef
from ledger.models.company import Company
from ledger.selectors.invariants.invariant import Invariant


def _company_column(model: type[Model]) -> str | None:
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey) and field.remote_field.model is Company:
            return field.column
    return None


def _references() -> Iterator[tuple[type[Model], "models.ForeignKey"]]:
    """Yield every reference from a table with a company to another table with one."""
    for model in apps.get_models():
        if model is Company or _company_column(model) is None:
            continue
        for field in model._meta.concrete_fields:
            if not isinstance(field, ForeignKey):
                continue
            target = field.remote_field.model
            if target is not Company and isinstance(target, type) and _company_column(target) is not None:
                yield model, field


def _difference(company: CompanyRef) -> str | None:
    with connection.cursor() as cursor:
        for model, field in _references():
            table, target = model._meta.db_table, field.remote_field.model._meta
            theirs = _company_column(field.remote_field.model)
            # A reference without a constraint may also point at nothing.
            cursor.execute(
                f"SELECT r.{field.column} FROM {table} r "  # noqa: S608 - names of our own tables
                f"LEFT JOIN {target.db_table} t ON t.{target.pk.column} = r.{field.column} "
                f"WHERE r.{_company_column(model)} = %s AND r.{field.column} IS NOT NULL "
                f"AND t.{theirs} IS DISTINCT FROM r.{_company_column(model)} LIMIT 1",
                [company.id],
            )
            found = cursor.fetchone()
            if found is not None:
                return f"a row of {table} refers to {field.name} {found[0]}, which is not the company's"
        cursor.execute(
            "SELECT e.source FROM ledger_capitalevent e WHERE e.company_id = %s AND NOT EXISTS "
            "(SELECT FROM ledger_source s WHERE s.company_id = e.company_id AND s.name = e.source) LIMIT 1",
            [company.id],
        )
        found = cursor.fetchone()
    return None if found is None else f"events come from {found[0]}, which is not a source of the company"


INVARIANT = Invariant("tenancy", "no row refers to a row of another company", _difference)
