"""Shapes of `/books` for the OpenAPI document. Money is text with at least two decimals, days are ISO 8601."""

from datetime import date, datetime

from ninja import Field, Schema


class BadgeSchema(Schema):
    """Whether an account's events are all there, as of the day asked for."""

    state: str = Field(description="fresh, late, silent or empty: against the account's own habits.")
    last_day: date | None
    quiet_days: int
    usual_quiet_days: int
    silent_feeds: list[str]
    reconciled_to: date | None = Field(description="Null when no balance is stated.")
    broken_on: date | None = Field(description="First day whose stated balance is not met; null when all are.")
    off_by: str | None
    is_trustworthy: bool


class AccountSchema(Schema):
    account: str
    kind: str
    currency: str
    is_cash: bool
    amount: str
    base_amount: str | None = Field(description="At the day's rate; null when none is published.")
    rate: str | None
    opened_on: date | None
    recorded_since: str | None = Field(description="Known now less known then; null without `known`.")
    badge: BadgeSchema | None


class RestrictedSchema(Schema):
    withheld_tax: str
    customer_deposits: str
    total: str
    employer_tax: str = Field(description="Owed as well, but never somebody else's money: no part of the total.")


class BalancesSchema(Schema):
    """Accounts as known at `known`; what is restricted and unearned as known now."""

    company: str
    day: date
    known: date | None
    currency: str
    accounts: list[AccountSchema]
    cash: str
    unpriced: list[str]
    restricted: RestrictedSchema
    unearned: str
    free: str


class CashDaySchema(Schema):
    day: date
    money_in: str
    money_out: str


class CashDaysSchema(Schema):
    company: str
    currency: str
    days: list[CashDaySchema] = Field(description="Days on which cash moved; transfers are left out.")


class EarnedMonthSchema(Schema):
    month: date
    earned: str
    unearned: str = Field(description="Still owed at the end of the month.")


class DeferredPaymentSchema(Schema):
    event_id: str
    customer: str
    received_on: date
    start: date
    end: date = Field(description="The first day after the service period.")
    amount: str
    unearned: str


class UnearnedSchema(Schema):
    """What customers have paid for and not received, from money that was there by the day."""

    company: str
    day: date
    currency: str
    unearned: str
    in_credit: str = Field(description="Of it, in customers' balances: no invoice has used it so far.")
    months: list[EarnedMonthSchema]
    payments: list[DeferredPaymentSchema]


class GrantSchema(Schema):
    provider: str
    expires_on: date
    stated: str
    remaining: str
    lapses: str = Field(description="Gone after its last day when nothing more is used; or what did lapse then.")


class RemainingSchema(Schema):
    day: date
    remaining: str


class GrantCurveSchema(Schema):
    provider: str
    curve: list[RemainingSchema] = Field(description="Days on which it changes, and the first and the last one.")


class CreditsSchema(Schema):
    company: str
    day: date
    currency: str
    remaining: str
    grants: list[GrantSchema]
    curves: list[GrantCurveSchema]


class CloudMonthSchema(Schema):
    provider: str
    month: date
    charged: str
    credited: str
    paid: str


class CloudBillSchema(Schema):
    provider: str
    billing_account: str
    period_start: date
    period_end: date
    billed: str
    currency: str
    lines: int
    version: int
    format: str
    imported_at: datetime


class CloudBillsSchema(Schema):
    company: str
    day: date
    currency: str
    months: list[CloudMonthSchema]
    bills: list[CloudBillSchema]


class FxMonthSchema(Schema):
    month: date
    realised: str
    unrealised: str


class PoolSchema(Schema):
    currency: str
    amount: str
    cost: str
    unrealised: str | None


class FxGainsSchema(Schema):
    """Gains in base currency, losses below zero. They are no cash flow and no part of burn."""

    company: str
    day: date
    currency: str
    realised: str
    unrealised: str
    months: list[FxMonthSchema]
    pools: list[PoolSchema]
    unpriced: list[str]


class WarnedRowsSchema(Schema):
    """Query parameters of the ledger's page; of `/api/v1/events` where it has the same ones."""

    month: str
    q: str
    account: str
    source: str


class CauseSchema(Schema):
    counterparty: str
    category: str
    returned: str


class WarningSchema(Schema):
    code: str
    sentence: str
    advice: str
    since: date
    amount: str | None
    causes: list[CauseSchema]
    rows: WarnedRowsSchema


class WarningsSchema(Schema):
    company: str
    currency: str
    warnings: list[WarningSchema]


class ChainSchema(Schema):
    """What the verifier found last; `verified_at` is null before its first round."""

    company: str
    verified_at: datetime | None
    position: int | None
    sealed: int | None
    exported: int | None
    holds: bool | None
    broken_at: int | None
    broken: str
