"""Recalibration of distributions of counts: a map of their cumulative probabilities, learned from past ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import betainc, betaln

from forecast.combination.level_map import LEAST, PRIOR, Composed, Identity, LevelMap, case_weights
from forecast.combination.mixture_shares import mixture_shares
from forecast.compiled import compiled
from forecast.errors import InputError

Floats = NDArray[np.float64]

NARROWEST = 1e-6
"""Probability that a forecast is taken to have given at least to what came, so that no one case decides a map."""

HIGHEST_DEGREE = 20
STEEPEST = 10.0


@dataclass(frozen=True)
class BetaMap:
    r"""The cdf of a beta distribution, :math:`G(u) = I_u(a, b)`.

    Parameters
    ----------
    a, b : float
        Positive. Both 1 is the identity; both above 1 narrow a distribution, both below widen it; a above b raises
        counts.

    Examples
    --------
    >>> BetaMap(2.0, 2.0)([0.0, 0.25, 0.5, 1.0]).tolist()
    [0.0, 0.15625, 0.5, 1.0]
    """

    a: float
    b: float

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the mapped levels."""
        return np.asarray(betainc(self.a, self.b, _levels(level)))


@dataclass(frozen=True, eq=False)
class BernsteinMap:
    r"""A smooth cdf of any shape, :math:`G(u) = \sum_j w_j I_u(j, m - j + 1)`: a mixture of m beta distributions.

    Parameters
    ----------
    share : ndarray, shape (m,)
        :math:`w_j`, summing to 1; equal shares are the identity.

    References
    ----------
    Leblanc (2012), doi:10.1007/s10463-011-0339-4.

    Examples
    --------
    >>> BernsteinMap(np.full(4, 0.25))([0.0, 0.3, 1.0]).round(12).tolist()
    [0.0, 0.3, 1.0]
    """

    share: Floats

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the mapped levels."""
        values = _levels(level)
        mapped = _basis(values.ravel(), len(self.share)) @ self.share
        mapped[values.ravel() == 1.0] = 1.0  # shares sum to 1 but for rounding, which depends on the processor
        return np.asarray(np.clip(mapped, 0.0, 1.0)).reshape(values.shape)


def fit_beta_map(
    pairs: ArrayLike, *, weight: ArrayLike | None = None, prior: float = PRIOR, least: float = LEAST
) -> LevelMap:
    r"""Return the beta map under which past counts would have been most likely.

    A count y has the mapped probability :math:`G(F(y)) - G(F(y - 1))`; nothing is drawn at random. With the cases
    :math:`(l_c, u_c)`,

    .. math:: \max_{a, b} \sum_c w_c \log\big(I_{u_c}(a, b) - I_{l_c}(a, b)\big) + \kappa\,(2 - a - b - \log B(a, b))

    The last term is the mean log density of the map if PITs were uniform: :math:`\kappa` cases of a perfect forecast.

    Parameters
    ----------
    pairs : array_like, shape (cases, 2)
        Cdf of each past forecast below, and at, the count that came: only what was known at the origin. Rows with NaN
        are left out.
    weight : array_like, shape (cases,), optional
        What each case counts for, such as `recency`; less than 1 also where cases depend on each other.
    prior : float
        :math:`\kappa`.
    least : float
        With a smaller sum of weights the map is the identity.

    Returns
    -------
    BetaMap or Identity

    Raises
    ------
    InputError
        If the pairs are no levels of a cdf, or the weights no weights.

    References
    ----------
    Rumack, Tibshirani & Rosenfeld (2022), doi:10.1371/journal.pcbi.1010771; the beta transform Gneiting & Ranjan
    (2013), doi:10.1214/13-EJS823.

    Examples
    --------
    Past forecasts were too wide: what came was always in the middle.

    >>> fit_beta_map([[0.4, 0.6]] * 300)([0.1, 0.5, 0.9]).round(2).tolist()
    [0.01, 0.5, 0.99]
    >>> fit_beta_map([[0.4, 0.6]] * 100)
    Identity()
    """
    past, each = _checked(pairs, weight)
    if each.sum() < least:
        return Identity()

    def loss(theta: Floats) -> float:
        a, b = np.exp(theta)
        chance = betainc(a, b, past[:, 1]) - betainc(a, b, past[:, 0])
        ideal = 2 - a - b - betaln(a, b)
        return float(-(each @ np.log(np.maximum(chance, 1e-300)) + prior * ideal) / (each.sum() + prior))

    bound = np.log(STEEPEST)
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-bound, bound)] * 2)
    return BetaMap(*(float(value) for value in np.exp(found.x)))


def fit_empirical_map(
    pairs: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    prior: float = PRIOR,
    least: float = LEAST,
    degree: int = 10,
) -> LevelMap:
    """Return the smooth empirical map: a beta map, which can be steep at the ends, then the shape that it leaves.

    Parameters
    ----------
    pairs, weight, prior, least, degree
        As for `fit_beta_map` and `fit_bernstein_map`.

    Returns
    -------
    Composed or Identity

    References
    ----------
    Rumack, Tibshirani & Rosenfeld (2022), doi:10.1371/journal.pcbi.1010771.

    Examples
    --------
    >>> fit_empirical_map([[0.4, 0.6]] * 300)([0.1, 0.5, 0.9]).round(2).tolist()
    [0.0, 0.5, 1.0]
    """
    steep = fit_beta_map(pairs, weight=weight, prior=prior, least=least)
    if isinstance(steep, Identity):
        return steep
    return Composed(steep, fit_bernstein_map(steep(pairs), weight=weight, prior=prior, least=least, degree=degree))


def fit_bernstein_map(
    pairs: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    prior: float = PRIOR,
    least: float = LEAST,
    degree: int = 10,
) -> LevelMap:
    r"""Return the mixture of beta distributions under which past counts would have been most likely.

    The distribution of the PIT, known only to lie between two levels in each case, as a mixture of beta distributions:

    .. math:: \max_w \sum_c a_c \log \sum_j w_j \big(I_{u_c}(j, m - j + 1) - I_{l_c}(j, m - j + 1)\big)
              + \frac{\kappa}{m} \sum_j \log w_j

    Parameters
    ----------
    pairs, weight, prior, least
        As for `fit_beta_map`.
    degree : int
        m, the number of components; the map can bend over distances of about :math:`1 / 2\sqrt m`, and of 1 / m at
        the ends: where forecasts miss far too often, `fit_empirical_map` is better.

    Returns
    -------
    BernsteinMap or Identity

    References
    ----------
    The distribution of what is known to lie in intervals: Turnbull (1976), doi:10.1111/j.2517-6161.1976.tb01597.x.
    Its smooth form: Leblanc (2012), doi:10.1007/s10463-011-0339-4.

    Examples
    --------
    >>> fit_bernstein_map([[0.4, 0.6]] * 300)([0.1, 0.5, 0.9]).round(2).tolist()
    [0.03, 0.5, 0.97]
    """
    past, each = _checked(pairs, weight)
    if not 1 <= degree <= HIGHEST_DEGREE:
        raise InputError(f"a map of degree {degree}", expected=f"1 to {HIGHEST_DEGREE}")
    if each.sum() < least:
        return Identity()
    chance = _basis(past[:, 1], degree) - _basis(past[:, 0], degree)
    return BernsteinMap(mixture_shares(np.maximum(chance, 1e-300), each, prior))


def remap(pmf: ArrayLike, level_map: LevelMap) -> Floats:
    r"""Return distributions whose cdf is mapped, :math:`G(F(y))`.

    A map is monotone: counts keep their order, so sample paths can keep their ranks
    (`forecast.combination.dependence.with_marginals`). It cannot reach counts that had no probability.

    Parameters
    ----------
    pmf : array_like, shape (..., k)
        Probability of 0, 1, .. k - 1 events; what is missing from 1 lies beyond and is mapped with the rest.
    level_map : LevelMap

    Returns
    -------
    ndarray, shape (..., k)
        Non-negative.

    Examples
    --------
    >>> remap([0.25, 0.5, 0.25], BetaMap(2, 2)).tolist()
    [0.15625, 0.6875, 0.15625]
    """
    cdf = np.minimum(np.cumsum(np.asarray(pmf, dtype=np.float64), axis=-1), 1.0)
    mapped = np.maximum.accumulate(level_map(cdf), axis=-1)  # rounding must not make a probability negative
    return np.diff(mapped, axis=-1, prepend=0.0)


def _levels(level: ArrayLike) -> Floats:
    """Return levels within 0 and 1: a sum of probabilities may miss them by a rounding error."""
    return np.clip(np.asarray(level, dtype=np.float64), 0.0, 1.0)


def _checked(pairs: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return the intervals of the PIT that are known, none narrower than `NARROWEST`, and their weights."""
    values = np.asarray(pairs, dtype=np.float64).reshape(-1, 2) if np.size(pairs) == 0 else np.asarray(pairs, float)
    if values.ndim != 2 or values.shape[1] != 2:
        raise InputError(f"pairs of shape {values.shape}", expected="(cases, 2): the cdf below, and at, what came")
    each = case_weights(len(values), weight)
    known = np.isfinite(values).all(axis=1)
    below, upto = values[known].T
    slack = 1e-9  # cumulative sums round
    if not ((below >= -slack) & (below <= upto + slack) & (upto <= 1 + slack)).all():
        raise InputError("pairs that are no levels of a cdf", expected="0 <= below <= at <= 1")
    upto = np.clip(np.maximum(upto, below + NARROWEST), 0.0, 1.0)
    return np.column_stack([np.clip(np.minimum(below, upto - NARROWEST), 0.0, 1.0), upto]), each[known]


@compiled
def _basis(level: Floats, degree: int) -> Floats:
    """Return the cdfs of Beta(j, m - j + 1), j = 1 .. m: P(at least j of m), each of which comes with that chance."""
    out = np.empty((len(level), degree))
    for c in range(len(level)):
        u = level[c]
        if np.isnan(u):
            out[c, :] = u
            continue
        if u >= 1.0 - 1e-12:  # nearer to 1 the power below underflows
            out[c, :] = 1.0
            continue
        chance, odds = (1.0 - u) ** degree, u / (1.0 - u)
        fewer = 0.0
        for j in range(1, degree + 1):
            fewer += chance
            out[c, j - 1] = 1.0 - fewer
            chance *= odds * (degree - j + 1) / j
    return out
