"""Which calibration counts."""

from datetime import datetime

from django.db import connection

from forecasting.models.record import CalibrationVersion
from forecasting.outcome import UNCALIBRATED, Calibration

_IN_FORCE = """
    SELECT state, dispersion, windows FROM forecasting_calibrationversion
    WHERE company_id = %s AND made_at <= %s ORDER BY id DESC LIMIT 1
"""


def newest_calibration(*, company_id: int, now: datetime | None = None) -> CalibrationVersion | None:
    """Return the newest version, or the newest made by `now`; None before the first."""
    versions = CalibrationVersion.objects.filter(company_id=company_id).order_by("-id")
    return (versions if now is None else versions.filter(made_at__lte=now)).first()


def calibration_in_force(*, company_id: int, now: datetime) -> Calibration:
    """Return what forecasts of the company go by at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [company_id, now])
        found = cursor.fetchone()
    if found is None or found[0] != "calibrated":
        return UNCALIBRATED
    return Calibration(state="calibrated", dispersion=found[1], windows=found[2])
