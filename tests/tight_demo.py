"""A demo of three months whose p5 lies between the founding ladder's 60 and 90 days on every day of the year.

Cash runs out on a pay day, so p5 rises and falls by half a month with the day on which the demo is made; what is
forecast from three months only reaches 75 to 92 days. With this much less in the bank it reaches 64 to 75.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from capstack.demo import history
from capstack.demo.company import DemoCompany, create_demo
from capstack.demo.story import CASH_AT_END, CURRENCY

SPENT = Decimal("220000.00")


def create_tight_demo(*, monkeypatch: pytest.MonkeyPatch, now: datetime, sign_ins_path: Path) -> DemoCompany:
    with monkeypatch.context() as patch:
        left = CASH_AT_END | {CURRENCY: CASH_AT_END[CURRENCY] - SPENT}
        patch.setattr(history, "CASH_AT_END", left)
        return create_demo(now=now, months=3, sign_ins_path=sign_ins_path)
