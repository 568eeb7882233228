"""The family: INGARCH models of all units of a panel, simulated forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from forecast.families.ingarch.coordinates import Coefficients, Coordinates
from forecast.families.ingarch.drivers import Drivers, Intervention, Scaling
from forecast.families.ingarch.order import LONGEST_LAG, Link, Order
from forecast.families.ingarch.panel_fit import (
    HYPER_SPREAD,
    PanelEstimates,
    Prior,
    fit_panel,
    fresh_start,
    unit_modes,
)
from forecast.families.ingarch.panel_likelihood import PanelData
from forecast.families.ingarch.recursion import recursion, simulate_paths
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import LEVEL_EVENTS, require_observed
from forecast.families.season import Season
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast
from forecast.predictive.negbin import mixture_pmf

Floats = NDArray[np.float64]
Lag = Annotated[int, Field(ge=1, le=LONGEST_LAG)]

LEAST_WEIGHT = 2e-3
START_YEAR, START_WEEKS = 52, 4.0
"""A forecast's recursion starts at the mean of the panel's first year, to which the level adds so many weeks."""
FEW_EVENTS = 20
"""With fewer in the fit, the coefficients of the past are rather those of the prior."""


class Ingarch(Family):
    r"""Count autoregression with feedback from the conditional mean, for all units of a panel.

    The mean of unit i in week t is :math:`\mu_{ti} = s_{ti} \nu_{ti}` (identity link) with

    .. math::
        \nu_{ti} = \beta_{0i} + \sum_k \beta_{ik} \, y_{t-k,i} / s_{t-k,i} + \sum_l \alpha_{il} \, \nu_{t-l,i} ,

    or :math:`s_{ti} e^{\nu_{ti}}` with :math:`\log(1 + y / s)` in place of :math:`y / s` (log link). The scale s is the
    exposure times the season of the unit's country times ``exp(loads)``, where trend and panel covariates are loads:
    what the past tells is free of them. Counts are negative binomial (or Poisson) around the mean.

    Each unit has its own level and its own coefficients of the past, drawn to the pooled ones as far as the data do
    not tell them apart: they are normal around them in the coordinates of `Coordinates`, with spreads of largest
    evidence (empirical Bayes). Coefficients of the past are positive with a sum below 1, with the log link too.

    Parameters
    ----------
    past_obs, past_mean : tuple of int
        Lags in weeks of counts and of means.
    link : {"identity", "log"}
        Whether the parts of the mean add up or multiply.
    distribution : {"negbin", "poisson"}
        Of the counts around their mean.
    dispersion : {"power", "constant"}
        The size of the negative binomial follows a power of the mean, or is the same for all means as in tscount.
    half_life_weeks : float or None
        A week so much older counts half in the likelihood and in the season; None: all weeks alike.
    harmonics : int
        Of the annual season; 0 for none.
    trend : bool
        Log-linear growth common to all units, which stops at the last week of the fit.
    covariates : tuple of str
        Panel covariates whose value of the week before multiplies the mean; standardised. Beyond the panel they keep
        their last value.
    interventions : tuple of Intervention
        Known breaks, which the level is freed of.
    largest_multiple : float
        Means stay below this multiple of the largest count.

    References
    ----------
    Ferland, Latour & Oraichi (2006), doi:10.1111/j.1467-9892.2006.00496.x; Fokianos & Tjostheim (2011),
    doi:10.1016/j.jmva.2010.11.002; Liboschik, Fokianos & Fried (2017), doi:10.18637/jss.v082.i05.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> Ingarch().fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "ingarch"

    past_obs: tuple[Lag, ...] = (1,)
    past_mean: tuple[Lag, ...] = (1, 52)
    link: Link = "identity"
    distribution: Literal["negbin", "poisson"] = "negbin"
    dispersion: Literal["power", "constant"] = "power"
    half_life_weeks: Annotated[float, Field(ge=1)] | None = 104
    harmonics: Annotated[int, Field(ge=0, le=3)] = 1
    trend: bool = False
    covariates: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    @model_validator(mode="after")
    def _lags_differ(self) -> Self:
        Order(self.past_obs, self.past_mean, self.link)
        return self

    @property
    def free(self) -> Coordinates:
        """The coordinates in which the model is estimated."""
        loads = int(self.trend) + len(self.covariates)
        return Coordinates(Order(self.past_obs, self.past_mean, self.link), len(self.interventions), loads)

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedIngarch:
        """Estimate levels, coefficients, spreads and dispersion; `rng` is not used.

        Raises
        ------
        InputError
            If nothing is observed, or a covariate or a unit of an intervention is not in the panel.
        """
        return self._fit(panel, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedIngarch:
        """Estimate anew from the estimates of an earlier panel; `rng` is not used."""
        warm = start if isinstance(start, FittedIngarch) and start.family == self else None
        return self._fit(panel, warm)

    def _fit(self, panel: Panel, warm: FittedIngarch | None) -> FittedIngarch:
        require_observed(panel)
        free = self.free
        drivers = Drivers(
            _season(panel, self.harmonics, self.half_life_weeks),
            panel.weeks[-1] if self.trend else None,
            Scaling.of(panel, self.covariates),
            self.interventions,
        )
        drivers.check_units(panel)
        data = _data(panel, drivers, self.half_life_weeks)
        exposed = (np.exp(data.log_scale) * data.observed).sum(axis=1)
        events = (data.counts * data.observed).sum(axis=1)
        overall = (events.sum() + LEVEL_EVENTS) / max(float(exposed.sum()), 1e-9)
        centre = free.usual(float(np.log(overall)))
        prior = Prior(centre, np.r_[HYPER_SPREAD[0], np.full(free.order.lags, HYPER_SPREAD[1])])
        unit_mean = (events + LEVEL_EVENTS) / (exposed + LEVEL_EVENTS / overall)
        cold = fresh_start(free, prior, np.log(unit_mean))
        starts = [cold, replace(cold, units=np.tile(cold.pooled, (len(events), 1)), dispersion=np.array([1.0, 1.0]))]
        if warm is not None:
            starts.insert(0, replace(warm.estimates, units=warm.coordinates_of(panel)))
        remarks = []
        if 0 < events.sum() < FEW_EVENTS:
            remarks.append(
                f"{int(events.sum())} events are too few to tell how the past matters: its usual role is taken"
            )
        if events.sum() == 0:
            remarks.append("no event was observed: the level is that of half an event in all weeks of all units")
        found = None
        for attempt in starts:
            found = fit_panel(
                data, free, prior, attempt, distribution=self.distribution, power=self.dispersion == "power"
            )
            if found.converged:
                break
        assert found is not None
        if not found.converged:
            remarks.append("the estimates did not converge from any start; the last ones are used")
        fitted_on = FitPanel(panel.units.names, panel.weeks[0], _largest(panel))
        return FittedIngarch(panel, self, found, fitted_on, found.units, drivers, tuple(remarks))


@dataclass(frozen=True)
class FitPanel:
    """What is remembered of the panel of the fit.

    Parameters
    ----------
    units : tuple of str
    first : Timestamp
        Its first week.
    largest : int
        Its largest count.
    """

    units: tuple[str, ...]
    first: pd.Timestamp
    largest: int

    def goes_on_in(self, panel: Panel) -> bool:
        """Return whether `panel` holds the same weeks and later ones, of units that were in the fit."""
        return bool(panel.weeks[0] == self.first) and set(panel.units.names) <= set(self.units)


@dataclass(frozen=True, eq=False)
class FittedIngarch(Fitted):
    """Estimates, and the panel whose weeks the recursion runs through.

    Parameters
    ----------
    panel : Panel
    family : Ingarch
    estimates : PanelEstimates
    fitted_on : FitPanel
    coordinates : ndarray, shape (units, 1 + lags)
        Of the units of `panel`.
    drivers : Drivers
    remarks : tuple of str
    """

    panel: Panel
    family: Ingarch
    estimates: PanelEstimates
    fitted_on: FitPanel
    coordinates: Floats
    drivers: Drivers
    remarks: tuple[str, ...] = ()

    def coordinates_of(self, panel: Panel) -> Floats:
        """Return what the fit says of the units of a panel; the pooled coordinates where a unit was not in it."""
        at = {name: row for row, name in enumerate(self.fitted_on.units)}
        rows = [self.estimates.units[at[name]] if name in at else self.estimates.pooled for name in panel.units.names]
        return np.array(rows)

    def coefficients(self) -> Coefficients:
        """Return the coefficients of the panel's units."""
        return self.family.free.coefficients(self.coordinates, self.estimates.shared)

    def update(self, panel: Panel) -> Self:
        """Take up another panel; units are matched by name.

        On a panel that starts elsewhere, or with units that were not in the fit, the units' levels and coefficients are
        those of largest posterior given that panel, drawn to the pooled ones; the pooled ones stay as they are.
        """
        require_observed(panel)
        units = self.coordinates_of(panel)
        if not self.fitted_on.goes_on_in(panel):
            data = _data(panel, self.drivers, self.family.half_life_weeks)
            units = unit_modes(data, self.family.free, self.estimates, units)
        return replace(self, panel=panel, coordinates=units)

    def state(self) -> tuple[Floats, Floats]:
        """Return linear predictor and transformed count of the last weeks, shapes (longest lag, units).

        The recursion starts from what the first year of this panel shows rather than from the level of the fit, so
        that a short panel of another source is not drawn to a past that it never had.
        """
        found, data = self.coefficients(), _data(self.panel, self.drivers, None)
        order = self.family.free.order
        early = data.observed[:, :START_YEAR]
        scale = np.exp(data.log_scale[:, :START_YEAR])
        level = np.exp(found.start[:, 0]) if order.link == "log" else found.start[:, 0]
        events = (data.counts[:, :START_YEAR] * early).sum(axis=1) + START_WEEKS * level
        first = events / ((scale * early).sum(axis=1) + START_WEEKS)
        start = np.column_stack([np.log(first) if order.link == "log" else first, order.transform(first)])
        internal = np.zeros(len(self.family.interventions), np.bool_)
        nu, z = (np.empty((order.longest, len(self.panel.units))) for _ in range(2))
        for unit in range(len(self.panel.units)):
            _, _, own_nu, own_z = recursion(
                data.counts[unit],
                data.observed[unit],
                data.log_scale[unit],
                data.loads[unit],
                data.covariates[unit],
                internal,
                found.theta[unit],
                *order.arrays(),
                start[unit],
                found.start_gradient[unit],
            )
            nu[:, unit], z[:, unit] = own_nu[len(own_nu) - order.longest :], own_z[len(own_z) - order.longest :]
        return nu, z

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate week by week, each path taking up its own counts; the pmf averages over the paths."""
        weeks = self.target_weeks(horizon)
        found, estimates = self.coefficients(), self.estimates
        nu, z = self.state()
        log_scale = self.drivers.log_scale(weeks, self.panel)
        loads = self.drivers.loads(weeks, self.panel)
        order = self.family.free.order
        own = 1 + order.lags + len(self.family.interventions)
        paths, mean, size = simulate_paths(
            nu,
            z,
            np.ascontiguousarray(found.theta[:, :own]),
            log_scale + loads @ estimates.shared[len(self.family.interventions) :],
            self.drivers.effects(weeks, self.panel.units.names),
            np.zeros(len(self.family.interventions), np.bool_),
            *order.arrays(),
            estimates.dispersion,
            self.family.largest_multiple * max(self.fitted_on.largest, _largest(self.panel), 1),
            draws,
            rng,
        )
        return Forecast(paths, mixture_pmf(mean, size), weeks, self.panel.units)

    def summary(self) -> pd.DataFrame:
        """Return pooled level and coefficients, shared effects, spreads of the units, and the dispersion.

        The level is that of a unit of mean exposure, as a logarithm; standard errors of the coefficients of the past
        follow by the delta method.
        """
        found, free = self.estimates, self.family.free
        order = free.order
        past = free.past(found.pooled[1:])
        k = 1 + order.lags
        slopes = past[:, None] * (np.eye(order.lags) - past)
        error = np.sqrt(np.diag(slopes @ found.covariance[1:k, 1:k] @ slopes.T))
        rest = np.sqrt(np.diag(found.covariance))
        shared = [f"intervention_{at + 1}" for at in range(free.covariates)]
        shared += ["trend"] * self.family.trend + [f"covariate_{name}" for name in self.family.covariates]
        values = {"log_level": found.pooled[0], **dict(zip(order.names(), past, strict=True))}
        errors = {"log_level": rest[0], **dict(zip(order.names(), error, strict=True))}
        values |= dict(zip(shared, found.shared, strict=True))
        errors |= dict(zip(shared, rest[k:], strict=True))
        values |= {"spread_level": found.spread[0]}
        values |= {f"spread_{name}": one for name, one in zip(order.names(), found.spread[1:], strict=True)}
        if self.family.distribution == "negbin":
            values["log_size"], errors["log_size"] = found.dispersion[0], found.dispersion_error[0]
            if self.family.dispersion == "power":
                values["size_power"], errors["size_power"] = found.dispersion[1], found.dispersion_error[1]
        return parameter_table({name: float(value) for name, value in values.items()}, errors)


def _season(panel: Panel, harmonics: int, half_life: float | None) -> Season:
    if harmonics == 0:
        return Season.none()
    return Season.estimate(panel, half_life_weeks=half_life or 1e6, harmonics=harmonics)


def _data(panel: Panel, drivers: Drivers, half_life: float | None) -> PanelData:
    """Return what the likelihood is made of."""
    age = np.arange(len(panel.weeks))[::-1]
    weight = np.ones(len(age)) if half_life is None else 0.5 ** (age / half_life)
    recent = weight >= LEAST_WEIGHT
    if panel.observed[recent].any():  # else only weeks that are long past are known, and they are all there is
        weight = np.where(recent, weight, 0.0)
    else:
        weight = weight / weight[panel.observed.any(axis=1)].max()
    counts = np.where(panel.observed, panel.counts, 0).astype(np.float64)
    return PanelData(
        np.ascontiguousarray(counts.T),
        np.ascontiguousarray(panel.observed.T),
        np.ascontiguousarray(drivers.log_scale(panel.weeks, panel).T),
        weight,
        np.ascontiguousarray(drivers.loads(panel.weeks, panel).swapaxes(0, 1)),
        np.ascontiguousarray(drivers.effects(panel.weeks, panel.units.names).swapaxes(0, 1)),
    )


def _largest(panel: Panel) -> int:
    """Return the largest observed count."""
    return int(panel.counts.max(where=panel.observed, initial=0))
