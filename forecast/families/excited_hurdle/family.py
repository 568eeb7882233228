"""The family: a self-exciting hurdle model of all units of a panel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.excited_hurdle.estimate import Estimates, estimate
from forecast.families.excited_hurdle.excitation import kernel
from forecast.families.excited_hurdle.past import FEATURES, Past, Pools
from forecast.families.excited_hurdle.paths import simulate_paths
from forecast.families.excited_hurdle.positive import hurdle_head
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.families.season import Season
from forecast.families.shot_noise import excitation
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]

FEW_EVENT_WEEKS = 20
"""With fewer in the fit, the parameters are rather those of the prior."""


class ExcitedHurdle(Family):
    r"""Whether a week has an event, raised by past events; and how many it has, if any.

    Week t of unit i has an event with probability :math:`1 - e^{-\lambda_{ti}}`,

    .. math::
        \lambda_{ti} = S_{ti} \Big( e^{b + u_i} L_{ti}^{\rho}
            + \alpha \sum_{l \ge 1} g_l \, x_{t-l,i} + \beta \sum_{l \ge 1} g_l \, \bar x_{t-l,i} \Big) ,

    with the season S of the unit's country; the level L, a discounted share of event weeks, drawn to that of the
    country; the counts x of the unit and their mean over its neighbours, both free of season; and the shares
    :math:`g_l` of a geometric or negative binomial delay that sum to 1 (shot noise). A week with an event has
    a zero-truncated negative binomial number of them, with mean

    .. math:: M_{ti} = 1 + e^{\gamma_0 + v_i} (m_{ti} - 0.9)^{\gamma_1} c_{ti}^{\gamma_2} S_{ti}^{\gamma_3} ,

    where m is the discounted mean number in event weeks and c the recent count (a mean of span 8 weeks); its size
    before truncation is :math:`e^{d_0} M^{d_1}`. The unit's own levels u and v are normal around 0 with spreads of
    largest evidence.

    Porter & White have daily counts of one country, a negative binomial delay, a baseline with trend and season, and a
    Riemann zeta number. Here L takes the place of the trend, and the number may have its mode above 1.

    Parameters
    ----------
    level_weeks : float
        Span of the exponentially weighted means behind L and m.
    pooling : float
        Weeks at the level of the country that count beside the unit's own in L; event weeks at the number of all
        units in m.
    excited_by : {"count", "occurrence"}
        Whether a week excites by its count, or by 1.
    delay : {"geometric", "negbin"}
        Of the excitation. The first falls from the first week on, the second may rise before.
    half_life_weeks : float or None
        A week so much older counts half in the likelihood and in the season; None: all weeks alike.
    harmonics : int
        Of the annual season; 0 for none.
    largest_multiple : float
        Means stay below this multiple of the largest count.

    References
    ----------
    Porter & White (2012), doi:10.1214/11-AOAS513.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> ExcitedHurdle().fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "excited_hurdle"

    level_weeks: Annotated[float, Field(ge=4, le=1040)] = 78
    pooling: Annotated[float, Field(gt=0, le=520)] = 1.0
    excited_by: Literal["count", "occurrence"] = "count"
    delay: Literal["geometric", "negbin"] = "geometric"
    half_life_weeks: Annotated[float, Field(ge=1)] | None = 104
    harmonics: Annotated[int, Field(ge=0, le=3)] = 1
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    def past(self, panel: Panel, season: Season) -> Past:
        """Return what the weeks of a panel depend on."""
        pools = Pools.of(panel, self.level_weeks, self.pooling, by_count=self.excited_by == "count")
        return Past.of(panel, season, pools)

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedExcitedHurdle:
        """Estimate both parts; `rng` is not used.

        Raises
        ------
        InputError
            If nothing is observed.
        """
        return self._fit(panel, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedExcitedHurdle:
        """Estimate anew from the estimates of an earlier panel; `rng` is not used."""
        warm = start if isinstance(start, FittedExcitedHurdle) and start.family == self else None
        return self._fit(panel, warm)

    def _fit(self, panel: Panel, warm: FittedExcitedHurdle | None) -> FittedExcitedHurdle:
        require_observed(panel)
        season = Season.none()
        if self.harmonics:
            half_life = self.half_life_weeks or 1e6
            season = Season.estimate(panel, half_life_weeks=half_life, harmonics=self.harmonics)
        age = np.arange(len(panel.weeks))[::-1]
        weight = np.ones(len(age)) if self.half_life_weeks is None else 0.5 ** (age / self.half_life_weeks)
        found = estimate(
            np.where(panel.observed, panel.counts, 0),
            weight[:, None] * panel.observed,
            self.past(panel, season),
            None if warm is None else warm.estimates.of_units(warm.positions(panel)),
            rising=self.delay == "negbin",
        )
        event_weeks = np.count_nonzero(panel.counts[panel.observed])
        remarks = []
        if event_weeks == 0:
            remarks.append("no event was observed: how likely one is rests on how long there was none")
        elif event_weeks < FEW_EVENT_WEEKS:
            remarks.append(
                f"{event_weeks} weeks with events are too few to tell how they excite: their usual role is taken"
            )
        if not found.converged:
            remarks.append("the estimates did not converge from any start; the last ones are used")
        return FittedExcitedHurdle(panel, self, found, season, panel.units.names, _largest(panel), tuple(remarks))


@dataclass(frozen=True, eq=False)
class FittedExcitedHurdle(Fitted):
    """Estimates, and the panel whose weeks excite those to come.

    Parameters
    ----------
    panel : Panel
    family : ExcitedHurdle
    estimates : Estimates
    season : Season
    units : tuple of str
        Of the fit.
    largest : int
        Largest count of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: ExcitedHurdle
    estimates: Estimates
    season: Season
    units: tuple[str, ...]
    largest: int
    remarks: tuple[str, ...] = ()

    def positions(self, panel: Panel) -> NDArray[np.intp]:
        """Return where each unit of a panel was in the fit, -1 for one that was not."""
        at = {name: row for row, name in enumerate(self.units)}
        return np.array([at.get(name, -1) for name in panel.units.names], np.intp)

    def update(self, panel: Panel) -> Self:
        """Take up another panel; units are matched by name, and a new one has the pooled levels."""
        require_observed(panel)
        return replace(self, panel=panel)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate week by week, each path taking up its own events; the pmf averages over the paths."""
        weeks, panel = self.target_weeks(horizon), self.panel
        past = self.family.past(panel, self.season)
        found = self.estimates.of_units(self.positions(panel))
        shares = kernel(*found.occurrence.shared[4:])[:, :1]
        first, last = len(panel.weeks), len(panel.weeks) + horizon
        weights = panel.neighbours.mean_weights().tocsc()
        paths, rate, mean, size = simulate_paths(
            past.state,
            excitation(past.own, shares, first, last)[..., 0],
            excitation(past.near, shares, first, last)[..., 0],
            self.season.factors(weeks, panel.units),
            shares[:, 0],
            (weights.indptr.astype(np.int64), weights.indices.astype(np.int64), weights.data.astype(np.float64)),
            past.pools.arrays(),
            (found.occurrence.shared, found.occurrence.units),
            (found.number.shared, found.number.units),
            found.dispersion,
            float(self.family.largest_multiple * max(self.largest, _largest(panel), 1)),
            draws,
            rng,
        )
        return Forecast(paths, hurdle_head(rate, mean, size), weeks, panel.units)

    def summary(self) -> pd.DataFrame:
        """Return the shared parameters of both parts, the spreads of the units' levels, and the dispersion."""
        found = self.estimates
        names = ["log_baseline", "level_power", "log_own", "log_neighbours", "log_delay", "log_delay_size"]
        values, errors = {}, {}
        parts = ((found.occurrence, names, "spread_baseline"), (found.number, FEATURES, "spread_number"))
        for part, labels, spread in parts:
            free = np.diag(part.covariance) > 0
            prefix = "" if part is found.occurrence else "number_"
            for label, value, variance, kept in zip(labels, part.shared, np.diag(part.covariance), ~free, strict=True):
                if not kept:
                    values[prefix + label], errors[prefix + label] = float(value), float(np.sqrt(variance))
            values[spread] = part.spread
        for at, label in enumerate(("log_size", "size_power")):
            values[label], errors[label] = float(found.dispersion[at]), float(found.dispersion_error[at])
        return parameter_table(values, errors)


def _largest(panel: Panel) -> int:
    """Return the largest observed count."""
    return int(panel.counts.max(where=panel.observed, initial=0))
