"""Dynamic gamma-Poisson with forgetting, averaged over how fast it forgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.compiled import compiled
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import steadier_remark
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast
from forecast.predictive.negbin import logpmf_one, mixture_pmf, sample_one

Floats = NDArray[np.float64]

LOWEST_LOGPMF = np.log(1e-6)
"""The log score's floor: one surprise must not decide the weights alone."""


class DiscountNegbin(Family):
    r"""Dynamic gamma-Poisson model of each unit's level, with exponential forgetting.

    The level of unit :math:`i` has discounted sums :math:`a \leftarrow d\,a + y` and
    :math:`b \leftarrow d\,b + 1` (a week without a count is forgotten, not counted). With the pooled level
    :math:`g`, the mean of the unit's adjacent units, its country and the whole panel, the next count is

    .. math:: y \sim NB(m, r),\quad m = \frac{a + \alpha}{b + \alpha / g},\quad 1/r = \frac{1}{z (a + \alpha)} + c .

    This is a gamma prior of shape :math:`\alpha` around the pooled level: units differ by factors, not by amounts, so
    that a quiet unit among busy ones stays quiet.

    Forecasts of several weeks are simulated: each path draws a count, takes it into :math:`a, b, g` of all units,
    and goes on. The settings :math:`(d, \alpha, z, c)` are not chosen but averaged: each path draws one combination of
    the grid, with probability proportional to its past one-step predictive likelihood, discounted and tempered.

    Parameters
    ----------
    discounts : tuple of float
        :math:`d`; 0.94 remembers about 17 weeks.
    pooling : tuple of float
        :math:`\alpha`, events at the pooled level that are added to each unit.
    precision : tuple of float
        :math:`z`; 1 is the conjugate model, smaller is wider.
    burstiness : tuple of float
        :math:`c`; squared coefficient of variation of the rate that stays however much is known.
    half_life_weeks : float
        Of the likelihood in the weights.
    temper : float
        Exponent of the likelihood in the weights; below 1 it keeps more of the grid, as the one-step likelihood
        overstates what is known of the settings.
    prior_events : float
        Events added to the sum of the whole panel, so that a panel without any event still expects some.

    References
    ----------
    Harvey & Fernandes (1989), doi:10.1080/07350015.1989.10509750. Averaging over discount factors: Raftery, Karny &
    Ettler (2010), doi:10.1198/TECH.2009.08104.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> fitted = DiscountNegbin().fit(panel, rng)
    >>> fitted.predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "discount_negbin"

    discounts: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.85, 0.9, 0.94)
    pooling: tuple[Annotated[float, Field(gt=0)], ...] = (0.02, 0.05, 0.1, 0.2)
    precision: tuple[Annotated[float, Field(gt=0)], ...] = (0.1, 0.2, 0.4, 0.8)
    burstiness: tuple[Annotated[float, Field(ge=0)], ...] = (0.05, 0.5, 1.2)
    half_life_weeks: Annotated[float, Field(gt=0)] = 52
    temper: Annotated[float, Field(gt=0, le=1)] = 0.1
    prior_events: Annotated[float, Field(gt=0)] = 0.1

    def grid(self) -> Floats:
        """Return all combinations of settings, shape (components, 4): discount, pooling, precision, burstiness."""
        return np.array(list(product(self.discounts, self.pooling, self.precision, self.burstiness)))

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedDiscountNegbin:
        """Weigh every combination of settings by its discounted predictive likelihood on `panel`."""
        grid = self.grid()
        circles = _Circles.of(panel)
        evidence = np.empty(len(grid))
        age = np.arange(len(panel.weeks))[::-1]
        forgetting = 0.5 ** (age / self.half_life_weeks)
        for discount in self.discounts:
            rows = np.flatnonzero(grid[:, 0] == discount)
            score = _one_step_score(
                panel.counts, panel.observed, discount, grid[rows, 1:], *circles.arrays(), self.prior_events
            )
            evidence[rows] = forgetting @ score
        weight = np.exp(self.temper * (evidence - evidence.max()))
        return FittedDiscountNegbin(panel, self, weight / weight.sum(), steadier_remark(panel, min(self.burstiness)))


@dataclass(frozen=True, eq=False)
class FittedDiscountNegbin(Fitted):
    """Weights of the settings, and the panel that gives the levels.

    Parameters
    ----------
    panel : Panel
    family : DiscountNegbin
    weights : ndarray, shape (components,)
        Of the rows of ``family.grid()``; they sum to 1.
    remarks : tuple of str
    """

    panel: Panel
    family: DiscountNegbin
    weights: Floats
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Return the same weights with the levels that `panel` leaves."""
        return replace(self, panel=panel)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate forward, each path with one combination of settings."""
        grid = self.family.grid()
        sums = {d: _discounted_sums(self.panel.counts, self.panel.observed, d) for d in self.family.discounts}
        a = np.stack([sums[d][0] for d in self.family.discounts])
        b = np.stack([sums[d][1] for d in self.family.discounts])
        # Systematic draws: every combination gets its share of the paths but for one; then shuffled.
        position = (np.arange(draws) + rng.random()) / draws
        chosen = np.minimum(np.searchsorted(np.cumsum(self.weights), position), len(grid) - 1)
        chosen = rng.permutation(chosen)
        settings, at = grid[chosen], chosen // (len(grid) // len(a))
        circles = _Circles.of(self.panel)
        paths, mean, size = _simulate(a, b, at, settings, *circles.arrays(), self.family.prior_events, horizon, rng)
        return Forecast(paths, mixture_pmf(mean, size), self.target_weeks(horizon), self.panel.units)

    def summary(self) -> pd.DataFrame:
        """Return mean and standard deviation of each setting under the weights."""
        grid = self.family.grid()
        mean = self.weights @ grid
        spread = np.sqrt(np.maximum(self.weights @ (grid - mean) ** 2, 0))
        names = pd.Index(["discount", "pooling", "precision", "burstiness"], name="parameter")
        return pd.DataFrame({"estimate": mean, "std_error": spread}, index=names)


@dataclass(frozen=True, eq=False)
class _Circles:
    """The units around each unit over which its pooled level is taken: adjacent ones, its group, all.

    Sparse, so that the cost is linear in units and borders.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    group: NDArray[np.int64]

    @classmethod
    def of(cls, panel: Panel) -> _Circles:
        adjacent = panel.neighbours.border_km
        return cls(
            adjacent.indptr.astype(np.int64),
            adjacent.indices.astype(np.int64),
            panel.units.group_codes().astype(np.int64),
        )

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return self.start, self.neighbour, self.group


@compiled
def _discounted_sums(counts: NDArray[np.int64], observed: NDArray[np.bool_], discount: float) -> tuple[Floats, Floats]:
    """Discounted sums of counts and of observed weeks after the last week, each of shape (units,)."""
    weeks, units = counts.shape
    a, b = np.zeros(units), np.zeros(units)
    for t in range(weeks):
        for u in range(units):
            a[u] *= discount
            b[u] *= discount
            if observed[t, u]:
                a[u] += counts[t, u]
                b[u] += 1.0
    return a, b


@compiled
def _pooled_level(
    a: Floats,
    b: Floats,
    start: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    group: NDArray[np.int64],
    prior_events: float,
    out: Floats,
) -> None:
    """Write the mean rate over adjacent units, group and panel of each unit into `out`."""
    units = len(a)
    groups = group.max() + 1
    rate, group_rate, group_size = np.empty(units), np.zeros(groups), np.zeros(groups)
    total_a, total_b = prior_events, 1.0
    for u in range(units):
        rate[u] = a[u] / b[u] if b[u] > 0.0 else 0.0
        total_a += a[u]
        total_b += b[u]
        group_rate[group[u]] += rate[u]
        group_size[group[u]] += 1.0
    overall = total_a / total_b
    for u in range(units):
        level, circles = overall + group_rate[group[u]] / group_size[group[u]], 2.0
        if start[u + 1] > start[u]:
            around = 0.0
            for at in range(start[u], start[u + 1]):
                around += rate[neighbour[at]]
            level += around / (start[u + 1] - start[u])
            circles += 1.0
        out[u] = level / circles


@compiled
def _one_step_score(
    counts: NDArray[np.int64],
    observed: NDArray[np.bool_],
    discount: float,
    settings: Floats,
    start: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    group: NDArray[np.int64],
    prior_events: float,
) -> Floats:
    """Log predictive probability of each week given those before, shape (weeks, settings), for one discount."""
    weeks, units = counts.shape
    a, b, g = np.zeros(units), np.zeros(units), np.empty(units)
    out = np.zeros((weeks, len(settings)))
    for t in range(weeks):
        _pooled_level(a, b, start, neighbour, group, prior_events, g)
        for u in range(units):
            if not observed[t, u]:
                continue
            y = counts[t, u]
            for s in range(len(settings)):
                shape = a[u] + settings[s, 0]
                mean = shape / (b[u] + settings[s, 0] / g[u])
                size = 1.0 / (1.0 / (settings[s, 1] * shape) + settings[s, 2])
                # Most counts are 0; a logarithm of their own is all that their probability takes.
                said = -size * math.log(1.0 + mean / size) if y == 0 else logpmf_one(y, mean, size)
                out[t, s] += max(said, LOWEST_LOGPMF)
        for u in range(units):
            a[u] *= discount
            b[u] *= discount
            if observed[t, u]:
                a[u] += counts[t, u]
                b[u] += 1.0
    return out


@compiled
def _simulate(
    a0: Floats,
    b0: Floats,
    discount_at: NDArray[np.int64],
    settings: Floats,
    start: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    group: NDArray[np.int64],
    prior_events: float,
    horizon: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Paths, and the conditional mean and size behind each of their counts, all (draws, horizon, units)."""
    draws, units = len(settings), a0.shape[1]
    paths = np.empty((draws, horizon, units), dtype=np.int32)
    means, sizes = np.empty((draws, horizon, units)), np.empty((draws, horizon, units))
    g = np.empty(units)
    for p in range(draws):
        discount, pooling, precision, burstiness = settings[p]
        a, b = a0[discount_at[p]].copy(), b0[discount_at[p]].copy()
        for h in range(horizon):
            _pooled_level(a, b, start, neighbour, group, prior_events, g)
            for u in range(units):
                shape = a[u] + pooling
                means[p, h, u] = shape / (b[u] + pooling / g[u])
                sizes[p, h, u] = 1.0 / (1.0 / (precision * shape) + burstiness)
                paths[p, h, u] = sample_one(means[p, h, u], sizes[p, h, u], rng)
            for u in range(units):
                a[u] = discount * a[u] + paths[p, h, u]
                b[u] = discount * b[u] + 1.0
    return paths, means, sizes
