"""The family: settings, fit, forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.direct_endemic.estimate import Prior, penalised_maximum
from forecast.families.direct_endemic.likelihood import LinearCases, moments
from forecast.families.direct_endemic.rates import RateMemory, rate_memory
from forecast.families.direct_endemic.terms import TermSettings, epidemic_terms
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import panel_level, require_observed
from forecast.families.season import LEAST_WEEKS, Season
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast
from forecast.predictive.negbin import mixture_pmf

Floats = NDArray[np.float64]

LEAST_WEIGHT = 2e-3
"""Weeks whose likelihood weight has fallen below this are left out."""
USUAL_OWN, USUAL_MEAN, USUAL_CONSTANT = 0.75, 0.15, 0.05
"""Before any data: weight of the unit's recent weeks (shared evenly), of all its weeks, and of the pooled level."""
USUAL_SIZE = (0.5, 1.0)
"""Before any data: intercept and slope of the log size; the variance is 1.6 times the mean."""
SIZE_PRECISION = (64.0, 256.0)
"""Of the prior on these two. The slope is firm: where little is known it would follow a few large counts."""


class DirectEndemic(Family):
    r"""Endemic-epidemic regression on de-seasonalised, exponentially weighted means, one fit a horizon.

    The count h weeks after week t has the negative binomial distribution with mean and size

    .. math::
        \mu = e_i S_i(t + h) \Big(c_h + \sum_k b_{hk} x_{ik}(t)\Big), \qquad
        r = \exp(s_{h0} + s_{h1} \log \mu), \qquad c_h, b_{hk} \ge 0,

    with exposure e and annual season S. The terms x are exponentially weighted means of :math:`y / (e S)`: of the unit
    itself at several speeds and over all its weeks, of the mean of its adjacent units, of its country, and of all
    other units weighed by ``exp(-distance / length)``. Each horizon has coefficients of its own ("direct" forecasts),
    so that nothing is iterated and no path can feed on itself. What the counts of several weeks have in common is
    carried by the gamma rates behind the negative binomials (`RateMemory`), which leaves each week's distribution as
    it is.

    Parameters
    ----------
    terms : TermSettings
    horizons : int
        Horizons with a fit of their own; those beyond take the last one's, at their own season.
    half_life_weeks : float
        A week so much older counts half in the likelihood.
    ridge : float
        Precision of the normal prior on the coefficients: around the usual ones (`USUAL_OWN`, ..) one week ahead, and
        around those of the horizon before it further on.
    prior_events : float
        Events that the constant takes as seen before any data, so that a silent panel keeps a rate.
    harmonics : int
        Of the season; 0 for none.
    season_half_life_weeks, season_pooling : float
        As in `Season.estimate`.
    largest_multiple : float
        A mean is at most this multiple of the largest count ever seen (at least 1).

    References
    ----------
    Held, Hoehle & Hofmann (2005), doi:10.1191/1471082X05st098oa; geometric lag weights: Bracher & Held (2022),
    doi:10.1016/j.ijforecast.2020.07.002; direct against iterated forecasts: Marcellino, Stock & Watson (2006),
    doi:10.1016/j.jeconom.2005.07.020.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> DirectEndemic().fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "direct_endemic"

    terms: TermSettings = TermSettings()
    horizons: Annotated[int, Field(ge=1, le=26)] = 8
    half_life_weeks: Annotated[float, Field(ge=1)] = 104
    ridge: Annotated[float, Field(gt=0)] = 256.0
    prior_events: Annotated[float, Field(gt=0)] = 0.5
    harmonics: Annotated[int, Field(ge=0, le=4)] = 1
    season_half_life_weeks: Annotated[float, Field(ge=1)] = 520
    season_pooling: Annotated[float, Field(ge=0)] = 1.0
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedDirectEndemic:
        """Estimate the season, then the coefficients of each horizon; `rng` is not used.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        return self._fit(panel, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedDirectEndemic:
        """Estimate anew, beginning at the parameters of an earlier fit of the same settings."""
        if isinstance(start, FittedDirectEndemic) and start.family.terms == self.terms:
            return self._fit(panel, start.parameters)
        return self._fit(panel, None)

    def _fit(self, panel: Panel, start: Floats | None) -> FittedDirectEndemic:
        require_observed(panel)
        remarks = []
        if not panel.counts.any(where=panel.observed):
            remarks.append(f"no event in the history: rates are as after {self.prior_events:g} events in all of it")
        season = Season.none()
        if self.harmonics:
            season = Season.estimate(
                panel,
                half_life_weeks=self.season_half_life_weeks,
                harmonics=self.harmonics,
                pooling=self.season_pooling,
            )
            if len(panel.weeks) < LEAST_WEEKS:
                remarks.append(
                    f"no season: a history of {len(panel.weeks)} weeks holds less than the two years it takes"
                )
        exposure = float(panel.exposure.mean())
        scale = season.factors(panel.weeks, panel.units) * (panel.exposure / exposure)
        terms = epidemic_terms(self.terms, panel, scale)
        weight = _weights(panel, self.half_life_weeks)
        prior = self._prior(float((panel_level(panel) / scale.mean(axis=0)).mean()))
        parameters = np.empty((self.horizons, len(prior.centre)))
        lost = []
        for ahead in range(1, self.horizons + 1):
            if not (panel.observed[ahead:] & (weight[ahead:, None] > 0)).any():
                parameters[ahead - 1 :] = prior.centre
                fitted = f"those {ahead - 1} ahead are" if ahead > 1 else "usual ones are"
                remarks.append(f"no coefficients {ahead} weeks ahead: the history is too short, and {fitted} taken")
                break
            cases = LinearCases(terms, scale, panel.counts, panel.observed, weight, ahead)
            begin = None if start is None or ahead > len(start) else start[ahead - 1]
            found = penalised_maximum(cases, prior, begin)
            parameters[ahead - 1] = found.parameters
            lost += [] if found.converged else [str(ahead)]
            prior = prior.moved(found.parameters)
        if lost:
            remarks.append(
                f"the fit {', '.join(lost)} weeks ahead did not converge from three starts; the best is taken"
            )
        memory = rate_memory(parameters, terms, scale, panel, weight)
        largest = int(panel.counts.max(where=panel.observed, initial=1))
        return FittedDirectEndemic(panel, self, season, exposure, parameters, memory, largest, tuple(remarks))

    def _prior(self, level: float) -> Prior:
        own = np.full(len(self.terms.own), USUAL_OWN / len(self.terms.own))
        around = np.zeros(len(self.terms.names) - len(own) - 2)
        centre = np.r_[USUAL_CONSTANT * level, own, USUAL_MEAN, around, USUAL_SIZE]
        precision = np.r_[np.full(len(centre) - 2, self.ridge), SIZE_PRECISION]
        return Prior(centre, precision, self.prior_events, level)


@dataclass(frozen=True, eq=False)
class FittedDirectEndemic(Fitted):
    """Coefficients of each horizon, and the panel whose last weeks they are applied to.

    Parameters
    ----------
    panel : Panel
    family : DirectEndemic
    season : Season
    mean_exposure : float
        Of the units of the fit; the constant belongs to a unit of this exposure.
    parameters : ndarray, shape (horizons, terms + 2)
        Constant, coefficients, intercept and slope of the log size.
    memory : RateMemory
    largest_fitted : int
        Largest count of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: DirectEndemic
    season: Season
    mean_exposure: float
    parameters: Floats
    memory: RateMemory
    largest_fitted: int
    remarks: tuple[str, ...] = ()

    def moments(self, horizon: int) -> tuple[Floats, Floats]:
        """Return mean and size of the coming weeks, each of shape (horizon, units)."""
        panel = self.panel
        exposure = panel.exposure / self.mean_exposure
        past = self.season.factors(panel.weeks, panel.units) * exposure
        last = epidemic_terms(self.family.terms, panel, past)[-1]
        rows = self.parameters[np.minimum(np.arange(horizon), len(self.parameters) - 1)]
        scale = self.season.factors(self.target_weeks(horizon), panel.units) * exposure
        cap = self.family.largest_multiple * panel.counts.max(where=panel.observed, initial=self.largest_fitted)
        return moments(np.minimum(scale * (rows[:, :-2] @ last.T), cap), rows[:, -2:])

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw paths whose weeks share part of their rate; the pmf is exact."""
        mean, size = self.moments(horizon)
        paths = self.memory.sample(mean, size, draws, rng)
        return Forecast(paths, mixture_pmf(mean[None], size[None]), self.target_weeks(horizon), self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Return the same parameters and season, applied to the last weeks of `panel`."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return the parameters of each horizon, what weeks have in common, and how strong each country's season is."""
        names = [*self.family.terms.names, "log size", "log size by log mean"]
        values = {
            f"{name}, {ahead} ahead": value
            for ahead, row in enumerate(self.parameters.tolist(), start=1)
            for name, value in zip(names, row, strict=True)
        }
        values |= {"rate in common": self.memory.common, "persistence of it": self.memory.persistence}
        values |= {f"season, {name}": value for name, value in self.season.amplitude().items()}
        return parameter_table(values)


def _weights(panel: Panel, half_life: float) -> Floats:
    """Return the likelihood weight of each week, 1 for the last that is observed, shape (weeks,)."""
    last = np.flatnonzero(panel.observed.any(axis=1))[-1]
    weight = 0.5 ** ((last - np.arange(len(panel.weeks))) / half_life)
    return np.where((weight < LEAST_WEIGHT) | (weight > 1), 0.0, weight)
