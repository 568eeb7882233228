r"""Level, slope and season of each country's counts, filtered forward with a discount of their own.

The log rate of a country is :math:`F_t' \theta_t`: a level, a damped slope that moves it, and the waves of a year. The
state moves by :math:`\theta_t = G \theta_{t-1} + \omega_t`; what is known of level, slope and season fades by a
discount for each, down to what was known before any data. Before each week the log rate has mean f and variance q; the
gamma distribution of the rate with these (:math:`\psi(\alpha) - \log \beta = f,\ \psi'(\alpha) = q`) takes up the
count, and the change of f and q moves the state by linear Bayes. Counts that scatter more than Poisson ones count for
less, by the discounted ratio of their squared errors to their means.

West, Harrison & Migon (1985), doi:10.1080/01621459.1985.10477131.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import polygamma, psi

Floats = NDArray[np.float64]

PLAIN, CYCLIC = 0, 1
"""The two outlooks: without and with the season and the slope of the country."""
OUTLOOKS = 2
YEAR_DAYS = 365.25
START_RATE, START_VARIANCE = 0.05, 1.0
"""Before any data: events a week of a unit, and variance of the logarithm."""
LARGEST_VARIANCE = 4.0
"""A level that is not observed for long is no less known than this."""
SCATTER_WEEKS, SCATTER_START, SCATTER_DECAY, LARGEST_SCATTER = 8.0, 2.0, 0.99, 50.0
"""Of the ratio of squared errors to means: what it is before any data and how many weeks that counts, how it forgets,
and the largest of a single week."""
NEWTON_STEPS = 6


class CountrySettings(BaseModel):
    """How the filters of the countries forget.

    Parameters
    ----------
    level_discount : float
        0.94 remembers about 17 weeks.
    slope_persistence : float
        How much of a slope is left after a week.
    slope_discount : float
        0.8 forgets within weeks; from `slope_persistence` squared on, damping is the faster and soon no slope is left.
    slope_scale : float
        Standard deviation of the slope before any data, log rate a week, and the most that discounting leads to; 0 for
        none.
    season_discount : float
        0.998 remembers about 10 years.
    season_scale : float
        Standard deviation of each coefficient of the season before any data, and the most that discounting leads to.
    harmonics : int
        Of the season; 0 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level_discount: Annotated[float, Field(gt=0, lt=1)] = 0.94
    slope_persistence: Annotated[float, Field(ge=0, lt=1)] = 0.9
    slope_discount: Annotated[float, Field(gt=0, le=1)] = 0.8
    slope_scale: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    season_discount: Annotated[float, Field(gt=0, le=1)] = 0.998
    season_scale: Annotated[float, Field(ge=0, le=1)] = 0.4
    harmonics: Annotated[int, Field(ge=0, le=4)] = 1


@dataclass(frozen=True, eq=False)
class CountryBelief:
    """What the weeks so far say of the countries.

    Parameters
    ----------
    mean : ndarray, shape (countries, 2 + 2 * harmonics)
        Log level for a unit of mean exposure, slope, coefficients of the season.
    covariance : ndarray, shape (countries, 2 + 2 * harmonics, 2 + 2 * harmonics)
    scatter : ndarray, shape (countries, 2)
        Discounted sums of squared errors in units of the means, and of weeks.
    """

    mean: Floats
    covariance: Floats
    scatter: Floats

    @classmethod
    def start(cls, settings: CountrySettings, countries: int) -> Self:
        """Return what is believed before the first week."""
        waves = 2 * settings.harmonics
        mean = np.r_[np.log(START_RATE), np.zeros(1 + waves)]
        scatter = np.array([SCATTER_START * SCATTER_WEEKS, SCATTER_WEEKS])
        return cls(
            np.tile(mean, (countries, 1)),
            np.tile(np.diag(_variances(settings, START_VARIANCE)), (countries, 1, 1)),
            np.tile(scatter, (countries, 1)),
        )

    def follow(self, settings: CountrySettings, counts: Floats, exposure: Floats, wave: Floats) -> CountryBelief:
        """Return what is believed after one more week.

        Parameters
        ----------
        settings : CountrySettings
        counts : ndarray, shape (countries,)
            Sum over the observed units.
        exposure : ndarray, shape (countries,)
            Sum of their exposures; 0 where none is observed.
        wave : ndarray, shape (2 * harmonics,)
            Sine and cosine of the week.
        """
        mean, covariance = self.evolved(settings)
        seen = exposure > 0
        at = np.r_[1.0, 0.0, wave]
        gain = covariance @ at
        f, q = mean @ at, gain @ at
        alpha = inverse_trigamma(q)
        beta = np.exp(psi(alpha) - f)
        expected = alpha / beta * exposure
        scatter = np.maximum(self.scatter[:, 0] / self.scatter[:, 1], 1.0)
        after, weeks = alpha + np.where(seen, counts, 0.0) / scatter, beta + exposure / scatter
        f_after, q_after = psi(after) - np.log(weeks), polygamma(1, after)
        error = np.minimum((counts - expected) ** 2 / (expected + 0.1), LARGEST_SCATTER)
        moved = mean + gain * ((f_after - f) / q)[:, None]
        known = covariance - (gain[:, :, None] * gain[:, None, :]) * ((1 - q_after / q) / q)[:, None, None]
        return CountryBelief(
            np.where(seen[:, None], moved, mean),
            np.where(seen[:, None, None], known, covariance),
            np.where(seen[:, None], SCATTER_DECAY * self.scatter + np.stack([error, seen], axis=1), self.scatter),
        )

    def evolved(self, settings: CountrySettings) -> tuple[Floats, Floats]:
        """Return mean and covariance a week on."""
        size = self.mean.shape[1]
        move = np.eye(size)
        move[0, 1], move[1, 1] = 1.0, settings.slope_persistence
        covariance = move @ self.covariance @ move.T
        covariance[:, 0, 0] /= settings.level_discount
        covariance[:, 1, 1] /= settings.slope_discount
        covariance[:, 2:, 2:] /= settings.season_discount
        # Discounting never leads to less than was known before any data.
        most = _variances(settings, LARGEST_VARIANCE)
        variance = np.einsum("gii->gi", covariance)
        shrink = np.sqrt(np.minimum(np.divide(most, variance, out=np.ones_like(variance), where=variance > 0), 1.0))
        return self.mean @ move.T, covariance * shrink[:, :, None] * shrink[:, None, :]

    def scales(self, settings: CountrySettings, wave: Floats, ahead: int) -> Floats:
        """Return what multiplies the levels of units some weeks ahead, shape (outlooks, countries).

        Without and with season and slope. The season has mean 1 over a year; growth is by a factor of e at most, as
        slopes are damped.

        Parameters
        ----------
        settings : CountrySettings
        wave : ndarray, shape (2 * harmonics,)
            Of the target week.
        ahead : int
            0 for the last week.
        """
        year = _harmonics(np.arange(52) / 52, settings.harmonics)
        season = np.exp(self.mean[:, 2:] @ wave) / np.exp(self.mean[:, 2:] @ year.T).mean(axis=1)
        rho = settings.slope_persistence
        growth = np.exp(np.clip(self.mean[:, 1] * rho * (1 - rho**ahead) / (1 - rho), -1.0, 1.0))
        return np.stack([np.ones_like(season), season * growth])


def waves(weeks: pd.DatetimeIndex, harmonics: int) -> Floats:
    """Return sine and cosine of each harmonic, shape (weeks, 2 * harmonics)."""
    days = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
    return _harmonics(days / YEAR_DAYS, harmonics)


def inverse_trigamma(value: Floats) -> Floats:
    """Return x with ``polygamma(1, x) = value``, by Newton steps on its reciprocal, which is nearly linear.

    To rounding for values up to 100; the variances of log rates here are below 15.

    Examples
    --------
    >>> inverse_trigamma(polygamma(1, np.array([0.1, 2.0, 30.0]))).round(9)
    array([ 0.1,  2. , 30. ])
    """
    x = 0.5 + 1 / value
    for _ in range(NEWTON_STEPS):
        trigamma = polygamma(1, x)
        x = x + trigamma * (1 - trigamma / value) / polygamma(2, x)
    return np.asarray(x)


def _variances(settings: CountrySettings, level: float) -> Floats:
    return np.asarray(np.r_[level, settings.slope_scale**2, np.full(2 * settings.harmonics, settings.season_scale**2)])


def _harmonics(year: Floats, harmonics: int) -> Floats:
    angle = 2 * np.pi * np.outer(year, np.arange(1, harmonics + 1))
    return np.asarray(np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(len(year), 2 * harmonics))
