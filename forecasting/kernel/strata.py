"""Stratified draws: one uniform in each of P equal strata, dealt to the P paths in random order.

Every path's value is exactly uniform, and independent from row to row, so means over paths are unbiased. What
changes is how the paths differ from each other: each row alone fills its distribution evenly, a tranche of
probability 0.8 arrives on 8,000 of 10,000 paths instead of on 7,920 or 8,070 (Latin hypercube sampling:
McKay, Beckman and Conover 1979; variance of the main effects vanishes: Stein 1987). See ADR 0031.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The smallest uniform: log and 1 / sqrt stay finite, and its probability is far below one path in ten thousand.
_SMALLEST = 1e-12
# Student-t with 4 degrees of freedom has variance 2.
_UNIT_VARIANCE = np.sqrt(0.5)


@dataclass(frozen=True, slots=True, eq=False)
class StratifiedRow:
    """One uniform number per path.

    Attributes:
        sorted_uniforms: float64 [paths], ascending, one per stratum.
        stratum: int64 [paths], the stratum dealt to each path.
    """

    sorted_uniforms: NDArray[np.float64]
    stratum: NDArray[np.int64]

    def uniforms(self) -> NDArray[np.float32]:
        """float32 [paths] in (0, 1), never 1.0: a certain event must stay certain in float32."""
        below_one = np.nextafter(np.float32(1.0), np.float32(0.0))
        return np.minimum(self.sorted_uniforms.astype(np.float32), below_one)[self.stratum]

    def normals(self) -> NDArray[np.float32]:
        """float32 [paths], standard normal."""
        from scipy.special import ndtri  # not at the top: only who draws shocks need wait for it

        return ndtri(self.sorted_uniforms).astype(np.float32)[self.stratum]

    def heavy_tailed(self) -> NDArray[np.float32]:
        """float32 [paths], Student-t(4) scaled to unit variance."""
        return student_t4_quantile(self.sorted_uniforms).astype(np.float32)[self.stratum]

    def counts(self, *, cumulative: NDArray[np.float64]) -> NDArray[np.int32]:
        """int32 [paths]: the integer law with P(N <= n) = cumulative[n]; len(cumulative) when above all of them.

        The strata are sorted, so the law costs one search per value of N, not one per path.
        """
        edges = np.searchsorted(self.sorted_uniforms, cumulative, side="right")
        bounds = np.concatenate([[0], edges, self.sorted_uniforms.shape])
        sizes = bounds[1:] - bounds[:-1]
        return np.repeat(np.arange(sizes.shape[0], dtype=np.int32), sizes)[self.stratum]


def draw_row(*, generator: np.random.Generator, paths: int) -> StratifiedRow:
    """One stratified uniform per path."""
    uniforms = (np.arange(paths) + generator.random(paths)) / paths
    return StratifiedRow(
        sorted_uniforms=np.maximum(uniforms, _SMALLEST),
        stratum=generator.permutation(paths),
    )


def student_t4_quantile(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantile of Student-t(4), scaled to unit variance, in closed form (Shaw 2006)."""
    root = np.sqrt(4.0 * uniforms * (1.0 - uniforms))
    q = np.cos(np.arccos(np.minimum(root, 1.0)) / 3.0) / root
    return np.sign(uniforms - 0.5) * 2.0 * np.sqrt(np.maximum(q - 1.0, 0.0)) * _UNIT_VARIANCE
