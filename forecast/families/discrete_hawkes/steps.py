"""Counts by day, or by any other step: the same process outside of the weekly panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.config import parse
from forecast.errors import InputError
from forecast.families.discrete_hawkes.coordinates import Natural
from forecast.families.discrete_hawkes.family import DiscreteHawkes, FittedDiscreteHawkes
from forecast.families.discrete_hawkes.kernels import DelayKind, SpreadKind
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.processes.spacetime.sphere import checked_degrees

Floats = NDArray[np.float64]

FIRST = pd.Timestamp("1970-01-03")
"""Where the weeks begin that stand for the steps; without a season no date means anything."""


@dataclass(frozen=True, eq=False)
class CountProcess:
    """A discrete-time Hawkes process fitted to counts by step.

    Parameters
    ----------
    fitted : FittedDiscreteHawkes
        Its weeks are the steps.

    Examples
    --------
    >>> fit_counts([0] * 100)
    CountProcess(radius 0.40 [0.03, 0.93]; no event in the history: rates rest on how long there was none)
    """

    fitted: FittedDiscreteHawkes

    def __repr__(self) -> str:
        """Return the radius with its 95 % interval, and all remarks."""
        found = self.summary()["estimate"]
        low, high = (found[f"spectral radius, {level}"] for level in ("2.5 %", "97.5 %"))
        return f"CountProcess({'; '.join([f'radius {self.radius:.2f} [{low:.2f}, {high:.2f}]', *self.remarks])})"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What went otherwise than usual in the fit: read them before the figures, which may be the priors alone."""
        return self.fitted.remarks

    @property
    def radius(self) -> float:
        """Spectral radius of the branching matrix: events that one event triggers directly, in all units; below 1.

        With few events, or none, it is that of the prior: see `remarks`.
        """
        return float(self._natural().branching)

    @property
    def offspring(self) -> NDArray[np.float64]:
        """Events that one event triggers directly 1, 2, .. steps later, in all units, shape (lags,)."""
        natural = self._natural()
        return np.asarray(natural.branching * natural.shares[:, 0])

    def _natural(self) -> Natural:
        found = self.fitted.estimates
        return found.layout.natural(found.parameters)

    def summary(self) -> pd.DataFrame:
        """Return radius and endogenous share with 95 % intervals, and the other parameters; delays are in steps."""
        return self.fitted.summary()

    def paths(self, horizon: int, draws: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return counts of the steps to come, each path excited by its own events, shape (draws, horizon, units)."""
        return self.fitted.predict(horizon, draws, rng).paths

    def update(self, counts: ArrayLike, *, observed: ArrayLike | None = None) -> CountProcess:
        """Return the same parameters in the state that a longer, or another, history of the same units leaves."""
        return CountProcess(self.fitted.update(_panel(counts, observed, self.fitted.panel.units)))


def fit_counts(
    counts: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    latitude: ArrayLike | None = None,
    longitude: ArrayLike | None = None,
    delay: DelayKind = "negbin",
    lags: int = 60,
    distribution: Literal["negbin", "poisson"] = "negbin",
    spread: SpreadKind = "exponential",
    reach_km: float = 600.0,
    memory: float = 180.0,
    half_life: float | None = None,
) -> CountProcess:
    """Fit the discrete-time Hawkes process to counts by day, or by any other step; without a season.

    Parameters
    ----------
    counts : array_like of int, shape (steps,) or (steps, units)
        All steps in order, one row each.
    observed : array_like of bool, same shape, optional
        False where a count is not known.
    latitude, longitude : array_like, shape (units,), optional
        Degrees, both or neither; without them units excite only themselves.
    delay, lags, distribution, spread, reach_km
        As in `DiscreteHawkes`; the delay in steps.
    memory : float
        Steps after which the baseline forgets; ``inf`` for one that does not change.
    half_life : float, optional
        A step so much older counts half in the likelihood; None: all alike.

    Raises
    ------
    InputError
        If counts are not whole numbers of at least 0, shapes do not fit, units lie off the globe or have only one
        coordinate, or a setting is out of its range.

    References
    ----------
    Daily counts of deaths: Browning, Sulem, Mengersen, Rivoirard & Rousseau (2021), doi:10.1371/journal.pone.0250015.

    Examples
    --------
    Each event triggers 0.5 others, the day after.

    >>> rng, days = np.random.default_rng(1), np.zeros(1500, int)
    >>> for day in range(1, len(days)):
    ...     days[day] = rng.poisson(0.3 + 0.5 * days[day - 1])
    >>> found = fit_counts(days, delay="geometric", lags=20, memory=np.inf)
    >>> round(found.radius, 1), found.offspring.argmax() + 1
    (0.5, np.int64(1))
    >>> found.paths(horizon=7, draws=500, rng=rng).shape
    (500, 7, 1)
    """
    given = np.asarray(counts)
    units = 1 if given.ndim == 1 else given.shape[-1]
    north, east = _degrees(latitude, longitude, units)
    names = Units.of([f"unit {at + 1}" for at in range(units)], latitude=north, longitude=east)
    settings = {
        "delay": delay,
        "lags": lags,
        "distribution": distribution,
        "spread": "none" if north is None else spread,
        "reach_km": reach_km,
        "baseline_weeks": memory,
        "half_life_weeks": half_life,
        "harmonics": 0,
    }
    family = parse(DiscreteHawkes, settings, where="fit_counts")
    return CountProcess(family.fit(_panel(given, observed, names), np.random.default_rng(0)))


def _degrees(
    latitude: ArrayLike | None, longitude: ArrayLike | None, units: int
) -> tuple[Floats | None, Floats | None]:
    if latitude is None and longitude is None:
        return None, None
    if latitude is None or longitude is None:
        given, other = ("longitude", "latitude") if latitude is None else ("latitude", "longitude")
        raise InputError(f"{given} without {other}", where="fit_counts", expected="both of them, or neither")
    north, east = checked_degrees(latitude, longitude, "unit")
    if len(north) != units:
        raise InputError(f"{len(north)} coordinates of {units} units", where="fit_counts", expected="one a unit")
    return north, east


def _panel(counts: ArrayLike, observed: ArrayLike | None, units: Units) -> Panel:
    given = np.asarray(counts)
    table = given[:, None] if given.ndim == 1 else given
    seen = np.ones(table.shape, bool) if observed is None else np.asarray(observed, bool).reshape(table.shape)
    if table.ndim != 2 or table.shape[1] != len(units) or not len(table):
        raise InputError(f"counts of shape {given.shape}", expected=f"(steps, {len(units)}), at least one step")
    values = np.where(seen, table, 0)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values == np.floor(values)).all()):
        raise InputError("counts that are no whole numbers of at least 0", expected="counts; `observed` for gaps")
    steps = pd.date_range(FIRST, periods=len(table), freq="7D", unit="s")
    return Panel.of(values.astype(np.int64), steps, units, observed=seen)
