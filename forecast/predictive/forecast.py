"""The forecast: integer sample paths, joint over weeks and units, with exact marginals beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.panel.units import Units

Paths = NDArray[np.int32]

TAIL = 1e-6
"""With more mass than this beyond the pmf head, marginal figures come from the paths instead."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a model says of the coming weeks.

    Parameters
    ----------
    paths : ndarray of int32, shape (draws, horizon, units)
        Sample paths; a rule over several weeks or units is evaluated on each path.
    pmf : ndarray of float64, shape (horizon, units, k)
        Marginal probability of 0, 1, .. k - 1 events; the mass beyond is ``1 - sum``. Families give it
        exactly or averaged over the paths' conditional distributions, so that it is smoother than the paths.
    weeks : DatetimeIndex, shape (horizon,)
        First days of the target weeks; the first is the origin.
    units : Units
    model : str
        Name of the model.
    remarks : tuple of str
        What went otherwise than usual when it was fitted, in plain words.
    fitted_by : str
        How the parameters were found, and figures of how well, where there is a choice.

    Notes
    -----
    Paths carry dependence; the pmf carries the marginals. A contract test holds every family to their
    agreement.
    """

    paths: Paths
    pmf: NDArray[np.float64]
    weeks: pd.DatetimeIndex
    units: Units
    model: str = ""
    remarks: tuple[str, ...] = ()
    fitted_by: str = ""

    def __post_init__(self) -> None:
        cell = (len(self.weeks), len(self.units))
        if self.paths.ndim != 3 or self.paths.shape[1:] != cell:
            raise InputError(f"paths have shape {self.paths.shape}", expected=f"(draws, {cell[0]}, {cell[1]})")
        if self.pmf.ndim != 3 or self.pmf.shape[:2] != cell:
            raise InputError(f"pmf has shape {self.pmf.shape}", expected=f"({cell[0]}, {cell[1]}, k)")
        if (self.paths < 0).any():
            raise InputError("negative counts in the sample paths")
        if not (np.isfinite(self.pmf).all() and (self.pmf >= 0).all() and (self.pmf.sum(axis=2) < 1 + 1e-6).all()):
            raise InputError("the pmf must be non-negative and sum to at most 1")

    @property
    def origin(self) -> pd.Timestamp:
        """First day of the first target week; all that was over before it is known."""
        return self.weeks[0]

    @property
    def draws(self) -> int:
        """Number of sample paths."""
        return len(self.paths)

    @property
    def horizon(self) -> int:
        """Number of target weeks."""
        return len(self.weeks)

    def tail(self) -> NDArray[np.float64]:
        """Return the mass beyond the pmf head, shape (horizon, units)."""
        return np.asarray(np.clip(1 - self.pmf.sum(axis=2), 0, 1))

    def mean(self) -> NDArray[np.float64]:
        """Return the expected counts, shape (horizon, units)."""
        mean: NDArray[np.float64] = self.pmf @ np.arange(self.pmf.shape[2])
        far = self.tail() > TAIL
        if far.any():
            mean[far] = self.paths.mean(axis=0)[far]
        return mean

    def quantile(self, levels: Sequence[float]) -> NDArray[np.int64]:
        """Return the smallest count whose cumulative probability reaches each level.

        Parameters
        ----------
        levels : sequence of float
            In (0, 1).

        Returns
        -------
        ndarray of int64, shape (levels, horizon, units)
        """
        if not all(0 < level < 1 for level in levels):
            raise InputError(f"quantile levels {list(levels)}", expected="numbers between 0 and 1")
        far = self.tail() > TAIL
        # The slack keeps a level that the cdf meets exactly from being lost to rounding.
        out = _first_reaching(np.cumsum(self.pmf, axis=2), np.asarray(levels, np.float64) - 1e-12)
        if far.any():
            out[:, far] = np.quantile(self.paths[:, far], levels, axis=0, method="inverted_cdf")
        return out

    def take_units(self, names: Sequence[str]) -> Forecast:
        """Return the forecast of the named units, in this order."""
        at = np.asarray([self.units.index(name) for name in names], dtype=np.intp)
        return replace(self, paths=self.paths[:, :, at], pmf=self.pmf[:, at], units=self.units.take(at))

    def named(self, model: str) -> Forecast:
        """Return the same forecast under the name of a model."""
        return replace(self, model=model)

    def to_frame(self, levels: Sequence[float] = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)) -> pd.DataFrame:
        """Return one row a week and unit: week, horizon, unit, unit_kind, mean and a column a quantile level."""
        horizon, units = len(self.weeks), len(self.units)
        columns: dict[str, object] = {
            "week": np.repeat(self.weeks.to_numpy(), units),
            "horizon": np.repeat(np.arange(1, horizon + 1), units),
            "unit": np.tile(np.asarray(self.units.names, dtype=object), horizon),
            "unit_kind": self.units.kind,
            "mean": self.mean().ravel(),
        }
        columns |= {f"q{level:g}": values.ravel() for level, values in zip(levels, self.quantile(levels), strict=True)}
        return pd.DataFrame(columns)


def pmf_of_paths(paths: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the share of paths at each count, shape (horizon, units, largest + 1).

    For families that have no smoother marginal; a count that no path met has probability 0.
    """
    largest = int(paths.max(initial=0))
    draws, horizon, units = paths.shape
    cell = np.arange(horizon * units).reshape(horizon, units)
    flat = (cell[None] * (largest + 1) + paths).ravel()
    counts = np.bincount(flat, minlength=horizon * units * (largest + 1))
    return np.asarray(counts.reshape(horizon, units, largest + 1) / draws)


@compiled
def _first_reaching(cdf: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the first count of each cdf (horizon, units, k) that is not below each level, at most k - 1."""
    horizon, units, k = cdf.shape
    out = np.empty((len(levels), horizon, units), np.int64)
    for h in range(horizon):
        for u in range(units):
            out[:, h, u] = np.minimum(np.searchsorted(cdf[h, u], levels), k - 1)
    return out
