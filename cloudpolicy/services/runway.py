"""Today's runway, as the policy is told of it."""

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from cloudpolicy.engine.runway import AccountDoubt, ChainCheck, NoRunway, Runway
from forecasting.fit.history import MissingInputs
from forecasting.selectors.forecasts import latest_forecast, refusal
from forecasting.selectors.track_record import share_below_p5
from forecasting.services.in_force import forecast_in_force
from forecasting.services.lease import LeaseBusy, LeaseLost
from forecasting.services.publish import publish_forecast
from forecasting.services.track_record import calibrate_at_all
from ledger.domain.company import CompanyRef
from ledger.domain.completeness import LATE, SILENT
from ledger.selectors.account_books import AccountBook, account_books
from ledger.selectors.chain_verdicts import chain_verdict


def bring_forecast_up_to_date(*, company: CompanyRef, now: datetime) -> None:
    """Publish what the journal implies now, where that is not published yet.

    A company that was never looked back on is so first, which takes a second or two: nothing acts on a p5 that
    nobody has held against the past.

    Where nothing honest can be computed, or another worker is at it, what is published stays; whether it may be
    acted on is judged by the engine.
    """
    calibrate_at_all(company=company, now=now, actor="policy")
    with suppress(MissingInputs, LeaseBusy):
        try:
            publish_forecast(company_id=company.id, now=now)
        except (LeaseBusy, LeaseLost):
            # Somebody else computes; only a first forecast is worth waiting for.
            forecast_in_force(company_id=company.id, basis="free", now=now)


def runway_of(*, company: CompanyRef, now: datetime) -> Runway | NoRunway:
    """Return the forecast in force on free cash, the headline."""
    stored = latest_forecast(company_id=company.id)
    if stored is None:
        return NoRunway(refusal(company_id=company.id))
    return Runway(
        forecast_run=stored.run_id,
        p5_days=stored.forecast.get("p5_days"),
        horizon_days=stored.forecast.get("horizon_days", 0),
        # A forecast is as old as the last time it was found to be what the journal still implies.
        published_at=stored.confirmed_at,
        as_of=stored.as_of,
        today=now.astimezone(ZoneInfo(company.timezone)).date(),
        unseen_events=stored.events_behind,
        chain=_chain(company),
        doubts=_doubts(company, now),
        timezone=company.timezone,
        share_below_p5=share_below_p5(company_id=company.id),
    )


def _chain(company: CompanyRef) -> ChainCheck | None:
    verdict = chain_verdict(company_id=company.id)
    return None if verdict is None else ChainCheck(verdict.verified_at, verdict.broken)


def _doubts(company: CompanyRef, now: datetime) -> tuple[AccountDoubt, ...]:
    """What stands against the cash accounts; one without events, or empty and long given up, holds nothing."""
    books = account_books(company_id=company.id, timezone=company.timezone, now=now)
    return tuple(
        _doubt(book)
        for book in books
        if book.is_cash and not book.is_trustworthy and (book.is_broken or not book.is_idle)
    )


def _doubt(book: AccountBook) -> AccountDoubt:
    broken = book.reconciliation.first_break if book.reconciliation else None
    silent = book.rhythm.state == SILENT and not book.is_idle
    return AccountDoubt(
        account=book.name if book.account_id is not None else f"all cash in {book.currency}",
        quiet_days=book.rhythm.quiet_days,
        is_silent=silent,
        is_late=book.rhythm.state == LATE,
        silent_feeds=tuple(feed.source for feed in book.silent_feeds),
        broken_on=broken.day if broken else None,
        off_by=f"{broken.step.normalize():,f} {book.currency}" if broken else "",
    )
