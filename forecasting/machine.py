"""On what a forecast was computed: two machines may differ in the last bit, and a run says why."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides how NumPy rounds: its version, and the instruction sets it was built with and found."""

    numpy_version: str
    cpu_features: tuple[str, ...]


def _this_machine() -> Machine:
    config = np.__config__.show(mode="dicts")
    extensions = config.get("SIMD Extensions", {}) if isinstance(config, dict) else {}
    return Machine(
        numpy_version=np.__version__,
        cpu_features=(*extensions.get("baseline", ()), *extensions.get("found", ())),
    )


MACHINE = _this_machine()
