r"""The slowly varying baseline: a gamma filter of every unit that forgets, given what past events excite.

With the scale :math:`s_{ti}` (season), the exposure :math:`e_i` and the excitation :math:`x_{ti}`, the filter of unit
i has discounted sums :math:`a \leftarrow d\,a + \phi y` and :math:`n \leftarrow d\,n + s e`, of which

.. math:: b = \frac{a + \kappa}{n + \kappa / g}, \qquad \phi = \frac{e b}{e b + x}

are the baseline, drawn to the pooled baseline g of the country, and the probability that an event is of the baseline
(stochastic declustering, one step at a time). The next count has mean and size

.. math:: \mu = s (e b + x), \qquad \frac1r = \frac{\phi^2}{z (a + \kappa)} + \frac1{r_0} :

the baseline is gamma with shape :math:`z (a + \kappa)`, its variance 1 / z times what the discount alone would leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

START_WEEKS = 4.0
"""The baseline starts as if so many weeks had been seen at the pooled level, and forgets them as others."""
PANEL_EVENTS = 0.1
"""Events in one unit-week that are added to the panel's, so that a silent panel expects some."""


@dataclass(frozen=True, eq=False)
class Exposed:
    """What the counts of a panel are modelled with, all known without any parameter.

    Parameters
    ----------
    scale : ndarray, shape (weeks, units)
        Season.
    exposure : ndarray, shape (units,)
        With mean 1.
    groups : ndarray of int, shape (units,)
    level : ndarray, shape (units,)
        Events a week of a unit before the first week.
    discount : float
        d.
    """

    scale: Floats
    exposure: Floats
    groups: Integers
    level: Floats
    discount: float


@compiled
def pool(a: Floats, n: Floats, groups: Integers, country: Floats) -> float:
    """Write the pooled baseline of each country into `country`, shape (groups,); return that of the panel.

    The mean unit of the panel enters each country as one more unit.
    """
    units = len(a)
    overall, known = PANEL_EVENTS, 1.0
    weeks = np.zeros(len(country))
    country[:] = 0.0
    for u in range(units):
        overall += a[u]
        known += n[u]
        country[groups[u]] += a[u]
        weeks[groups[u]] += n[u]
    one = known / (units + 1.0)
    for c in range(len(country)):
        country[c] = (country[c] + one * overall / known) / (weeks[c] + one)
    return overall / known


@compiled
def outlook(
    a: float, n: float, g: float, x: float, s: float, e: float, kappa: float, z: float, noise: float
) -> tuple[float, float, float]:
    """Return mean and size of the next count of a unit, and the share of the baseline; `noise` is 1 / r0."""
    b = e * (a + kappa) / (n + kappa / g)
    share = b / (b + x)
    return s * (b + x), 1.0 / (share * share / (z * (a + kappa)) + noise), share


@compiled
def follow(
    counts: Floats,
    observed: Booleans,
    scale: Floats,
    exposure: Floats,
    groups: Integers,
    discount: float,
    excited: Floats,
    start_a: Floats,
    kappa: float,
    z: float,
    noise: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Filter the baseline through all weeks.

    Parameters
    ----------
    counts, observed, scale, excited : ndarray, shape (weeks, units)
    exposure, groups, start_a : ndarray, shape (units,)
    discount, kappa, z, noise : float

    Returns
    -------
    a, n : ndarray, shape (units,)
        The sums after the last week.
    mean, size, share : ndarray, shape (weeks, units)
        Of each count, given those before.
    """
    weeks, units = counts.shape
    a, n = start_a.copy(), START_WEEKS * exposure
    mean, size, share = np.empty(counts.shape), np.empty(counts.shape), np.empty(counts.shape)
    country = np.empty(groups.max() + 1)
    for t in range(weeks):
        pool(a, n, groups, country)
        for u in range(units):
            mean[t, u], size[t, u], share[t, u] = outlook(
                a[u], n[u], country[groups[u]], excited[t, u], scale[t, u], exposure[u], kappa, z, noise
            )
        for u in range(units):
            if observed[t, u]:
                a[u] = discount * a[u] + share[t, u] * counts[t, u]
                n[u] = discount * n[u] + scale[t, u] * exposure[u]
    return a, n, mean, size, share


@compiled
def discounted_means(counts: Floats, observed: Booleans, scale: Floats, level: Floats, discount: float) -> Floats:
    """Return the counts free of season, and in weeks that are not observed the discounted mean of those before.

    This mean starts at `level`, shape (units,). Nothing of it depends on parameters.
    """
    weeks, units = counts.shape
    out = np.empty((weeks, units))
    for u in range(units):
        events, known = START_WEEKS * level[u], START_WEEKS
        for t in range(weeks):
            if observed[t, u]:
                out[t, u] = counts[t, u] / scale[t, u]
                events = discount * events + counts[t, u]
                known = discount * known + scale[t, u]
            else:
                out[t, u] = events / known
    return out


def discount_of(weeks: float) -> float:
    """Return the discount of a memory of so many weeks, ``1 - 1 / weeks``.

    Examples
    --------
    >>> discount_of(20)
    0.95
    >>> discount_of(math.inf)
    1.0
    """
    return 1.0 if math.isinf(weeks) else 1.0 - 1.0 / weeks
