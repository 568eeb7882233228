"""What each fitted mean is made of: the unit's own past, its neighbours' past, the endemic base."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point

Floats = NDArray[np.float64]


def component_means(likelihood: Likelihood, point: Point) -> Floats:
    """Return the parts of the mean of every unit-week.

    Parameters
    ----------
    likelihood : Likelihood
    point : Point

    Returns
    -------
    ndarray, shape (3, weeks, units)
        Own, neighbour, endemic. Weeks before the first one of the likelihood are looked back at as far as there are
        weeks before them.

    Examples
    --------
    >>> from forecast.families.endemic_epidemic.design import Component, Design
    >>> from forecast.families.endemic_epidemic.history import Data
    >>> one = Component(np.ones((3, 1)), ("intercept",))
    >>> likelihood = Likelihood(Data.of(np.array([[4], [2], [0]])), Design.of(3, 1, own=one, endemic=one, sizes=None))
    >>> component_means(likelihood, Point(np.log([0.5, 0.1]), np.zeros((1, 0))))[:, :, 0]
    array([[0. , 2. , 1. ],
           [0. , 0. , 0. ],
           [0.1, 0.1, 0.1]])
    """
    data, design = likelihood.data, likelihood.design
    parts = design.parts(point.shared)
    effect = np.zeros((4, len(data.counts)))
    effect[design.unit_base] = point.own.T
    factor = parts.week[:, None, :] * (design.offset * np.exp(effect[:3]))[:, :, None]
    for at, component in enumerate(design.cell_component):
        factor[component] *= np.exp(parts.cell[at] * design.cells[:, :, at])
    factor[0] *= lagged(data.past, parts.lag[0])
    factor[1] *= lagged(likelihood.neighbours(parts.weights)[..., 0], parts.lag[0]) if design.present[1] else 0.0
    return np.asarray(factor.swapaxes(1, 2))


def lagged(values: Floats, lag: Floats) -> Floats:
    """Return the weighted sum of the weeks before each week, shape of `values`: (units, weeks)."""
    out = np.zeros_like(values)
    for d, weight in enumerate(lag, start=1):
        out[:, d:] += weight * values[:, :-d]
    return out


def shares(means: Floats) -> Floats:
    """Return the share of each component in the mean, shape of `means`; 0 where the mean is 0.

    Examples
    --------
    >>> shares(np.array([1.0, 1.0, 2.0]).reshape(3, 1, 1)).ravel()
    array([0.25, 0.25, 0.5 ])
    """
    total = means.sum(axis=0)
    return np.asarray(np.divide(means, total, out=np.zeros_like(means), where=total > 0))
