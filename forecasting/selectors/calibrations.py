"""Which calibration counts."""

from datetime import datetime

from forecasting.models.record import CalibrationVersion
from forecasting.outcome import UNCALIBRATED, Calibration


def newest_calibration(*, company_id: int, now: datetime | None = None) -> CalibrationVersion | None:
    """Return the newest version, or the newest made by `now`; None before the first."""
    versions = CalibrationVersion.objects.filter(company_id=company_id).order_by("-id")
    return (versions if now is None else versions.filter(made_at__lte=now)).first()


def calibration_in_force(*, company_id: int, now: datetime) -> Calibration:
    """Return what forecasts of the company go by at `now`."""
    version = newest_calibration(company_id=company_id, now=now)
    if version is None or version.state != "calibrated":
        return UNCALIBRATED
    return Calibration(state="calibrated", dispersion=version.dispersion, windows=version.windows)
