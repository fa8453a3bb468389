"""A record that says a company's p5 holds what it promises, as a back-test of a longer history would find it."""

from datetime import datetime

from forecasting.models.record import CalibrationVersion


def calibrate(*, company_id: int, now: datetime, below_p5: float = 0.05) -> None:
    CalibrationVersion.objects.create(
        company_id=company_id,
        state="calibrated",
        dispersion=1.0,
        windows=12,
        stretch=1.0,
        below_p5=below_p5,
        outcomes=40,
        made_at=now,
    )
