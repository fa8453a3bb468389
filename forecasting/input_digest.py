"""What a simulation was given, as a digest: by it two runs are told to be of the same inputs."""

import hashlib
import struct
from dataclasses import fields, is_dataclass

import numpy as np

from forecasting.kernel.inputs import ForecastInputs


def digest(inputs: ForecastInputs, *, engine_version: str, seed: int, paths: int, dispersion: float = 1.0) -> str:
    """SHA-256, hexadecimal, over everything that decides the figures of a run."""
    state = hashlib.sha256(f"{engine_version}|{seed}|{paths}|".encode())
    if dispersion != 1.0:
        state.update(f"{dispersion!r}|".encode())
    for piece in _canonical(inputs):
        state.update(piece)
    return state.hexdigest()


def _canonical(value: object) -> list[bytes]:
    """An unambiguous encoding of inputs: every piece carries its kind, and its length where that varies."""
    if is_dataclass(value):
        pieces = [f"{type(value).__name__}(".encode()]
        for field in fields(value):
            pieces += [field.name.encode(), b"=", *_canonical(getattr(value, field.name))]
        return [*pieces, b")"]
    if isinstance(value, tuple):
        return [f"[{len(value)}:".encode(), *(piece for item in value for piece in _canonical(item)), b"]"]
    if isinstance(value, np.ndarray):
        return [f"a{value.dtype.str}{value.shape}".encode(), np.ascontiguousarray(value).tobytes()]
    if isinstance(value, str):
        return [f"s{len(value.encode())}:".encode(), value.encode()]
    return [b"d", struct.pack("<d", float(value))]  # type: ignore[arg-type]  # ints and floats are what is left
