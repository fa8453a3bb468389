"""The runway page of one company as plain values: the board when there is a forecast, else what to do next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from forecasting.selectors.explanations import explanation_of, newest_explanation
from forecasting.selectors.forecasts import EarlierRunway, StoredForecast, balance_in_force, latest_forecast
from forecasting.selectors.page_state import PageState
from forecasting.views.board import EarlierRun, RunwayBoard, runway_board
from forecasting.views.explained import Explained, explained
from forecasting.views.figure import DEFAULT_RANGE, RANGES, PastBalances
from forecasting.views.headline import NAMES
from forecasting.views.projection import Projection, RunoutDay, projection_of
from ledger.domain.company import CompanyRef
from ledger.views.current_company import CurrentCompany

OTHER_BASIS = {"free": "bank", "bank": "free"}
RANGE_NAMES = {"3m": "3 months", "6m": "6 months", "12m": "12 months"}
DEFAULTS = {"company": "", "basis": "free", "range": DEFAULT_RANGE}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few views of the page, as a link."""

    label: str
    spoken: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class RunwayPage:
    """What the template reads. Without `board`, the page says what to do next.

    Attributes:
        company: None for somebody who belongs to none.
        companies: what one may switch to; empty when there is nothing to choose.
        live_url: where the page asks whether it is still true; '' for a page that cannot change.
        waiting_for: why the last attempt could not produce a forecast.
    """

    company: CompanyRef | None
    companies: tuple[Choice, ...] = ()
    bases: tuple[Choice, ...] = ()
    ranges: tuple[Choice, ...] = ()
    live_url: str = ""
    origin: str = ""
    past_label: str = ""
    has_events: bool = False
    is_updating: bool = False
    waiting_for: str = ""
    board: RunwayBoard | None = None


@dataclass(frozen=True, slots=True)
class PageAddress:
    """What the query string asks for; every link of the page is this with something changed."""

    company: str
    basis: str
    view_range: str

    def url(self, **changes: str) -> str:
        """What is the default anyway is left out of the address."""
        wanted = {"company": self.company, "basis": self.basis, "range": self.view_range, **changes}
        query = urlencode({key: value for key, value in wanted.items() if value != DEFAULTS.get(key)})
        return f"{reverse('runway')}?{query}" if query else reverse("runway")


def runway_page(
    *, chosen: CurrentCompany, address: PageAddress, state: PageState, seen: str, now: datetime, origin: str
) -> RunwayPage:
    """Gather the page.

    Args:
        seen: the state that this page will have shown, for its next poll.
        now: in the company's time zone.
    """
    company = chosen.company
    stored = latest_forecast(company_id=company.id, basis=address.basis)
    projection = projection_of(stored.forecast, today=now.date()) if stored is not None else None
    return RunwayPage(
        company=company,
        companies=_companies(chosen, address) if len(chosen.choices) > 1 else (),
        bases=tuple(
            Choice(label=name, spoken=name, url=address.url(basis=basis), is_current=basis == address.basis)
            for basis, name in NAMES.items()
        ),
        ranges=tuple(
            Choice(
                label=name.replace("m", "\N{NO-BREAK SPACE}m"),
                spoken=RANGE_NAMES[name],
                url=address.url(range=name),
                is_current=name == address.view_range,
            )
            for name in RANGES
        ),
        live_url=address.url(seen=seen),
        origin=origin,
        past_label=_past_label(stored, projection) if stored is not None and projection is not None else "",
        has_events=state.position > 0,
        is_updating=state.is_behind and state.position > 0,
        waiting_for=state.refusal,
        board=_board(stored, projection, address=address, state=state, now=now)
        if stored is not None and projection is not None
        else None,
    )


def _board(
    stored: StoredForecast, projection: Projection, *, address: PageAddress, state: PageState, now: datetime
) -> RunwayBoard:
    return runway_board(
        projection=projection,
        past=_past(stored),
        other_balance=balance_in_force(company_id=stored.company_id, basis=OTHER_BASIS[address.basis]),
        earlier=_earlier(stored.last_week),
        view_range=address.view_range,
        published_at=stored.published_at.astimezone(now.tzinfo),
        is_updating=state.is_behind,
        explained=_explained(stored, address=address),
    )


def _explained(stored: StoredForecast, *, address: PageAddress) -> Explained | None:
    """Of this forecast, or for the second until it is there, of the one before, so that nothing jumps."""
    own = explanation_of(company_id=stored.company_id, run_id=stored.run_id)
    found = own or newest_explanation(company_id=stored.company_id, basis=stored.basis)
    if found is None:
        return None
    return explained(found.content, is_current=own is not None, company_slug=address.company)


def _companies(chosen: CurrentCompany, address: PageAddress) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            label=company.name,
            spoken=company.name,
            url=address.url(company=company.slug),
            is_current=company == chosen.company,
        )
        for company in chosen.choices
    )


def _past(stored: StoredForecast) -> PastBalances:
    first_day = stored.history[0].day if stored.history else stored.as_of
    return PastBalances(first_day=first_day, balances=tuple(float(row.balance) for row in stored.history))


def _past_label(stored: StoredForecast, projection: Projection) -> str:
    """What the past was in bank is known; what of it was free then is not, so the line says which it is."""
    same = not stored.history or abs(stored.history[-1].balance - projection.balance) < 1
    return "actual" if same else "actual, in bank"


def _earlier(run: EarlierRunway | None) -> EarlierRun | None:
    if run is None:
        return None
    day = None if run.p50_days >= run.horizon_days else run.as_of + timedelta(days=run.p50_days)
    return EarlierRun(published_day=run.published_at.date(), p50=RunoutDay(days=run.p50_days, day=day))
