"""Probabilities of escalations, corrected by class of region and by whether events had just surged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from forecast.combination.event_maps import NEAREST
from forecast.combination.level_map import LEAST, LevelMap, case_weights
from forecast.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

YEAR, SPANS = 52, (4, 12)
"""Weeks of the year, and of the recent spans that are compared with it."""
TRAITS = (*(f"last {weeks} weeks" for weeks in SPANS), "level")
PRECISION = 100.0
"""Of the normal prior around no correction: a standard deviation of 0.1 on the scale of logits."""


def surge_traits(counts: NDArray[np.integer], observed: NDArray[np.bool_]) -> Floats:
    r"""Return how the last weeks of each unit compare with its last year.

    With :math:`m_n` the weekly mean over the observed ones of the last n weeks they are, for n of 4 and 12,
    :math:`\log (4 m_n + 1/2) - \log (4 m_{52} + 1/2)`, and the level :math:`\log (1 + 52 m_{52}) - 1`.

    Parameters
    ----------
    counts : ndarray of int, shape (weeks, units)
        Up to the origin.
    observed : ndarray of bool, shape (weeks, units)

    Returns
    -------
    ndarray, shape (3, units)
        In the order of `TRAITS`. A span without an observed week counts as like the year, a year without as silent.

    Examples
    --------
    >>> counts = np.r_[np.zeros((48, 2)), np.full((4, 2), [3, 0])].astype(int)
    >>> surge_traits(counts, counts >= 0).round(2).tolist()
    [[2.17, 0.0], [1.15, 0.0], [1.56, -1.0]]
    """
    units = counts.shape[1]
    year = _mean(counts[-YEAR:], observed[-YEAR:], np.zeros(units))
    usual = np.log(4 * year + 0.5)
    recent = [np.log(4 * _mean(counts[-n:], observed[-n:], year) + 0.5) - usual for n in SPANS]
    return np.stack([*recent, np.log1p(YEAR * year) - 1])


def _mean(counts: NDArray[np.integer], observed: NDArray[np.bool_], otherwise: Floats) -> Floats:
    seen = observed.sum(axis=0)
    total = (counts * observed).sum(axis=0, dtype=np.float64)
    return np.asarray(np.divide(total, seen, out=otherwise.copy(), where=seen > 0))


@dataclass(frozen=True, eq=False)
class SurgeMaps:
    r"""Corrections by class c and traits z.

    .. math:: \operatorname{logit} G(p) = \operatorname{logit} p + (\beta + \delta_c)' (1, \operatorname{logit} p, z)

    Parameters
    ----------
    parameters : ndarray, shape (1 + classes, 2 + traits)
        Beta for all units, then what each class c has beyond it; all 0 is the identity.
    """

    parameters: Floats

    def changes(self, kind: int) -> bool:
        """Return whether there is any correction of a class: with too few cases to learn from there is none."""
        return bool((self.parameters[0] + self.parameters[1 + kind]).any())

    def at(self, kind: ArrayLike, traits: ArrayLike) -> LevelMap:
        """Return the map of an array of units, each by its class and traits.

        Parameters
        ----------
        kind : array_like of int, shape (units,)
        traits : array_like, shape (traits, units)

        Examples
        --------
        >>> after_a_surge = SurgeMaps(np.array([[0.0, 0.0, -0.5], [0.0, 0.0, 0.0]]))
        >>> after_a_surge.at([0, 0], [[0.0, 1.0]])([0.5, 0.5]).round(2).tolist()
        [0.5, 0.38]
        """
        return _ByUnit(self.parameters[0] + self.parameters[1 + np.asarray(kind)], np.asarray(traits, np.float64))


@dataclass(frozen=True, eq=False)
class _ByUnit:
    """The maps of units: their parameters, shape (units, 2 + traits), and traits, shape (traits, units)."""

    parameters: Floats
    traits: Floats

    def __call__(self, level: ArrayLike) -> Floats:
        stated = np.asarray(level, dtype=np.float64)
        shift, slope, effect = self.parameters[:, 0], self.parameters[:, 1], self.parameters[:, 2:]
        steep = np.maximum(1 + slope, 0.0)  # a higher probability never becomes the lower one
        return np.asarray(expit(shift + steep * _logit(stated) + (effect.T * self.traits).sum(axis=0)))


def fit_surge_maps(
    probability: ArrayLike,
    outcome: ArrayLike,
    kind: ArrayLike,
    traits: ArrayLike,
    *,
    classes: int,
    weight: ArrayLike | None = None,
    precision: float = PRECISION,
    least: float = LEAST,
) -> SurgeMaps:
    r"""Return the corrections that past probabilities ask for: a logistic regression drawn to none.

    .. math:: \max_{\beta, \delta} \sum_i w_i \big(y_i \log G_i + (1 - y_i) \log (1 - G_i)\big)
              - \tfrac{\kappa}{2} \big(|\beta|^2 + \textstyle\sum_c |\delta_c|^2\big)

    with the logit of p as an offset. The effects of a class are what it has beyond those of all, so that a class of
    few cases keeps these (a multilevel logistic regression with fixed variances).

    Parameters
    ----------
    probability, outcome : array_like, shape (cases,)
        As for `forecast.combination.event_maps.fit_logit_map`.
    kind : array_like of int, shape (cases,)
        Class of the unit, below `classes`.
    traits : array_like, shape (cases, traits)
        As of `surge_traits` at the origin of each case.
    classes : int
    weight : array_like, shape (cases,), optional
        What each case counts for.
    precision : float
        :math:`\kappa`.
    least : float
        With a smaller sum of weights there is no correction.

    Raises
    ------
    InputError
        If shapes or values do not fit.

    References
    ----------
    Recalibration with covariates: Cox (1958), doi:10.1093/biomet/45.3-4.562; shrinkage: le Cessie & van Houwelingen
    (1992), doi:10.2307/2347628.

    Examples
    --------
    Of what was given one half, half came true, but after a surge (the trait) a fifth:

    >>> came, surge = [1] * 500 + [0] * 500 + [1] * 200 + [0] * 800, [0] * 1000 + [1] * 1000
    >>> maps = fit_surge_maps([0.5] * 2000, came, [0] * 2000, np.array(surge)[:, None], classes=1, precision=1.0)
    >>> maps.at([0, 0], [[0, 1]])([0.5, 0.5]).round(2).tolist()
    [0.5, 0.2]
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    group, z = np.asarray(kind), np.asarray(traits, dtype=np.float64)
    if p.ndim != 1 or not p.shape == y.shape == group.shape == z.shape[:1] or z.ndim != 2:
        raise InputError(
            f"probabilities {p.shape}, outcomes {y.shape}, classes {group.shape}, traits {z.shape}",
            expected="(cases,) three times and (cases, traits)",
        )
    each = case_weights(len(p), weight)
    known = np.isfinite(p) & np.isfinite(y)
    p, y, group, z, each = p[known], y[known], group[known].astype(np.intp), z[known], each[known]
    if not (((p >= 0) & (p <= 1)).all() and np.isin(y, (0, 1)).all() and ((group >= 0) & (group < classes)).all()):
        raise InputError("probabilities outside [0, 1], outcomes other than 0 and 1, or classes that there are not")
    x, offset = np.column_stack([np.ones(len(p)), _logit(p), z]), _logit(p)
    shape = (1 + classes, x.shape[1])
    if each.sum() < least or not len(p):
        return SurgeMaps(np.zeros(shape))

    def loss(flat: Floats) -> tuple[float, Floats]:
        beta = flat.reshape(shape)
        eta = offset + (x * (beta[0] + beta[1 + group])).sum(axis=1)
        value = each @ (np.logaddexp(0.0, eta) - y * eta) + 0.5 * precision * (flat @ flat)
        pull = (each * (expit(eta) - y))[:, None] * x
        by_class = np.column_stack([np.bincount(group, column, classes) for column in pull.T])
        slope = np.vstack([by_class.sum(axis=0), by_class]) + precision * beta
        return float(value / each.sum()), slope.ravel() / each.sum()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-9})
    return SurgeMaps(found.x.reshape(shape))


def _logit(probability: Floats) -> Floats:
    p = np.clip(probability, NEAREST, 1 - NEAREST)
    return np.asarray(np.log(p) - np.log1p(-p))
