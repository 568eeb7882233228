"""Poisson and negative binomial regressions from a formula, simulated forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator

from forecast.families.formula import CheckedFormula, Design, check_formula
from forecast.families.memory import MemoryKind, neighbour_mean, transformed
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import panel_level, require_observed
from forecast.families.weighted_fit import Distribution, Estimates, Rows, weighted_fit
from forecast.panel.panel import Panel
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]

YEAR_DAYS = 365.25
LEAST_WEIGHT = 2e-3
"""Weeks whose likelihood weight has fallen below this are left out."""
PSEUDO_ROWS = 8


class Glm(Family):
    """Generalised linear model with a log link, fitted by weighted maximum likelihood.

    Parameters
    ----------
    formula : str
        ``count ~ terms``. Known in advance: unit, group, trend (years since the first week of the fit, kept
        within the fitted weeks), sin1, cos1, sin2, cos2 (once and twice a year, at the target week). From earlier
        counts, in linear terms only: own_k (log(1 + count k weeks ago)), own_ewm_s (log(mean + 1/10s) of the
        exponentially weighted mean of span s, weight 2 / (s + 1) on the newest week), and neighbour_k,
        neighbour_ewm_s, the same for the mean over adjacent units (over all units where there are none).
        The log of the exposure is an offset.
    distribution : {"negbin", "poisson"}
        Of the counts around their mean.
    half_life_weeks : float, optional
        A week so much older counts half in the likelihood. None counts all alike.
    pseudo_weeks : float
        Weeks at the mean of its group that are added to the data of each unit: after silence and after weeks at that
        mean, spread over the year and the fitted trend. Where that mean is above 1 they weigh less, so as to hold
        one event each. They keep the estimates finite for units without any event.
    largest_multiple : float
        The mean of a simulated week is at most this multiple of the largest count ever seen (at least 1), so that no
        path explodes.

    Notes
    -----
    The size of the negative binomial is estimated by weighted likelihood given the means, in turn with the means.
    A missing week has no likelihood and leaves the covariates of later weeks as they were. Means start at the pooled
    level of the panel, which counts as a few weeks, so that a short history is read at its own level.
    Standard errors are those of a weighted score, ``H^-1 J H^-1`` with H from all rows and J from the observed
    rows with squared weights; they take the model as true.

    A unit (or group) that was not in the fit gets the mean of the expected counts of the units of its group, or
    of all units; coefficients of earlier counts are averaged alike.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson(2.0, (60, 3)), weeks, Units.of(["Gao", "Mopti", "Kidal"]))
    >>> model = Glm(formula="count ~ 1", distribution="poisson", half_life_weeks=None, pseudo_weeks=0)
    >>> bool(np.isclose(np.exp(model.fit(panel, rng).estimates.coefficients[0]), panel.counts.mean()))
    True
    """

    family: ClassVar[str] = "glm"

    formula: str = "count ~ own_1 + own_ewm_8 + own_ewm_52 + sin1 + cos1"
    distribution: Distribution = "negbin"
    half_life_weeks: Annotated[float, Field(ge=1)] | None = 104
    pseudo_weeks: Annotated[float, Field(ge=0, le=520)] = 1.0
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    @field_validator("formula")
    @classmethod
    def _only_names(cls, text: str) -> str:
        check_formula(text)
        return text

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedGlm:
        """Estimate coefficients and size; `rng` is not used.

        Raises
        ------
        InputError
            If the formula can't be read or is not linear in earlier counts.
        ForecastError
            If the estimates don't converge even with many pseudo-weeks.
        """
        require_observed(panel)
        formula = check_formula(self.formula)
        clock = Clock(panel.weeks[0], panel.weeks[-1])
        memory = MemoryKind(formula.dynamic)
        data = _observed_rows(panel, memory, clock, self.half_life_weeks)
        pseudo = _pseudo_rows(panel, formula, clock)
        frame = pd.concat([data.frame, pseudo.frame], ignore_index=True)
        design = Design.of(formula, frame)
        rows = Rows(
            design.matrix(frame), *(np.concatenate(both) for both in zip(data.columns(), pseudo.columns(), strict=True))
        )
        estimates = weighted_fit(rows, len(data.frame), self.distribution, self.pseudo_weeks, what=repr(self.formula))
        return FittedGlm(
            panel,
            design,
            memory,
            clock,
            _profiles(panel, formula),
            estimates,
            self.largest_multiple,
            _largest(panel),
        )


@dataclass(frozen=True)
class Clock:
    """Trend and season of weeks.

    Parameters
    ----------
    first, last : Timestamp
        First and last week of the fit; the trend stays within them.
    """

    first: pd.Timestamp
    last: pd.Timestamp

    def covariates(self, weeks: pd.DatetimeIndex) -> dict[str, Floats]:
        """Return trend, sin1, cos1, sin2, cos2 of weeks, each of shape (weeks,)."""
        within = np.clip(weeks.to_numpy(), self.first.to_numpy(), self.last.to_numpy())
        days = (weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1)
        trend = (within - self.first.to_numpy()) / np.timedelta64(1, "D") / YEAR_DAYS
        return {"trend": trend, **season(np.asarray(days, dtype=np.float64) / YEAR_DAYS)}


def season(year: Floats) -> dict[str, Floats]:
    """Return sine and cosine once and twice a year, at times in years."""
    angle = 2 * np.pi * year
    return {"sin1": np.sin(angle), "cos1": np.cos(angle), "sin2": np.sin(2 * angle), "cos2": np.cos(2 * angle)}


@dataclass(frozen=True)
class Profiles:
    """Units or groups that the fit tells apart, one row of covariates each.

    Parameters
    ----------
    unit, group : tuple of str
    by_unit : bool
        Whether a unit is known by its name, or only by its group.
    """

    unit: tuple[str, ...]
    group: tuple[str, ...]
    by_unit: bool

    def shares(self, panel: Panel) -> Floats:
        """Return which profiles a panel's units are averaged over, shape (units, profiles); rows sum to 1."""
        own, groups = np.asarray(self.unit, dtype=object), np.asarray(self.group, dtype=object)
        out = np.empty((len(panel.units), len(own)))
        for at, (name, group) in enumerate(zip(panel.units.names, panel.units.groups, strict=True)):
            named = (own == name) if self.by_unit else np.zeros(len(own), dtype=bool)
            grouped = groups == group
            out[at] = named if named.any() else grouped if grouped.any() else True
        return np.asarray(out / out.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class FittedGlm(Fitted):
    """Coefficients and size, and the panel from whose last weeks the simulation starts.

    Parameters
    ----------
    panel : Panel
    design : Design
    memory : MemoryKind
    clock : Clock
    profiles : Profiles
    estimates : Estimates
    largest_multiple : float
    largest_fitted : int
        Largest count of the fit.
    """

    panel: Panel
    design: Design
    memory: MemoryKind
    clock: Clock
    profiles: Profiles
    estimates: Estimates
    largest_multiple: float
    largest_fitted: int

    def linear_parts(self, weeks: pd.DatetimeIndex) -> tuple[Floats, Floats]:
        """Return the log mean without earlier counts, and the slope in each covariate of earlier counts.

        Returns
        -------
        base : ndarray, shape (weeks, units)
        slopes : ndarray, shape (dynamic, weeks, units)
        """
        profiles = len(self.profiles.unit)
        frame = pd.DataFrame(
            {
                "unit": np.tile(np.asarray(self.profiles.unit, dtype=object), len(weeks)),
                "group": np.tile(np.asarray(self.profiles.group, dtype=object), len(weeks)),
                **{name: np.repeat(values, profiles) for name, values in self.clock.covariates(weeks).items()},
            }
        )
        parts = (self.design.linear_parts(frame) @ self.estimates.coefficients).reshape(-1, len(weeks), profiles)
        shares = self.profiles.shares(self.panel)
        highest = parts[0].max(axis=1, keepdims=True)
        base = np.log(np.exp(parts[0] - highest) @ shares.T) + highest + np.log(self.panel.exposure)
        return base, parts[1:] @ shares.T

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate week by week, each path with covariates from its own counts; the pmf averages over the paths."""
        weeks = self.target_weeks(horizon)
        base, slopes = self.linear_parts(weeks)
        cap = np.log(self.largest_multiple * max(self.largest_fitted, _largest(self.panel), 1))
        weights = neighbour_mean(self.panel.neighbours)
        _, state = self.memory.history(self.panel)
        means = np.empty((draws, horizon, len(self.panel.units)))
        paths = np.empty(means.shape, dtype=np.int32)
        for week in range(horizon):
            log_mean = base[week]
            if len(slopes):
                values = self.memory.covariates(state, weights)
                steps = slopes[:, week].reshape(len(slopes), *[1] * (values.ndim - 2), -1)
                log_mean = log_mean + (steps * values).sum(axis=0)
            means[:, week] = np.exp(np.minimum(log_mean, cap))
            paths[:, week] = np.minimum(negbin.sample(means[:, week], self.estimates.size, rng), np.iinfo(np.int32).max)
            if week + 1 < horizon and len(slopes):
                if not week:
                    state = state.repeat(draws)
                state = self.memory.follow(state, paths[:, week])
        distinct = means if len(slopes) else means[:1]
        return Forecast(paths, negbin.mixture_pmf(distinct, self.estimates.size), weeks, self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Take up another panel; units are matched by name, then by group."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return coefficients, by the names of the design's columns, and the size with standard errors."""
        found = self.estimates
        values = dict(zip(self.design.columns, found.coefficients.tolist(), strict=True))
        errors = dict(zip(values, np.sqrt(np.diag(found.covariance)).tolist(), strict=True))
        if np.isfinite(found.size):
            values["size"], errors["size"] = found.size, found.size_error
        return parameter_table(values, errors)


@dataclass(frozen=True)
class Cases:
    """Covariates of some unit-weeks, with what goes beside them into the likelihood; arrays of shape (rows,)."""

    frame: pd.DataFrame
    count: Floats
    weight: Floats
    offset: Floats

    def columns(self) -> tuple[Floats, Floats, Floats]:
        """Return count, weight, offset."""
        return self.count, self.weight, self.offset


def _observed_rows(panel: Panel, memory: MemoryKind, clock: Clock, half_life: float | None) -> Cases:
    """Return the observed unit-weeks that still count."""
    covariates, _ = memory.history(panel)
    age = np.arange(len(panel.weeks))[::-1]
    week_weight = np.ones(len(age)) if half_life is None else 0.5 ** (age / half_life)
    week, unit = np.nonzero(panel.observed & (week_weight >= LEAST_WEIGHT)[:, None])
    if not len(week):  # only weeks that are long past are known; then they are all there is
        week, unit = np.nonzero(panel.observed)
    weight = week_weight / week_weight[week].max()
    columns: dict[str, object] = {
        "unit": np.asarray(panel.units.names, dtype=object)[unit],
        "group": np.asarray(panel.units.groups, dtype=object)[unit],
        **{name: values[week] for name, values in clock.covariates(panel.weeks).items()},
        **{item.name: values[week, unit] for item, values in zip(memory.names, covariates, strict=True)},
    }
    counts = panel.counts[week, unit].astype(np.float64)
    return Cases(pd.DataFrame(columns), counts, weight[week], np.log(panel.exposure)[unit])


def _pseudo_rows(panel: Panel, formula: CheckedFormula, clock: Clock) -> Cases:
    """Return eight unit-weeks of weight 1/8 for each unit, at the level of its group; less where it is above 1.

    Each covariate of earlier counts is as after silence in half of the rows and as after weeks at that level in the
    others, in a pattern of its own (the columns of a two-level factorial design), so that the rows surround what is
    observed in a silent panel from all sides.
    """
    level = panel_level(panel)
    row = np.tile(np.arange(PSEUDO_ROWS), len(panel.units))
    unit = np.repeat(np.arange(len(panel.units)), PSEUDO_ROWS)
    last = clock.covariates(pd.DatetimeIndex([clock.last]))["trend"][0]
    before = {
        item.name: transformed(np.where(_factor(row, 1 + at % 7), level[unit], 0.0), item)
        for at, item in enumerate(formula.dynamic)
    }
    columns: dict[str, object] = {
        "unit": np.asarray(panel.units.names, dtype=object)[unit],
        "group": np.asarray(panel.units.groups, dtype=object)[unit],
        "trend": last * _factor(row, 7),
        **season(row / PSEUDO_ROWS),
        **before,
    }
    offset = np.log(panel.exposure)[unit]
    weight = 1 / np.maximum(level[unit], 1.0) / PSEUDO_ROWS
    return Cases(pd.DataFrame(columns), level[unit], weight, offset)


def _factor(row: NDArray[np.intp], mask: int) -> NDArray[np.bool_]:
    """Return a column of the two-level factorial design of eight rows: the parity of the bits of `row` under `mask`."""
    return np.asarray(np.bitwise_count(row & mask) % 2 == 1)


def _largest(panel: Panel) -> int:
    """Return the largest observed count."""
    return int(panel.counts.max(where=panel.observed, initial=0))


def _profiles(panel: Panel, formula: CheckedFormula) -> Profiles:
    """Return what the formula tells apart among the units of the fit."""
    pairs = zip(panel.units.names, panel.units.groups, strict=True)
    by_unit = "unit" in formula.static
    if by_unit:
        chosen = list(pairs)
    elif "group" in formula.static:
        chosen = list({group: (name, group) for name, group in pairs}.values())
    else:
        chosen = [next(pairs)]
    names, groups = zip(*chosen, strict=True)
    return Profiles(tuple(names), tuple(groups), by_unit)
