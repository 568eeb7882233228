"""Values of all parameters, normal penalties on them, and what is expected of them before the data are seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from forecast.families.endemic_epidemic.design import COMPONENTS, SIZE, Design
from forecast.families.endemic_epidemic.history import Data

Floats = NDArray[np.float64]

SHARES = (0.3, 0.1)
"""Expected parts of the mean that come from the unit itself and from its neighbours."""
SPREADS = {
    "intercept": 1.5,
    "unit": 3.0,
    "size": 1.5,
    "lags": 1.5,
    "weights": 0.7,
    "season": 0.7,
    "trend": 0.5,
    "covariate": 1.0,
}
"""Standard deviations of the expectations, all on the log or logit scale."""


@dataclass(frozen=True, eq=False)
class Point:
    """Values of all parameters.

    Parameters
    ----------
    shared : ndarray, shape (shared,)
        In the order of `Design.names`; decays, free weights and sizes by their logarithm (the decay of geometric and
        triangular lags by its logit).
    own : ndarray, shape (units, block)
        Of each unit, on the bases of `Design.unit_base`.
    """

    shared: Floats
    own: Floats

    def moved(self, step: Point, length: float = 1.0) -> Point:
        """Return the point a step away."""
        return Point(self.shared + length * step.shared, self.own + length * step.own)

    def scaled(self, factor: float) -> Point:
        """Return all values times a factor."""
        return Point(factor * self.shared, factor * self.own)


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent normal penalties; a precision of 0 is none.

    Parameters
    ----------
    centre, precision : ndarray, shape (shared,)
    own_centre, own_precision : ndarray, shape (units, block)
    free : ndarray of bool, shape (shared,)
    own_free : ndarray of bool, shape (units, block)
        Parameters that are not free stay where they start.
    """

    centre: Floats
    precision: Floats
    own_centre: Floats
    own_precision: Floats
    free: NDArray[np.bool_]
    own_free: NDArray[np.bool_]

    @classmethod
    def none(cls, design: Design, units: int) -> Prior:
        """Return no penalty at all."""
        shared, own = len(design.names), (units, len(design.unit_base))
        return cls(
            np.zeros(shared), np.zeros(shared), np.zeros(own), np.zeros(own), np.ones(shared, bool), np.ones(own, bool)
        )

    def value(self, point: Point) -> float:
        """Return the logarithm of the penalty, without constants."""
        shared, own = point.shared - self.centre, point.own - self.own_centre
        return -0.5 * float(shared**2 @ self.precision + (own**2 * self.own_precision).sum())

    def flat(self) -> Self:
        """Return the same centres without any penalty."""
        return replace(self, precision=np.zeros_like(self.precision), own_precision=np.zeros_like(self.own_precision))

    def start(self) -> Point:
        """Return the centres, where a search begins."""
        return Point(self.centre.copy(), self.own_centre.copy())


def weak_prior(design: Design, data: Data, reached: Floats) -> Prior:
    """Return vague expectations that keep every estimate finite, and are soon outweighed by data.

    The unit itself is expected to give 30 % of its mean and the neighbours 10 %, give or take a factor of 4; the rest
    is endemic. Seasons, trends (a year) and covariates (a standard deviation) are expected to be of no effect, give or
    take a factor of 2; lags and weights to decay at a medium rate.

    Parameters
    ----------
    design : Design
    data : Data
    reached : ndarray, shape (units, weeks)
        What reaches each unit from its neighbours, at the centre of the weights' parameters; empty without neighbours.
    """
    units = len(data.counts)
    seen = data.observed & (data.week_weight > 0)
    level = (data.counts.sum(where=seen) + 0.5) / max(seen.sum(), 1)
    around = reached.mean() if reached.size else 0.0
    rest = 1 - sum(share for share, there in zip(SHARES, design.present, strict=False) if there)
    expected = [
        np.log(SHARES[0]),
        np.log(SHARES[1] * level / around) if around > 0 else np.log(SHARES[1]),
        np.log(rest * level / design.offset[2].mean()),
    ]
    centre, spread = np.zeros(len(design.names)), np.empty(len(design.names))
    scale = np.concatenate((np.ones(4), np.maximum(design.cells.std(axis=(0, 1)), 1e-9)))
    if design.weights is not None:
        centre[[name.startswith("weights.") for name in design.names]] = design.weights.start
    for at, (name, base) in enumerate(zip(design.names, design.base, strict=True)):
        part, _, term = name.partition(".")
        if part not in COMPONENTS:
            spread[at] = SPREADS[part]
        elif term == "intercept":
            centre[at], spread[at] = expected[base], SPREADS["intercept"]
        elif base > SIZE:
            spread[at] = SPREADS["covariate"] / scale[base]
        else:
            spread[at] = SPREADS["trend" if term == "trend" else "season"]
    block = len(design.unit_base)
    own_centre = np.zeros((units, block))
    for at, base in enumerate(design.unit_base):
        if base != SIZE and not design.random[at]:
            own_centre[:, at] = expected[base]
    sized = design.unit_base == SIZE
    own_precision = np.tile(np.where(sized, SPREADS["size"], SPREADS["unit"]) ** -2.0, (units, 1))
    free, own_free = np.ones(len(design.names), dtype=bool), np.ones((units, block), dtype=bool)
    return Prior(centre, spread**-2, own_centre, own_precision, free, own_free)
