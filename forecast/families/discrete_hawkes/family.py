"""The family: settings, fit, forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from forecast.families.discrete_hawkes.baseline import START_WEEKS, Exposed, discount_of, follow
from forecast.families.discrete_hawkes.coordinates import Layout
from forecast.families.discrete_hawkes.estimate import Estimates, estimate
from forecast.families.discrete_hawkes.excited import Around, Excited
from forecast.families.discrete_hawkes.kernels import DelayKind, SpreadKind, spread_shares
from forecast.families.discrete_hawkes.likelihood import Likelihood
from forecast.families.discrete_hawkes.paths import simulate_paths
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
FEW_EVENTS = 20
"""With fewer in the fit, the parameters are rather those of the prior."""
NEARLY_EXPLOSIVE = 0.95
NORMAL_95 = 1.959964


class DiscreteHawkes(Family):
    r"""Discrete-time Hawkes process of all units: counts excite later counts, above a baseline that forgets.

    The count of unit i in week t is negative binomial (or Poisson) with mean

    .. math::
        \mu_{ti} = S_{ti} \Big( e_i b_{ti} + \sum_{l=1}^{L} g_l \big( \alpha\, \tilde y_{t-l,i}
            + \beta \sum_{j \ne i} w_{ij}\, \tilde y_{t-l,j} \big) \Big), \qquad \tilde y = y / S,

    with the season S of the unit's country, exposure e, delay shares g that sum to 1 over the lags, and shares w that
    fall with distance and sum to 1 over the units around j. Each event thus triggers :math:`\alpha` others in its unit
    and :math:`\beta` around it, and the spectral radius of the branching matrix :math:`\alpha I + \beta W` is
    :math:`\alpha + \beta`. It is a parameter, :math:`1 / (1 + e^{-u})`, and so below 1. The baseline b is a discounted
    gamma filter of the events that are not triggered, drawn to the baseline of the country (see
    `forecast.families.discrete_hawkes.baseline`); how little is known of it widens the distribution.

    Parameters
    ----------
    delay : {"geometric", "negbin", "power", "free"}
        Shape of g: falling, negative binomial (may rise first), Omori's power law, or a weight for each lag with a
        penalty on second differences of the logarithms.
    lags : int
        L. With a free delay the cost grows with its square.
    smoothness : float
        Of the penalty on a free delay; very much of it makes the delay geometric.
    spread : {"exponential", "power", "adjacent", "none"}
        How w falls with distance; the scale is estimated. `adjacent` shares evenly among adjacent units.
    reach_km : float
        No further than this. Without coordinates, distance is the number of borders between, up to 4.
    distribution : {"negbin", "poisson"}
        Of the counts, given their rates.
    baseline_weeks : float
        Memory of the baseline: its discount is ``1 - 1 / baseline_weeks``; ``inf`` for one that does not change.
    half_life_weeks : float or None
        A week so much older counts half in the likelihood; None: all weeks alike.
    harmonics : int
        Of the season; 0 for none.
    season_half_life_weeks, season_pooling : float
        As in `Season.estimate`.
    largest_multiple : float
        Means stay below this multiple of the largest count ever seen (at least 1).

    References
    ----------
    Linderman & Adams (2014), arXiv:1402.0914; Browning, Sulem, Mengersen, Rivoirard & Rousseau (2021),
    doi:10.1371/journal.pone.0250015; as an autoregression of counts: Kirchner (2016), arXiv:1509.02007.
    Baseline: Harvey & Fernandes (1989), doi:10.1080/07350015.1989.10509750.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> DiscreteHawkes().fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "discrete_hawkes"

    delay: DelayKind = "negbin"
    lags: Annotated[int, Field(ge=2, le=366)] = 52
    smoothness: Annotated[float, Field(gt=0)] = 16.0
    spread: SpreadKind = "exponential"
    reach_km: Annotated[float, Field(gt=0)] = 600.0
    distribution: Literal["negbin", "poisson"] = "negbin"
    baseline_weeks: Annotated[float, Field(ge=2)] = 26.0
    half_life_weeks: Annotated[float, Field(ge=1)] | None = 104.0
    harmonics: Annotated[int, Field(ge=0, le=4)] = 1
    season_half_life_weeks: Annotated[float, Field(ge=1)] = 520.0
    season_pooling: Annotated[float, Field(ge=0)] = 1.0
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedDiscreteHawkes:
        """Estimate the season, then all parameters from several starts; `rng` is not used.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        return self._fit(panel, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedDiscreteHawkes:
        """Estimate anew, from the parameters of an earlier fit and from the usual ones."""
        return self._fit(panel, start.estimates if isinstance(start, FittedDiscreteHawkes) else None)

    def likelihood(self, panel: Panel, season: Season) -> Likelihood:
        """Return the likelihood of a panel, a function of the parameters alone."""
        around = Around.of(panel, self.spread, self.reach_km)
        spread = self.spread if len(around.receiver) else "none"
        exposed, excited = self._past(panel, season, around)
        return Likelihood(
            np.where(panel.observed, panel.counts, 0).astype(np.float64),
            panel.observed,
            _weights(panel, self.half_life_weeks),
            exposed,
            excited,
            Layout(self.delay, self.lags, spread, around.unit, self.distribution == "negbin"),
        )

    def _past(self, panel: Panel, season: Season, around: Around) -> tuple[Exposed, Excited]:
        scale, level = season.factors(panel.weeks, panel.units), panel_level(panel)
        exposure, groups = panel.exposure / panel.exposure.mean(), panel.units.group_codes().astype(np.int64)
        discount = discount_of(self.baseline_weeks)
        exposed = Exposed(scale, exposure, groups, level, discount)
        return exposed, Excited.of(panel, scale, level, discount, self.lags, around)

    def _fit(self, panel: Panel, warm: Estimates | None) -> FittedDiscreteHawkes:
        require_observed(panel)
        season, remarks = Season.none(), []
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
        likelihood = self.likelihood(panel, season)
        start = warm.parameters if warm is not None and warm.layout == likelihood.layout else None
        found = estimate(likelihood, self.smoothness, start)
        events = int(panel.counts.sum(where=panel.observed))
        if events == 0:
            remarks.append("no event in the history: rates rest on how long there was none")
        elif events < FEW_EVENTS:
            remarks.append(f"{events} events are too few to tell how they excite: the usual role is taken")
        if likelihood.layout.spread == "none" and self.spread != "none" and len(panel.units) > 1:
            remarks.append("events excite their own unit alone: nothing is known of which units are near each other")
        if not found.converged:
            remarks.append("the fit did not converge from any start; the best end is taken")
        radius = float(expit(found.parameters[0]))
        if radius > NEARLY_EXPLOSIVE:
            remarks.append(
                f"nearly explosive: one event triggers {radius:.2f} others; the fit holds this below 1, and a baseline "
                "that changes faster than it may is a likely cause"
            )
        return FittedDiscreteHawkes(panel, self, season, found, _largest(panel), tuple(remarks))


@dataclass(frozen=True, eq=False)
class FittedDiscreteHawkes(Fitted):
    """Parameters, and the panel whose weeks give the baselines and the excitation.

    Parameters
    ----------
    panel : Panel
    family : DiscreteHawkes
    season : Season
    estimates : Estimates
    largest_fitted : int
        Largest count of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: DiscreteHawkes
    season: Season
    estimates: Estimates
    largest_fitted: int
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Return the same parameters with the baselines and the excitation that `panel` leaves."""
        require_observed(panel)
        return replace(self, panel=panel)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate week by week, each path excited by its own events; the pmf averages over the paths."""
        panel, layout = self.panel, self.estimates.layout
        natural = layout.natural(self.estimates.parameters)
        around = Around.of(panel, layout.spread, self.family.reach_km)
        past, excited = self.family._past(panel, self.season, around)
        a, n, *_ = follow(
            panel.counts.astype(np.float64),
            panel.observed,
            past.scale,
            past.exposure,
            past.groups,
            past.discount,
            excited.expected(layout, natural),
            START_WEEKS * past.level * (1 - natural.branching),
            natural.pooling,
            natural.precision,
            natural.noise,
        )
        shares = spread_shares(layout.spread, around.start, around.apart, natural.reach)[:, 0]
        weeks = self.target_weeks(horizon)
        paths, mean, size = simulate_paths(
            a,
            n,
            excited.expected(layout, natural, ahead=horizon),
            self.season.factors(weeks, panel.units),
            past.exposure,
            past.groups,
            past.discount,
            np.ascontiguousarray(natural.shares[:, 0]),
            natural.own,
            natural.others,
            around.start,
            around.receiver,
            np.ascontiguousarray(shares),
            natural.pooling,
            natural.precision,
            natural.noise,
            self.family.largest_multiple * max(self.largest_fitted, _largest(panel), 1),
            draws,
            rng,
        )
        return Forecast(paths, mixture_pmf(mean, size), weeks, panel.units)

    def summary(self) -> pd.DataFrame:
        """Return spectral radius and endogenous share with 95 % intervals, and the other parameters.

        Errors follow from those of the parameters by the delta method; intervals are taken on the logit scale.
        """
        found = self.estimates
        layout, at = found.layout, found.parameters
        natural, error = layout.natural(at), np.sqrt(np.diag(found.covariance))
        radius, share = natural.branching, found.endogenous
        low, high = (float(expit(at[0] + sign * NORMAL_95 * error[0])) for sign in (-1, 1))
        values = {"spectral radius": radius, "spectral radius, 2.5 %": low, "spectral radius, 97.5 %": high}
        errors = {"spectral radius": radius * (1 - radius) * error[0]}
        logit_error = found.endogenous_error / max(share * (1 - share), 1e-12)
        values["endogenous share"], errors["endogenous share"] = share, found.endogenous_error
        for sign, label in ((-1, "2.5 %"), (1, "97.5 %")):
            odds = share / max(1 - share, 1e-12) * np.exp(np.clip(sign * NORMAL_95 * logit_error, -50, 50))
            values[f"endogenous share, {label}"] = float(odds / (1 + odds))
        values |= {"triggered in the unit": natural.own, "triggered around it": natural.others}
        slope = np.zeros((2, len(at)))
        slope[:, 0] = np.array([natural.own_share, 1 - natural.own_share]) * radius * (1 - radius)
        if layout.spread != "none":
            slope[:, 1] = np.array([1, -1]) * radius * natural.own_share * (1 - natural.own_share)
        spreads = np.sqrt(np.einsum("pi,ij,pj->p", slope, found.covariance, slope))
        errors |= dict(zip(("triggered in the unit", "triggered around it"), spreads.tolist(), strict=True))
        lag = np.arange(1, layout.lags + 1)
        values["mean delay"] = float(lag @ natural.shares[:, 0])
        of_delay = lag @ natural.shares[:, 1:]
        errors["mean delay"] = float(np.sqrt(of_delay @ found.covariance[layout.delay_at, layout.delay_at] @ of_delay))
        values |= dict(zip(layout.names, at.tolist(), strict=True))
        errors |= dict(zip(layout.names, error.tolist(), strict=True))
        values |= {f"season, {name}": value for name, value in self.season.amplitude().items()}
        return parameter_table(values, errors)


def _largest(panel: Panel) -> int:
    """Return the largest observed count."""
    return int(panel.counts.max(where=panel.observed, initial=0))


def _weights(panel: Panel, half_life: float | None) -> Floats:
    """Return the likelihood weight of each week, 1 for the last that is observed, shape (weeks,)."""
    last = np.flatnonzero(panel.observed.any(axis=1))[-1]
    weight = 0.5 ** ((last - np.arange(len(panel.weeks))) / (half_life or np.inf))
    return np.where((weight < LEAST_WEIGHT) | (weight > 1), 0.0, weight)
