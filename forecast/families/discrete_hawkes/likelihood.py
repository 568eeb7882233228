"""Likelihood of all counts given those before, with score and information, in one pass through the weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.discrete_hawkes.baseline import START_WEEKS, Exposed, outlook, pool
from forecast.families.discrete_hawkes.coordinates import Layout
from forecast.families.discrete_hawkes.excited import Excited
from forecast.predictive.negbin import cell

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Slope:
    """The likelihood at a point.

    Parameters
    ----------
    value : float
        Weighted log likelihood.
    score : ndarray, shape (parameters,)
    information : ndarray, shape (parameters, parameters)
        Fisher's in the mean; for the size, which is orthogonal to the mean, the square of the score.
    meat : ndarray, shape (parameters, parameters)
        The same with squared weights: the variance of the score if the model is true.
    triggered, expected : float
        Weighted events that were excited, and all that were expected.
    in_share : ndarray, shape (parameters,)
        Slope of their ratio, the endogenous share.
    """

    value: float
    score: Floats
    information: Floats
    meat: Floats
    triggered: float
    expected: float
    in_share: Floats


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Counts with what excites them.

    Parameters
    ----------
    counts : ndarray, shape (weeks, units)
        The steps may have any length; a week is one.
    observed : ndarray of bool, shape (weeks, units)
    weight : ndarray, shape (weeks,)
    exposed : Exposed
    excited : Excited
    layout : Layout
    """

    counts: Floats
    observed: Booleans
    weight: Floats
    exposed: Exposed
    excited: Excited
    layout: Layout

    def at(self, parameters: Floats) -> Slope:
        """Return value, score and information at a point, shape (parameters,) in the order of ``layout.names``."""
        natural = self.layout.natural(parameters)
        value, slopes = self.excited.with_slopes(self.layout, natural)
        around = self.exposed
        start = START_WEEKS * around.level * (1 - natural.branching)
        found = _scored(
            self.counts,
            self.observed,
            self.weight,
            around.scale,
            around.exposure,
            around.groups,
            around.discount,
            value,
            slopes,
            start,
            -start * natural.branching,
            natural.pooling,
            natural.precision,
            natural.noise,
            len(parameters),
        )
        total, score, information, meat, triggered, expected, in_triggered, in_expected = found
        share = triggered / expected if expected > 0 else 0.0
        in_share = (in_triggered - share * in_expected) / expected if expected > 0 else in_expected
        return Slope(total, score, information, meat, triggered, expected, in_share)


@compiled
def _scored(
    counts: Floats,
    observed: Booleans,
    weight: Floats,
    scale: Floats,
    exposure: Floats,
    groups: Integers,
    discount: float,
    excited: Floats,
    slopes: Floats,
    start: Floats,
    start_slope: Floats,
    kappa: float,
    z: float,
    noise: float,
    parameters: int,
) -> tuple[float, Floats, Floats, Floats, float, float, Floats, Floats]:
    """Filter the baseline as `follow` does, with the slopes of its sums carried along."""
    weeks, units, k = slopes.shape
    # Parameters: k of the excitation, pooling, precision, size. The mean depends on the first k + 1.
    a, n, da = start.copy(), START_WEEKS * exposure, np.zeros((units, k + 1))
    da[:, 0] = start_slope
    countries = groups.max() + 1
    country, in_country, known = np.empty(countries), np.empty((countries, k + 1)), np.empty(countries)
    value, triggered, expected = 0.0, 0.0, 0.0
    score, in_triggered, in_expected = np.zeros(parameters), np.zeros(parameters), np.zeros(parameters)
    information, meat = np.zeros((parameters, parameters)), np.zeros((parameters, parameters))
    dm, dr, dx, db = np.zeros(parameters), np.zeros(parameters), np.zeros(k + 1), np.empty(k + 1)
    in_share = np.empty(k + 1)
    for t in range(weeks):
        pool(a, n, groups, country)
        _pool_slopes(da, n, groups, in_country, known)
        w = weight[t]
        for u in range(units):
            if not observed[t, u]:
                continue
            g, s, e, x = country[groups[u]], scale[t, u], exposure[u], excited[t, u]
            mean, size, share = outlook(a[u], n[u], g, x, s, e, kappa, z, noise)
            for j in range(k):
                dx[j] = slopes[t, u, j]
            _share_slopes(a[u], n[u], g, x, e, kappa, da[u], in_country[groups[u]], dx, db, in_share)
            if w > 0.0:
                one, in_mean, in_size = cell(counts[t, u], mean, size)
                value += w * one
                triggered += w * s * x
                expected += w * mean
                for j in range(k + 1):
                    dm[j] = s * (db[j] + dx[j])
                    in_triggered[j] += w * s * dx[j]
                    in_expected[j] += w * dm[j]
                _size_slopes(a[u], size, share, kappa, z, noise, da[u], in_share, dr)
                _add(w, in_mean, in_size, mean * (1.0 + mean / size), dm, dr, score, information, meat)
            for j in range(k + 1):
                da[u, j] = discount * da[u, j] + counts[t, u] * in_share[j]
            a[u] = discount * a[u] + share * counts[t, u]
        for u in range(units):
            if observed[t, u]:
                n[u] = discount * n[u] + scale[t, u] * exposure[u]
    return value, score, information, meat, triggered, expected, in_triggered, in_expected


@compiled
def _share_slopes(
    a: float,
    n: float,
    g: float,
    x: float,
    e: float,
    kappa: float,
    da: Floats,
    dg: Floats,
    dx: Floats,
    db: Floats,
    in_share: Floats,
) -> None:
    """Write the slopes of a unit's baseline and of its share into `db` and `in_share`, that in the pooling last."""
    shape, rest = a + kappa, n + kappa / g
    base = e * shape / rest
    whole = base + x
    for j in range(len(da)):
        db[j] = e * (da[j] / rest + shape * kappa * dg[j] / (rest * rest * g * g))
    db[-1] += e * kappa * (1.0 / rest - shape / (rest * rest * g))
    for j in range(len(da)):
        in_share[j] = (db[j] * x - base * dx[j]) / (whole * whole)


@compiled
def _size_slopes(
    a: float,
    size: float,
    share: float,
    kappa: float,
    z: float,
    noise: float,
    da: Floats,
    in_share: Floats,
    out: Floats,
) -> None:
    """Write the slopes of the log size into `out`: those of `da`, that in the precision, that in the size if any."""
    k, shape = len(da), a + kappa
    own = size * share * share / (z * shape)
    for j in range(k):
        out[j] = -own * (2.0 * in_share[j] / share - da[j] / shape)
    out[k - 1] += own * kappa / shape
    out[k] = own
    for j in range(k + 1, len(out)):
        out[j] = size * noise


@compiled
def _pool_slopes(da: Floats, n: Floats, groups: Integers, out: Floats, known: Floats) -> None:
    """Write the slopes of what `pool` returns into `out`, shape (groups, parameters)."""
    units, k = da.shape
    total = 1.0
    known[:] = 0.0
    out[:] = 0.0
    for u in range(units):
        total += n[u]
        known[groups[u]] += n[u]
    one = total / (units + 1.0)
    for j in range(k):
        overall = 0.0
        for u in range(units):
            overall += da[u, j]
            out[groups[u], j] += da[u, j]
        for c in range(len(known)):
            out[c, j] = (out[c, j] + one * overall / total) / (known[c] + one)


@compiled
def _add(
    w: float,
    in_mean: float,
    in_size: float,
    variance: float,
    dm: Floats,
    dr: Floats,
    score: Floats,
    information: Floats,
    meat: Floats,
) -> None:
    """Add one count; `dr` is the slope of the log size."""
    for i in range(len(score)):
        score[i] += w * (in_mean * dm[i] + in_size * dr[i])
        by_mean, by_size = w * dm[i] / variance, w * in_size * in_size * dr[i]
        for j in range(i + 1):
            entry = by_mean * dm[j] + by_size * dr[j]
            information[i, j] += entry
            meat[i, j] += w * entry
            if j < i:
                information[j, i] += entry
                meat[j, i] += w * entry
