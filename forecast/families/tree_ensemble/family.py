"""The family: settings, fit, forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.horizon_copula import HorizonCopula
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.families.season import LEAST_WEEKS
from forecast.families.tree_ensemble.boosting import USUAL_SIZE, Boosted, BoostingSettings, boost, fit_log_size
from forecast.families.tree_ensemble.cases import Cases, Runs, draw_cases, draw_runs
from forecast.families.tree_ensemble.features import Clock, Features, Inputs
from forecast.families.tree_ensemble.forest import ForestSettings, grow_forest
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]

LEAST_CASES = 200
"""With fewer there are no trees."""


class TreeEnsemble(Family):
    r"""Regression trees for all horizons at once, over all units, as corrections of a plain forecast.

    The plain forecast x of a unit is a fixed mixture of its mean counts of the last month, the last year and all its
    past, and of the means around it, all without season, times the season and exposure of the target week. The trees
    learn by which ratio the counts differ from it, from `NAMES`: means of the unit at several speeds and over all
    weeks, of its adjacent units, its country, those near it and the panel, weeks since its last event, time of the
    year, and horizon.

    ``forest``: the predictive distribution is the equal mixture of one negative binomial a tree, fitted to the
    training counts in the leaf: a quantile regression forest whose leaves are smooth and reach beyond the counts that
    they have seen. ``boosting``: one negative binomial, whose mean is that of boosted trees and whose size, a power of
    the mean, is fitted to weeks that were kept from the trees.

    Counts of different weeks depend on each other through a normal copula (`HorizonCopula`).

    Parameters
    ----------
    method : {"forest", "boosting"}
        How the trees are grown and what they give, as above.
    half_life_weeks : float
        A week so much older counts half.
    horizons : int
        Weeks ahead that are learnt; those beyond are as the last one, at their own season.
    most_cases : int
        Cases that are drawn for training, if there are more; those without events are thinned most, and weigh more.
    recent_weeks : int
        Last weeks from which the copula is learnt, and with boosting the size; at most a quarter of all.
    harmonics : int
        Of the season; 0 for none.
    season_half_life_weeks, season_pooling : float
        As in `Season.estimate`.
    largest_multiple : float
        A mean, and the scale of a tail (mean / size), are at most this multiple of the largest count ever seen (at
        least 1).
    forest : ForestSettings
    boosting : BoostingSettings

    References
    ----------
    Meinshausen (2006), Quantile regression forests, https://jmlr.org/papers/v7/meinshausen06a.html; Geurts, Ernst &
    Wehenkel (2006), doi:10.1007/s10994-006-6226-1; Friedman (2001), doi:10.1214/aos/1013203451.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> TreeEnsemble().fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "tree_ensemble"

    method: Literal["forest", "boosting"] = "forest"
    half_life_weeks: Annotated[float, Field(ge=1)] = 312
    horizons: Annotated[int, Field(ge=1, le=26)] = 8
    most_cases: Annotated[int, Field(ge=1000)] = 60_000
    recent_weeks: Annotated[int, Field(ge=10)] = 52
    harmonics: Annotated[int, Field(ge=0, le=4)] = 1
    season_half_life_weeks: Annotated[float, Field(ge=1)] = 208
    season_pooling: Annotated[float, Field(ge=0)] = 0.3
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0
    forest: ForestSettings = ForestSettings()
    boosting: BoostingSettings = BoostingSettings()

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedTreeEnsemble:
        """Estimate the season, grow the trees, then learn from recent weeks what they leave open.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        require_observed(panel)
        remarks = []
        weeks = len(panel.weeks)
        if self.harmonics and weeks < LEAST_WEEKS:
            remarks.append(f"no season: a history of {weeks} weeks holds less than the two years it takes")
        clock = Clock.estimate(
            panel,
            half_life_weeks=self.season_half_life_weeks,
            harmonics=self.harmonics,
            pooling=self.season_pooling,
        )
        features = Features.of(panel, clock, self.horizons)
        cases = draw_cases(panel, features, self.horizons, self.half_life_weeks, self.most_cases, rng)
        recent = min(self.recent_weeks, weeks // 4)
        runs = draw_runs(panel, features, self.horizons, recent, rng)
        earlier = cases.before(weeks - recent)
        has_runs = bool(runs.known.any())
        copula, usual = HorizonCopula(), []
        if lacking := _lacking(cases):
            ensemble: Ensemble = Plain()
            remarks.append(f"no trees: {lacking}; the plain mixture of means is taken")
        elif self.method == "forest":
            ensemble = grow_forest(cases, self.forest, rng)
        else:
            seed = int(rng.integers(2**31))
            log_size = USUAL_SIZE
            if has_runs and not _lacking(earlier):
                log_size = fit_log_size(boost(earlier, self.boosting, seed), runs)
            else:
                usual.append("how widely counts scatter")
            ensemble = Boosted(boost(cases, self.boosting, seed), log_size)
        if has_runs and not isinstance(ensemble, Plain):
            # Many cases share a leaf, so that the trees hardly know any one of them, though they have learnt from the
            # runs. Trees that have not miss more, and more of it in common, than those of the forecast will.
            copula = _copula(ensemble, runs)
        else:
            usual.append("how the weeks of a path depend on each other")
        remarks += [f"{what} is taken as usual: too few weeks to learn it" for what in usual]
        return FittedTreeEnsemble(panel, self, clock, ensemble, copula, _largest_count(panel), tuple(remarks))


class Ensemble(Protocol):
    """What turns inputs into a distribution."""

    def moments(self, inputs: Inputs, plain: Floats) -> tuple[Floats, Floats]:
        """Return mean and size of a mixture in equal shares, each of shape (components, cases)."""

    def parameters(self) -> dict[str, float]:
        """Return what the summary shows."""


@dataclass(frozen=True)
class Plain:
    """The plain forecast itself, where there is too little to learn from."""

    def moments(self, inputs: Inputs, plain: Floats) -> tuple[Floats, Floats]:
        """Return the plain forecast with the usual size."""
        del inputs
        return plain[None], np.exp(USUAL_SIZE[0] + USUAL_SIZE[1] * np.log(plain))[None]

    def parameters(self) -> dict[str, float]:
        """Return that there are no trees."""
        return {"trees": 0.0}


@dataclass(frozen=True, eq=False)
class FittedTreeEnsemble(Fitted):
    """Trees and copula, and the panel whose last weeks they are applied to.

    Parameters
    ----------
    panel : Panel
    family : TreeEnsemble
    clock : Clock
        Season, and mean exposure of the fit.
    ensemble : Forest, Boosted or Plain
    copula : HorizonCopula
    largest_fitted : int
        Largest count of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: TreeEnsemble
    clock: Clock
    ensemble: Ensemble
    copula: HorizonCopula
    largest_fitted: int
    remarks: tuple[str, ...] = ()

    def moments(self, horizon: int) -> tuple[Floats, Floats]:
        """Return mean and size of the components of each coming week, shape (components, horizon, units)."""
        panel = self.panel
        features = Features.of(panel, self.clock, horizon)
        ahead, unit = (array.ravel() for array in np.indices((horizon, len(panel.units))))
        week = np.full(len(unit), len(panel.weeks) - 1)
        inputs = features.inputs(week, unit, ahead + 1, self.family.horizons)
        mean, size = self.ensemble.moments(inputs, features.plain(week, unit, ahead + 1))
        most = self.family.largest_multiple * max(self.largest_fitted, _largest_count(panel))
        mean = np.minimum(mean, most)
        size = np.maximum(size, mean / most)
        shape = (len(mean), horizon, len(panel.units))
        return mean.reshape(shape), size.reshape(shape)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw the weeks of each path together from their distributions; units are independent of each other."""
        mean, size = self.moments(horizon)
        paths, pmf = self.copula.sample(mean, size, draws, rng)
        return Forecast(paths, pmf, self.target_weeks(horizon), self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Take up the last weeks of another panel."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return what the ensemble is made of and the copula, without standard errors; and the season's swing."""
        season = {f"season of {name or 'all'}": swing for name, swing in self.clock.season.amplitude().items()}
        copula = {"common": self.copula.common, "persistence": self.copula.persistence}
        return parameter_table(self.ensemble.parameters() | season | copula)


def _largest_count(panel: Panel) -> int:
    """Return the largest count of a panel, at least 1."""
    return int(panel.counts.max(where=panel.observed, initial=1))


def _lacking(cases: Cases) -> str:
    """Return what trees lack to learn from; nothing if they can."""
    if len(cases) < LEAST_CASES:
        return f"{len(cases)} cases to learn from are fewer than {LEAST_CASES}"
    if not cases.count.any():
        return "no case to learn from has an event"
    return ""


def _copula(ensemble: Ensemble, runs: Runs) -> HorizonCopula:
    shape = runs.count.shape
    mean, size = (values.reshape(-1, *shape) for values in ensemble.moments(runs.inputs, runs.plain))
    return HorizonCopula.estimate(runs.count, runs.known, mean, size)
