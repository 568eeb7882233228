"""INGARCH models of a single series, estimated as in tscount or by maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from forecast.errors import ForecastError, InputError
from forecast.families.ingarch.likelihood import POISSON, dispersion_likelihood, likelihood, pearson_size
from forecast.families.ingarch.order import INSIDE, Order, check_covariates, check_stationary
from forecast.families.ingarch.recursion import recursion, simulate_paths
from forecast.families.parameters import parameter_table
from forecast.predictive import negbin

Floats = NDArray[np.float64]
Distribution = Literal["poisson", "negbin"]
Estimator = Literal["quasi", "likelihood"]
Start = Literal["marginal", "iid"]

LOG_SIZE_BOUNDS = (-7.0, 14.0)
BURN_IN = 500
"""Weeks that are simulated before the first one, so that the start is forgotten."""


@dataclass(frozen=True, eq=False)
class Series:
    """Counts of one series with their covariates, and the conventions of the start.

    Parameters
    ----------
    counts : ndarray, shape (weeks,)
    order : Order
    covariates : ndarray, shape (weeks, R)
        Named ``covariate_1`` and so on unless `names` are given.
    external : tuple of bool
        Covariates whose effect does not feed back through past means.
    names : tuple of str
    start : {"marginal", "iid"}
        Weeks before the first one are at the mean of the stationary model without covariates, or at the intercept.
        tscount's `init.method`.
    drop : bool
        Leave the first ``max(past_obs)`` weeks out of the likelihood. tscount's `init.drop`.
    """

    counts: Floats
    order: Order
    covariates: Floats
    external: tuple[bool, ...]
    names: tuple[str, ...]
    start: Start = "marginal"
    drop: bool = False

    @classmethod
    def of(
        cls,
        counts: Sequence[int] | NDArray[np.integer] | Floats,
        order: Order,
        *,
        covariates: Floats | None = None,
        external: Sequence[bool] | None = None,
        names: Sequence[str] | None = None,
        start: Start = "marginal",
        drop: bool = False,
    ) -> Series:
        """Check counts and covariates.

        Raises
        ------
        InputError
            If counts are not whole numbers >= 0, or too few, or covariates do not fit.
        """
        y = np.asarray(counts, np.float64)
        if y.ndim != 1 or not (np.isfinite(y).all() and (y >= 0).all() and (y == np.floor(y)).all()):
            raise InputError("counts of a series", expected="one row of whole numbers >= 0")
        x = check_covariates(covariates, len(y), order)
        flags = (False,) * x.shape[1] if external is None else tuple(bool(flag) for flag in external)
        labels = tuple(f"covariate_{at + 1}" for at in range(x.shape[1])) if names is None else tuple(names)
        if not len(flags) == len(labels) == x.shape[1]:
            raise InputError(f"{len(flags)} flags and {len(labels)} names of {x.shape[1]} covariates")
        found = cls(y, order, x, flags, labels, start, drop)
        if len(y) - found.first <= 1 + order.lags + x.shape[1]:
            raise InputError(f"a series of {len(y)} weeks", expected="more weeks than parameters")
        return found

    @property
    def first(self) -> int:
        """Position of the first week of the likelihood."""
        return max(self.order.past_obs, default=0) if self.drop else 0

    def parameter_names(self) -> list[str]:
        """Return the names of the parameters of the mean."""
        return ["intercept", *self.order.names(), *self.names]

    def mean(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return mean and gradient of every week, shapes (weeks,) and (weeks, parameters)."""
        lags, weeks = self.order.lags, len(self.counts)
        start, slope = np.zeros(2), np.zeros((2, len(theta)))
        left = 1.0 - theta[1 : 1 + lags].sum()
        if self.start == "marginal":
            start[:] = theta[0] / left
            slope[:, 0] = 1 / left
            slope[:, 1 : 1 + lags] = theta[0] / left**2
        else:
            start[:] = theta[0]
            slope[:, 0] = 1.0
        found = recursion(
            self.counts,
            np.ones(weeks, np.bool_),
            np.zeros(weeks),
            np.zeros((weeks, 0)),
            self.covariates,
            np.array(self.external, np.bool_),
            theta,
            *self.order.arrays(),
            start,
            slope,
        )
        return found[0], found[1]

    def score(self, theta: Floats, dispersion: Floats) -> tuple[float, Floats, Floats]:
        """Return log likelihood, score and information of the parameters of the mean."""
        mean, gradient = self.mean(theta)
        weight = np.ones(len(mean))
        weight[: self.first] = 0.0
        value, score, information, _ = likelihood(
            self.counts, np.ones(len(mean), np.bool_), weight, mean, gradient, dispersion
        )
        return value, score, information


@dataclass(frozen=True, eq=False)
class SeriesFit:
    """Estimates of one series.

    Parameters
    ----------
    series : Series
    theta : ndarray, shape (parameters,)
        Intercept, coefficients of past counts and of past means, effects of the covariates.
    size : float
        ``inf`` for the Poisson.
    covariance : ndarray, shape (parameters, parameters)
    log_likelihood : float
        Of `size`, also where the mean was estimated by quasi-likelihood.
    mean : ndarray, shape (weeks,)
        Fitted means.
    estimator : {"quasi", "likelihood"}
    """

    series: Series
    theta: Floats
    size: float
    covariance: Floats
    log_likelihood: float
    mean: Floats
    estimator: Estimator

    @property
    def sigmasq(self) -> float:
        """``1 / size``, the dispersion as tscount reports it."""
        return 1.0 / self.size

    def summary(self) -> pd.DataFrame:
        """Return estimates and standard errors; index ``parameter``."""
        values = dict(zip(self.series.parameter_names(), self.theta.tolist(), strict=True))
        errors = dict(zip(values, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))
        if np.isfinite(self.size):
            values["size"] = self.size
        return parameter_table(values, errors)

    def simulate(self, rng: np.random.Generator) -> Series:
        """Return another series of the same length from the fitted model, with the same covariates."""
        series, weeks = self.series, len(self.series.counts)
        columns = series.covariates.shape[1]
        level = self.theta[0] / (1 - self.theta[1 : 1 + series.order.lags].sum())
        before = np.full((series.order.longest, 1), level)
        log_size = np.log(self.size)
        paths, _, _ = simulate_paths(
            before,
            before,
            self.theta[None],
            np.zeros((BURN_IN + weeks, 1)),
            np.concatenate([np.zeros((BURN_IN, columns)), series.covariates])[:, None],
            np.array(series.external, np.bool_),
            *series.order.arrays(),
            np.array([log_size, 0.0]),
            1e9,
            1,
            rng,
        )
        return replace(series, counts=paths[0, BURN_IN:, 0].astype(np.float64))


def fit_series(series: Series, *, distribution: Distribution = "poisson", estimator: Estimator = "quasi") -> SeriesFit:
    r"""Fit an INGARCH model to one series.

    The Poisson likelihood is maximised within the stationary region (identity link: coefficients :math:`\ge 0` with a
    sum below 1; log link: coefficients and their sum below 1 in size). With counts that are negative binomial this is
    a quasi-likelihood, and the size follows from the Pearson statistic; ``estimator="likelihood"`` maximises
    the negative binomial likelihood over mean and size together.

    Parameters
    ----------
    series : Series
    distribution : {"poisson", "negbin"}
    estimator : {"quasi", "likelihood"}
        The same for the Poisson.

    Returns
    -------
    SeriesFit
        Standard errors from the information, and for the quasi-likelihood from the sandwich with the
        negative binomial variance. They hold inside of the region, not at its limits.

    Raises
    ------
    ForecastError
        If no start converges.

    References
    ----------
    Liboschik, Fokianos & Fried (2017), doi:10.18637/jss.v082.i05; Christou & Fokianos (2014), doi:10.1111/jtsa.12050.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fit = fit_series(Series.of(rng.poisson(4.0, 300), Order((1,), ())))
    >>> bool(abs(fit.mean.mean() - 4) < 0.3)
    True
    """
    joint = distribution == "negbin" and estimator == "likelihood"
    theta = _best(series, POISSON, None)
    mean, gradient = series.mean(theta)
    used = slice(series.first, None)
    y, m, d = series.counts[used], mean[used], gradient[used]
    size = pearson_size(y, m, len(theta)) if distribution == "negbin" else np.inf
    if joint:
        guess = np.clip(np.log(size), *LOG_SIZE_BOUNDS)
        packed = _best(series, np.array([guess, 0.0]), theta)
        theta, size = packed[:-1], float(np.exp(packed[-1]))
        mean, gradient = series.mean(theta)
        m, d = mean[used], gradient[used]
    variance = m * (1 + m / size)
    bread = np.linalg.pinv((d.T / (variance if joint else m)) @ d, hermitian=True)
    covariance = np.asarray(bread if joint else bread @ ((d.T * (variance / m**2)) @ d) @ bread)
    value = float(negbin.logpmf(y, m, size).sum())
    return SeriesFit(series, theta, size, covariance, value, mean, estimator)


def _best(series: Series, dispersion: Floats, theta: Floats | None) -> Floats:
    """Return the parameters of largest likelihood over several starts; with a finite dispersion its logarithm last.

    `theta` is a start of its own; the others share the past between counts and means in different ways.
    """
    lags, columns = series.order.lags, series.covariates.shape[1]
    joint = bool(np.isfinite(dispersion[0]))
    found, highest = None, -np.inf
    starts = [] if theta is None else [theta]
    starts += [_start(series, share) for share in (0.0, 0.3, 0.7)]
    identity = series.order.link == "identity"
    inside = (INSIDE, 1 - INSIDE) if identity else (-1 + INSIDE, 1 - INSIDE)
    bounds = [(INSIDE, None) if identity else (None, None), *[inside] * lags]
    bounds += [(0.0, None) if identity else (None, None)] * columns + [LOG_SIZE_BOUNDS] * joint
    ones = np.r_[0.0, np.ones(lags), np.zeros(columns + joint)]
    least = -np.inf if identity else -1 + INSIDE
    constraints = [LinearConstraint(ones[None], least, 1 - INSIDE)] if lags else []
    scale = float(len(series.counts))
    weight = np.r_[np.zeros(series.first), np.ones(len(series.counts) - series.first)]

    def objective(x: Floats) -> tuple[float, Floats]:
        mean_part = x[:-1] if joint else x
        noise = np.array([x[-1], 0.0]) if joint else dispersion
        value, score, _ = series.score(mean_part, noise)
        if joint and np.isfinite(value):
            mean = np.maximum(series.mean(mean_part)[0], 1e-300)
            known = np.ones((len(mean), 1), np.bool_)
            _, slope = dispersion_likelihood(series.counts[:, None], known, weight, mean[:, None], noise)
            score = np.r_[score, slope[0]]
        if not np.isfinite(value):
            return 1e10, np.zeros(len(x))
        return -value / scale, -score / scale

    for start in starts:
        at = np.r_[start, dispersion[0]] if joint else start
        result = minimize(
            objective,
            at,
            jac=True,
            method="SLSQP",
            bounds=bounds,
            constraints=constraints,
            options={"ftol": 1e-13, "maxiter": 500},
        )
        if result.success and np.isfinite(result.fun) and -result.fun > highest + 1e-12:
            found, highest = np.asarray(result.x), -float(result.fun)
    if found is None:
        raise ForecastError("the fit of the series does not converge from any start\n  try: fewer lags or covariates")
    check_stationary(series.order, found[1 : 1 + lags])
    return found


def _start(series: Series, share: float) -> Floats:
    """Return parameters with the mean of the series, of which `share` comes from the past."""
    order, columns = series.order, series.covariates.shape[1]
    theta = np.zeros(1 + order.lags + columns)
    if order.lags:
        theta[1 : 1 + order.lags] = share / order.lags
    y = series.counts.mean()
    level = np.log(max(y, 1e-3)) if order.link == "log" else max(y, 1e-3)
    theta[0] = level * (1 - theta[1 : 1 + order.lags].sum())
    return theta
