r"""Negative binomial counts of several weeks that depend on each other through their rates.

A negative binomial is a Poisson whose rate is gamma. The rate of week h is ``mean_h * G_h / size_h`` with ``G_h = C_h +
I_h``: a part C that stays from week to week and a part I that is each week's own. C is the beta-gamma autoregression

.. math:: C_{h+1} = B_h C_h + D_h, \quad B_h \sim Beta(\phi s, (1 - \phi) s), \quad D_h \sim Gamma((1 - \phi) s),

which keeps the gamma distribution of shape s, so that the counts of each week are negative binomial as they were, and
rates d weeks apart have covariance ``mean_h mean_k s phi^d / (size_h size_k)``. The shape is the share `common` of the
smallest size among the weeks.

Beta-gamma autoregression: Lewis, McKenzie & Hugus (1989), doi:10.1080/15326348908807096.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from forecast.compiled import compiled
from forecast.families.direct_endemic.likelihood import moments
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

USUAL = (0.4, 0.85)
"""Share in common and its persistence before any data."""
MOST = 0.995


@dataclass(frozen=True)
class RateMemory:
    """How much the rates of different weeks have in common.

    Parameters
    ----------
    common : float
        Share of the gamma shape that is carried from week to week, in [0, 1).
    persistence : float
        Autocorrelation of that part over one week, in [0, 1).
    """

    common: float = USUAL[0]
    persistence: float = USUAL[1]

    def sample(self, mean: Floats, size: Floats, draws: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Draw paths of counts.

        Parameters
        ----------
        mean, size : ndarray, shape (horizon, units)
        draws : int
        rng : Generator

        Returns
        -------
        ndarray of int32, shape (draws, horizon, units)
            Each cell negative binomial with this mean and size.
        """
        return np.asarray(_sample(mean, size, self.common, self.persistence, draws, rng))


def rate_memory(parameters: Floats, terms: Floats, scale: Floats, panel: Panel, weight: Floats) -> RateMemory:
    r"""Return what the forecasts that these parameters would have made in the past had in common.

    It has the largest composite likelihood of whether there was any event in the first and in each later target week
    of an origin. With ``a = mean / size`` of one and b of the other of two weeks d apart, both are without event with
    probability

    .. math:: p_0 q_0 \Big(\frac{(1 + a)(1 + b)}{1 + a + b}\Big)^{s \phi^d},

    which follows from the Laplace transform of the gamma distribution (exact for one week, and with independent
    innovations in between for more). Whether there was an event is less swayed by single bursts than products of
    residuals.

    Parameters
    ----------
    parameters : ndarray, shape (horizons, terms + 2)
    terms : ndarray, shape (weeks, units, terms)
    scale : ndarray, shape (weeks, units)
    panel : Panel
    weight : ndarray, shape (weeks,)
    """
    horizons, origins = len(parameters), len(panel.weeks) - len(parameters)
    if horizons < 2 or origins < 1:
        return RateMemory()
    shape = (horizons, origins, len(panel.units))
    mean, size = np.empty(shape), np.empty(shape)
    for ahead, row in enumerate(parameters, start=1):
        expected = scale[ahead : ahead + origins] * (terms[:origins] @ row[:-2])
        mean[ahead - 1], size[ahead - 1] = moments(expected, row[-2:])
    window = np.lib.stride_tricks.sliding_window_view
    counts = window(panel.counts[1:], origins, axis=0).transpose(0, 2, 1)
    seen = window(panel.observed[1:], origins, axis=0).transpose(0, 2, 1)
    silent, pairs, ends = _pairs(mean, size, counts > 0, seen, weight[horizons:])

    def loss(values: Floats) -> tuple[float, Floats]:
        gradient = np.zeros(2)
        return _pair_loss(values[0], values[1], silent, pairs, ends, gradient), gradient

    found = minimize(loss, USUAL, jac=True, method="L-BFGS-B", bounds=Bounds([0.0, 0.05], [MOST, MOST]))
    return RateMemory(float(found.x[0]), float(found.x[1]))


def _pairs(
    mean: Floats, size: Floats, event: NDArray[np.bool_], seen: NDArray[np.bool_], weight: Floats
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return what the likelihood of the first with each later week depends on, however much they have in common.

    Parameters
    ----------
    mean, size, event, seen : ndarray, shape (horizons, origins, units)
    weight : ndarray, shape (origins,)

    Returns
    -------
    silent : ndarray, shape (horizons,)
        Of the pairs without any event, sums of the weighted exponent: their log likelihood is linear in the share.
    pairs : ndarray, shape (pairs, 5)
        Of all others, in the order of the weeks between: weight, chance of no event in the first and in the later
        week, exponent, and in which week events were (0: both, 1: the first, 2: the later one).
    ends : ndarray of int, shape (horizons,)
        Where those of each number of weeks between end.
    """
    ratio = mean / size
    exponent = size.min(axis=0) * np.log1p(ratio[0] * ratio / (1 + ratio[0] + ratio))
    known = np.where(seen[0] & seen, weight[:, None], 0.0)
    some = (known > 0) & (event[0] | event)
    silent = np.where(some, 0.0, known * exponent).sum(axis=(1, 2))
    some[0] = False  # no pair of two weeks
    d, o, u = np.nonzero(some)
    none = [np.exp(-size[at, o, u] * np.log1p(ratio[at, o, u])) for at in (0, d)]
    which = np.where(event[0, o, u] & event[d, o, u], 0.0, np.where(event[0, o, u], 1.0, 2.0))
    pairs = np.column_stack([known[d, o, u], *none, exponent[d, o, u], which])
    return silent, pairs, np.searchsorted(d, np.arange(len(mean)), side="right")


@compiled
def _pair_loss(
    common: float, persistence: float, silent: Floats, pairs: Floats, ends: NDArray[np.intp], gradient: Floats
) -> float:
    """Return the negative composite log-likelihood but for a constant, and add its slopes to `gradient`."""
    total = 0.0
    for d in range(1, len(ends)):
        kept = persistence**d
        total -= silent[d] * common * kept
        slope = -silent[d]
        for at in range(ends[d - 1], ends[d]):
            weight, p, q, exponent, events = pairs[at]
            neither = p * q * math.exp(exponent * common * kept)
            sign, chance = 1.0, 1.0 - p - q + neither
            if events == 1.0:
                sign, chance = -1.0, q - neither
            elif events == 2.0:
                sign, chance = -1.0, p - neither
            chance = max(chance, 1e-12)
            total -= weight * math.log(chance)
            slope -= weight * sign * neither * exponent / chance
        gradient[0] += slope * kept
        gradient[1] += slope * common * d * persistence ** (d - 1)
    return total


@compiled
def _sample(
    mean: Floats, size: Floats, common: float, persistence: float, draws: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    horizon, units = mean.shape
    paths = np.empty((draws, horizon, units), dtype=np.int32)
    shape = np.empty(units)
    for u in range(units):
        shape[u] = common * size[:, u].min()
    for p in range(draws):
        for u in range(units):
            s = shape[u]
            carried = rng.gamma(s, 1.0) if s > 0.0 else 0.0
            for h in range(horizon):
                if h and s > 0.0:
                    if carried > 0.0:
                        carried *= rng.beta(persistence * s, (1.0 - persistence) * s)
                    carried += rng.gamma((1.0 - persistence) * s, 1.0)
                rate = mean[h, u] / size[h, u] * (carried + rng.gamma(size[h, u] - s, 1.0))
                paths[p, h, u] = min(rng.poisson(rate), 2147483647)
    return paths
