"""The family: regimes of a hidden Markov chain, pooled over units, around the slow level of each unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.hidden_markov.coordinates import Coordinates
from forecast.families.hidden_markov.estimate import Estimates, estimate, estimate_from
from forecast.families.hidden_markov.filtering import most_probable_path, smooth
from forecast.families.hidden_markov.levels import unit_levels
from forecast.families.hidden_markov.likelihood import Cases
from forecast.families.hidden_markov.prediction import marginals, paths
from forecast.families.hidden_markov.regimes import waves
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.families.season import LEAST_WEEKS, Season
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]
HalfLife = Annotated[float, Field(ge=1)]

FEW_EVENTS = 20
"""With fewer in the fit, the regimes are rather those of the prior."""


class HiddenMarkov(Family):
    r"""Hidden Markov negative binomial: every unit is in one of a few regimes, and moves between them by chance.

    In regime :math:`z_{ti}` the count of unit i in week t is

    .. math:: y_{ti} \sim NB(m, k),\quad m = L_{ti} \, s_{ti} \, \rho_z,\quad 1/k = 1/\kappa_z + c/m,\qquad
              P(z_{ti} = q \mid z_{t-1,i} = r) = \Gamma_{rq}(t) .

    :math:`L_{ti}` is the unit's own level, discounted means of its past counts drawn to its country's
    (`forecast.families.hidden_markov.levels`), s the season of the country times the exposure. Ratios
    :math:`\rho`, sizes :math:`\kappa`, excess c and transitions :math:`\Gamma` are the same for all units, so that
    a unit is in its high regime by its own standards. Each unit has a chain of its own.

    They maximise the predictive likelihood of all weeks, weighted by age, under weak priors, by L-BFGS with the exact
    gradient of the scaled forward recursion, from several starts. Regimes are numbered by ascending ratio.

    The forecast is exact given the parameters and the level: the filtered probabilities of the regimes go through the
    transition matrix week by week, and the counts of each week are a mixture of as many negative binomials.

    Parameters
    ----------
    regimes : {2, 3, 4}
        At most; what the data do not tell apart is merged, with a remark.
    distribution : {"negbin", "poisson"}
        Of the counts in a regime.
    excess : bool
        Whether counts scatter more than a Poisson also where the mean is small (c).
    half_life_weeks : float or None
        A week so much older counts half in the likelihood. None: all alike.
    level_half_lives : tuple of float
        Weeks after which a count weighs half in the unit's level, which is the mean over them: some fast, some slow.
        Empty: one level for all weeks, which is the textbook's model.
    pooling : float
        Events at the country's level that are added to each unit's own.
    season : bool
        Whether the means have an annual season (`forecast.families.season`).
    season_half_life_weeks : float
        Of the season's likelihood.
    seasonal_transitions : bool
        Whether the odds of going into a regime have an annual wave, common to all units.
    persistence, persistence_weeks : float
        Prior probability to stay in a regime for another week, and the weeks in each regime that it counts as.
    starts : int
        Of the search.

    References
    ----------
    Zucchini, MacDonald & Langrock (2016), doi:10.1201/b20790.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=120, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> high = np.repeat(rng.random((12, 2)) < 0.4, 10, axis=0)
    >>> panel = Panel.of(rng.poisson(np.where(high, 6.0, 0.5)), weeks, Units.of(["A", "B"]))
    >>> fitted = HiddenMarkov(regimes=2, season=False).fit(panel, rng)
    >>> fitted.regime_probabilities().to_numpy().argmax(axis=1) == high[-1]
    array([ True,  True])
    """

    family: ClassVar[str] = "hidden_markov"

    regimes: Literal[2, 3, 4] = 3
    distribution: Literal["negbin", "poisson"] = "negbin"
    excess: bool = True
    half_life_weeks: HalfLife | None = 208
    level_half_lives: tuple[HalfLife, ...] = (13, 52)
    pooling: Annotated[float, Field(gt=0)] = 0.3
    season: bool = True
    season_half_life_weeks: HalfLife = 520
    seasonal_transitions: bool = False
    persistence: Annotated[float, Field(gt=0, lt=1)] = 0.9
    persistence_weeks: Annotated[float, Field(gt=0)] = 20
    starts: Annotated[int, Field(ge=1, le=50)] = 4

    @property
    def free(self) -> Coordinates:
        """The parameters to be estimated."""
        poisson = self.distribution == "poisson"
        return Coordinates(
            self.regimes, poisson, self.excess, self.seasonal_transitions, self.persistence, self.persistence_weeks
        )

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedHiddenMarkov:
        """Estimate season and regimes.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        return self._fit(panel, rng, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedHiddenMarkov:
        """Estimate anew, from the regimes of an earlier panel and from the prior's centre."""
        warm = start if isinstance(start, FittedHiddenMarkov) and start.family == self else None
        return self._fit(panel, rng, warm)

    def _fit(self, panel: Panel, rng: np.random.Generator, warm: FittedHiddenMarkov | None) -> FittedHiddenMarkov:
        require_observed(panel)
        season = Season.none()
        if self.season:
            season = Season.estimate(panel, half_life_weeks=self.season_half_life_weeks)
        cases = self.cases(panel, season)[0]
        free = self.free
        if warm is not None and len(warm.estimates.regimes) == self.regimes:
            starts = [free.vector(warm.estimates.regimes), free.vector(free.usual())]
            found = estimate_from(cases, free, starts, rng)
        else:
            found = estimate(cases, free, self.starts, rng)
        return FittedHiddenMarkov(panel, self, season, found, (*self._remarks(panel), *found.remarks))

    def cases(self, panel: Panel, season: Season) -> tuple[Cases, Floats]:
        """Return what the likelihood is made of, and the level of each unit after the last week, shape (units,)."""
        factors = _factors(season, panel.weeks, panel)
        levels = unit_levels(panel, factors, self.level_half_lives, self.pooling)
        age = np.arange(len(panel.weeks))[::-1]
        weight = np.ones(len(age)) if self.half_life_weeks is None else 0.5 ** (age / self.half_life_weeks)
        counts = np.where(panel.observed, panel.counts, 0)
        base = levels[:-1] * factors
        return Cases(counts, panel.observed, base, waves(panel.weeks), weight), levels[-1]

    def _remarks(self, panel: Panel) -> tuple[str, ...]:
        """Return what the panel could not carry."""
        events = int(panel.counts.sum(where=panel.observed))
        out = []
        if events < FEW_EVENTS:
            out.append(f"{events} events are too few to tell regimes apart: they are rather those of the prior")
        if self.season and len(panel.weeks) < LEAST_WEEKS:
            out.append(f"no season: {len(panel.weeks)} weeks are known, and a season takes {LEAST_WEEKS}")
        return tuple(out)


@dataclass(frozen=True, eq=False)
class FittedHiddenMarkov(Fitted):
    """Season and regimes, and the panel whose weeks say in which regime each unit is.

    Parameters
    ----------
    panel : Panel
    family : HiddenMarkov
    season : Season
    estimates : Estimates
    remarks : tuple of str
    """

    panel: Panel
    family: HiddenMarkov
    season: Season
    estimates: Estimates
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Return the same season and regimes with the levels and the states that `panel` leaves."""
        require_observed(panel)
        return replace(self, panel=panel)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Push the filtered regimes forward for the marginals, and draw paths of the chain."""
        weeks = self.target_weeks(horizon)
        cases, level = self.family.cases(self.panel, self.season)
        regimes = self.estimates.regimes
        now = cases.filtered(regimes)[0][-1]
        base = level * _factors(self.season, weeks, self.panel)
        transition = regimes.transitions(waves(weeks))
        return Forecast(
            paths(regimes, base, now, transition, draws, rng),
            marginals(regimes, base, now, transition),
            weeks,
            self.panel.units,
        )

    def summary(self) -> pd.DataFrame:
        """Return ratios, sizes, excess, weekly transitions (at the mean of the season) and the season's wave."""
        return parameter_table(*self.estimates.natural())

    def regime_table(self) -> pd.DataFrame:
        """Return what the regimes are.

        Returns
        -------
        DataFrame
            Index ``regime``, from 1, the quietest; columns ``ratio`` (mean over the unit's level), ``size``, ``share``
            (of all weeks, in the long run), ``weeks`` (expected length of a stay).
        """
        regimes = self.estimates.regimes
        columns = {
            "ratio": regimes.ratio,
            "size": regimes.size,
            "share": regimes.stationary(),
            "weeks": 1 / np.maximum(1 - np.diag(regimes.matrix()), 1e-9),
        }
        return pd.DataFrame(columns, index=_numbers(len(regimes)))

    def regime_probabilities(self) -> pd.DataFrame:
        """Return how probable it is that each unit is in each regime in the panel's last week.

        Returns
        -------
        DataFrame
            Index ``unit``, columns ``regime`` from 1, the quietest; each row sums to 1.
        """
        now = self._cases.filtered(self.estimates.regimes)[0][-1]
        units = pd.Index(self.panel.units.names, name="unit")
        return pd.DataFrame(now, index=units, columns=_numbers(now.shape[1]))

    def regime_history(self) -> pd.DataFrame:
        """Return how probable each regime was in each week, given all counts before and after it.

        Returns
        -------
        DataFrame
            Index ``week`` and ``unit``, columns ``regime``.
        """
        regimes = self.estimates.regimes
        filtered = self._cases.filtered(regimes)[0]
        share = smooth(filtered, regimes.transitions(self._cases.wave), regimes.stationary())
        index = pd.MultiIndex.from_product([self.panel.weeks, self.panel.units.names], names=["week", "unit"])
        return pd.DataFrame(share.reshape(-1, len(regimes)), index=index, columns=_numbers(len(regimes)))

    def regime_path(self) -> pd.DataFrame:
        """Return the most probable sequence of regimes of each unit (Viterbi), weeks by units, regimes from 1."""
        path = most_probable_path(*self._cases.arguments(self.estimates.regimes))
        return pd.DataFrame(path + 1, index=self.panel.weeks, columns=list(self.panel.units.names))

    @property
    def _cases(self) -> Cases:
        return self.family.cases(self.panel, self.season)[0]


def _factors(season: Season, weeks: pd.DatetimeIndex, panel: Panel) -> Floats:
    """Return season times exposure, shape (weeks, units)."""
    return np.asarray(season.factors(weeks, panel.units) * (panel.exposure / panel.exposure.mean()))


def _numbers(regimes: int) -> pd.Index[int]:
    return pd.Index(range(1, regimes + 1), name="regime")
