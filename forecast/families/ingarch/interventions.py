"""Interventions in a series: their course, the score test at a known week, the search over unknown weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from forecast.errors import ForecastError, InputError
from forecast.families.ingarch.series import Distribution, Series, SeriesFit, fit_series

Floats = NDArray[np.float64]


def intervention_course(age: Floats | NDArray[np.integer], decay: float) -> Floats:
    """Return ``decay ** age`` from age 0 on, and 0 before.

    Parameters
    ----------
    age : ndarray
        Weeks since the intervention.
    decay : float
        0 is a spiky outlier, 1 a level shift, between them a transient shift.

    Examples
    --------
    >>> intervention_course(np.arange(-1, 3), 0.5)
    array([0.  , 1.  , 0.5 , 0.25])
    """
    since = np.asarray(age, np.float64)
    return np.where(since >= 0, np.float64(decay) ** np.maximum(since, 0.0), 0.0)


def intervention_covariates(weeks: int, times: Sequence[int], decays: Sequence[float]) -> Floats:
    """Return the courses of interventions as columns, shape (weeks, interventions).

    Parameters
    ----------
    weeks : int
    times : sequence of int
        Positions of the weeks in which they set in, from 0.
    decays : sequence of float
        In [0, 1].

    Raises
    ------
    InputError
        If a time lies outside of the series or a decay is not in [0, 1].
    """
    if len(times) != len(decays):
        raise InputError(f"{len(times)} times and {len(decays)} decays of interventions", expected="as many of each")
    for time, decay in zip(times, decays, strict=True):
        if not 0 <= time < weeks:
            raise InputError(f"intervention in week {time}", expected=f"a position from 0 to {weeks - 1}")
        if not 0 <= decay <= 1:
            raise InputError(f"intervention with decay {decay}", expected="0 to 1")
    courses = [intervention_course(np.arange(weeks) - time, decay) for time, decay in zip(times, decays, strict=True)]
    return np.column_stack(courses) if courses else np.zeros((weeks, 0))


@dataclass(frozen=True)
class ScoreTest:
    """Test of no intervention at known weeks.

    Parameters
    ----------
    statistic : float
    degrees : int
        How many interventions.
    p_value : float
        Of the chi-squared distribution that the statistic has in long series without interventions.
    """

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, eq=False)
class InterventionSearch:
    """Largest score statistic over a window of weeks.

    Parameters
    ----------
    time : int
        Position of the week with the largest statistic.
    statistic : float
    statistics : ndarray, shape (times,)
    p_value : float
        By parametric bootstrap; NaN without one.
    """

    time: int
    statistic: float
    statistics: Floats
    p_value: float


def score_test(fit: SeriesFit, times: Sequence[int], decays: Sequence[float], *, external: bool = False) -> ScoreTest:
    r"""Test whether interventions of given courses set in at given weeks.

    With the score :math:`S_2` of their effects at zero, the information G and the variance :math:`G_1` of the score,

    .. math:: T = S_2' \Sigma^{-1} S_2, \quad
        \Sigma = G_{1,22} - G_{21} G_{11}^{-1} G_{1,12} - G_{1,21} G_{11}^{-1} G_{12}
        + G_{21} G_{11}^{-1} G_{1,11} G_{11}^{-1} G_{12} .

    Parameters
    ----------
    fit : SeriesFit
        Without the interventions.
    times : sequence of int
        Positions of weeks, from 0.
    decays : sequence of float
        0 for a spiky outlier, 1 for a level shift, between them a transient shift.
    external : bool
        Effects do not feed back through past means.

    References
    ----------
    Fokianos & Fried (2010), doi:10.1111/j.1467-9892.2010.00657.x; with the log link (2012),
    doi:10.1177/1471082X1201200401; in tscount Liboschik et al. (2016), doi:10.1080/00207160.2014.949250.
    """
    course = intervention_covariates(len(fit.series.counts), times, decays)
    score, bread, meat = _extended(fit, course, external)
    k = len(fit.theta)
    carried = np.linalg.pinv(bread[:k, :k], hermitian=True) @ bread[:k, k:]
    crossed = carried.T @ meat[:k, k:]
    variance = meat[k:, k:] - crossed - crossed.T + carried.T @ meat[:k, :k] @ carried
    statistic = float(score[k:] @ np.linalg.pinv(variance, hermitian=True) @ score[k:])
    return ScoreTest(statistic, course.shape[1], float(chdtrc(course.shape[1], statistic)))


def search_intervention(
    fit: SeriesFit,
    decay: float,
    *,
    times: Sequence[int] | None = None,
    external: bool = False,
    bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> InterventionSearch:
    """Find the week at which an intervention of a given course is most likely.

    The largest of the score statistics over the window is compared with those of `bootstrap` series that are
    simulated from the fit and fitted anew.

    Parameters
    ----------
    fit : SeriesFit
        Without the intervention.
    decay : float
        As for `score_test`.
    times : sequence of int, optional
        The window, positions from 0; all weeks but the first if not given.
    external : bool
    bootstrap : int
        How many series; 0 for no p value.
    rng : Generator, optional
        Needed with a bootstrap.

    Returns
    -------
    InterventionSearch

    References
    ----------
    Fokianos & Fried (2010), doi:10.1111/j.1467-9892.2010.00657.x. The p value counts the series itself among the
    simulated ones, (1 + larger) / (1 + B): Davison & Hinkley (1997), doi:10.1017/CBO9780511802843.
    """
    window = np.arange(1, len(fit.series.counts)) if times is None else np.asarray(sorted(set(times)), np.intp)
    if not len(window):
        raise InputError("no week to search for an intervention")
    statistics = _statistics(fit, window, decay, external)
    best = int(np.argmax(statistics))
    p_value = np.nan
    if bootstrap:
        if rng is None:
            raise InputError("a bootstrap without a random generator", expected="rng")
        simulated = [_largest_of_simulated(fit, window, decay, external, rng) for _ in range(bootstrap)]
        p_value = (1 + sum(value >= statistics[best] for value in simulated)) / (1 + bootstrap)
    return InterventionSearch(int(window[best]), float(statistics[best]), statistics, p_value)


def with_interventions(series: Series, times: Sequence[int], decays: Sequence[float]) -> Series:
    """Return the series with interventions as further covariates, named ``intervention_1`` and so on."""
    course = intervention_covariates(len(series.counts), times, decays)
    return replace(
        series,
        covariates=np.concatenate([series.covariates, course], axis=1),
        external=(*series.external, *[False] * len(times)),
        names=(*series.names, *[f"intervention_{at + 1}" for at in range(len(times))]),
    )


def _largest_of_simulated(
    fit: SeriesFit, window: NDArray[np.intp], decay: float, external: bool, rng: np.random.Generator
) -> float:
    """Return the largest statistic of a series from the fitted model, refitted; another is drawn if that fails."""
    distribution: Distribution = "negbin" if np.isfinite(fit.size) else "poisson"
    for _ in range(20):
        try:
            again = fit_series(fit.simulate(rng), distribution=distribution, estimator=fit.estimator)
        except ForecastError:
            continue
        return float(_statistics(again, window, decay, external).max())
    raise ForecastError("no simulated series can be fitted\n  try: a model with fewer lags")


def _statistics(fit: SeriesFit, window: NDArray[np.intp], decay: float, external: bool) -> Floats:
    """Return the score statistic of an intervention in each week of the window, from one run of the recursion."""
    course = intervention_covariates(len(fit.series.counts), window.tolist(), [decay] * len(window))
    score, bread, meat = _extended(fit, course, external)
    k = len(fit.theta)
    carried = np.linalg.pinv(bread[:k, :k], hermitian=True) @ bread[:k, k:]
    variance = np.diag(meat)[k:] - 2 * (carried * meat[:k, k:]).sum(axis=0)
    variance = variance + np.einsum("iw,ij,jw->w", carried, meat[:k, :k], carried)
    safe = np.where(variance > 1e-12, variance, np.inf)
    return np.asarray(score[k:] ** 2 / safe)


def _extended(fit: SeriesFit, course: Floats, external: bool) -> tuple[Floats, Floats, Floats]:
    """Return score, information and its variance at the fit, of the model with further effects that are zero."""
    series = fit.series
    wider = replace(
        series,
        covariates=np.concatenate([series.covariates, course], axis=1),
        external=(*series.external, *[external] * course.shape[1]),
    )
    mean, gradient = wider.mean(np.r_[fit.theta, np.zeros(course.shape[1])])
    y, m, d = series.counts[series.first :], mean[series.first :], gradient[series.first :]
    variance = m * (1 + m / fit.size)
    assumed = m if fit.estimator == "quasi" else variance
    score = ((y - m) / assumed) @ d
    return score, (d.T / assumed) @ d, (d.T * (variance / assumed**2)) @ d
