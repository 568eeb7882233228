"""Negative binomial of each unit over its last weeks, drawn to the pooled level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize

from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import pooled_level, recent_sums, require_observed
from forecast.panel.panel import Panel
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]
Pool = Literal["group", "all"]

LEAD = 4
"""Parameters are judged on the fourth week ahead, the middle of the usual horizon."""
PERSISTENCE_PRIOR = (0.5, 5.0)
"""Persistence before any data, and how many units of expected covariance that counts as."""
SMALLEST_SIZE = 1e-3
_CASES = 32_768
"""Cells whose likelihood is worked out at a time."""


@dataclass(frozen=True)
class Parameters:
    """What all units share.

    Parameters
    ----------
    shape : float
        Events that the pooled level counts as: a gamma prior of this shape on each rate.
    excess : float
        Variance of a typical unit over its mean, less 1.
    excess_events : float
        Events that the typical excess counts as beside a unit's own.
    persistence : float
        Share of the excess variance that stays the same over the weeks of a path, 0 to 1.
    """

    shape: float
    excess: float
    excess_events: float
    persistence: float


PRIOR = Parameters(shape=0.4, excess=0.8, excess_events=5.0, persistence=PERSISTENCE_PRIOR[0])
"""The centre of log-normal priors with scale 1, so that a panel of a few silent weeks has an estimate too."""


class WindowNegbin(Family):
    """Negative binomial whose mean and size come from the last weeks of each unit.

    Parameters
    ----------
    weeks : int
        The last observed weeks of each unit that count; a missing week is stepped over.
    pool : {"group", "all"}
        Whose level a unit is drawn to: that of its group (itself drawn to all units) or of all units.

    Notes
    -----
    With s events in n weeks and the pooled level g, the mean is that of a gamma posterior,
    ``mean = (s + shape) / (n + shape / g)``. The unit's excess e is its variance over its mean, less 1 and at
    least 0, drawn to the shared one: ``v = (s e + excess_events excess) / (s + excess_events)``, and
    ``size = mean / v``, so that ``var = mean (1 + v)``. The shared parameters maximise the predictive likelihood
    of the fourth week ahead over all weeks of the fit panel, with weak priors (`PRIOR`).

    Along a path the Poisson rate of a week is the sum of two gamma variables of the same scale v: one with shape
    ``persistence size``, drawn once a path, and one with shape ``(1 - persistence) size`` for the week. Their sum
    has shape `size`, hence every margin is exactly the negative binomial above, while the rates of any two weeks
    have correlation `persistence`. It is estimated from the covariance of the errors of weeks 1 and 5 ahead.
    Units are independent given the parameters.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=3, freq="7D")
    >>> panel = Panel.of(np.array([[3, 0], [4, 0], [2, 0]]), weeks, Units.of(["Mali/Mopti", "Mali/Kayes"]))
    >>> rng = np.random.default_rng(1)
    >>> mean, size = WindowNegbin().fit(panel, rng).mean_and_size()
    >>> mean.round(2)
    array([2.88, 0.12])
    """

    family: ClassVar[str] = "window_negbin"

    weeks: Annotated[int, Field(ge=2, le=1040)] = 52
    pool: Pool = "group"

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedWindowNegbin:
        """Estimate the shared parameters; `rng` is not used."""
        require_observed(panel)
        window = Window.of(panel, self.weeks, self.pool)
        target, seen = panel.counts[LEAD:], panel.observed[LEAD:]
        start = np.log([PRIOR.shape, PRIOR.excess, PRIOR.excess_events])
        some, none = (_Cases.of(window.rows(-LEAD), which) for which in (seen & (target > 0), seen & (target == 0)))
        count = target[seen & (target > 0)]

        def cost(log_values: Floats) -> float:
            shape, excess, excess_events = np.exp(log_values).tolist()
            # Most counts are 0, and have a short form.
            zero = np.empty(len(none.events))
            for at in range(0, len(zero), _CASES):
                mean, size = none.rows(at, at + _CASES).negbin(shape, excess, excess_events)
                zero[at : at + _CASES] = -size * np.log1p(mean / size)
            likelihood = zero.sum() + negbin.logpmf(count, *some.negbin(shape, excess, excess_events)).sum()
            return float(0.5 * np.sum((log_values - start) ** 2) - likelihood)

        best = start
        if seen.any():
            best = minimize(cost, start, method="L-BFGS-B", bounds=[(at - 6, at + 6) for at in start]).x
        shape, excess, excess_events = np.exp(best).tolist()
        persistence = _persistence(panel, *window.negbin(shape, excess, excess_events))
        parameters = Parameters(shape, excess, excess_events, persistence)
        return FittedWindowNegbin(panel, self.weeks, self.pool, parameters)


@dataclass(frozen=True, eq=False)
class FittedWindowNegbin(Fitted):
    """Shared parameters, and the window before the origin of a panel."""

    panel: Panel
    weeks: int
    pool: Pool
    parameters: Parameters

    def mean_and_size(self) -> tuple[Floats, Floats]:
        """Return mean and size of the weekly counts from the origin on, each of shape (units,)."""
        shared = self.parameters
        window = Window.of(self.panel, self.weeks, self.pool)
        mean, size = window.negbin(shared.shape, shared.excess, shared.excess_events)
        return mean[-1], size[-1]

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw paths whose rates share a part over the weeks; the pmf is exact."""
        mean, size = self.mean_and_size()
        persistence = self.parameters.persistence
        lasting = rng.gamma(persistence * size, size=(draws, 1, len(mean)))
        weekly = rng.gamma((1 - persistence) * size, size=(draws, horizon, len(mean)))
        weekly += lasting  # in place: of many units these are large
        weekly *= mean / size
        paths = negbin.poisson_paths(weekly, rng)
        pmf = np.repeat(negbin.mixture_pmf(mean[None], size[None])[None], horizon, axis=0)
        return Forecast(paths, pmf, self.target_weeks(horizon), self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Take up another panel; nothing is kept a unit, so its units may be others."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return the shared parameters; they have no standard errors."""
        return parameter_table(vars(self.parameters))


@dataclass(frozen=True)
class Window:
    """Sums over the last observed weeks, after each week.

    Parameters
    ----------
    events, squares, weeks : ndarray, shape (time, units)
        Sum of the counts, of their squares, and number of observed weeks.
    level : ndarray, shape (time, units)
        Pooled events a week.
    """

    events: Floats
    squares: Floats
    weeks: Floats
    level: Floats

    @classmethod
    def of(cls, panel: Panel, weeks: int, pool: Pool) -> Window:
        """Return the sums after each week of a panel."""
        counts, observed = panel.counts.astype(np.float64), panel.observed
        events = recent_sums(counts, observed, weeks)
        known = recent_sums(observed.astype(np.float64), observed, weeks)
        groups = panel.units.group_codes() if pool == "group" else np.zeros(len(panel.units), dtype=np.intp)
        return cls(events, recent_sums(counts**2, observed, weeks), known, pooled_level(events, known, groups))

    def rows(self, stop: int) -> Window:
        """Return the sums without the last rows."""
        return Window(self.events[:stop], self.squares[:stop], self.weeks[:stop], self.level[:stop])

    def negbin(self, shape: float, excess: float, excess_events: float) -> tuple[Floats, Floats]:
        """Return mean and size of the counts to come, each of shape (time, units)."""
        own = _own_excess(self.events, self.squares, self.weeks)
        return _shrunk(self.events, self.weeks, self.level, own, shape, excess, excess_events)


@dataclass(frozen=True)
class _Cases:
    """Some cells of a window, arrays of shape (cases,), with all that does not depend on the parameters."""

    events: Floats
    weeks: Floats
    level: Floats
    own: Floats

    @classmethod
    def of(cls, window: Window, which: NDArray[np.bool_]) -> _Cases:
        events, squares, weeks, level = (
            each[which] for each in (window.events, window.squares, window.weeks, window.level)
        )
        return cls(events, weeks, level, _own_excess(events, squares, weeks))

    def rows(self, start: int, stop: int) -> _Cases:
        """Return some of them: a processor's cache holds what is made of a few."""
        return _Cases(*(each[start:stop] for each in (self.events, self.weeks, self.level, self.own)))

    def negbin(self, shape: float, excess: float, excess_events: float) -> tuple[Floats, Floats]:
        """Return mean and size of the counts to come."""
        return _shrunk(self.events, self.weeks, self.level, self.own, shape, excess, excess_events)


def _own_excess(events: Floats, squares: Floats, weeks: Floats) -> Floats:
    """Return events * (variance / mean - 1), with the sums in place of the moments, at least 0."""
    return np.maximum(squares - events**2 / np.maximum(weeks, 1) - events, 0)


def _shrunk(
    events: Floats, weeks: Floats, level: Floats, own: Floats, shape: float, excess: float, excess_events: float
) -> tuple[Floats, Floats]:
    """Return mean and size, each drawn to what is common as far as there are few events."""
    mean = (events + shape) / (weeks + shape / level)
    shrunk = (own + excess_events * excess) / (events + excess_events)
    return mean, np.maximum(mean / shrunk, SMALLEST_SIZE)


def _persistence(panel: Panel, mean: Floats, size: Floats) -> float:
    """Return the covariance of errors one and five weeks ahead as a share of the excess variance."""
    prior, weight = PERSISTENCE_PRIOR
    apart = LEAD
    known = panel.observed[1:-apart] & panel.observed[1 + apart :]
    expected_mean = mean[: -1 - apart]
    shared = (panel.counts[1:-apart] - expected_mean) * (panel.counts[1 + apart :] - expected_mean)
    scale = expected_mean**2 / size[: -1 - apart]
    return float(np.clip((shared[known].sum() + prior * weight) / (scale[known].sum() + weight), 0, 1))
