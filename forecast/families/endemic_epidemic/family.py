"""The endemic-epidemic family: settings, fit, forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.endemic_epidemic.calendar import Calendar
from forecast.families.endemic_epidemic.components import component_means, shares
from forecast.families.endemic_epidemic.design import COMPONENTS, SIZE, Design
from forecast.families.endemic_epidemic.estimate import Estimates, estimate_patiently, pool_the_unidentified
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.lags import Lags
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.paths import Outlook, simulate
from forecast.families.endemic_epidemic.prior import Point, weak_prior
from forecast.families.endemic_epidemic.settings import ComponentSettings, LagSettings, WeightSettings
from forecast.families.endemic_epidemic.weights import Pairs
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]


class EndemicEpidemic(Family):
    r"""Counts that feed on those of the weeks before, of the unit and of its neighbours, over an endemic base.

    .. math:: \mu_{ti} = e^{\eta^{own}_{ti}} \sum_d u_d\, y_{t-d,i}
        + e^{\eta^{ne}_{ti}} \sum_j w_{ji} \sum_d u_d\, y_{t-d,j} + e^{\eta^{end}_{ti}}, \qquad
        y_{ti} \sim NB(\mu_{ti}, r_i),

    with linear predictors of intercepts, trend, season, covariates and exposure in each of the three components.

    Parameters
    ----------
    own, neighbour, endemic : ComponentSettings or False
        False leaves a component out.
    lags : LagSettings
        :math:`u_d`.
    weights : WeightSettings
        :math:`w_{ji}`.
    distribution : {"negbin", "poisson"}
        Of the counts around their mean.
    sizes : {"common", "unit"}
        Whether the size of the negative binomial is one for all or one for each unit.
    half_life_weeks : float, optional
        A week so much older counts half in the likelihood. None counts all alike.
    weak_priors : bool
        Vague normal priors on all parameters (`weak_prior` says which), which keep the estimates finite. Without them
        it is maximum likelihood, and only what a unit's counts cannot tell is pooled.
    largest_multiple : float
        The mean of a simulated week is at most this multiple of the largest count ever seen (at least 1), so that no
        path explodes.

    Notes
    -----
    Forecasts take the estimates as they are: their uncertainty does not enter.

    References
    ----------
    Held, Höhle & Hofmann (2005), doi:10.1191/1471082X05st098oa; Paul & Held (2011), doi:10.1002/sim.4177;
    Meyer & Held (2014), doi:10.1214/14-AOAS743; Bracher & Held (2022), doi:10.1016/j.ijforecast.2020.07.002.

    Examples
    --------
    >>> from forecast.simulation.simulate import simulate
    >>> panel = simulate("endemic-epidemic", weeks=200, regions=9, seed=1).panel  # 0.4 of each event in the own region
    >>> fitted = EndemicEpidemic(lags={"order": 1}).fit(panel, np.random.default_rng(1))
    >>> round(float(np.exp(fitted.summary().loc["own.intercept", "estimate"])), 1)
    0.4
    """

    family: ClassVar[str] = "endemic_epidemic"

    own: ComponentSettings | Literal[False] = ComponentSettings()
    neighbour: ComponentSettings | Literal[False] = ComponentSettings()
    endemic: ComponentSettings | Literal[False] = ComponentSettings(intercepts="random", harmonics=1)
    lags: LagSettings = LagSettings()
    weights: WeightSettings = WeightSettings()
    distribution: Literal["negbin", "poisson"] = "negbin"
    sizes: Literal["common", "unit"] = "common"
    half_life_weeks: Annotated[float, Field(ge=1)] | None = None
    weak_priors: bool = True
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedEndemicEpidemic:
        """Estimate all parameters; `rng` is not used.

        Raises
        ------
        InputError
            If nothing is observed, no component is left, or a covariate or coordinates are missing.
        """
        del rng
        return self._fit(panel, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedEndemicEpidemic:
        """Estimate anew from an earlier fit: a few steps where the first one takes ten."""
        del rng
        return self._fit(panel, start if isinstance(start, FittedEndemicEpidemic) and start.family == self else None)

    def design(
        self, panel: Panel, weeks: pd.DatetimeIndex, calendar: Calendar, *, known: bool = True, alone: bool = False
    ) -> Design:
        """Return the design of some weeks of a panel.

        Parameters
        ----------
        panel : Panel
        weeks : DatetimeIndex
            Those of the panel, with some before it; or weeks after it.
        calendar : Calendar
        known : bool
            False for weeks after the panel.
        alone : bool
            Leave the neighbour component out.
        """
        settings = {name: getattr(self, name) for name in COMPONENTS}
        parts = {
            name: calendar.component(item, panel, weeks, known=known)
            for name, item in settings.items()
            if item and not (alone and name == "neighbour")
        }
        return Design.of(
            len(weeks),
            len(panel.units),
            **parts,
            lags=Lags(self.lags.order, self.lags.shape),
            weights=self.weights.weights(panel) if "neighbour" in parts else None,
            sizes=None if self.distribution == "poisson" else self.sizes,
        )

    def likelihood(self, panel: Panel, calendar: Calendar) -> Likelihood:
        """Return the likelihood of a panel; a neighbour component without any neighbours is left out of it."""
        data = Data.of_panel(panel, self.lags.order, self.half_life_weeks)
        weeks = pd.date_range(end=panel.weeks[-1], periods=data.counts.shape[1], freq=WEEK, unit="s")
        design = self.design(panel, weeks, calendar)
        if design.weights is not None and not len(design.weights.pairs.receiver):
            design = self.design(panel, weeks, calendar, alone=True)
        return Likelihood(data, design)

    def _fit(self, panel: Panel, start: FittedEndemicEpidemic | None) -> FittedEndemicEpidemic:
        require_observed(panel)
        calendar = Calendar.of(panel)
        likelihood = self.likelihood(panel, calendar)
        design, remarks = likelihood.design, []
        if self.neighbour and not design.present[1]:
            remarks.append("no unit has neighbours: the neighbour component is left out")
        reached = likelihood.neighbours(design.weights.start)[..., 0] if design.weights is not None else np.empty(0)
        weak = weak_prior(design, likelihood.data, reached)
        prior = weak
        if not self.weak_priors:
            prior, pooled = pool_the_unidentified(likelihood, weak.flat(), weak)
            remarks += pooled
        at, sd = None, None
        if start is not None and start.names == design.names:
            at = Point(start.estimates.point.shared, start.own_of(panel))
            sd = start.estimates.sd
        estimates, told = estimate_patiently(likelihood, prior, weak, at, sd)
        return FittedEndemicEpidemic(
            panel,
            self,
            calendar,
            design.names,
            tuple(design.unit_base.tolist()),
            tuple(panel.units.names),
            estimates,
            _largest(panel),
            (*remarks, *told),
        )


@dataclass(frozen=True, eq=False)
class FittedEndemicEpidemic(Fitted):
    """Estimates, and the panel whose last weeks the forecast starts from.

    Parameters
    ----------
    panel : Panel
    family : EndemicEpidemic
    calendar : Calendar
        Of the fit.
    names : tuple of str
        Of the shared parameters.
    unit_base : tuple of int
        What the parameters of each unit act on; see `Design`.
    units : tuple of str
        Of the fit; those of the panel may be others.
    estimates : Estimates
    largest_fitted : int
        Largest count of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: EndemicEpidemic
    calendar: Calendar
    names: tuple[str, ...]
    unit_base: tuple[int, ...]
    units: tuple[str, ...]
    estimates: Estimates
    largest_fitted: int
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Take up another panel; units are matched by name, unknown ones get the pooled intercept."""
        require_observed(panel)
        return replace(self, panel=panel)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate week by week, each path with its own counts; the pmf averages over the paths."""
        weeks, family, panel = self.target_weeks(horizon), self.family, self.panel
        design = family.design(panel, weeks, self.calendar, known=False, alone=not self._has_neighbours)
        parts = design.parts(self.estimates.point.shared)
        effect = np.zeros((4, len(panel.units)))
        effect[list(self.unit_base)] = self.own_of(panel).T
        factor = parts.week[:, :, None] * (design.offset * np.exp(effect[:3]))[:, None, :]
        for at, component in enumerate(design.cell_component):
            factor[component] *= np.exp(parts.cell[at] * design.cells[:, :, at].T)
        weights = design.weights
        pairs = weights.pairs if weights is not None else Pairs.none(len(panel.units))
        outlook = Outlook(
            Data.of_panel(panel, family.lags.order).past[:, -family.lags.order :],
            factor,
            parts.lag[0],
            pairs.start,
            pairs.receiver,
            np.ascontiguousarray(weights.columns(parts.weights)[:, 0]) if weights is not None else pairs.apart,
            np.exp(parts.log_size + effect[SIZE]),
            family.largest_multiple * max(self.largest_fitted, _largest(panel), 1),
        )
        paths, pmf = simulate(outlook, draws, rng)
        return Forecast(paths, pmf, weeks, panel.units)

    @property
    def _has_neighbours(self) -> bool:
        """Whether the fit has a neighbour component."""
        return 1 in self.unit_base or any(name.startswith("neighbour.") for name in self.names)

    def own_of(self, panel: Panel) -> Floats:
        """Return the parameters of each unit of a panel, shape (units, block); pooled ones for unknown units."""
        own = self.estimates.point.own
        fixed = (np.array(self.unit_base, dtype=np.int64) != SIZE) & ~np.isfinite(self.estimates.sd)
        pooled = np.where(fixed, np.log(np.exp(own).mean(axis=0)), 0.0)
        place = {name: at for at, name in enumerate(self.units)}
        rows = [own[place[name]] if name in place else pooled for name in panel.units.names]
        return np.array(rows).reshape(len(rows), own.shape[1])

    def components(self) -> pd.DataFrame:
        """Return what each fitted mean is made of.

        Returns
        -------
        DataFrame
            One row a week and unit: week, unit, mean, and the shares own, neighbour and endemic, which sum to 1.
        """
        weeks, units = self.panel.counts.shape
        data = Data.of_panel(self.panel, self.family.lags.order)
        span = pd.date_range(end=self.panel.weeks[-1], periods=data.counts.shape[1], freq=WEEK, unit="s")
        design = self.family.design(self.panel, span, self.calendar, alone=not self._has_neighbours)
        point = Point(self.estimates.point.shared, self.own_of(self.panel))
        means = component_means(Likelihood(data, design), point)[:, -weeks:]
        return pd.DataFrame(
            {
                "week": np.repeat(self.panel.weeks.to_numpy(), units),
                "unit": np.tile(np.asarray(self.panel.units.names, dtype=object), weeks),
                "mean": means.sum(axis=0).ravel(),
                **{name: part.ravel() for name, part in zip(COMPONENTS, shares(means), strict=True)},
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return all parameters with standard errors.

        Intercepts, trends (a year), seasons and covariates are on the log scale; decays, weights, sizes and standard
        deviations of random intercepts are as they are. ``own[name]`` is the intercept of a unit, its deviation from
        the common one if it is random.
        """
        found, lags = self.estimates, Lags(self.family.lags.order, self.family.lags.shape)
        values, errors = {}, {}
        for name, value, error in zip(self.names, found.point.shared, found.std_errors(), strict=True):
            natural, slope = float(value), 1.0
            if name.startswith("lags."):
                natural, slope = lags.natural(natural)
            elif name == "size" or name.startswith("weights."):
                natural = slope = float(np.exp(value))
            values[name], errors[name] = natural, slope * float(error)
        for at, base in enumerate(self.unit_base):
            part = (*COMPONENTS, "size")[base]
            if np.isfinite(found.sd[at]):
                values[f"{part}.sd"] = float(found.sd[at])
            for unit, name in enumerate(self.units):
                value, error = float(found.point.own[unit, at]), float(found.own_error[unit, at])
                if base == SIZE:
                    value = values["size"] * float(np.exp(value))
                    error *= value
                values[f"{part}[{name}]"], errors[f"{part}[{name}]"] = value, error
        return parameter_table(values, errors)


def _largest(panel: Panel) -> int:
    """Return the largest observed count."""
    return int(panel.counts.max(where=panel.observed, initial=0))
