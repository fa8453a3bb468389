"""What every chart has in common, as plain Plotly dictionaries: axes, ticks, hover (see docs/adr/0051).

Colours are CSS variables by name; static/js/chart.js puts the theme's colours in.
"""

import math
from typing import Any

from ledger.templatetags.amounts import money_text

TICKS_AT_MOST = 6
NICE_STEPS = (1.0, 2.0, 5.0, 10.0)
# A label belongs to the day under the pointer: wider than half a day on screen, narrower than a glance.
HOVER_PX = 12
CLEAR = "rgba(0,0,0,0)"
MONTHS_FORMAT = "%b\n%Y"
# Over a few months Plotly sets a tick every week or two, and the name of the month alone would stand there twice.
WITHIN_MONTHS_FORMAT = "%-d %b\n%Y"


def chart_layout(
    *,
    start: str,
    end: str,
    low: float,
    high: float,
    currency: str,
    ticks_at_most: int = TICKS_AT_MOST,
    tick_format: str = MONTHS_FORMAT,
) -> dict[str, Any]:
    """Return the layout of a chart of money over days.

    Args:
        start, end: ISO days at both ends.
        low, high: what the height spans; zero lies between them or on one of them.
    """
    ticks = round_ticks(low=low, high=high, at_most=ticks_at_most)
    return {
        "autosize": False,
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"size": 12, "color": "var(--quiet)"},
        "margin": {"l": 76, "r": 22, "t": 40, "b": 40, "pad": 0},
        "showlegend": False,
        "hovermode": "x",
        "hoverdistance": HOVER_PX,
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line-strong)",
            "align": "left",
            "font": {"color": "var(--text)", "size": 12},
        },
        "xaxis": {
            "type": "date",
            "range": [start, end],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "outside",
            "ticklen": 5,
            "tickcolor": "var(--line)",
            # Of two that hold, the first counts: a tick a month needs no day.
            "tickformatstops": [
                {"dtickrange": ["M1", None], "value": tick_format},
                {
                    "dtickrange": [None, "M1"],
                    "value": WITHIN_MONTHS_FORMAT if tick_format == MONTHS_FORMAT else tick_format,
                },
            ],
            "tickangle": 0,
            "showspikes": True,
            "spikemode": "across",
            "spikesnap": "hovered data",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": "var(--line-strong)",
        },
        "yaxis": {
            "range": [low, high],
            "fixedrange": True,
            "zeroline": False,
            "showline": False,
            "gridcolor": "var(--chart-grid)",
            "ticklabelstandoff": 8,
            "tickvals": ticks,
            "ticktext": [money_text(tick, currency) for tick in ticks],
        },
        "shapes": [],
        "annotations": [],
    }


def round_ticks(*, low: float, high: float, at_most: int = TICKS_AT_MOST) -> list[float]:
    """Return round values at equal steps between two; zero is always one of them."""
    rough = (high - low) / at_most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * size for nice in NICE_STEPS if nice * size >= rough)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
