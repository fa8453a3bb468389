"""How a calibration is told to people."""

from forecasting.models.record import CalibrationVersion
from ledger.templatetags.amounts import share


def calibration_words(version: CalibrationVersion | None) -> tuple[str, ...]:
    """What the record says about the width of forecasts, in a few sentences."""
    if version is None:
        return (
            "Nothing has been measured yet. A back-test runs once a month, when the ledger holds five months.",
        )
    windows = f"{version.windows:g} separate month{'' if version.windows == 1 else 's'}"
    if version.state != "calibrated":
        return (
            f"Uncalibrated: {windows} of evidence are too few to judge by. Forecasts keep the width of the model.",
        )
    if version.dispersion > 1:
        change = f"Forecasts are {share(version.dispersion - 1)} wider than the model alone would draw them."
    elif version.dispersion < 1:
        change = f"Forecasts are {share(1 - version.dispersion)} narrower than the model alone would draw them."
    else:
        change = "Forecasts keep the width of the model: the record gives no reason to change it."
    return (
        f"Judged by {windows} and {version.outcomes} outcomes.",
        change,
        f"With that width {share(version.coverage or 0.0)} of the outcomes lay inside; the model alone had"
        f" {share(version.coverage_before or 0.0)}.",
    )
